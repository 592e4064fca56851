import { randomUUID } from 'node:crypto';
import { type FetchOptions, fromKnex, type JobWithMetadata, PgBoss } from 'pg-boss';
import { toJsonb } from '../database/column-values.ts';
import type { Database, Transaction } from '../database/connection.ts';
import { reasonOf } from '../database/errors.ts';
import { sharedStatement } from '../database/group-commit.ts';
import type { JudgementReference } from '../database/judgements.ts';
import { queueSchemaOf, schemaOf } from '../database/tables.ts';

/** One job for each judgement. */
export const RUN_QUEUE = 'runs';

/** Jobs whose last attempt failed; they wait for an operator. */
export const DEAD_LETTER_QUEUE = 'runs_dead_letter';

/** Longer than any attempt should take; a file of a terabyte is not expected. */
export const LONGEST_ATTEMPT_SECONDS = 4 * 3600;

/*
 * The order of the queue: a weighted round robin over the clients, worked out when a judgement is enqueued, since
 * pg-boss fetches by priority and knows no clients. It is start-time fair queueing (Goyal, Vin and Cheng, 1996) with
 * a judgement as the unit: each round has as many places of a client as its weight, a judgement takes the client's
 * next place, in the round that is being fetched now or later, and the priority of its job is that round's.
 *
 * So a client's share of what is fetched next is its weight among the clients that wait, however long one of them
 * has been waiting and however much it has brought; one that comes late has a place at once, and none saves up
 * turns while it has nothing to do. Fetching needs to know nothing of it, so it holds over any number of processes.
 *
 * The first round has PostgreSQL's highest integer as its priority, the last one 1: a million files a day of a single
 * client, without a pause, get there in six years, and from then on the order is that of arrival.
 *
 * What has no place yet is placed by `placeWaiting` within a second, as if it came then.
 */

/** Of a job that has no place yet: pg-boss's default. It is fetched after all that have one, but before backfill. */
export const UNPLACED_PRIORITY = 0;

/** Of what nobody waits for: objects that a listing found, and new judgements after a change of rules. */
export const BACKFILL_PRIORITY = -10;

/** One of so many fetched jobs is a backfill's, where one waits; the others are, where nothing else waits. */
export const BACKFILL_TURN = 20;

/** Weights of clients; 1 for one that has none. */
export type Weights = ReadonlyMap<string, number>;

/** A round holds `1 / step` judgements of a client. */
export function stepOf(weights: Weights, client: string): number {
  return 1 / (weights.get(client) ?? 1);
}

/** Names the client of each object, in their order. */
export type ClientsOf = (
  objects: readonly { readonly bucket: string; readonly key: string }[],
) => Promise<readonly string[]>;

/** A job to place. */
interface Placeable {
  readonly client: string;
}

/**
 * Takes places for jobs, in the order in which they are given.
 *
 * Places of one client are given out by one transaction at a time. Another one does not wait for it, as the process
 * that holds them may be frozen: its jobs get no place, and are placed later.
 *
 * The database does it, see migration 0027, since intake has it done in the one statement that it sends.
 *
 * @returns priorities in the order of the jobs
 */
export async function takePlaces(
  transaction: Transaction,
  jobs: readonly Placeable[],
  weights: Weights,
): Promise<readonly number[]> {
  const { rows } = await transaction.raw<{ rows: { priorities: number[] | null }[] }>(
    `SELECT ${schemaOf(transaction)}.take_places(?::text[], ?::float8[]) AS priorities`,
    [jobs.map(({ client }) => client), jobs.map(({ client }) => stepOf(weights, client))],
  );
  return rows[0]?.priorities ?? [];
}

/**
 * Waits until the transaction alone may give out a client's places, as the first thing that it does: whoever holds nothing
 * can't be waited for. From then on intake only gets them after it.
 *
 * @throws after so many milliseconds, with SQLSTATE 55P03: the process that has them may be frozen
 */
export async function waitForPlaces(
  transaction: Transaction,
  client: string,
  milliseconds: number,
): Promise<void> {
  await transaction.raw(`SET LOCAL lock_timeout = ${milliseconds}`);
  await transaction.raw('SELECT pg_advisory_xact_lock(?, hashtext(? || ?))', [
    PLACES_LOCK,
    `${schemaOf(transaction)} `,
    client,
  ]);
}

/** Beside a number of schema and client; any number, but the same in every version of this program, and in `take_places`. */
const PLACES_LOCK = 412_870_933;

export type Executor = ReturnType<typeof fromKnex>;

/** Asks whether it is this process's turn to build indexes. */
const INDEX_TURN = /^\s*UPDATE \S+\.version\s+SET bam_on\b/;

