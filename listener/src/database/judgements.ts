import type { ObjectReference } from '@file-processing/contract/s3-event.ts';
import type { DeliveredColumn } from '@file-processing/quality/delivery-rules.ts';
import type { Verdict } from '@file-processing/quality/verdict.ts';
import type { Knex } from 'knex';
import type { Withheld } from '../privacy/withhold.ts';
import {
  IS_LISTED,
  identityOf,
  isSameWrite,
  readableTime,
  storableText,
  toJsonb,
} from './column-values.ts';
import type { Database, Transaction } from './connection.ts';
import { sharedStatement } from './group-commit.ts';
import type { RoutingAct } from './routing.ts';
import { tablesOf } from './tables.ts';

/**
 * Who asked for a judgement: a message, the listener itself (repairing what it found), a person, a
 * listing of the bucket, or a new rule set.
 */
export const ASKERS = ['message', 'worker', 'operator', 'backfill', 'rule_change'] as const;

/** One of {@link ASKERS}. */
export type Asker = (typeof ASKERS)[number];

/** `queued` and `running` have not ended. */
export const JUDGEMENT_STATUSES = [
  'queued',
  'running',
  'finished',
  'gone',
  'replaced',
  'error',
] as const;

/** One of {@link JUDGEMENT_STATUSES}. */
export type JudgementStatus = (typeof JUDGEMENT_STATUSES)[number];

/** Names one judgement of one object version. */
export interface JudgementReference {
  readonly runId: string;
  /** 1 for the first one; given out when it is asked for, whatever the order in which they end. */
  readonly number: number;
}

/** A judgement in hand. Who holds it may end it, as long as nobody else has begun another attempt. */
export interface HeldJudgement extends JudgementReference {
  /** Of this judgement, this one included; also the fencing number. */
  readonly attempts: number;
  readonly object: Pick<ObjectReference, 'bucket' | 'key' | 'versionId' | 'eTag' | 'sizeBytes'>;
  /** The SNS message whose event named the object; null when another way did. */
  readonly messageId: string | null;
  /**
   * Of mappings and monitored files, when the attempt began: what is read of them from then on is as new as it for as long as
   * it stands, whoever changes them, by whatever way. Undefined where somebody has deleted it; the next change makes a new one.
   */
  readonly ruleRevision: string | undefined;
}

/** Names the attempt of a judgement that somebody holds. */
type Attempt = Pick<HeldJudgement, 'runId' | 'number' | 'attempts'>;

/** What a job found out. */
export interface JudgementResult {
  readonly verdict: Verdict;
  readonly rowCount: number;
  readonly byteCount: number;
  readonly faultCount: number;
  /** Lower-case hexadecimal; undefined when the file was not read to its end. */
  readonly sha256?: string;
  /** A protected one, with what it withholds. */
  readonly report: object;
  readonly withheld: Withheld;
  /** The entry that named the expectation; undefined for an unmonitored file. */
  readonly monitored?: {
    /** Kept where the verdict accepts the file. @default they are not kept */
    readonly columns?: readonly DeliveredColumn[];
    readonly monitoringFileId: number;
    readonly mappingName: string;
    readonly mappingVersion: number;
  };
  /** Records for the outbox that there is a verdict, unless the judgement is a quiet one. @default false */
  readonly tells?: boolean;
}

/**
 * Columns of a {@link HeldJudgement}, of `run` and `judgement`. With the revision of the rules, for which each job would else
 * ask by a statement of its own.
 */
function heldColumns(database: Database | Transaction): string {
  return `
    run.id AS "runId", judgement.number, judgement.attempts, run.message_id AS "messageId",
    run.bucket, run.key, run.version_id, run.e_tag, run.size_bytes,
    (SELECT revision FROM ${tablesOf(database).ruleRevision}) AS "ruleRevision"`;
}

interface HeldRow extends JudgementReference {
  readonly attempts: number;
  readonly messageId: string | null;
  readonly ruleRevision: string | null;
  readonly bucket: string;
  readonly key: string;
  readonly version_id: string | null;
  readonly e_tag: string | null;
  readonly size_bytes: number | null;
}

/**
 * Begins an attempt at a judgement. One that has ended is left alone, as a job may come twice (its
 * worker died after the verdict and before it settled the job).
 *
 * @param traceparent W3C `traceparent` of the attempt, where its trace is recorded
 * @returns undefined when there is nothing to do
 */
