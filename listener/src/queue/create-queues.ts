import { setTimeout as delay } from 'node:timers/promises';
import {
  type ConstructorOptions,
  fromKnex,
  getMigrationPlans,
  PgBoss,
  type QueueOptions,
} from 'pg-boss';
import type { Database, Transaction } from '../database/connection.ts';
import type { JudgementReference } from '../database/judgements.ts';
import { queueSchemaOf } from '../database/tables.ts';
import {
  DEAD_LETTER_QUEUE,
  type Executor,
  LONGEST_ATTEMPT_SECONDS,
  RUN_QUEUE,
  withoutIndexBuilds,
} from './queue.ts';

const DAY = 86_400;

/**
 * A technical failure is tried again after 1 to 2 s, 2 to 4 s and so on up to 5 minutes, about a
 * quarter of an hour in all; then the job is a dead letter.
 *
 * The heartbeat is the shortest that pg-boss allows. It is for jobs that no judgement is in hand for (a report
 * is written, or the process died in between): they run again 10 to 14 s after a kill, the others after 5 to 9
 * s, see `lookForDeadProcesses`.
 */
const RUN_QUEUE_OPTIONS: QueueOptions = {
  retryLimit: 10,
  retryDelay: 1,
  retryBackoff: true,
  retryDelayMax: 300,
  heartbeatSeconds: 10,
  // Against a handler that hangs while heartbeats are sent.
  expireInSeconds: LONGEST_ATTEMPT_SECONDS,
  // Waiting jobs are deleted after this, so it is longer than any outage.
  retentionSeconds: 365 * DAY,
  // The table `runs` is the record; the queue stays small, which keeps its statements fast.
  deleteAfterSeconds: 3600,
};

/** They are deleted with what else is older than RETENTION_DAYS; pg-boss keeps them for the longest of those. */
const DEAD_LETTER_OPTIONS: QueueOptions = { retentionSeconds: 10_000 * DAY };

/** What the queue of another schema held. */
export interface MovedJobs {
  /** Runs to be worked on, in their order. */
  readonly waiting: readonly string[];
  readonly dead: readonly {
    readonly id: string;
    readonly runId: string;
    readonly diedAt: Date;
    readonly retryCount: number;
    /** The last attempt's error, as pg-boss keeps it. */
    readonly output: unknown;
  }[];
}

/**
 * Creates or updates pg-boss's tables in their schema, and our two queues. Part of `migrate`, and of
 * its transaction.
 *
 * @param moved - what the queues begin with
 */
export async function createQueues(
  transaction: Transaction,
  moved: MovedJobs = { waiting: [], dead: [] },
): Promise<void> {
  const boss = new PgBoss({
    ...makingTables(transaction),
    db: withoutTransactions(withoutIndexBuilds(fromKnex(transaction))),
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
    await boss.createQueue(RUN_QUEUE, RUN_QUEUE_OPTIONS);
    await boss.updateQueue(RUN_QUEUE, { ...RUN_QUEUE_OPTIONS, deadLetter: DEAD_LETTER_QUEUE });
    await fillQueues(boss, transaction, moved);
  } finally {
    await boss.stop({ graceful: false });
  }
  if (failure) throw failure;
}

function makingTables(database: Database | Transaction): ConstructorOptions {
  return {
    schema: queueSchemaOf(database),
    migrate: true,
    createSchema: false,
    supervise: false,
    schedule: false,
    registerInstance: false,
  };
}

/**
 * Builds the indexes that an upgrade of pg-boss leaves for afterwards, beside the writes of others
 * (`CREATE INDEX CONCURRENTLY`). Part of `migrate`, after its transaction: the listener may lack the
 * rights.
 */
export async function buildIndexes(database: Database): Promise<void> {
  const waiting = () =>
    database(`${queueSchemaOf(database)}.bam`)
      .whereNot({ status: 'completed' })
      .first('id');
  if ((await waiting()) === undefined) return;
  const boss = new PgBoss({
    ...makingTables(database),
    db: fromKnex(database),
    // The shortest that pg-boss allows: another process may have looked just now.
    bamIntervalSeconds: 10,
  });
  let failure: Error | undefined;
  boss.on('error', (error) => {
    failure = error;
  });
  await boss.start();
  try {
    while (failure === undefined && (await waiting()) !== undefined) await delay(200);
  } finally {
    await boss.stop({ graceful: false });
  }
  if (failure) throw failure;
}

/**
 * As SQL, what {@link buildIndexes} would do after an upgrade; empty where nothing is left.
 *
 * @param version of pg-boss's tables before it
 */
export function indexStatements(database: Database, version: number): string {
  const schema = queueSchemaOf(database);
  const [, after = ''] = getMigrationPlans(schema, version).split(/^\s*COMMIT;$/m);
  if (after.trim() === '') return '';
  return `${after.trim()}\nUPDATE ${schema}.bam SET status = 'completed', completed_on = now() WHERE status <> 'completed';\n`;
}

/** pg-boss wraps what it makes in a transaction of its own, whose end would be that of ours. */
function withoutTransactions({ executeSql }: Executor): Executor {
  return {
    executeSql: (text, values) =>
      executeSql(text.replace(/^\s*BEGIN;/, '').replace(/COMMIT;\s*$/, ''), values),
  };
}

/** Jobs that one statement enqueues. */
const JOBS_AT_ONCE = 10_000;

async function fillQueues(
  boss: PgBoss,
  transaction: Transaction,
  { waiting, dead }: MovedJobs,
): Promise<void> {
  for (let start = 0; start < waiting.length; start += JOBS_AT_ONCE) {
    await boss.insert(
      RUN_QUEUE,
      waiting
        .slice(start, start + JOBS_AT_ONCE)
        .map((runId) => ({ id: runId, data: firstOf(runId) })),
    );
  }
  if (dead.length === 0) return;
  await boss.insert(
    DEAD_LETTER_QUEUE,
    dead.map(({ id, runId }) => ({ id, data: firstOf(runId) })),
  );
  await transaction.raw(
    `UPDATE ${queueSchemaOf(transaction)}.job AS job
     SET created_on = dead."diedAt", source_name = '${RUN_QUEUE}',
       source_retry_count = dead."retryCount", source_output = dead.output
     FROM jsonb_to_recordset(?::jsonb) AS dead (id uuid, "diedAt" timestamptz, "retryCount" int, output jsonb)
     WHERE job.name = '${DEAD_LETTER_QUEUE}' AND job.id = dead.id`,
    [JSON.stringify(dead)],
  );
}

/** An older version's run has one judgement, whose job has the run's id. */
function firstOf(runId: string): JudgementReference {
  return { runId, number: 1 };
}
