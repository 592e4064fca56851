import { randomUUID } from 'node:crypto';
import { storableText } from '../database/column-values.ts';
import type { Database, Transaction } from '../database/connection.ts';
import {
  failJudgements,
  type JudgementReference,
  type JudgementRequest,
  nameJobs,
  noteFailure,
  requestJudgements,
} from '../database/judgements.ts';
import { findRuns, type Run, type RunFilter } from '../database/runs.ts';
import { queueSchemaOf, tablesOf } from '../database/tables.ts';
import { DEAD_LETTER_QUEUE, type DeadLetter, errorTextOf, type Queue, RUN_QUEUE } from './queue.ts';

/** Asks for judgements anew. */
export interface RetryRequest extends JudgementRequest {
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
  queue: Pick<Queue, 'enqueue' | 'discard'>,
  runIds: readonly string[],
  request: RetryRequest,
): Promise<readonly string[]> {
  return database.transaction(async (transaction) => {
    const letters = await lettersOf(transaction, runIds);
    await discardLetters(transaction, queue, letters);
    return requestWithin(transaction, queue, runIds, request);
  });
}

async function requestWithin(
  transaction: Transaction,
  queue: Pick<Queue, 'enqueue'>,
  runIds: readonly string[],
  { priority, ...request }: RetryRequest,
): Promise<readonly string[]> {
  const requested = await requestJudgements(transaction, runIds, request);
  await queue.enqueue(requested, transaction, priority);
  return requested.map(({ runId }) => runId);
}

/** What {@link retryDeadRuns} did. */
export interface DeadRetried {
  /** Runs of which another judgement waits now. */
  readonly judgements: number;
  /** Runs whose verdict stands, and whose report is written anew. */
  readonly reports: number;
}

/**
 * Tries again what used up its attempts, and settles it: a judgement that ended in an error is followed by
 * another one; where the verdict stands and only its report was not written, the report alone is tried again.
 * What has no attempts used up is left alone.
 */
export async function retryDeadRuns(
  database: Database,
  queue: Pick<Queue, 'enqueue' | 'discard'>,
  runIds: readonly string[],
  reason: string,
): Promise<DeadRetried> {
  return database.transaction(async (transaction) => {
    const letters = await lettersOf(transaction, runIds);
    await discardLetters(transaction, queue, letters);
    const reports = await settleJudgements(transaction, runIds, reason, letters, 'finished');
    await queue.enqueue(
      reports.map((reference) => ({ ...reference, jobId: randomUUID() })),
      transaction,
    );
    const failed: string[] = await transaction(tablesOf(transaction).runs)
      .whereIn('id', runIds)
      .where({ status: 'error' })
      .pluck('id');
    const request = { askedBy: 'operator', reason } as const;
    const asked = await requestWithin(transaction, queue, failed, request);
    return { judgements: asked.length, reports: reports.length };
  });
}

/**
 * Settles runs that used up their attempts without another one: they and their dead letters are listed no
 * more. The reason is kept with the judgement.
 *
 * @returns how many runs this call has settled
 */
export async function discardDeadRuns(
  database: Database,
  queue: Pick<Queue, 'discard'>,
  runIds: readonly string[],
  reason: string,
): Promise<number> {
  return database.transaction(async (transaction) => {
    const letters = await lettersOf(transaction, runIds);
    await discardLetters(transaction, queue, letters);
    const settled = [
      ...(await settleJudgements(transaction, runIds, reason, letters, 'finished')),
      ...(await settleJudgements(transaction, runIds, reason, letters, 'error')),
    ];
    return new Set([...settled, ...letters].map(({ runId }) => runId)).size;
  });
}