export function startJudgement(
  database: Database,
  { runId, number }: JudgementReference,
  traceparent?: string,
): Promise<HeldJudgement | undefined> {
  return startTogether(database, { runId, number, traceparent });
}

const startTogether = sharedStatement<
  JudgementReference & { readonly traceparent: string | undefined },
  HeldJudgement | undefined
>(async (database, references) => {
  const { runs, judgements } = tablesOf(database);
  // The first one of a message has no row yet: intake is spared a second insert.
  const { rows } = await database.raw<{ rows: HeldRow[] }>(
    `WITH judgement AS (
         INSERT INTO ${judgements} AS present
           (run_id, number, asked_by, job_id, status, attempts, created_at, started_at, heartbeat_at,
            traceparent)
         SELECT id, number, 'message', id, 'running', 1, created_at, now(), now(), asked.traceparent
         FROM ${runs}
         JOIN jsonb_to_recordset(?::jsonb) AS asked (run_id uuid, number integer, traceparent text)
           ON asked.run_id = id AND asked.number <= last_number
         -- In the same order in every process, so that two of them can't wait for each other.
         ORDER BY id, number
         ON CONFLICT (run_id, number) DO UPDATE SET
           status = 'running', attempts = present.attempts + 1, started_at = now(),
           heartbeat_at = now(), progress_bytes = NULL, progress_rows = NULL, error = NULL,
           traceparent = excluded.traceparent
         WHERE present.status IN ('queued', 'running')
         RETURNING run_id, number, attempts
       )
       SELECT ${heldColumns(database)} FROM judgement JOIN ${runs} AS run ON run.id = judgement.run_id`,
    [
      JSON.stringify(
        references.map(({ runId, number, traceparent }) => ({
          ...{ run_id: runId, number, traceparent },
        })),
      ),
    ],
  );
  const begun = new Map(rows.map((row) => [nameOf(row), held(row)]));
  return references.map((reference) => begun.get(nameOf(reference)));
}, nameOf);

function nameOf({ runId, number }: JudgementReference): string {
  return `${runId} ${number}`;
}

/** What a person asks for who judges an object in a process of its own. */
export interface OwnJudgement {
  readonly object: Pick<ObjectReference, 'bucket' | 'key'> & Partial<ObjectReference>;
  /**
   * Names the process that asks, the same in each of its attempts (the Job of a pod that is started
   * anew): it goes on with its judgement, and an object that has no identity of its own gets this one.
   */
  readonly invocation: string;
  readonly reason?: string;
  /** W3C `traceparent` of the attempt, where its trace is recorded. */
  readonly traceparent?: string | undefined;
}

/** A judgement that was begun, or the one that had ended before. */
export type StartedJudgement =
  | { readonly held: HeldJudgement }
  | { readonly ended: JudgementReference };

/**
 * Makes the run of an object where there is none, and begins a judgement of it that no job in the queue
 * stands for. It adds to the judgements that are there and changes none of them, but for one of the
 * same invocation that ended in an error: that one goes on.
 */
export async function startOwnJudgement(
  database: Database,
  { object, invocation, reason, traceparent }: OwnJudgement,
): Promise<StartedJudgement> {
  const { runs, judgements } = tablesOf(database);
  return database.transaction(async (transaction) => {
    await adoptListed(transaction, object, identityOf(object, { invocation }));
    const { rows: opened } = await transaction.raw<{ rows: { id: string; is_new: boolean }[] }>(
      `INSERT INTO ${runs} (bucket, key, identity, version_id, e_tag, sequencer, size_bytes,
                            event_name, event_time, aws_region)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (bucket, key, identity)
         -- Changes nothing: DO NOTHING would not return the row that is there, nor lock it.
         DO UPDATE SET bucket = excluded.bucket
       RETURNING id, xmax = 0 AS is_new`,
      [
        object.bucket,
        object.key,
        identityOf(object, { invocation }),
        object.versionId ?? null,
        object.eTag ?? null,
        object.sequencer ?? null,
        object.sizeBytes ?? null,
        object.eventName ?? null,
        readableTime(object.eventTime),
        object.awsRegion ?? null,
      ],
    );
    const [{ id, is_new: isNew } = { id: '', is_new: false }] = opened;
    const number = isNew ? 1 : await nextNumber(transaction, id, invocation);
    const { rows } = await transaction.raw<{ rows: HeldRow[] }>(
      `WITH judgement AS (
         INSERT INTO ${judgements} AS present
           (run_id, number, asked_by, invocation, reason, status, attempts, started_at, heartbeat_at,
            traceparent)
         VALUES (?, ?, 'operator', ?, ?, 'running', 1, now(), now(), ?)
         ON CONFLICT (run_id, number) DO UPDATE SET
           status = 'running', attempts = present.attempts + 1, started_at = now(),
           heartbeat_at = now(), finished_at = NULL, error = NULL, details_deleted_at = NULL,
           settled_at = NULL, settled_reason = NULL, traceparent = excluded.traceparent
         WHERE present.status IN ('queued', 'running', 'error')
         RETURNING run_id, number, attempts
       ), run AS (
         UPDATE ${runs} AS run
         SET status = CASE WHEN number = last_number THEN 'pending' ELSE status END
         FROM judgement WHERE id = run_id RETURNING run.*
       )
       SELECT ${heldColumns(transaction)} FROM judgement, run`,
      [id, number, invocation, storableReason(reason), traceparent ?? null],
    );
    return rows[0] ? { held: held(rows[0]) } : { ended: { runId: id, number } };
  });
}

