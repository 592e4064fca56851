import { fromKnex, PgBoss, type QueueOptions } from 'pg-boss';
import type { Database } from '../database/connection.ts';
import { QUEUE_SCHEMA } from '../database/schema-version.ts';

/** One job for each run. */
export const RUN_QUEUE = 'runs';

/** Jobs whose last attempt failed; they wait for an operator. */
export const DEAD_LETTER_QUEUE = 'runs_dead_letter';

const DAY = 86_400;

/**
 * A technical failure is tried again after 1 to 2 s, 2 to 4 s and so on up to 5 minutes, about a
 * quarter of an hour in all; then the job is a dead letter.
 *
 * The heartbeat is the shortest that pg-boss allows. A worker beats every 2 s and the supervisor
 * looks every second, so a job whose process was killed runs again 10 to 14 s later.
 */
const RUN_QUEUE_OPTIONS: QueueOptions = {
  retryLimit: 10,
  retryDelay: 1,
  retryBackoff: true,
  retryDelayMax: 300,
  heartbeatSeconds: 10,
  // Against a handler that hangs with a beating heart; a file of a terabyte is not expected.
  expireInSeconds: 4 * 3600,
  // Waiting jobs are deleted after this, so it is longer than any outage.
  retentionSeconds: 365 * DAY,
  // The table `runs` is the record; the queue stays small, which keeps its statements fast.
  deleteAfterSeconds: 3600,
};

const DEAD_LETTER_OPTIONS: QueueOptions = { retentionSeconds: 365 * DAY };

/** Creates or updates pg-boss's schema and our two queues. Part of `migrate`. */
export async function createQueues(database: Database): Promise<void> {
  const boss = new PgBoss({
    db: fromKnex(database),
    schema: QUEUE_SCHEMA,
    migrate: true,
    supervise: false,
    schedule: false,
    registerInstance: false,
  });
  let failure: Error | undefined;
  boss.on('error', (error) => {
    failure = error;
  });
  await boss.start();
  try {
    // Creating what is there already changes nothing, so the options are set once more.
    await boss.createQueue(DEAD_LETTER_QUEUE, DEAD_LETTER_OPTIONS);
    await boss.updateQueue(DEAD_LETTER_QUEUE, DEAD_LETTER_OPTIONS);
    await boss.createQueue(RUN_QUEUE, { ...RUN_QUEUE_OPTIONS, deadLetter: DEAD_LETTER_QUEUE });
    await boss.updateQueue(RUN_QUEUE, { ...RUN_QUEUE_OPTIONS, deadLetter: DEAD_LETTER_QUEUE });
  } finally {
    await boss.stop({ graceful: false });
  }
  if (failure) throw failure;
}
