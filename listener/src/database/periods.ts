import type { Verdict } from '@file-processing/quality/verdict.ts';
import type { Knex } from 'knex';
import type { Period } from '../schedule/periods.ts';
import type { PeriodState, Step } from '../schedule/transitions.ts';
import type { Database, Transaction } from './connection.ts';
import { ofClients } from './monitoring-files.ts';
import { tablesOf } from './tables.ts';

/** A period that is recorded. */
export interface StoredPeriod extends Period {
  readonly id: number;
  readonly client: string;
  /** Null for the period of a set. */
  readonly monitoringFileId: number | null;
  /** Its own, or the one that the file belongs to; null for a file of none. */
  readonly set: string | null;
  readonly timeZone: string;
  readonly state: PeriodState;
  /** Of the delivery that counts, of a set the worst of its files; null while nothing has come. */
  readonly verdict: Verdict | null;
  /** The judgement that it is from; null for a set. */
  readonly runId: string | null;
  readonly number: number | null;
  readonly deliveredAt: Date | null;
  readonly changedAt: Date;
}

/** The names of {@link StoredPeriod} and their columns. */
const COLUMNS = {
  id: 'period.id',
  client: 'period.client',
  monitoringFileId: 'period.monitoring_file_id',
  set: 'period.set_name',
  name: 'period.name',
  start: 'period.starts_at',
  end: 'period.ends_at',
  opensAt: 'period.opens_at',
  closesAt: 'period.closes_at',
  dueAt: 'period.due_at',
  missingAt: 'period.missing_at',
  timeZone: 'period.time_zone',
  state: 'period.state',
  verdict: 'period.verdict',
  runId: 'period.run_id',
  number: 'period.number',
  deliveredAt: 'period.delivered_at',
  changedAt: 'period.changed_at',
};

/** Periods, to be narrowed. */
export function selectPeriods(database: Database | Transaction) {
  return database({ period: tablesOf(database).periods }).select<StoredPeriod[]>(COLUMNS);
}

/** A period that is about to be recorded. */
export type NewPeriod = Period &
  Pick<StoredPeriod, 'client' | 'monitoringFileId' | 'set' | 'timeZone'>;

/** Records periods that are not recorded yet, and those of their sets. */
export async function addPeriods(
  transaction: Transaction,
  periods: readonly NewPeriod[],
  now: Date,
): Promise<void> {
  if (periods.length === 0) return;
  const ofSets = periods
    .filter(({ set }) => set !== null)
    .map((period) => ({ ...period, monitoringFileId: null }));
  await transaction(tablesOf(transaction).periods)
    .insert(
      [...periods, ...ofSets].map((period) => ({
        client: period.client,
        monitoring_file_id: period.monitoringFileId,
        set_name: period.set,
        name: period.name,
        starts_at: period.start,
        ends_at: period.end,
        opens_at: period.opensAt,
        closes_at: period.closesAt,
        due_at: period.dueAt,
        missing_at: period.missingAt,
        time_zone: period.timeZone,
        changed_at: now,
      })),
    )
    .onConflict()
    .ignore();
}

/** What became of a period. */
export interface ChangedPeriod {
  readonly id: number;
  readonly steps: readonly Step[];
  /** The delivery that counts; undefined for the period of a set, and where none has come. */
  readonly delivery?: {
    readonly runId: string;
    readonly number: number;
    readonly verdict: Verdict;
    readonly deliveredAt: Date;
  };
}

/** Records what became of periods, and each step on the way. */
export async function changePeriods(
  transaction: Transaction,
  changed: readonly ChangedPeriod[],
): Promise<void> {
  const { periods, periodChanges } = tablesOf(transaction);
  for (const { id, steps, delivery } of changed) {
    const last = steps.at(-1);
    await transaction(periods)
      .where({ id })
      .update({
        ...(delivery === undefined
          ? {}
          : {
              run_id: delivery.runId,
              number: delivery.number,
              verdict: delivery.verdict,
              delivered_at: delivery.deliveredAt,
            }),
        ...(last === undefined
          ? {}
          : { state: last.state, verdict: last.verdict, changed_at: last.at }),
      });
  }
  const rows = changed.flatMap(({ id, steps, delivery }) =>
    steps.map(({ from, state, verdict, at }) => ({
      ...{ period_id: id, from_state: from, to_state: state, verdict, at },
      ...(verdict === null || delivery === undefined
        ? {}
        : { run_id: delivery.runId, number: delivery.number }),
    })),
  );
  if (rows.length > 0) await transaction(periodChanges).insert(rows);
}

/** Which periods are listed: those that all of it fits. */
export interface PeriodSelection {
  readonly client?: string;
  /** Only of these, whatever else is selected; undefined for all. */
  readonly clients?: readonly string[] | undefined;
  readonly state?: PeriodState;
  /** The beginning of their names: `2026`, `2026-11`, `2026-11-05`. */
  readonly period?: string;
  /** Of this monitored file alone. */
  readonly monitoringFileId?: number;
  /** Of this set and its files. */
  readonly set?: string;
}

/** One page of them. */
export interface PeriodFilter extends PeriodSelection {
  /** Only what comes after this period: the id of the previous page's last one. */
  readonly after?: number;
  /** @default 50 */
  readonly limit?: number;
}

/** A period with the name of what is due. */
export interface ListedPeriod extends StoredPeriod {
  /** Bucket and key pattern; null for the period of a set. */
  readonly file: string | null;
}