/** The run that a listing made of the object takes over what its event says, as where a message has it. */
async function adoptListed(
  transaction: Transaction,
  { bucket, key, eTag, sequencer, eventName, eventTime, awsRegion }: OwnJudgement['object'],
  identity: string,
): Promise<void> {
  const time = readableTime(eventTime);
  if (eTag === undefined || time === null || !identity.startsWith('etag ')) return;
  const { runs } = tablesOf(transaction);
  await transaction.raw(
    `UPDATE ${runs} SET identity = :identity, sequencer = :sequencer, event_name = :eventName,
       event_time = :time, aws_region = :awsRegion
     WHERE id = (
       SELECT id FROM ${runs} AS listed
       WHERE bucket = :bucket AND key = :key AND e_tag = :eTag AND ${IS_LISTED}
         AND ${isSameWrite({
           ...{ eTag: 'e_tag', eventTime: 'CAST(:time AS timestamptz)' },
           ...{ lastModified: 'last_modified', listedAt: 'created_at' },
         })}
         AND NOT EXISTS (
           SELECT FROM ${runs} WHERE bucket = :bucket AND key = :key AND identity = :identity
         )
       ORDER BY abs(extract(epoch FROM last_modified - CAST(:time AS timestamptz))) LIMIT 1
       FOR NO KEY UPDATE
     )`,
    {
      ...{ bucket, key, eTag, identity, time },
      sequencer: sequencer ?? null,
      eventName: eventName ?? null,
      awsRegion: awsRegion ?? null,
    },
  );
}

/** The number of an invocation's judgement: of the one that it began before, or a new one. */
async function nextNumber(
  transaction: Transaction,
  id: string,
  invocation: string,
): Promise<number> {
  const { runs, judgements } = tablesOf(transaction);
  const [before] = await transaction(judgements)
    .where({ run_id: id, invocation })
    .pluck<number[]>('number');
  if (before !== undefined) return before;
  const { rows } = await transaction.raw<{ rows: { last_number: number }[] }>(
    `UPDATE ${runs} SET last_number = last_number + 1 WHERE id = ? RETURNING last_number`,
    [id],
  );
  return rows[0]?.last_number ?? 1;
}

/** Who asks for judgements, and why. */
export interface JudgementRequest {
  readonly askedBy: Asker;
  readonly reason?: string;
  /** Leaves out runs of which a judgement was asked for with this reason before. @default false */
  readonly onlyOnce?: boolean;
  /** Whether nobody is told of their verdicts. @default false */
  readonly quiet?: boolean;
}

/**
 * Asks for another judgement of runs whose latest one has ended; the others are waited for anyway.
 * The caller enqueues the jobs in the same transaction.
 *
 * @returns those that were asked for, each with the id that its job must have
 */
