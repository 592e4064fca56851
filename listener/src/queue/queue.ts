import { setTimeout as delay } from 'node:timers/promises';
import {
  type ConstructorOptions,
  fromKnex,
  getMigrationPlans,
  type JobWithMetadata,
  PgBoss,
  type QueueOptions,
} from 'pg-boss';
import type { Database, Transaction } from '../database/connection.ts';
import { sharedStatement } from '../database/group-commit.ts';
import type { JudgementReference } from '../database/judgements.ts';
import { queueSchemaOf } from '../database/tables.ts';

/** One job for each judgement. */
export const RUN_QUEUE = 'runs';

/** Jobs whose last attempt failed; they wait for an operator. */
export const DEAD_LETTER_QUEUE = 'runs_dead_letter';

const DAY = 86_400;

/** Longer than any attempt should take; a file of a terabyte is not expected. */
export const LONGEST_ATTEMPT_SECONDS = 4 * 3600;

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

type Executor = ReturnType<typeof fromKnex>;

/** Asks whether it is this process's turn to build indexes. */
const INDEX_TURN = /^\s*UPDATE \S+\.version\s+SET bam_on\b/;

/** pg-boss builds indexes in the background of whoever works with the queue: here it is never its turn. */
function withoutIndexBuilds({ executeSql }: Executor): Executor {
  return {
    executeSql: async (text, values) =>
      INDEX_TURN.test(text) ? { rows: [] } : executeSql(text, values),
  };
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

/** A job in the hands of a worker: one attempt at one judgement. */
export interface RunJob extends JudgementReference {
  readonly id: string;
  /** Attempts before this one. */
  readonly retryCount: number;
  readonly retryLimit: number;
  /** When it was enqueued; undefined where it was not fetched. */
  readonly createdAt?: Date | undefined;
  /** W3C `traceparent` of the work that enqueued it. */
  readonly traceparent?: string | undefined;
}

/** A job whose attempts are used up. */
export interface DeadLetter extends JudgementReference {
  /** Its id in the dead-letter queue. */
  readonly id: string;
  readonly diedAt: Date;
  readonly attempts: number;
  /** The last attempt's error, as text. */
  readonly error: string;
}

/** What the queue held when it was last counted, at most a few seconds ago. */
export interface QueueDepth {
  /** Waiting, those that wait for their next attempt included. */
  readonly waiting: number;
  readonly active: number;
  readonly deadLetters: number;
}

/** A judgement to enqueue. */
export interface JobRequest extends JudgementReference {
  /** The id that its job gets, which the judgement knows. */
  readonly jobId: string;
  /** W3C `traceparent` of the work that enqueues it. @default none */
  readonly traceparent?: string | undefined;
}

/** What a job holds. */
interface JobData extends JudgementReference {
  readonly traceparent?: string;
}

/** The queue of judgements: pg-boss behind what the listener needs of it. */
export interface Queue {
  /**
   * Enqueues one job a judgement inside the caller's transaction.
   *
   * @param priority jobs of a higher one are fetched first. @default 0
   */
  enqueue(
    judgements: readonly JobRequest[],
    transaction: Transaction,
    priority?: number,
  ): Promise<void>;
  /** Takes up to `limit` jobs; each needs heartbeats until it is settled. */
  fetch(limit: number): Promise<RunJob[]>;
  /** Says that the jobs are still worked on. @returns the ids that are still ours */
  heartbeat(jobs: readonly RunJob[]): Promise<ReadonlySet<string>>;
  complete(job: RunJob): Promise<void>;
  /** @returns `lost` when another worker has the job by now, and nothing was changed */
  fail(job: RunJob, error: unknown, transaction?: Transaction): Promise<'retry' | 'dead' | 'lost'>;
  /**
   * Gives an unfinished job back without counting the attempt.
   *
   * @param waitSeconds before it is fetched again. @default 0
   * @returns whether it was still ours; else nothing was changed
   */
  handBack(job: RunJob, waitSeconds?: number): Promise<boolean>;
  /**
   * Leaves an attempt uncounted that was taken from a process which lives: frozen, or out of the database's reach, it
   * has lost the job, and the file has no part in that. The last attempt of all stays what it is, a dead letter.
   */
  forgive(job: RunJob): Promise<void>;
  depth(): Promise<QueueDepth>;
  /** Oldest first. */
  deadLetters(limit: number): Promise<DeadLetter[]>;
  /** Takes dead letters away: their judgements were asked for anew, or given up. @returns how many */
  discard(ids: readonly string[], transaction: Transaction): Promise<number>;
  /** Stops supervising; jobs in hand are the worker's business. */
  close(): Promise<void>;
}

/** What pg-boss answers to the calls that settle a job; its own type leaves the fields out. */
interface Settled {
  readonly affected: number;
  readonly settled: readonly string[];
}

/**
 * Opens the queue on a migrated database and joins in its supervision: each process looks after the
 * jobs of those that died.
 *
 * @param onError called with failures in the background, which the next round gets over
 */
export async function openQueue(
  database: Database,
  onError: (error: Error) => void,
): Promise<Queue> {
  const boss = new PgBoss({
    db: withoutIndexBuilds(fromKnex(database)),
    schema: queueSchemaOf(database),
    // checkSchema has refused older tables already. Without this, newer ones would be refused too.
    migrate: true,
    schedule: false,
    registerInstance: false,
    // A job whose process was killed is found this soon after its heartbeat has lapsed.
    superviseIntervalSeconds: 1,
    monitorIntervalSeconds: 1,
  });
  boss.on('error', onError);
  await boss.start();
  const completeTogether = sharedStatement<RunJob, void>(async (_, jobs) => {
    await boss.complete(RUN_QUEUE, jobs.map(attempt));
    return jobs.map(() => undefined);
  });

  return {
    async enqueue(judgements, transaction, priority = 0) {
      if (judgements.length === 0) return;
      const jobs = judgements.map(({ runId, number, jobId, traceparent }) => ({
        id: jobId,
        data: { runId, number, ...(traceparent && { traceparent }) } satisfies JobData,
        ...(priority === 0 ? {} : { priority }),
      }));
      await boss.insert(RUN_QUEUE, jobs, { db: fromKnex(transaction) });
    },

    async fetch(limit) {
      const jobs = await boss.fetch<JobData>(RUN_QUEUE, {
        batchSize: limit,
        includeMetadata: true,
      });
      return jobs.map(({ id, data, retryCount, retryLimit, createdOn }) => ({
        id,
        runId: data.runId,
        number: data.number,
        retryCount,
        retryLimit,
        createdAt: createdOn,
        traceparent: data.traceparent,
      }));
    },

    async heartbeat(jobs) {
      if (jobs.length === 0) return new Set();
      const response = await boss.touch(RUN_QUEUE, jobs.map(attempt));
      return new Set((response as Settled).settled);
    },

    complete: (job) => completeTogether(database, job),

    async fail(job, error, transaction) {
      const response = await boss.fail(
        RUN_QUEUE,
        attempt(job),
        { message: errorTextOf(error) },
        transaction && { db: fromKnex(transaction) },
      );
      if ((response as Settled).affected === 0) return 'lost';
      return job.retryCount < job.retryLimit ? 'retry' : 'dead';
    },

    async handBack(job, waitSeconds = 0) {
      return database.transaction(async (transaction) => {
        const db = fromKnex(transaction);
        const response = await boss.cancel(RUN_QUEUE, attempt(job), { db });
        if ((response as Settled).affected === 0) return false;
        await boss.resume(RUN_QUEUE, job.id, { db });
        // The next fetch counts one attempt more: a rollout must not use a job's attempts up.
        const retryLimit = job.retryLimit + 1;
        const startAfter = Math.ceil(waitSeconds);
        await boss.update(RUN_QUEUE, undefined, { id: job.id, retryLimit, startAfter, db });
        return true;
      });
    },

    async forgive({ id }) {
      await database.raw(
        `UPDATE ${queueSchemaOf(database)}.job SET retry_limit = retry_limit + 1
         WHERE name = '${RUN_QUEUE}' AND id = ? AND state IN ('created', 'retry', 'active')`,
        [id],
      );
    },

    async depth() {
      const queues = await boss.getQueues([RUN_QUEUE, DEAD_LETTER_QUEUE]);
      const runs = queues.find(({ name }) => name === RUN_QUEUE);
      const dead = queues.find(({ name }) => name === DEAD_LETTER_QUEUE);
      return {
        waiting: runs?.queuedCount ?? 0,
        active: runs?.activeCount ?? 0,
        deadLetters: dead?.queuedCount ?? 0,
      };
    },

    async deadLetters(limit) {
      const options = { queued: true, limit };
      const jobs = await boss.findJobs<JudgementReference>(DEAD_LETTER_QUEUE, options);
      return jobs.map(deadLetter);
    },

    async discard(ids, transaction) {
      if (ids.length === 0) return 0;
      const response = await boss.deleteJob(DEAD_LETTER_QUEUE, [...ids], {
        db: fromKnex(transaction),
      });
      return (response as Settled).affected;
    },

    async close() {
      await boss.stop({ graceful: false });
    },
  };
}

/** Names the attempt, so that a worker that lost its job can't settle another worker's. */
function attempt({ id, retryCount }: RunJob): { id: string; retryCount: number } {
  return { id, retryCount };
}

function deadLetter(job: JobWithMetadata<JudgementReference>): DeadLetter {
  return {
    id: job.id,
    runId: job.data.runId,
    number: job.data.number,
    diedAt: job.createdOn,
    attempts: (job.sourceRetryCount ?? 0) + 1,
    error: errorTextOf(job.sourceOutput),
  };
}

/** The text of an error, of what `fail` stored, or of what pg-boss's supervisor stored. */
export function errorTextOf(value: unknown): string {
  if (value instanceof Error) return value.message;
  if (typeof value === 'object' && value !== null) {
    if ('message' in value && typeof value.message === 'string') return value.message;
    if ('value' in value) return errorTextOf(value.value);
  }
  return String(value);
}
