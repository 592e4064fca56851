import { randomUUID } from 'node:crypto';
import { storableText } from '../database/column-values.ts';
import type { Database, Transaction } from '../database/connection.ts';
import {
  closeJudgement,
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
  readonly isBackfill?: boolean;
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
  { isBackfill, ...request }: RetryRequest,
): Promise<readonly string[]> {
  return database.transaction(async (transaction) => {
    const letters = await lettersOf(transaction, runIds);
    await discardLetters(transaction, queue, letters);
    const requested = await requestJudgements(transaction, runIds, request);
    await queue.enqueue(requested, transaction, isBackfill);
    return requested.map(({ runId }) => runId);
  });
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
    const failed: string[] = await transaction(tablesOf(transaction).runs)
      .whereIn('id', runIds)
      .where({ status: 'error' })
      .pluck('id');
    const asked = await requestJudgements(transaction, failed, { askedBy: 'operator', reason });
    const again = reports.map((reference) => ({ ...reference, jobId: randomUUID() }));
    await queue.enqueue([...again, ...asked], transaction);
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

/**
 * As {@link IN_HAND_LAPSED_SECONDS}, of a command: nobody takes its judgement over, so that there is time for one
 * that is held up.
 */
const COMMAND_LAPSED_SECONDS = 60;

/** An attempt that was ended because its process had died; `error` is what a command began, which is in no queue. */
export interface EndedAttempt extends JudgementReference {
  readonly outcome: 'retry' | 'dead' | 'lost' | 'error';
}

/**
 * Makes the look for judgements whose process has died, of which each ends as a failed attempt does: it waits
 * for the next attempt, or is a dead letter. This is sooner than by the queue, whose heartbeat is 10 s at least.
 * What a command began and no job stands for ends with an error. Any number of processes may look, each about every
 * second.
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
    const commands = await commandsOfDead(database);
    lookedAt = begin;
    const steadySeconds = (begin - steadySince) / 1000;
    const ended: EndedAttempt[] = [];
    if (steadySeconds >= IN_HAND_LAPSED_SECONDS && isThere.rows.length > 0) {
      ended.push(...(await endAttemptsOfDead(database, queue)));
    }
    if (steadySeconds >= COMMAND_LAPSED_SECONDS) {
      for (const attempt of commands) {
        const { runId, number } = attempt;
        const isOurs = await closeJudgement(database, attempt, 'error', OF_DEAD_PROCESS);
        if (isOurs) ended.push({ runId, number, outcome: 'error' });
      }
    }
    return ended;
  };
}

const OF_DEAD_PROCESS = 'the process that judged it has died';

/** By the index of what is in hand. */
async function commandsOfDead(
  database: Database,
): Promise<readonly (JudgementReference & { readonly attempts: number })[]> {
  const { rows } = await database.raw(
    `SELECT run_id AS "runId", number, attempts FROM ${tablesOf(database).judgements}
     WHERE status = 'running' AND invocation IS NOT NULL
       AND heartbeat_at < now() - make_interval(secs => ${COMMAND_LAPSED_SECONDS})
     ORDER BY heartbeat_at LIMIT ?`,
    [ENDED_AT_ONCE],
  );
  return rows;
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
  return database.transaction(async (transaction) => {
    const { rows } = await transaction.raw(
      `${attemptsOfDead(transaction)} LIMIT ? FOR NO KEY UPDATE OF judgement SKIP LOCKED`,
      [ENDED_AT_ONCE],
    );
    const ended: EndedAttempt[] = [];
    for (const { jobId, retryCount, retryLimit, ...attempt } of rows) {
      const { runId, number } = attempt;
      // From here on the process can't end it, should it wake up.
      await noteFailure(transaction, attempt, OF_DEAD_PROCESS);
      const job = { id: jobId, runId, number, retryCount, retryLimit };
      const outcome = await queue.fail(job, new Error(OF_DEAD_PROCESS), transaction);
      ended.push({ runId, number, outcome });
    }
    return ended;
  });
}

/** A process in the middle of a judgement says so every second. */
const HEARTBEAT_LAPSED_SECONDS = 15;

/** Runs that one statement looks at. */
const LOOKED_AT_ONCE = 1_000;

/** What one {@link repairJudgements} did. */
export interface Repaired {
  readonly enqueued: number;
  /** Where the next call goes on: the last run that this one looked at; undefined where it was the last of all. */
  readonly next: string | undefined;
}

/**
 * Finds judgements that wait or are in hand without a job and without a process that works on them, as
 * older versions of this program leave them, and gives them a job. It looks at the next thousand runs that wait,
 * oldest first: what nobody works on is soon among the oldest. Any number of processes may call it at once.
 *
 * @param after looks at what comes after this run. @default the oldest
 */
export async function repairJudgements(
  database: Database,
  queue: Pick<Queue, 'enqueue'>,
  after?: string,
): Promise<Repaired> {
  const { runs, judgements, kubernetesJobs } = tablesOf(database);
  return database.transaction(async (transaction) => {
    const { rows: page } = await transaction.raw<{ rows: { id: string }[] }>(
      `SELECT id FROM ${runs} WHERE status = 'pending' AND (created_at, id) > (
         coalesce((SELECT created_at FROM ${runs} WHERE id = :after), '-infinity'),
         coalesce(:after, '00000000-0000-0000-0000-000000000000'::uuid)
       )
       ORDER BY created_at, id LIMIT :limit`,
      { after: after ?? null, limit: LOOKED_AT_ONCE },
    );
    const { rows } = await transaction.raw<{ rows: JudgementReference[] }>(
      `SELECT run.id AS "runId", run.last_number AS number
       FROM ${runs} AS run
       -- The first one of a message has no row before somebody begins it. LIMIT keeps both to their primary keys:
       -- else all judgements there are may be read.
       LEFT JOIN LATERAL (
         SELECT * FROM ${judgements} WHERE run_id = run.id AND number = run.last_number LIMIT 1
       ) AS judgement ON true
       LEFT JOIN LATERAL (
         SELECT id, state FROM ${queueSchemaOf(database)}.job
         WHERE name = '${RUN_QUEUE}' AND id = coalesce(judgement.job_id, run.id) LIMIT 1
       ) AS job ON true
       WHERE run.id = ANY (?::uuid[]) AND run.status = 'pending' AND judgement.invocation IS NULL
         AND coalesce(judgement.heartbeat_at < now() - make_interval(secs => ?), true)
         AND NOT EXISTS (
           SELECT FROM ${kubernetesJobs} WHERE run_id = run.id AND number = run.last_number
         )
         -- A failed one has a dead letter, which the worker looks after.
         AND (job.id IS NULL OR job.state NOT IN ('created', 'retry', 'active', 'failed'))
       FOR NO KEY UPDATE OF run SKIP LOCKED`,
      [page.map(({ id }) => id), HEARTBEAT_LAPSED_SECONDS],
    );
    const stranded = rows.map((one) => ({ ...one, jobId: randomUUID() }));
    await nameJobs(transaction, stranded);
    await queue.enqueue(stranded, transaction);
    const next = page.length === LOOKED_AT_ONCE ? page.at(-1)?.id : undefined;
    return { enqueued: stranded.length, next };
  });
}