export async function requestJudgements(
  transaction: Transaction,
  runIds: readonly string[],
  { askedBy, reason, onlyOnce = false, quiet = false }: JudgementRequest,
): Promise<readonly (JudgementReference & { readonly jobId: string })[]> {
  const { runs, judgements } = tablesOf(transaction);
  // In the same order in every transaction, so that two of them can't wait for each other. A statement of its own: the
  // next one sees what was committed by those that it has waited for.
  await transaction.raw(
    `SELECT FROM ${runs} WHERE id = ANY (?::uuid[]) ORDER BY id FOR NO KEY UPDATE`,
    [[...runIds]],
  );
  const asked = `AND NOT EXISTS (SELECT FROM ${judgements} WHERE run_id = run.id AND reason = ?)`;
  const { rows } = await transaction.raw(
    `WITH chosen AS (
       SELECT id FROM ${runs} AS run WHERE id = ANY (?::uuid[]) AND status <> 'pending'
         ${onlyOnce ? asked : ''}
       ORDER BY id
     ), asked AS (
       UPDATE ${runs} AS run SET last_number = last_number + 1, status = 'pending'
       FROM chosen WHERE run.id = chosen.id RETURNING run.id, run.last_number
     )
     INSERT INTO ${judgements} (run_id, number, asked_by, reason, quiet)
     SELECT id, last_number, ?, ?, ? FROM asked
     RETURNING run_id AS "runId", number, job_id AS "jobId"`,
    [
      [...runIds],
      ...(onlyOnce ? [storableReason(reason)] : []),
      ...[askedBy, storableReason(reason), quiet],
    ],
  );
  return rows;
}

/** Records a verdict. @returns whether the judgement was still held */
export async function finishJudgement(
  database: Database | Transaction,
  judgement: Attempt,
  result: JudgementResult,
): Promise<boolean> {
  return endHeld(database, judgement, 'finished', {
    verdict: result.verdict,
    row_count: result.rowCount,
    byte_count: result.byteCount,
    fault_count: result.faultCount,
    sha256: result.sha256 ?? null,
    report: result.report,
    withheld: result.withheld,
    accepted_columns: isAccepted(result.verdict) ? (result.monitored?.columns ?? null) : null,
    monitoring_file_id: result.monitored?.monitoringFileId ?? null,
    mapping_name: result.monitored?.mappingName ?? null,
    mapping_version: result.monitored?.mappingVersion ?? null,
    ...(result.tells === true ? { tells: true } : {}),
  });
}

/**
 * Ends a judgement without a verdict; that of an earlier one stands. `gone` and `replaced`: the object
 * is not there any more, or is not the one that the event named. `error`: no other attempt will be made.
 *
 * @returns whether the judgement was still held
 */
export async function closeJudgement(
  database: Database | Transaction,
  judgement: Attempt,
  status: 'gone' | 'replaced' | 'error',
  reason: string,
): Promise<boolean> {
  return endHeld(database, judgement, status, { error: storableText(reason) });
}

/** Columns that the end of a judgement fills; those that an end leaves out are null. */
const END_COLUMNS = [
  'verdict',
  'row_count',
  'byte_count',
  'fault_count',
  'sha256',
  'accepted_columns',
  'monitoring_file_id',
  'mapping_name',
  'mapping_version',
  'error',
] as const;

type JudgementEnd = Partial<Record<(typeof END_COLUMNS)[number] | 'report' | 'withheld', unknown>>;

type EndedRow = JudgementEnd &
  Record<'run_id' | 'status', string> &
  Record<'number' | 'attempts', number> & { readonly tells?: true };

/** Ends a held judgement and brings its run up to date: the verdict of the highest number counts. */
function endHeld(
  database: Database | Transaction,
  { runId, number, attempts }: Attempt,
  status: JudgementStatus,
  end: JudgementEnd & Pick<EndedRow, 'tells'>,
): Promise<boolean> {
  return endTogether(database, { run_id: runId, number, attempts, status, ...end });
}

