import type { Verdict } from '@file-processing/quality/verdict.ts';
import type { Knex } from 'knex';
import { storableText } from './column-values.ts';
import type { Database } from './connection.ts';
import {
  type Asker,
  findJudgement,
  type JudgementStatus,
  type JudgementWithReport,
} from './judgements.ts';
import { keyExpression } from './key-pattern.ts';
import { type DescribedNames, listMonitoringFiles, namesOfClients } from './monitoring-files.ts';
import { tablesOf } from './tables.ts';

/** What became of the judgement of a run that was tried last. */
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
  /** Mapping and version as a text, or `none`, where there is a verdict. */
  readonly rules: string | null;
  readonly rowCount: number | null;
  readonly byteCount: number | null;
  readonly faultCount: number | null;
  readonly sha256: string | null;
  /** Key of the report in the object's bucket; null when it was not written there. */
  readonly reportKey: string | null;
}

/** A run with the whole report of its verdict, and what it withholds. */
export interface RunWithReport extends Run, Pick<JudgementWithReport, 'report' | 'withheld'> {}

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
  CASE WHEN run.verdict IS NOT NULL THEN
    coalesce(verdict.mapping_name || ' ' || verdict.mapping_version, 'none') END AS rules,
  coalesce(last.asked_by, 'message') AS "askedBy", coalesce(last.attempts, 0) AS attempts`;

/** Which runs: those that all of it fits. */
export interface RunSelection {
  readonly status?: RunStatus;
  /** The one that stands. */
  readonly verdict?: Verdict;
  readonly bucket?: string;
  /** Only keys that begin with it. */
  readonly keyPrefix?: string;
  /** Only keys that fit this pattern; see `key-pattern.ts`. */
  readonly key?: string;
  /** Only files that the monitored files of this client describe today, judged or not. */
  readonly client?: string;
  /**
   * What somebody may see, whatever else is selected: only files that the monitored files of these clients describe today,
   * and of them none that was judged as another client's. Undefined for all.
   */
  readonly clients?: readonly string[] | undefined;
  /** Only runs whose verdict was made without a mapping. */
  readonly unmonitored?: boolean;
  /** Only runs whose verdict this mapping made; any version of it where none is named. */
  readonly mapping?: { readonly name: string; readonly version?: number };
  /** Leaves out runs whose monitored file is out of use, where no other one describes their object today. */
  readonly described?: boolean;
  /** Only runs that have a verdict. */
  readonly judged?: boolean;
  /** Leaves out runs that wait for a judgement. */
  readonly ended?: boolean;
  /** Leaves out runs of which somebody asked for a judgement with this reason. */
  readonly notAskedFor?: string;
  /** Only runs that were made then or later. */
  readonly since?: Date;
  /** Only runs that were made earlier. */
  readonly until?: Date;
}

/** One page of them. */
export interface RunFilter extends RunSelection {
  /** Only what comes after this run: the id of the previous page's last one. */
  readonly after?: string;
  /** @default 50 */
  readonly limit?: number;
}

/** The object of a run; undefined where there is no such run. */
export async function objectOfRun(
  database: Database,
  id: string,
): Promise<Pick<Run, 'bucket' | 'key'> | undefined> {
  return database(tablesOf(database).runs).where({ id }).first('bucket', 'key');
}

/** Runs without their reports, newest first. */
export async function listRuns(database: Database, filter: RunFilter = {}): Promise<Run[]> {
  const names = await namesOf(database, filter);
  return selectRuns(database).modify(onePage(database, filter, names));
}

/** Runs with these ids, newest first. @param visible which of them there are for who asks. @default all */
export async function findRuns(
  database: Database,
  ids: readonly string[],
  visible: Pick<RunSelection, 'clients'> = {},
): Promise<Run[]> {
  const names = await namesOf(database, visible);
  return selectRuns(database)
    .whereIn('run.id', ids)
    .modify(selected(database, visible, names))
    .orderBy([{ column: 'run.created_at', order: 'desc' }, 'run.id']);
}

/** The versions and deliveries of one key, newest first. @param visible which of them there are for who asks */
export async function runsOfKey(
  database: Database,
  { bucket, key }: Pick<Run, 'bucket' | 'key'>,
  visible: Pick<RunSelection, 'clients'>,
  limit: number,
): Promise<Run[]> {
  const names = await namesOf(database, visible);
  return selectRuns(database)
    .where({ 'run.bucket': bucket, 'run.key': key })
    .modify(selected(database, visible, names))
    .orderBy([{ column: 'run.created_at', order: 'desc' }, 'run.id'])
    .limit(limit);
}

/** As {@link listRuns}, their ids alone. */
export async function listRunIds(database: Database, filter: RunFilter): Promise<string[]> {
  const names = await namesOf(database, filter);
  return database({ run: tablesOf(database).runs })
    .modify(onePage(database, filter, names))
    .pluck('run.id');
}

/**
 * How many runs there are.
 *
 * @param atMost counts no further than this. @default all
 */
export async function countRuns(
  database: Database,
  selection: RunSelection,
  atMost?: number,
): Promise<number> {
  const names = await namesOf(database, selection);
  const runs = database({ run: tablesOf(database).runs })
    .select(database.raw('1'))
    .modify(selected(database, selection, names))
    .modify((query) => {
      if (atMost !== undefined) query.limit(atMost);
    });
  const [{ count }] = await database.from(runs.as('run')).count({ count: '*' });
  return Number(count);
}

/** What the clients of a selection describe. */
interface Described {
  /** The client that is looked for; undefined where any will do. */
  readonly client: readonly DescribedNames[] | undefined;
  /** Those that somebody may see; undefined where they may see all. */
  readonly clients: readonly DescribedNames[] | undefined;
  /** What all clients describe; undefined where that does not matter. */
  readonly all?: readonly DescribedNames[] | undefined;
}

async function namesOf(
  database: Database,
  { client, clients, described = false }: RunSelection,
): Promise<Described> {
  const [found, visible] = await Promise.all(
    [client === undefined ? undefined : [client], clients].map(
      (names) => names && namesOfClients(database, names),
    ),
  );
  const files = described ? await listMonitoringFiles(database) : [];
  const all = files.filter(({ active }) => active).map((file) => ({ ...file, others: [] }));
  return { client: found, clients: visible, all: described ? all : undefined };
}

function onePage(database: Database, filter: RunFilter, names: Described) {
  const { after, clients, limit = 50 } = filter;
  return (query: Knex.QueryBuilder) => {
    query.modify(selected(database, filter, names));
    if (after !== undefined) {
      // That of a run which nobody may see here is as little known as that of none.
      const time = () =>
        database({ run: tablesOf(database).runs })
          .where('run.id', after)
          .modify(selected(database, { clients }, { ...names, client: undefined }))
          .select('run.created_at');
      // The first half is what the index by time finds.
      query
        .where('run.created_at', '<=', time())
        .where((rest) => rest.where('run.created_at', '<', time()).orWhere('run.id', '>', after));
    }
    query.orderBy([{ column: 'run.created_at', order: 'desc' }, 'run.id']).limit(limit);
  };
}

function selected(database: Database, selection: RunSelection, names: Described) {
  const { status, verdict, bucket, keyPrefix, key, unmonitored, since, until } = selection;
  return (query: Knex.QueryBuilder) => {
    if (status === 'queued' || status === 'running') {
      query.where('run.status', 'pending').whereRaw(`${status === 'queued' ? 'NOT ' : ''}EXISTS (
          SELECT FROM ${tablesOf(database).judgements}
          WHERE run_id = run.id AND number = run.last_number AND status = 'running'
        )`);
    } else if (status) query.where('run.status', status);
    if (selection.ended) query.whereNot('run.status', 'pending');
    if (selection.judged) query.whereNotNull('run.verdict');
    if (verdict) query.where('run.verdict', verdict);
    if (bucket) query.where('run.bucket', bucket);
    if (keyPrefix) query.whereRaw('run.key LIKE ?', [startingWith(keyPrefix)]);
    if (key) query.where(fits(key));
    if (names.client) query.where(describedBy(names.client));
    if (names.clients) query.where(describedBy(names.clients));
    if (names.all) query.where(usedOrDescribed(database, names.all));
    if (unmonitored) query.where('run.unmonitored', true);
    if (since) query.where('run.created_at', '>=', since);
    if (until) query.where('run.created_at', '<', until);
    query.modify(byJudgements(database, selection));
  };
}

/**
 * Keys that fit a pattern. All below a folder are looked for from its slash on: by the expression an index also reads all of
 * `client_10` and the like where it is `client_1/**` that is asked for.
 */
