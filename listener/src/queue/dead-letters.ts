import { randomUUID } from 'node:crypto';
import type { Database } from '../database/connection.ts';
import { type Asker, failJudgements, nameJobs, requestJudgements } from '../database/judgements.ts';
import { queueSchemaOf, tablesOf } from '../database/tables.ts';
import { type DeadLetter, type Queue, RUN_QUEUE } from './queue.ts';

const PAGE = 1000;

/** Every dead letter, oldest first. */
export async function allDeadLetters(queue: Pick<Queue, 'deadLetters'>): Promise<DeadLetter[]> {
  const all: DeadLetter[] = [];
  let page: DeadLetter[];
  do {
    page = await queue.deadLetters(PAGE, all.at(-1)?.id);
    all.push(...page);
  } while (page.length === PAGE);
  return all;
}

/** Asks for judgements anew. */
export interface RetryRequest {
  readonly askedBy: Asker;
  readonly reason?: string;
  /** See {@link Queue.enqueue}. */
  readonly priority?: number;
}

/**
 * Asks for another judgement of runs, enqueues its jobs and takes away their dead letters, in one
 * transaction. Runs that wait for a judgement anyway get no other one.
 *
 * @returns the runs that wait now and did not before
 */
export async function retryRuns(
  database: Database,
  queue: Pick<Queue, 'enqueue' | 'discard' | 'deadLetters'>,
  runIds: readonly string[],
  { priority, ...request }: RetryRequest,
): Promise<readonly string[]> {
  const asked = new Set(runIds);
  const dead = (await allDeadLetters(queue)).filter(({ runId }) => asked.has(runId));
  return database.transaction(async (transaction) => {
    const requested = await requestJudgements(transaction, runIds, request);
    await queue.enqueue(requested, transaction, priority);
    await queue.discard(
      dead.map(({ id }) => id),
      transaction,
    );
    return requested.map(({ runId }) => runId);
  });
}

/** A judgement that waits and that nobody will begin. */
interface Stranded {
  readonly runId: string;
  readonly number: number;
  /** It is in no queue: the process that began it was to end it as well. */
  readonly isOwn: boolean;
}

/** A process in the middle of a judgement says so every 2 s. */
const HEARTBEAT_LAPSED_SECONDS = 15;

/** Judgements that one call looks after; what is left waits for the next one. */
const REPAIRED_AT_ONCE = 1_000;

/** What {@link repairJudgements} did. */
export interface Repaired {
  readonly enqueued: number;
  readonly failed: number;
}

/**
 * Finds judgements that wait or are in hand without a job and without a process that works on them, as
 * older versions of this program and killed commands leave them: gives those of a queue a job, and ends
 * those that a command began with an error. Any number of processes may call it at once.
 */
export async function repairJudgements(
  database: Database,
  queue: Pick<Queue, 'enqueue'>,
): Promise<Repaired> {
  const { runs, judgements } = tablesOf(database);
  return database.transaction(async (transaction) => {
    const { rows } = await transaction.raw<{ rows: Stranded[] }>(
      `SELECT run.id AS "runId", open.number, open.is_own AS "isOwn"
       FROM ${runs} AS run JOIN (
         SELECT run_id, number, job_id, heartbeat_at, invocation IS NOT NULL AS is_own
         FROM ${judgements} WHERE status IN ('queued', 'running')
         UNION ALL
         -- The first one of a message, which nobody has begun.
         SELECT id, 1, id, NULL, false FROM ${runs} AS waiting
         WHERE status = 'pending' AND NOT EXISTS (
           SELECT FROM ${judgements} WHERE run_id = waiting.id AND number = waiting.last_number
         )
       ) AS open ON open.run_id = run.id
       WHERE coalesce(open.heartbeat_at < now() - make_interval(secs => ?), true)
         AND NOT EXISTS (
           -- A failed one has a dead letter, which the worker looks after.
           SELECT FROM ${queueSchemaOf(database)}.job
           WHERE name = ? AND id = open.job_id AND state IN ('created', 'retry', 'active', 'failed')
         )
       LIMIT ? FOR NO KEY UPDATE OF run SKIP LOCKED`,
      [HEARTBEAT_LAPSED_SECONDS, RUN_QUEUE, REPAIRED_AT_ONCE],
    );
    const own = rows.filter(({ isOwn }) => isOwn);
    await failJudgements(
      transaction,
      own.map((one) => ({ ...one, error: 'the process that judged it has died' })),
    );
    const others = rows
      .filter(({ isOwn }) => !isOwn)
      .map((one) => ({ ...one, jobId: randomUUID() }));
    await nameJobs(transaction, others);
    await queue.enqueue(others, transaction);
    return { enqueued: others.length, failed: own.length };
  });
}