const endTogether = sharedStatement<EndedRow, boolean>(
  async (database, ends) => {
    const { runs, judgements, reports, notices, monitoringFiles, periodVerdicts } =
      tablesOf(database);
    const told = ends.filter(({ tells }) => tells).map(({ run_id }) => run_id);
    // In the same statement: there is no verdict without it, and none waits for it.
    const outbox = `, told AS (
         INSERT INTO ${notices} (run_id, number)
         SELECT run_id, number FROM ended WHERE NOT quiet AND run_id = ANY (?::uuid[])
       )`;
    const { rows } = await database.raw<{ rows: { id: string }[] }>(
      `WITH given AS (
         SELECT * FROM jsonb_populate_recordset(NULL::${judgements}, ?::jsonb)
       ), ended AS (
         UPDATE ${judgements} AS judgement
         SET status = given.status, finished_at = now(),
           reported_at = CASE WHEN given.report IS NOT NULL THEN now() END,
           ${END_COLUMNS.map((column) => `${column} = given.${column}`).join(', ')}
         FROM given
         WHERE judgement.run_id = given.run_id AND judgement.number = given.number
           AND judgement.attempts = given.attempts AND judgement.status = 'running'
         RETURNING judgement.run_id, judgement.number, judgement.status, judgement.verdict,
           judgement.finished_at, judgement.mapping_name, judgement.monitoring_file_id,
           judgement.quiet, judgement.reported_at
       ), reported AS (
         INSERT INTO ${reports} (run_id, number, recorded_at, report, withheld)
         SELECT run_id, ended.number, ended.reported_at, given.report, given.withheld
         FROM ended JOIN given USING (run_id) WHERE given.report IS NOT NULL
       ), counted AS (
         INSERT INTO ${periodVerdicts} (run_id, number)
         SELECT run_id, number FROM ended JOIN ${monitoringFiles} AS file
           ON file.id = ended.monitoring_file_id AND file.schedule IS NOT NULL
       )${told.length === 0 ? '' : outbox}
       UPDATE ${runs} AS run SET
         status = CASE WHEN ended.number = run.last_number THEN ended.status ELSE run.status END,
         (verdict, verdict_number, verdict_at, unmonitored, accepted_file) = (
           SELECT CASE WHEN counts THEN ended.verdict ELSE run.verdict END,
             CASE WHEN counts THEN ended.number ELSE run.verdict_number END,
             CASE WHEN counts THEN ended.finished_at ELSE run.verdict_at END,
             CASE WHEN counts THEN ended.mapping_name IS NULL ELSE run.unmonitored END,
             CASE WHEN NOT counts THEN run.accepted_file
               WHEN ended.verdict IN ('passed', 'warned') THEN ended.monitoring_file_id END
           FROM (SELECT ended.verdict IS NOT NULL
             AND ended.number > coalesce(run.verdict_number, 0) AS counts) AS highest
         )
       FROM ended WHERE run.id = ended.run_id
       RETURNING run.id`,
      told.length === 0 ? [toJsonb(ends)] : [toJsonb(ends), told],
    );
    const ended = new Set(rows.map(({ id }) => id));
    return ends.map(({ run_id }) => ended.has(run_id));
  },
  // A run is brought up to date by one judgement at a time.
  ({ run_id }) => run_id,
);

/**
 * Notes why an attempt failed on a judgement of which the queue will make another attempt.
 *
 * @returns whether the judgement was still held
 */
export async function noteFailure(
  database: Database | Transaction,
  { runId, number, attempts }: Attempt,
  error: string,
): Promise<boolean> {
  const changed = await database(tablesOf(database).judgements)
    .where({ run_id: runId, number, attempts, status: 'running' })
    .update({ status: 'queued', error: storableText(error) });
  return changed === 1;
}

/**
 * Ends judgements whose attempts are used up, also those that nobody has begun; what has ended
 * otherwise stays as it is.
 *
 * @returns those that this call has ended
 */
export async function failJudgements(
  database: Database | Transaction,
  failures: readonly (JudgementReference & { readonly error: string })[],
): Promise<readonly JudgementReference[]> {
  const { runs, judgements } = tablesOf(database);
  const { rows } = await database.raw(
    `WITH failure AS (
       SELECT DISTINCT ON (run_id, number) run.id, number, error, run.created_at
       FROM jsonb_to_recordset(?::jsonb) AS failure (run_id uuid, number integer, error text)
       JOIN ${runs} AS run ON run.id = failure.run_id AND failure.number <= run.last_number
       ORDER BY run_id, number
     ), ended AS (
       INSERT INTO ${judgements} AS present
         (run_id, number, asked_by, job_id, status, error, created_at, finished_at)
       SELECT id, number, 'message', id, 'error', error, created_at, now() FROM failure
       ON CONFLICT (run_id, number) DO UPDATE
         SET status = 'error', error = excluded.error, finished_at = now()
         WHERE present.status IN ('queued', 'running')
       RETURNING run_id, number
     ), noted AS (
       UPDATE ${runs} AS run SET status = 'error'
       FROM ended WHERE run.id = ended.run_id AND run.last_number = ended.number
     )
     SELECT run_id AS "runId", number FROM ended`,
    [
      toJsonb(
        failures.map(({ runId, number, error }) => ({
          run_id: runId,
          number,
          error: error || 'no reason given',
        })),
      ),
    ],
  );
  return rows;
}