/** pg-boss builds indexes in the background of whoever works with the queue: here it is never its turn. */
export function withoutIndexBuilds({ executeSql }: Executor): Executor {
  return {
    executeSql: async (text, values) =>
      INDEX_TURN.test(text) ? { rows: [] } : executeSql(text, values),
  };
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

/** What the job of a judgement holds. @param traceparent W3C form, of the work that enqueues it. @default none */
export function jobData({ runId, number }: JudgementReference, traceparent?: string): JobData {
  return { runId, number, ...(traceparent && { traceparent }) };
}

/** The queue of judgements: pg-boss behind what the listener needs of it. */
export interface Queue {
  /**
   * Enqueues one job a judgement inside the caller's transaction, as the last of its statements. It gets its place a moment later,
   * by `placeWaiting`; what intake takes has one at once.
   *
   * @param isBackfill nobody waits for them: one of {@link BACKFILL_TURN} fetched jobs is one of these, more where
   * nothing else waits. @default false
   */
  enqueue(
    judgements: readonly JobRequest[],
    transaction: Transaction,
    isBackfill?: boolean,
  ): Promise<void>;
  /** Takes up to `limit` jobs, client after client; each needs heartbeats until it is settled. */
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
  /** Makes dead letters of judgements whose attempts were not made by jobs of this queue. */
  bury(
    dead: readonly Pick<DeadLetter, 'runId' | 'number' | 'attempts' | 'error'>[],
    transaction: Transaction,
  ): Promise<void>;
  /** Stops supervising; jobs in hand are the worker's business. */
  close(): Promise<void>;
}

/** What pg-boss answers to the calls that settle a job; its own type leaves the fields out. */
interface Settled {
  readonly affected: number;
  readonly settled: readonly string[];
}

/** What {@link openQueue} may be given. */
export interface QueueSettings {
  /** From 0 to 1, 1 excluded. @default Math.random */
  readonly random?: () => number;
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
  { random = Math.random }: QueueSettings = {},
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
  const fetchFrom = (batchSize: number, options: FetchOptions = {}) =>
    batchSize === 0
      ? []
      : boss.fetch<JobData>(RUN_QUEUE, { ...options, batchSize, includeMetadata: true });
  // Processes that are started at once have their turns for backfill at different times.
  let fetched = Math.floor(random() * BACKFILL_TURN);
  const turnsForBackfill = (limit: number) => {
    const turns = Math.floor((fetched + limit) / BACKFILL_TURN);
    fetched = (fetched + limit) % BACKFILL_TURN;
    return turns;
  };

  return {
    async enqueue(judgements, transaction, isBackfill = false) {
      if (judgements.length === 0) return;
      const priority = isBackfill ? BACKFILL_PRIORITY : UNPLACED_PRIORITY;
      const jobs = judgements.map(({ runId, number, jobId, traceparent }) => ({
        id: jobId,
        data: jobData({ runId, number }, traceparent),
        priority,
      }));
      await boss.insert(RUN_QUEUE, jobs, { db: fromKnex(transaction) });
    },

    async fetch(limit) {
      const turns = turnsForBackfill(limit);
      const backfill = await fetchFrom(turns, { maxPriority: BACKFILL_PRIORITY });
      const jobs = await Promise.resolve(fetchFrom(limit - backfill.length)).catch((error) => {
        // What is in hand by now must be worked on.
        if (backfill.length > 0) return [];
        throw error;
      });
      return [...backfill, ...jobs].map(({ id, data, retryCount, retryLimit, createdOn }) => ({
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
      if (job.retryCount >= job.retryLimit) return 'dead';
      await givePlaceBack(transaction ?? database, job);
      return 'retry';
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
        if (startAfter > 0) await givePlaceBack(transaction, job);
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

    async bury(dead, transaction) {
      if (dead.length === 0) return;
      const letters = dead.map((letter) => ({ id: randomUUID(), ...letter }));
      await boss.insert(
        DEAD_LETTER_QUEUE,
        letters.map(({ id, runId, number }) => ({ id, data: { runId, number } })),
        { db: fromKnex(transaction) },
      );
      await transaction.raw(
        `UPDATE ${queueSchemaOf(transaction)}.job AS job
         SET source_name = '${RUN_QUEUE}', source_retry_count = dead.attempts - 1,
           source_output = jsonb_build_object('message', dead.error)
         FROM jsonb_to_recordset(?::jsonb) AS dead (id uuid, attempts integer, error text)
         WHERE job.name = '${DEAD_LETTER_QUEUE}' AND job.id = dead.id`,
        [toJsonb(letters)],
      );
    },

    async close() {
      await boss.stop({ graceful: false });
    },
  };
}

/**
 * A job that waits for its next attempt gets a place when that is due: by the one that it had, all that failed in an outage
 * would be fetched at once and before all others. One that is tried again already keeps the place.
 */
async function givePlaceBack(database: Database | Transaction, { id }: RunJob): Promise<void> {
  await database.raw(
    `UPDATE ${queueSchemaOf(database)}.job SET priority = ${UNPLACED_PRIORITY}
     WHERE name = '${RUN_QUEUE}' AND id = ? AND state < 'active' AND priority > ${UNPLACED_PRIORITY}`,
    [id],
  );
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
  if (value instanceof Error) return reasonOf(value);
  if (typeof value === 'object' && value !== null) {
    if ('message' in value && typeof value.message === 'string') return value.message;
    if ('value' in value) return errorTextOf(value.value);
  }
  return String(value);
}