/** @returns the judgements that were settled */
async function settleJudgements(
  transaction: Transaction,
  runIds: readonly string[],
  reason: string,
  letters: readonly DeadLetter[],
  status: 'finished' | 'error',
): Promise<readonly JudgementReference[]> {
  const { runs, judgements } = tablesOf(transaction);
  const { rows } = await transaction.raw(
    `UPDATE ${judgements} AS judgement SET settled_at = now(), settled_reason = ?
     FROM ${runs} AS run
     WHERE run.id = ANY (?::uuid[]) AND run.status = ? AND judgement.status = run.status
       AND judgement.run_id = run.id AND judgement.number = run.last_number
       AND (
         run.status = 'error' AND judgement.settled_at IS NULL
         OR (run.id::text, judgement.number) IN (
           SELECT "runId", number FROM jsonb_to_recordset(?::jsonb) AS letter ("runId" text, number integer)
         )
       )
     RETURNING judgement.run_id AS "runId", judgement.number`,
    [storableText(reason), [...runIds], status, JSON.stringify(letters)],
  );
  return rows;
}

/** Dead letters of runs; nobody else takes them away before this transaction has ended. */
async function lettersOf(
  transaction: Transaction,
  runIds: readonly string[],
): Promise<readonly DeadLetter[]> {
  const { rows } = await transaction.raw(
    `${lettersIn(transaction)} AND data ->> 'runId' = ANY (?) ORDER BY id FOR UPDATE`,
    [[...runIds]],
  );
  return rows.map(deadLetterOf);
}

/** Also ends their judgements, as a worker does that sees the letters first. */
async function discardLetters(
  transaction: Transaction,
  queue: Pick<Queue, 'discard'>,
  letters: readonly DeadLetter[],
): Promise<void> {
  if (letters.length === 0) return;
  await failJudgements(transaction, letters);
  await queue.discard(
    letters.map(({ id }) => id),
    transaction,
  );
}

interface LetterRow extends Omit<DeadLetter, 'error'> {
  readonly output: unknown;
}

function deadLetterOf({ output, ...letter }: LetterRow): DeadLetter {
  return { ...letter, error: errorTextOf(output) };
}

/** A statement to which a condition can be added: one that names runs is asked of pg-boss's table itself. */
function lettersIn(database: Database | Transaction): string {
  return `SELECT id, data ->> 'runId' AS "runId", (data ->> 'number')::integer AS number,
      created_on AS "diedAt", coalesce(source_retry_count, 0) + 1 AS attempts, source_output AS output
    FROM ${queueSchemaOf(database)}.job WHERE name = '${DEAD_LETTER_QUEUE}' AND state < 'active'`;
}

/** Judgements that one call ends; what is left waits for the next one. */
const FAILED_AT_ONCE = 1_000;

/**
 * Ends judgements of dead letters that no worker has seen die, since its process was killed: they must not look
 * alive. Each letter is compared with its judgement, as letters become visible in another order than they are dated.
 * Any number of processes may call it at once.
 *
 * @returns those that this call has ended
 */
export async function endDeadJudgements(
  database: Database,
): Promise<readonly JudgementReference[]> {
  const { runs, judgements } = tablesOf(database);
  const { rows } = await database.raw<{ rows: LetterRow[] }>(
    `SELECT letter.* FROM (${lettersIn(database)}) AS letter
     JOIN ${runs} AS run ON run.id = letter."runId"::uuid AND letter.number <= run.last_number
     WHERE NOT EXISTS (
       SELECT FROM ${judgements} AS judgement
       WHERE judgement.run_id = run.id AND judgement.number = letter.number
         AND judgement.status NOT IN ('queued', 'running')
     )
     LIMIT ?`,
    [FAILED_AT_ONCE],
  );
  return rows.length === 0 ? [] : failJudgements(database, rows.map(deadLetterOf));
}

/** How many letters one call settles; what is left waits for the next one. */
const SETTLED_AT_ONCE = 1_000;

/**
 * Settles dead letters of runs that a later judgement has brought to an end, as one that a person made by
 * `run`. Any number of processes may call it at once.
 *
 * @returns how many
 */
export async function settleOvertaken(
  database: Database,
  queue: Pick<Queue, 'discard'>,
): Promise<number> {
  return database.transaction(async (transaction) => {
    const { rows } = await transaction.raw<{ rows: LetterRow[] }>(
      `${lettersIn(transaction)} AND EXISTS (
         SELECT FROM ${tablesOf(transaction).runs} AS run
         WHERE run.id = (data ->> 'runId')::uuid AND run.status IN ('finished', 'gone', 'replaced')
           AND run.last_number > (data ->> 'number')::integer
       )
       LIMIT ? FOR UPDATE SKIP LOCKED`,
      [SETTLED_AT_ONCE],
    );
    await discardLetters(transaction, queue, rows.map(deadLetterOf));
    return rows.length;
  });
}

