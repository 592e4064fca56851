import type { ObjectReference } from '@file-processing/contract/s3-event.ts';
import type { Verdict } from '@file-processing/quality/verdict.ts';
import { readableTime, storableText, toJsonb } from './column-values.ts';
import type { Database, Transaction } from './connection.ts';
import { tablesOf } from './tables.ts';

/**
 * `finished` has a verdict. `gone` and `replaced` ended without one, since the object of the event is
 * not there any more; `error` is a technical failure whose attempts are used up.
 */
export const RUN_STATUSES = ['queued', 'running', 'finished', 'gone', 'replaced', 'error'] as const;

/** One of {@link RUN_STATUSES}. */
export type RunStatus = (typeof RUN_STATUSES)[number];

/** One judgement of one object. */
export interface Run {
  readonly id: string;
  /** The SNS message whose event named it; null when the command line asked for it. */
  readonly messageId: string | null;
  readonly bucket: string;
  readonly key: string;
  readonly versionId: string | null;
  readonly eTag: string | null;
  readonly sequencer: string | null;
  readonly sizeBytes: number | null;
  readonly eventName: string | null;
  readonly eventTime: Date | null;
  readonly awsRegion: string | null;
  readonly monitoringFileId: number | null;
  readonly mappingName: string | null;
  readonly mappingVersion: number | null;
  readonly status: RunStatus;
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
}

/** A run with its whole report. */
export interface RunWithReport extends Run {
  readonly report: Readonly<Record<string, unknown>> | null;
}

/** What a job found out. */
export interface RunResult {
  readonly verdict: Verdict;
  readonly rowCount: number;
  readonly byteCount: number;
  readonly faultCount: number;
  /** Lower-case hexadecimal; undefined when the file was not read to its end. */
  readonly sha256?: string;
  readonly report: object;
  /** The entry that named the expectation; undefined for an unmonitored file. */
  readonly monitored?: {
    readonly monitoringFileId: number;
    readonly mappingName: string;
    readonly mappingVersion: number;
  };
}

/** Every column but the report, which may be large, under the names of {@link Run}. */
const RUN_COLUMNS = {
  id: 'id',
  messageId: 'message_id',
  bucket: 'bucket',
  key: 'key',
  versionId: 'version_id',
  eTag: 'e_tag',
  sequencer: 'sequencer',
  sizeBytes: 'size_bytes',
  eventName: 'event_name',
  eventTime: 'event_time',
  awsRegion: 'aws_region',
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
};

/**
 * The run of an object that no message named, as the command line asks for: made, or the one
 * that is there already.
 */
export async function openRun(
  database: Database,
  object: Pick<ObjectReference, 'bucket' | 'key'> & Partial<ObjectReference>,
): Promise<string> {
  const { rows } = await database.raw(
    `INSERT INTO ${tablesOf(database).runs} (bucket, key, version_id, e_tag, sequencer, size_bytes, event_name,
                       event_time, aws_region)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (bucket, key, coalesce(version_id, e_tag, ''), coalesce(sequencer, ''))
       -- Changes nothing: DO NOTHING would not return the row that is there.
       DO UPDATE SET bucket = excluded.bucket
     RETURNING id`,
    [
      object.bucket,
      object.key,
      object.versionId ?? null,
      object.eTag ?? null,
      object.sequencer ?? null,
      object.sizeBytes ?? null,
      object.eventName ?? null,
      readableTime(object.eventTime),
      object.awsRegion ?? null,
    ],
  );
  return rows[0].id;
}

/**
 * Begins an attempt. A run that has ended is left alone, as a job may come twice (its worker died
 * after the verdict and before it settled the job); with `again` it is judged anew and forgets what
 * it knew.
 *
 * @returns the run, or undefined when there is nothing to do
 */
export async function startRun(
  database: Database,
  id: string,
  options: { readonly again?: boolean } = {},
): Promise<Run | undefined> {
  const [run] = await database(tablesOf(database).runs)
    .where({ id })
    .modify((query) => {
      if (!options.again) query.whereIn('status', ['queued', 'running']);
    })
    .update({
      status: 'running',
      attempts: database.raw('attempts + 1'),
      started_at: database.fn.now(),
      ...WITHOUT_RESULT,
    })
    .returning<Run[]>(returning());
  return run;
}

const WITHOUT_RESULT = {
  finished_at: null,
  verdict: null,
  row_count: null,
  byte_count: null,
  fault_count: null,
  sha256: null,
  report: null,
  report_key: null,
  error: null,
};

/** Records the verdict of a running run. @returns whether it was still running */
export async function finishRun(
  database: Database | Transaction,
  id: string,
  result: RunResult,
): Promise<boolean> {
  const changed = await database(tablesOf(database).runs)
    .where({ id, status: 'running' })
    .update({
      status: 'finished',
      verdict: result.verdict,
      row_count: result.rowCount,
      byte_count: result.byteCount,
      fault_count: result.faultCount,
      sha256: result.sha256 ?? null,
      report: toJsonb(result.report),
      monitoring_file_id: result.monitored?.monitoringFileId ?? null,
      mapping_name: result.monitored?.mappingName ?? null,
      mapping_version: result.monitored?.mappingVersion ?? null,
      error: null,
      finished_at: database.fn.now(),
    });
  return changed === 1;
}

