import type { Verdict } from '@file-processing/quality/verdict.ts';
import type { Database } from './connection.ts';
import { type Asker, findJudgement, type JudgementStatus } from './judgements.ts';
import { tablesOf } from './tables.ts';

/** What became of the judgement of a run that was tried last; one of a judgement's statuses. */
export const RUN_STATUSES = ['queued', 'running', 'finished', 'gone', 'replaced', 'error'] as const;

/** One of {@link RUN_STATUSES}. */
export type RunStatus = JudgementStatus;

/**
 * One version of an object, with what is known of it: its verdict, which stands until a later
 * judgement has another one, and what was tried last.
 */
export interface Run {
  readonly id: string;
  /** The SNS message whose event named it; null when another way did. */
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
  readonly createdAt: Date;
  /** Of the judgement that was asked for last. */
  readonly status: RunStatus;
  readonly number: number;
  readonly askedBy: Asker;
  readonly attempts: number;
  /** Its last failure, or why it has no verdict. */
  readonly error: string | null;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  /** The verdict that stands: of the judgement with the highest number that has one. */
  readonly verdict: Verdict | null;
  readonly verdictNumber: number | null;
  readonly verdictAt: Date | null;
  readonly monitoringFileId: number | null;
  readonly mappingName: string | null;
  readonly mappingVersion: number | null;
  readonly rowCount: number | null;
  readonly byteCount: number | null;
  readonly faultCount: number | null;
  readonly sha256: string | null;
  /** Key of the report in the object's bucket; null when it was not written there. */
  readonly reportKey: string | null;
}

/** A run with the whole report of its verdict. */
export interface RunWithReport extends Run {
  readonly report: Readonly<Record<string, unknown>> | null;
}

/** The names of {@link Run} and where each comes from. */
const RUN_COLUMNS = {
  id: 'run.id',
  messageId: 'run.message_id',
  bucket: 'run.bucket',
  key: 'run.key',
  versionId: 'run.version_id',
  eTag: 'run.e_tag',
  sequencer: 'run.sequencer',
  sizeBytes: 'run.size_bytes',
  eventName: 'run.event_name',
  eventTime: 'run.event_time',
  awsRegion: 'run.aws_region',
  createdAt: 'run.created_at',
  number: 'run.last_number',
  error: 'last.error',
  startedAt: 'last.started_at',
  finishedAt: 'last.finished_at',
  verdict: 'run.verdict',
  verdictNumber: 'run.verdict_number',
  verdictAt: 'run.verdict_at',
  monitoringFileId: 'verdict.monitoring_file_id',
  mappingName: 'verdict.mapping_name',
  mappingVersion: 'verdict.mapping_version',
  rowCount: 'verdict.row_count',
  byteCount: 'verdict.byte_count',
  faultCount: 'verdict.fault_count',
  sha256: 'verdict.sha256',
  reportKey: 'verdict.report_key',
};

/** The first judgement of a message has no row before somebody begins it. */
const COMPUTED = `
  CASE run.status WHEN 'pending' THEN coalesce(last.status, 'queued') ELSE run.status END AS status,
  coalesce(last.asked_by, 'message') AS "askedBy", coalesce(last.attempts, 0) AS attempts`;

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
  const { status } = filter;
  return selectRuns(database)
    .modify((query) => {
      if (status === 'queued' || status === 'running') {
        query
          .where('run.status', 'pending')
          .whereRaw("coalesce(last.status, 'queued') = ?", status);
      } else if (status) query.where('run.status', status);
      if (filter.verdict) query.where('run.verdict', filter.verdict);
      if (filter.bucket) query.where('run.bucket', filter.bucket);
      if (filter.keyPrefix) query.whereRaw('starts_with(run.key, ?)', [filter.keyPrefix]);
      if (filter.before) query.where('run.created_at', '<', filter.before);
    })
    .orderBy([{ column: 'run.created_at', order: 'desc' }, 'run.id'])
    .limit(filter.limit ?? 50);
}

function selectRuns(database: Database) {
  const { runs, judgements } = tablesOf(database);
  return database({ run: runs })
    .leftJoin({ last: judgements }, (join) =>
      join.on('last.run_id', 'run.id').andOn('last.number', 'run.last_number'),
    )
    .leftJoin({ verdict: judgements }, (join) =>
      join.on('verdict.run_id', 'run.id').andOn('verdict.number', 'run.verdict_number'),
    )
    .select(RUN_COLUMNS, database.raw(COMPUTED));
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

/**
 * One run with the report of its verdict.
 *
 * @param id anything; what is not a UUID finds nothing
 */
export async function findRun(database: Database, id: string): Promise<RunWithReport | undefined> {
  if (!UUID.test(id)) return undefined;
  const run = await selectRuns(database).where('run.id', id).first<Run | undefined>();
  if (run === undefined) return undefined;
  const { verdictNumber } = run;
  const judgement =
    verdictNumber === null
      ? undefined
      : await findJudgement(database, { runId: run.id, number: verdictNumber });
  return { ...run, report: judgement?.report ?? null };
}