/** Which runs that used up their attempts, by when they were told of. */
export type DeadFilter = Pick<RunFilter, 'since' | 'until' | 'after'>;

/** A run that used up its attempts. */
export interface DeadRun {
  readonly id: string;
  readonly bucket: string;
  readonly key: string;
  /** When it was told of. */
  readonly createdAt: Date;
  /** `error`; anything else where a dead letter is there all the same. */
  readonly status: Run['status'];
  /** The verdict that stands. */
  readonly verdict: Run['verdict'];
  readonly attempts: number;
  /** Of the last attempt. */
  readonly error: string | null;
}

/**
 * Runs that used up their attempts and that nobody has settled: their latest judgement ended in an error, or
 * a dead letter of theirs waits. Newest first.
 */
export async function listDeadRuns(
  database: Database,
  filter: DeadFilter,
  limit: number,
): Promise<DeadRun[]> {
  const { rows } = await database.raw<{ rows: { id: string }[] }>(
    ...deadRuns(database, filter, limit),
  );
  const ids = rows.map(({ id }) => id);
  const letters = await database.raw(`${lettersIn(database)} AND data ->> 'runId' = ANY (?)`, [
    ids,
  ]);
  const letterOf = new Map<string, DeadLetter>(
    letters.rows.map(deadLetterOf).map((letter: DeadLetter) => [letter.runId, letter]),
  );
  const runs = await findRuns(database, ids);
  return runs.map(({ id, bucket, key, createdAt, status, verdict, ...run }) => {
    const { attempts, error } = status === 'error' ? run : (letterOf.get(id) ?? run);
    return { id, bucket, key, createdAt, status, verdict, attempts, error };
  });
}

/** How many they are. @param atMost counts no further than this */
export async function countDeadRuns(
  database: Database,
  filter: Omit<DeadFilter, 'after'>,
  atMost: number,
): Promise<number> {
  const [statement, bindings] = deadRuns(database, filter, atMost);
  const { rows } = await database.raw(`SELECT count(*) FROM (${statement}) AS dead`, bindings);
  return Number(rows[0].count);
}

/** How many dead letters wait, which is what the metric says. @param atMost counts no further than this */
export async function countDeadLetters(database: Database, atMost: number): Promise<number> {
  const { rows } = await database.raw(
    `SELECT count(*) FROM (${lettersIn(database)} LIMIT ?) AS letter`,
    [atMost],
  );
  return Number(rows[0].count);
}

function deadRuns(
  database: Database,
  { since, until, after }: DeadFilter,
  limit: number,
): [statement: string, bindings: (string | number | Date | null)[]] {
  const { runs, judgements } = tablesOf(database);
  const order = 'ORDER BY created_at DESC, id LIMIT ?';
  const before = `coalesce((SELECT created_at FROM ${runs} WHERE id = ?), 'infinity')`;
  const page = `created_at >= coalesce(?, '-infinity'::timestamptz)
    AND created_at < coalesce(?, 'infinity'::timestamptz)
    AND created_at <= ${before} AND (created_at < ${before} OR id > ?) ${order}`;
  const ofPage = [since ?? null, until ?? null, after ?? null, after ?? null, after ?? null, limit];
  return [
    `(
       SELECT id, created_at FROM ${runs} AS run
       WHERE status = 'error' AND EXISTS (
         SELECT FROM ${judgements} WHERE run_id = run.id AND number = run.last_number
           -- What is older than the retention is nobody's business any more.
           AND settled_at IS NULL AND details_deleted_at IS NULL
       ) AND ${page}
     ) UNION (
       SELECT id, created_at FROM ${runs} AS run
       WHERE id IN (
         SELECT (data ->> 'runId')::uuid FROM ${queueSchemaOf(database)}.job
         WHERE name = '${DEAD_LETTER_QUEUE}' AND state < 'active'
       ) AND ${page}
     ) ${order}`,
    [...ofPage, ...ofPage, limit],
  ];
}