/**
 * Notes where the report of a verdict was written.
 *
 * @param run as it was when the report was made
 * @returns whether that verdict still stands: the run may have been started again meanwhile
 */
export async function noteReport(
  database: Database,
  { id, attempts }: Pick<Run, 'id' | 'attempts'>,
  reportKey: string,
): Promise<boolean> {
  const changed = await database(tablesOf(database).runs)
    .where({ id, attempts, status: 'finished' })
    .update({ report_key: reportKey });
  return changed === 1;
}

/** Ends a running run whose object is not there any more, or is not the one that the event named. */
export async function closeRun(
  database: Database | Transaction,
  id: string,
  status: 'gone' | 'replaced',
  reason: string,
): Promise<void> {
  await database(tablesOf(database).runs)
    .where({ id, status: 'running' })
    .update({ status, error: storableText(reason), finished_at: database.fn.now() });
}

/** Notes why an attempt failed on a run that the queue will try again. */
export async function noteFailure(database: Database, id: string, error: string): Promise<void> {
  await database(tablesOf(database).runs)
    .where({ id, status: 'running' })
    .update({ status: 'queued', error: storableText(error) });
}

/** Ends runs whose attempts are used up; those that have ended otherwise stay as they are. */
export async function failRuns(
  database: Database,
  failures: readonly { readonly runId: string; readonly error: string }[],
): Promise<void> {
  await database.raw(
    `UPDATE ${tablesOf(database).runs} SET status = 'error', error = failure.error, finished_at = now()
     FROM jsonb_to_recordset(?::jsonb) AS failure(run_id uuid, error text)
     WHERE id = failure.run_id AND status IN ('queued', 'running')`,
    [
      toJsonb(
        failures.map(({ runId, error }) => ({ run_id: runId, error: error || 'no reason given' })),
      ),
    ],
  );
}

/** Puts failed runs back to `queued`. */
export async function requeueRuns(
  database: Database | Transaction,
  ids: readonly string[],
): Promise<void> {
  await database(tablesOf(database).runs)
    .whereIn('id', ids)
    .where({ status: 'error' })
    .update({ status: 'queued', error: null, finished_at: null });
}

/** Which runs to list. */
export interface RunFilter {
  readonly status?: RunStatus;
  readonly verdict?: Verdict;
  readonly bucket?: string;
  /** Only keys that begin with it. */
  readonly keyPrefix?: string;
  /** Only runs that were made earlier: the `createdAt` of the previous page's last one. */
  readonly before?: Date;
  /** @default 50 */
  readonly limit?: number;
}

/** Runs without their reports, newest first. */
export async function listRuns(database: Database, filter: RunFilter = {}): Promise<Run[]> {
  return database(tablesOf(database).runs)
    .select(RUN_COLUMNS)
    .modify((query) => {
      if (filter.status) query.where('status', filter.status);
      if (filter.verdict) query.where('verdict', filter.verdict);
      if (filter.bucket) query.where('bucket', filter.bucket);
      if (filter.keyPrefix) query.whereRaw('starts_with(key, ?)', [filter.keyPrefix]);
      if (filter.before) query.where('created_at', '<', filter.before);
    })
    .orderBy([{ column: 'created_at', order: 'desc' }, 'id'])
    .limit(filter.limit ?? 50);
}

/** As many ids as an error lists. */
const LISTED_IDS = 5;

/**
 * The ids that a short name stands for: `latest` for the newest run, an id, or the beginning of one.
 *
 * @returns in their order, at most 5; none for anything else
 */
export async function runIdsNamed(database: Database, name: string): Promise<string[]> {
  if (name === 'latest') return (await listRuns(database, { limit: 1 })).map(({ id }) => id);
  const [lowest, highest] = [completed(name, '0'), completed(name, 'f')];
  if (name.length < 8 || !UUID.test(lowest)) return [];
  return database(tablesOf(database).runs)
    .whereBetween('id', [lowest, highest])
    .orderBy('id')
    .limit(LISTED_IDS)
    .pluck('id');
}

/** PostgreSQL would answer a text that is not a UUID with an error. */
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function completed(prefix: string, digit: string): string {
  return (
    prefix + 'xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx'.slice(prefix.length).replaceAll('x', digit)
  );
}

/** One run with its report. @param id anything; what is not a UUID finds nothing */
export async function findRun(database: Database, id: string): Promise<RunWithReport | undefined> {
  if (!UUID.test(id)) return undefined;
  return database(tablesOf(database).runs)
    .where({ id })
    .first<RunWithReport | undefined>({ ...RUN_COLUMNS, report: 'report' });
}

function returning(): string[] {
  return Object.entries(RUN_COLUMNS).map(([name, column]) => `${column} as ${name}`);
}