/** Gives judgements that have not ended another job, which the caller enqueues in the same transaction. */
export async function nameJobs(
  transaction: Transaction,
  jobs: readonly (JudgementReference & { readonly jobId: string })[],
): Promise<void> {
  const { runs, judgements } = tablesOf(transaction);
  await transaction.raw(
    `INSERT INTO ${judgements} AS present (run_id, number, asked_by, job_id, created_at)
     SELECT run.id, number, 'message', job_id, run.created_at
     FROM jsonb_to_recordset(?::jsonb) AS job (run_id uuid, number integer, job_id uuid)
     JOIN ${runs} AS run ON run.id = job.run_id
     ON CONFLICT (run_id, number) DO UPDATE SET status = 'queued', job_id = excluded.job_id
     WHERE present.status IN ('queued', 'running')`,
    [
      JSON.stringify(
        jobs.map(({ runId, number, jobId }) => ({ run_id: runId, number, job_id: jobId })),
      ),
    ],
  );
}

/** A judgement that is still worked on, and how far it has come where that is known. */
export interface Beat extends Attempt {
  readonly progress?: { readonly bytes: number; readonly rows: number } | undefined;
}

/** Says that judgements are still worked on. */
export async function heartbeat(database: Database, held: readonly Beat[]): Promise<void> {
  const { judgements } = tablesOf(database);
  await database.raw(
    `UPDATE ${judgements} AS judgement SET heartbeat_at = now(),
       progress_bytes = held.bytes, progress_rows = held.rows
     FROM jsonb_to_recordset(?::jsonb)
       AS held (run_id uuid, number integer, attempts integer, bytes bigint, rows bigint)
     WHERE (judgement.run_id, judgement.number, judgement.attempts)
         = (held.run_id, held.number, held.attempts)
       AND judgement.status = 'running'`,
    [
      JSON.stringify(
        held.map(({ runId, number, attempts, progress }) => ({
          ...{ run_id: runId, number, attempts },
          ...{ bytes: progress?.bytes, rows: progress?.rows },
        })),
      ),
    ],
  );
}

/** How far a judgement in hand has come, as of its last heartbeat. */
export interface Progress extends JudgementReference {
  readonly bytes: number;
  readonly rows: number;
}

/** The progress of those of some runs whose judgement is in hand and has said something. */
export async function progressOf(
  database: Database,
  runIds: readonly string[],
): Promise<readonly Progress[]> {
  return database(tablesOf(database).judgements)
    .whereIn('run_id', runIds)
    .where({ status: 'running' })
    .whereNotNull('progress_bytes')
    .select({ runId: 'run_id', number: 'number', bytes: 'progress_bytes', rows: 'progress_rows' });
}

/**
 * Notes where the report of a verdict was written.
 *
 * @returns whether the judgement has a verdict whose report had not been noted before
 */
export async function noteReport(
  database: Database,
  { runId, number }: JudgementReference,
  reportKey: string,
): Promise<boolean> {
  const changed = await database(tablesOf(database).judgements)
    .where({ run_id: runId, number, status: 'finished', report_key: null })
    .update({ report_key: reportKey });
  return changed === 1;
}

/** One judgement, as it is recorded. */
export interface Judgement extends JudgementReference {
  readonly askedBy: Asker;
  /** Why it was asked for; null where nobody said. */
  readonly reason: string | null;
  readonly monitoringFileId: number | null;
  readonly mappingName: string | null;
  readonly mappingVersion: number | null;
  readonly status: JudgementStatus;
  readonly verdict: Verdict | null;
  readonly rowCount: number | null;
  readonly byteCount: number | null;
  readonly faultCount: number | null;
  readonly sha256: string | null;
  /** Key of the report in the object's bucket; null when it was not written there. */
  readonly reportKey: string | null;
  /** The last failure, or why there is no verdict. */
  readonly error: string | null;
  readonly attempts: number;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  /** When its report and error were deleted for their age; null as long as they are kept. */
  readonly detailsDeletedAt: Date | null;
  /** What was done with the file by the verdict; null for nothing. */
  readonly routing: readonly RoutingAct[] | null;
  /** When somebody decided that the error needs nothing more, or that the report be written anew. */
  readonly settledAt: Date | null;
  /** Why. */
  readonly settledReason: string | null;
  /** W3C `traceparent` of its last attempt; null where no trace was recorded. */
  readonly traceparent: string | null;
}