/** Periods for which deliveries count by now, or did; those that are due last come first. */
export async function listPeriods(
  database: Database,
  { after, limit = 50, ...selection }: PeriodFilter,
): Promise<ListedPeriod[]> {
  const { periods, monitoringFiles } = tablesOf(database);
  return selectPeriods(database)
    .leftJoin({ file: monitoringFiles }, 'file.id', 'period.monitoring_file_id')
    .select<ListedPeriod[]>(database.raw("file.bucket || '/' || file.key_pattern AS file"))
    .modify(selected(selection))
    .modify((query) => {
      if (after === undefined) return;
      const last = database({ period: periods })
        .where('period.id', after)
        .modify(ofClients('period.client', selection.clients))
        .select('period.due_at', 'period.id');
      query.whereRaw('(period.due_at, period.id) < (?)', [last]);
    })
    .orderBy([
      { column: 'period.due_at', order: 'desc' },
      { column: 'period.id', order: 'desc' },
    ])
    .limit(limit);
}

/** Whether any period is recorded that has an id, or is of a set. */
export async function hasPeriod(
  database: Database,
  named: { readonly id: number } | { readonly set_name: string },
): Promise<boolean> {
  const { periods } = tablesOf(database);
  return (await database(periods).where(named).first('id')) !== undefined;
}

/** How many periods there are in each state; those in none are left out. */
export async function countPeriods(
  database: Database,
  selection: PeriodSelection,
): Promise<Partial<Record<PeriodState, number>>> {
  const counts: { state: PeriodState; count: string | number }[] = await database({
    period: tablesOf(database).periods,
  })
    .modify(selected(selection))
    .groupBy('period.state')
    .select('period.state')
    .count({ count: '*' });
  return Object.fromEntries(counts.map(({ state, count }) => [state, Number(count)]));
}

function selected({ client, clients, state, period, monitoringFileId, set }: PeriodSelection) {
  return (query: Knex.QueryBuilder) => {
    query.modify(ofClients('period.client', clients));
    if (client !== undefined) query.where('period.client', client);
    if (state !== undefined) query.where('period.state', state);
    if (set !== undefined) query.where('period.set_name', set);
    if (monitoringFileId !== undefined) query.where('period.monitoring_file_id', monitoringFileId);
    if (period !== undefined) query.whereRaw('starts_with(period.name, ?)', [period]);
  };
}

/** One judgement with a verdict of a monitored file, and the delivery that it is about. */
export interface JudgedDelivery {
  readonly deliveredAt: Date;
  readonly key: string;
  readonly versionId: string | null;
  readonly runId: string;
  readonly number: number;
  readonly askedBy: string;
  /** Whether no later judgement has another verdict. */
  readonly stands: boolean;
  readonly verdict: Verdict;
  readonly rowCount: number;
  readonly byteCount: number;
  readonly faultCount: number;
  readonly mappingName: string | null;
  readonly mappingVersion: number | null;
  readonly startedAt: Date;
  readonly finishedAt: Date;
  /** Name of the period that it counts for; null where another delivery of it does, or none is due then. */
  readonly period: string | null;
}

/** Which judgements of a monitored file. */
export interface HistorySelection {
  readonly monitoringFileId: number;
  /** Those that ended then or later. */
  readonly since?: Date;
  /** Those that ended earlier. */
  readonly until?: Date;
  /** The most of them, the last ones. @default all */
  readonly limit?: number;
}

/** What one statement reads. */
const PAGE = 1_000;

/** The history of a monitored file, newest first, a page at a time. */
export async function* judgedDeliveries(
  database: Database,
  { monitoringFileId, since, until, limit = Number.POSITIVE_INFINITY }: HistorySelection,
): AsyncGenerator<readonly JudgedDelivery[]> {
  const { runs, judgements, periods } = tablesOf(database);
  let last: JudgedDelivery | undefined;
  for (let left = limit; left > 0; ) {
    const size = Math.min(PAGE, left);
    const after = last;
    const page: JudgedDelivery[] = await database({ judgement: judgements })
      .join({ run: runs }, 'run.id', 'judgement.run_id')
      .leftJoin({ period: periods }, (join) => {
        join
          .on('period.run_id', 'judgement.run_id')
          .andOn('period.monitoring_file_id', 'judgement.monitoring_file_id');
      })
      .where('judgement.monitoring_file_id', monitoringFileId)
      .modify((query) => {
        if (since !== undefined) query.where('judgement.finished_at', '>=', since);
        if (until !== undefined) query.where('judgement.finished_at', '<', until);
        if (after === undefined) return;
        query.whereRaw(
          `(judgement.finished_at, judgement.run_id, judgement.number) < (
            SELECT finished_at, run_id, number FROM ${judgements} WHERE run_id = ? AND number = ?
          )`,
          [after.runId, after.number],
        );
      })
      .select({
        key: 'run.key',
        versionId: 'run.version_id',
        runId: 'judgement.run_id',
        number: 'judgement.number',
        askedBy: 'judgement.asked_by',
        verdict: 'judgement.verdict',
        rowCount: 'judgement.row_count',
        byteCount: 'judgement.byte_count',
        faultCount: 'judgement.fault_count',
        mappingName: 'judgement.mapping_name',
        mappingVersion: 'judgement.mapping_version',
        startedAt: 'judgement.started_at',
        finishedAt: 'judgement.finished_at',
        period: 'period.name',
      })
      .select(
        database.raw(
          `coalesce(run.event_time, run.last_modified, run.created_at) AS "deliveredAt",
           run.verdict_number = judgement.number AS stands`,
        ),
      )
      .orderBy([
        { column: 'judgement.finished_at', order: 'desc' },
        { column: 'judgement.run_id', order: 'desc' },
        { column: 'judgement.number', order: 'desc' },
      ])
      .limit(size);
    if (page.length > 0) yield page;
    if (page.length < size) return;
    last = page.at(-1);
    left -= page.length;
  }
}
