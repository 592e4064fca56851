import { type ClientsOf, stepOf, type Weights } from '../queue/queue.ts';
import { storableText } from './column-values.ts';
import type { Database, Transaction } from './connection.ts';
import { sharedStatement } from './group-commit.ts';
import type { JudgementReference, JudgementStatus } from './judgements.ts';
import { schemaOf, tablesOf } from './tables.ts';

/** A judgement of which a job of the queue came, with the size from which on it is not for the pool. */
interface Placement extends JudgementReference {
  readonly sizeBytes: number;
  readonly traceparent: string | undefined;
}

/**
 * Keeps a judgement for a Kubernetes Job where its object is large enough. It is kept once, however often its job of the
 * queue comes; one that has ended is not for a Job, as only its report may be left to write.
 *
 * @param sizeBytes - JOB_SIZE_BYTES; an object of unknown size counts as 0
 * @param traceparent - W3C `traceparent` that its Job goes on with. @default none
 * @returns whether it is kept, so that the job of the queue is done
 */
export function placeJudgement(
  database: Database,
  { runId, number }: JudgementReference,
  sizeBytes: number,
  traceparent?: string,
): Promise<boolean> {
  return placeTogether(database, { runId, number, sizeBytes, traceparent });
}

const nameOf = ({ runId, number }: JudgementReference) => `${runId} ${number}`;

const placeTogether = sharedStatement<Placement, boolean>(async (database, placements) => {
  const { runs, judgements, kubernetesJobs } = tablesOf(database);
  const { rows } = await database.raw<{ rows: JudgementReference[] }>(
    `WITH large AS (
       SELECT run.id AS run_id, asked.number, coalesce(run.size_bytes, 0) AS size_bytes,
         asked.traceparent
       FROM jsonb_to_recordset(?::jsonb)
         AS asked (run_id uuid, number integer, least bigint, traceparent text)
       JOIN ${runs} AS run ON run.id = asked.run_id AND asked.number <= run.last_number
       WHERE coalesce(run.size_bytes, 0) >= asked.least AND NOT EXISTS (
         SELECT FROM ${judgements} AS judgement
         WHERE judgement.run_id = run.id AND judgement.number = asked.number
           AND judgement.status NOT IN ('queued', 'running')
       )
       ORDER BY run.id, asked.number
     ), kept AS (
       INSERT INTO ${kubernetesJobs} (run_id, number, size_bytes, traceparent)
       SELECT run_id, number, size_bytes, traceparent FROM large ON CONFLICT DO NOTHING
     )
     SELECT run_id AS "runId", number FROM large`,
    [
      JSON.stringify(
        placements.map(({ runId, number, sizeBytes, traceparent }) => ({
          ...{ run_id: runId, number, traceparent },
          least: sizeBytes,
        })),
      ),
    ],
  );
  const kept = new Set(rows.map(nameOf));
  return placements.map((placement) => kept.has(nameOf(placement)));
}, nameOf);

/** What the Job of a judgement goes on with. */
export interface WaitForJob {
  /** When the judgement was kept for a Job. */
  readonly since: Date;
  /** W3C `traceparent` of the work that has kept it. */
  readonly traceparent: string;
}

/** @returns undefined for a judgement that no Job was meant for, or whose wait is part of no trace */
export async function waitForJob(
  database: Database,
  { runId, number }: JudgementReference,
): Promise<WaitForJob | undefined> {
  const row = await database(tablesOf(database).kubernetesJobs)
    .where({ run_id: runId, number })
    .whereNotNull('traceparent')
    .first({ since: 'created_at', traceparent: 'traceparent' });
  return row as WaitForJob | undefined;
}

/** Beside a number of the schema's name; any number, but the same in every version of this program. */
const SUBMISSION_LOCK = 412_870_935;

/** Between whom the places are shared out. */
export interface Sharing {
  readonly clientsOf: ClientsOf;
  readonly weights: Weights;
}

/** Judgements that one call gives their turns; what is left waits for the next one. */
const GIVEN_TURNS_AT_ONCE = 10_000;

/**
 * Gives judgements that wait the places that are free, each client its weight among the clients that wait, in the order of
 * arrival within one; those of listings and of new rules come last. Any number of processes may call it at once: together
 * they give out no more places than there are.
 *
 * @param limit - JOB_LIMIT
 */