/** A judgement with its whole report. */
export interface JudgementWithReport extends Judgement {
  readonly report: Readonly<Record<string, unknown>> | null;
  /** What the report withholds; null where there is no report, and beside one of a version that withheld nothing. */
  readonly withheld: Withheld | null;
}

/** Every column but the report, which may be large, under the names of {@link Judgement}. */
const JUDGEMENT_COLUMNS = {
  runId: 'judgement.run_id',
  number: 'judgement.number',
  askedBy: 'asked_by',
  reason: 'reason',
  monitoringFileId: 'monitoring_file_id',
  mappingName: 'mapping_name',
  mappingVersion: 'mapping_version',
  status: 'status',
  verdict: 'verdict',
  rowCount: 'row_count',
  byteCount: 'byte_count',
  faultCount: 'fault_count',
  sha256: 'sha256',
  reportKey: 'report_key',
  error: 'error',
  attempts: 'attempts',
  createdAt: 'created_at',
  startedAt: 'started_at',
  finishedAt: 'finished_at',
  routing: 'routing',
  settledAt: 'settled_at',
  settledReason: 'settled_reason',
  traceparent: 'traceparent',
};

/** Every judgement of a run that has a row, in the order of their numbers. */
export async function judgementsOf(database: Database, runId: string): Promise<Judgement[]> {
  return database({ judgement: tablesOf(database).judgements })
    .select(JUDGEMENT_COLUMNS, detailsDeletedAt(database))
    .where({ run_id: runId })
    .orderBy('number');
}

/** One judgement with its report; undefined also for one that a message implies and nobody has begun. */
export async function findJudgement(
  database: Database,
  { runId, number }: JudgementReference,
): Promise<JudgementWithReport | undefined> {
  const { judgements, reports } = tablesOf(database);
  return database({ judgement: judgements })
    .leftJoin({ stored: reports }, withReport)
    .where({ 'judgement.run_id': runId, 'judgement.number': number })
    .first<JudgementWithReport | undefined>(
      JUDGEMENT_COLUMNS,
      detailsDeletedAt(database),
      database.raw(REPORT_COLUMNS),
    );
}

/** Joins the report of a judgement, as `stored`: the time of both says in which month it is. */
export function withReport(join: Knex.JoinClause): void {
  join
    .on('stored.run_id', 'judgement.run_id')
    .andOn('stored.number', 'judgement.number')
    .andOn('stored.recorded_at', 'judgement.reported_at');
}

/** Versions up to 0.2 and their replicas have it in the row of the judgement. */
export const REPORT_COLUMNS = `
  coalesce(stored.report, judgement.report) AS report,
  coalesce(stored.withheld, judgement.withheld) AS withheld`;

/** With the month of its report, or alone. */
function detailsDeletedAt(database: Database) {
  return database.raw(
    `coalesce(details_deleted_at, (
       SELECT retired_at FROM ${tablesOf(database).retiredMonths}
       WHERE parent = 'reports' AND reported_at >= starts AND reported_at < ends
     )) AS "detailsDeletedAt"`,
  );
}

function held(row: HeldRow): HeldJudgement {
  const { runId, number, attempts, messageId, bucket, key } = row;
  return {
    runId,
    number,
    attempts,
    messageId,
    ruleRevision: row.ruleRevision ?? undefined,
    object: {
      bucket,
      key,
      ...(row.version_id === null ? {} : { versionId: row.version_id }),
      ...(row.e_tag === null ? {} : { eTag: row.e_tag }),
      ...(row.size_bytes === null ? {} : { sizeBytes: row.size_bytes }),
    },
  };
}

/** Whether a delivery with this verdict is one that later ones are compared with. */
function isAccepted(verdict: Verdict): boolean {
  return verdict === 'passed' || verdict === 'warned';
}

function storableReason(reason: string | undefined): string | null {
  return reason === undefined ? null : storableText(reason);
}

/**
 * A subquery of the verdict that stood when `judgement` ended; no row where there was none.
 *
 * @param judgements - the table
 */
export function verdictBefore(judgements: string): string {
  return `(
    SELECT verdict FROM ${judgements} AS other
    WHERE other.run_id = judgement.run_id AND other.number < judgement.number
      AND other.status = 'finished' AND other.finished_at <= judgement.finished_at
    ORDER BY other.number DESC LIMIT 1
  )`;
}
