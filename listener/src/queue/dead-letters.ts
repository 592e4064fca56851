import type { Database } from '../database/connection.ts';
import { requeueRuns } from '../database/runs.ts';
import type { DeadLetter, Queue } from './queue.ts';

const PAGE = 1000;

/** Every dead letter, oldest first. */
export async function allDeadLetters(queue: Queue): Promise<DeadLetter[]> {
  const all: DeadLetter[] = [];
  let page: DeadLetter[];
  do {
    page = await queue.deadLetters(PAGE, all.at(-1)?.id);
    all.push(...page);
  } while (page.length === PAGE);
  return all;
}

/**
 * Puts dead letters back into the queue and their runs back to `queued`, in one transaction.
 *
 * @param runIds only the dead letters of these runs; all without it
 * @returns the runs that wait again
 */
export async function redriveDeadLetters(
  database: Database,
  queue: Queue,
  runIds?: readonly string[],
): Promise<readonly string[]> {
  const dead = (await allDeadLetters(queue)).filter(
    ({ runId }) => runIds === undefined || runIds.includes(runId),
  );
  const redriven = [...new Set(dead.map(({ runId }) => runId))];
  await database.transaction(async (transaction) => {
    await requeueRuns(transaction, redriven);
    await queue.redrive(
      dead.map(({ id }) => id),
      transaction,
    );
  });
  return redriven;
}