function fits(keyPattern: string) {
  const folder = /^([^*?]+)\/\*\*$/.exec(keyPattern)?.[1];
  return (query: Knex.QueryBuilder) => {
    if (folder === undefined) query.whereRaw('run.key ~ ?', [keyExpression(keyPattern)]);
    else query.where('run.key', folder).orWhereRaw('run.key LIKE ?', [startingWith(`${folder}/`)]);
  };
}

/** A pattern of LIKE. */
function startingWith(text: string): string {
  return `${text.replace(/[\\%_]/g, '\\$&')}%`;
}

function describedBy(names: readonly DescribedNames[]) {
  return (query: Knex.QueryBuilder) => {
    // None describes nothing.
    query.whereRaw('false');
    for (const { bucket, keyPattern, others } of names) {
      query.orWhere((one) => {
        one.where('run.bucket', bucket).where(fits(keyPattern));
        for (const other of others) one.whereRaw('run.key !~ ?', [keyExpression(other)]);
      });
    }
  };
}

/** Of the files out of use alone keys are compared with patterns: of a large rule set that takes its time. */
function usedOrDescribed(database: Database, names: readonly DescribedNames[]) {
  const { judgements, monitoringFiles } = tablesOf(database);
  return (query: Knex.QueryBuilder) => {
    query
      .whereRaw(
        `EXISTS (
          SELECT FROM ${judgements} AS judgement JOIN ${monitoringFiles} AS file ON file.id = judgement.monitoring_file_id
          WHERE judgement.run_id = run.id AND judgement.number = run.verdict_number AND file.active
        )`,
      )
      .orWhere(describedBy(names));
  };
}