export async function submitJudgements(
  database: Database,
  limit: number,
  { clientsOf, weights }: Sharing,
): Promise<void> {
  const { runs, judgements, kubernetesJobs } = tablesOf(database);
  const isThere = await database(kubernetesJobs)
    .whereNull('submitted_at')
    .whereRaw('not_before <= now()')
    .first('number');
  if (isThere === undefined) return;
  const { rows: seen } = await database.raw<{
    rows: (JudgementReference & { readonly bucket: string | null; readonly key: string | null })[];
  }>(
    `SELECT job.run_id AS "runId", job.number, run.bucket, run.key
     FROM ${kubernetesJobs} AS job LEFT JOIN ${runs} AS run ON run.id = job.run_id
     WHERE submitted_at IS NULL AND round IS NULL AND not_before <= now()
     ORDER BY job.created_at LIMIT ?`,
    [GIVEN_TURNS_AT_ONCE],
  );
  // Before the transaction: it may need a connection of its own.
  const clients = await clientsOf(
    seen.map(({ bucket, key }) => ({ bucket: bucket ?? '', key: key ?? '' })),
  );
  const asked = seen.map(({ runId, number }, index) => {
    const client = clients[index] ?? '';
    return { run_id: runId, number, client, step: stepOf(weights, client) };
  });
  await database.transaction(async (transaction) => {
    await transaction.raw('SELECT pg_advisory_xact_lock(?, hashtext(?))', [
      SUBMISSION_LOCK,
      schemaOf(transaction),
    ]);
    if (asked.length > 0) await giveTurns(transaction, asked);
    await transaction.raw(
      `UPDATE ${kubernetesJobs} AS job SET submitted_at = now()
       FROM (
         SELECT waiting.run_id, waiting.number FROM ${kubernetesJobs} AS waiting
         LEFT JOIN ${judgements} AS judgement USING (run_id, number)
         WHERE submitted_at IS NULL AND not_before <= now()
         ORDER BY ${IS_BACKFILL}, waiting.round NULLS LAST,
           waiting.created_at, waiting.run_id, waiting.number
         LIMIT greatest(0, ? - (
           SELECT count(*) FROM ${kubernetesJobs} WHERE submitted_at IS NOT NULL
         ))
       ) AS next
       WHERE job.run_id = next.run_id AND job.number = next.number`,
      [limit],
    );
  });
}

const IS_BACKFILL = "coalesce(judgement.asked_by IN ('backfill', 'rule_change'), false)";

/**
 * Start-time fair queueing, as the queue has it: a judgement takes its client's next round, and none before the one whose
 * turn it is. The rows that are here say which those are: of a client that has none here nothing need be known.
 */
async function giveTurns(
  transaction: Transaction,
  asked: readonly {
    readonly run_id: string;
    readonly number: number;
    readonly client: string;
    readonly step: number;
  }[],
): Promise<void> {
  const { judgements, kubernetesJobs } = tablesOf(transaction);
  await transaction.raw(
    `WITH here AS (
       SELECT job.run_id, job.number, job.client, job.round, job.submitted_at, job.created_at,
         ${IS_BACKFILL} AS is_backfill
       FROM ${kubernetesJobs} AS job LEFT JOIN ${judgements} AS judgement USING (run_id, number)
     ), turn AS (
       SELECT is_backfill,
         coalesce(min(round) FILTER (WHERE submitted_at IS NULL), max(round)) AS round
       FROM here GROUP BY is_backfill
     ), latest AS (
       SELECT is_backfill, client, max(round) AS round FROM here GROUP BY is_backfill, client
     ), given AS (
       SELECT here.run_id, here.number, asked.client,
         greatest(turn.round, latest.round + asked.step, 0) + asked.step * (row_number() OVER (
           PARTITION BY here.is_backfill, asked.client
           ORDER BY here.created_at, here.run_id, here.number
         ) - 1) AS round
       FROM jsonb_to_recordset(?::jsonb)
         AS asked (run_id uuid, number integer, client text, step float8)
       JOIN here USING (run_id, number)
       JOIN turn USING (is_backfill)
       LEFT JOIN latest ON latest.is_backfill = here.is_backfill AND latest.client = asked.client
       WHERE here.round IS NULL AND here.submitted_at IS NULL
     )
     UPDATE ${kubernetesJobs} AS job SET client = given.client, round = given.round
     FROM given WHERE job.run_id = given.run_id AND job.number = given.number`,
    [JSON.stringify(asked)],
  );
}

/** A judgement that has one of the places. */
export interface SubmittedJudgement extends JudgementReference {
  readonly sizeBytes: number;
  /** From 1. */
  readonly submission: number;
  /** Undefined until the API server was seen to hold the Job. */
  readonly madeAt: Date | null;
  readonly problem: string | null;
  /** `gone` as well where the run was forgotten. */
  readonly status: JudgementStatus;
  /** 0 where no pod has begun it. */
  readonly attempts: number;
  /** Of the last attempt that failed. */
  readonly error: string | null;
  /** A process said so within the last minute. */
  readonly isWorkedOn: boolean;
  /** W3C `traceparent` that its Job, and what is left to do after it, go on with. */
  readonly traceparent: string | null;
}

/** Silence after which nobody works on a judgement any more; its process says so every second. */
const SILENCE_SECONDS = 60;

