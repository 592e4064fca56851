import type { Verdict } from '@file-processing/quality/verdict.ts';
import type { Period } from '../schedule/periods.ts';
import type { PeriodState, Step } from '../schedule/transitions.ts';
import type { Database, Transaction } from './connection.ts';
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