function byJudgements(database: Database, selection: RunSelection) {
  const { judgements, monitoringFiles } = tablesOf(database);
  const { mapping, notAskedFor, clients } = selection;
  return (query: Knex.QueryBuilder) => {
    if (clients) {
      query.whereRaw(
        `NOT EXISTS (
          SELECT FROM ${judgements} AS judgement JOIN ${monitoringFiles} AS file ON file.id = judgement.monitoring_file_id
          WHERE judgement.run_id = run.id AND file.client <> ALL (?)
        )`,
        [[...clients]],
      );
    }
    if (mapping) {
      const { name, version } = mapping;
      query.whereRaw(
        `EXISTS (
          SELECT FROM ${judgements} WHERE run_id = run.id AND number = run.verdict_number
            AND mapping_name = ?${version === undefined ? '' : ' AND mapping_version = ?'}
        )`,
        version === undefined ? [name] : [name, version],
      );
    }
    if (notAskedFor) {
      query.whereRaw(
        `NOT EXISTS (SELECT FROM ${judgements} WHERE run_id = run.id AND reason = ?)`,
        [storableText(notAskedFor)],
      );
    }
  };
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
 * @param visible which runs there are for who asks. @default all
 */
export async function findRun(
  database: Database,
  id: string,
  visible: Pick<RunSelection, 'clients'> = {},
): Promise<RunWithReport | undefined> {
  if (!UUID.test(id)) return undefined;
  const names = await namesOf(database, visible);
  const run = await selectRuns(database)
    .where('run.id', id)
    .modify(selected(database, visible, names))
    .first<Run | undefined>();
  if (run === undefined) return undefined;
  const { verdictNumber } = run;
  const judgement =
    verdictNumber === null
      ? undefined
      : await findJudgement(database, { runId: run.id, number: verdictNumber });
  return { ...run, report: judgement?.report ?? null, withheld: judgement?.withheld ?? null };
}