/**
 * Silence of a process after which its judgements are another one's: it says once a second that it works on
 * them, to the judgement and to the queue. One that only was busy for so long loses what it has done, no more.
 */
const IN_HAND_LAPSED_SECONDS = 5;

/** Between two looks of a process that can be asked what it has seen. */
const LONGEST_BETWEEN_LOOKS_SECONDS = 3;

/** Attempts that one look ends; what is left waits for the next one. */
const ENDED_AT_ONCE = 100;

/** An attempt that was ended because its process had died. */
export interface EndedAttempt extends JudgementReference {
  readonly outcome: 'retry' | 'dead' | 'lost';
}

/**
 * Makes the look for judgements whose process has died, of which each ends as a failed attempt does: it waits
 * for the next attempt, or is a dead letter. This is sooner than by the queue, whose heartbeat is 10 s at least.
 * Any number of processes may look, each about every second.
 *
 * A look ends nothing unless those before saw the database for as long as the silence lasts: after an outage,
 * and when this process itself was frozen, every heartbeat is old.
 *
 * @param now in milliseconds
 */
export function lookForDeadProcesses(
  database: Database,
  queue: Pick<Queue, 'fail'>,
  now: () => number = () => performance.now(),
): () => Promise<readonly EndedAttempt[]> {
  let lookedAt = now();
  let steadySince = lookedAt;
  return async () => {
    const begin = now();
    if (begin - lookedAt > LONGEST_BETWEEN_LOOKS_SECONDS * 1000) steadySince = begin;
    const isThere = await database.raw(`${attemptsOfDead(database)} LIMIT 1`);
    lookedAt = begin;
    const isSteady = begin - steadySince >= IN_HAND_LAPSED_SECONDS * 1000;
    return isSteady && isThere.rows.length > 0 ? endAttemptsOfDead(database, queue) : [];
  };
}

/** The job's heartbeat as well: another worker may have fetched it and not begun yet. */
function attemptsOfDead(database: Database | Transaction): string {
  return `
    SELECT judgement.run_id AS "runId", judgement.number, judgement.attempts, job.id AS "jobId",
      job.retry_count AS "retryCount", job.retry_limit AS "retryLimit"
    FROM ${tablesOf(database).judgements} AS judgement
    JOIN ${queueSchemaOf(database)}.job AS job ON job.name = '${RUN_QUEUE}' AND job.id = judgement.job_id
    WHERE judgement.status = 'running' AND job.state = 'active'
      AND judgement.heartbeat_at < now() - make_interval(secs => ${IN_HAND_LAPSED_SECONDS})
      AND job.heartbeat_on < now() - make_interval(secs => ${IN_HAND_LAPSED_SECONDS})`;
}

async function endAttemptsOfDead(
  database: Database,
  queue: Pick<Queue, 'fail'>,
): Promise<readonly EndedAttempt[]> {
  const reason = 'the process that judged it has died';
  return database.transaction(async (transaction) => {
    const { rows } = await transaction.raw(
      `${attemptsOfDead(transaction)} LIMIT ? FOR NO KEY UPDATE OF judgement SKIP LOCKED`,
      [ENDED_AT_ONCE],
    );
    const ended: EndedAttempt[] = [];
    for (const { jobId, retryCount, retryLimit, ...attempt } of rows) {
      const { runId, number } = attempt;
      // From here on the process can't end it, should it wake up.
      await noteFailure(transaction, attempt, reason);
      const job = { id: jobId, runId, number, retryCount, retryLimit };
      const outcome = await queue.fail(job, new Error(reason), transaction);
      ended.push({ runId, number, outcome });
    }
    return ended;
  });
}

/** A judgement that waits and that nobody will begin. */
interface Stranded {
  readonly runId: string;
  readonly number: number;
  /** It is in no queue: the process that began it was to end it as well. */
  readonly isOwn: boolean;
}

/** A process in the middle of a judgement says so every second. */
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