/** Those that have a place, oldest first. */
export async function submittedJudgements(
  database: Database,
): Promise<readonly SubmittedJudgement[]> {
  const { runs, judgements, kubernetesJobs } = tablesOf(database);
  const { rows } = await database.raw(
    `SELECT job.run_id AS "runId", job.number, job.size_bytes::float8 AS "sizeBytes",
       job.submission, job.made_at AS "madeAt", job.problem, job.traceparent,
       CASE WHEN run.id IS NULL THEN 'gone' ELSE coalesce(judgement.status, 'queued') END AS status,
       coalesce(judgement.attempts, 0) AS attempts, judgement.error,
       coalesce(judgement.status = 'running'
         AND judgement.heartbeat_at > now() - make_interval(secs => ${SILENCE_SECONDS}), false)
         AS "isWorkedOn"
     FROM ${kubernetesJobs} AS job
     LEFT JOIN ${runs} AS run ON run.id = job.run_id
     LEFT JOIN ${judgements} AS judgement USING (run_id, number)
     WHERE job.submitted_at IS NOT NULL ORDER BY job.submitted_at, job.run_id, job.number`,
  );
  return rows;
}

/** Names one submission. */
export type Submission = Pick<SubmittedJudgement, 'runId' | 'number' | 'submission'>;

function only(database: Database | Transaction, { runId, number, submission }: Submission) {
  return database(tablesOf(database).kubernetesJobs).where({ run_id: runId, number, submission });
}

/** Notes that the API server holds the Job. */
export async function noteMade(database: Database, submission: Submission): Promise<void> {
  await only(database, submission)
    .whereNotNull('submitted_at')
    .whereNull('made_at')
    .update({ made_at: database.fn.now(), problem: null });
}

/** Notes why the Job can't be made for now. @returns whether that is news */
export async function noteProblem(
  database: Database,
  submission: Submission,
  problem: string,
): Promise<boolean> {
  const text = storableText(problem);
  const changed = await only(database, submission)
    .whereRaw('problem IS DISTINCT FROM ?', [text])
    .update({ problem: text });
  return changed === 1;
}

/** Lets a judgement wait for another Job. @returns whether this call did; else another process has */
export async function submitAgain(
  database: Database,
  submission: Submission,
  { problem, waitSeconds }: { readonly problem: string; readonly waitSeconds: number },
): Promise<boolean> {
  const changed = await only(database, submission).update({
    submission: submission.submission + 1,
    // Its client's next turn is its own, once it is due.
    ...{ submitted_at: null, made_at: null, round: null, problem: storableText(problem) },
    not_before: database.raw('now() + make_interval(secs => ?)', [waitSeconds]),
  });
  return changed === 1;
}

/** Takes a judgement out. @returns whether this call did; else another process has */
export async function takeOut(transaction: Transaction, submission: Submission): Promise<boolean> {
  return (await only(transaction, submission).delete()) === 1;
}

/** How many wait for a place, and how many have one. */
export async function countKubernetesJobs(
  database: Database,
): Promise<Readonly<Record<'waiting' | 'submitted', number>>> {
  const { rows } = await database.raw(
    `SELECT count(*) FILTER (WHERE submitted_at IS NULL)::integer AS waiting,
       count(*) FILTER (WHERE submitted_at IS NOT NULL)::integer AS submitted
     FROM ${tablesOf(database).kubernetesJobs}`,
  );
  return rows[0];
}

/** Judgements that one call takes back; what is left waits for the next one. */
const TAKEN_BACK_AT_ONCE = 1_000;

/**
 * Takes judgements out that no Job is made of any more, since JOB_RUNNER is `pool` again: those that wait, those that have
 * ended, and those whose Job has said nothing for long enough. Any number of processes may call it at once.
 *
 * @param deadlineSeconds of a Job by the size of its object
 * @returns them; the caller enqueues them in the same transaction
 */
export async function takeBack(
  transaction: Transaction,
  { base, bytesPerSecond }: { readonly base: number; readonly bytesPerSecond: number },
): Promise<readonly (JudgementReference & Pick<SubmittedJudgement, 'traceparent'>)[]> {
  const { judgements, kubernetesJobs } = tablesOf(transaction);
  const { rows } = await transaction.raw(
    `DELETE FROM ${kubernetesJobs} AS job USING (
       SELECT run_id, number FROM ${kubernetesJobs} AS kept
       LEFT JOIN ${judgements} AS judgement USING (run_id, number)
       WHERE kept.submitted_at IS NULL OR kept.made_at IS NULL
         OR judgement.status NOT IN ('queued', 'running')
         OR (
           greatest(judgement.heartbeat_at, kept.made_at)
             < now() - make_interval(secs => ${SILENCE_SECONDS})
           AND (judgement.status = 'running' OR kept.made_at
             < now() - make_interval(secs => ? + kept.size_bytes / ?))
         )
       LIMIT ${TAKEN_BACK_AT_ONCE} FOR UPDATE OF kept SKIP LOCKED
     ) AS given
     WHERE job.run_id = given.run_id AND job.number = given.number
     RETURNING job.run_id AS "runId", job.number, job.traceparent`,
    [base, bytesPerSecond],
  );
  return rows;
}
