import type { Database, Transaction } from '../database/connection.ts';
import type { JudgementReference } from '../database/judgements.ts';
import { tablesOf } from '../database/tables.ts';
import type { Way } from './policy.ts';

/** A judgement that ended with a verdict. What is told of it, if anything, is worked out later. */
export interface JudgementChange {
  readonly judgement: JudgementReference;
}

/** How a period in which something was due changed. */
export const PERIOD_STATES = ['late', 'missing', 'recovered', 'corrected'] as const;

/** A period that has another state than it had. */
export interface PeriodChange {
  readonly state: (typeof PERIOD_STATES)[number];
  readonly client: string;
  /** Undefined for a set of files. */
  readonly monitoringFileId?: number;
  /** What was due: the key pattern of a monitored file, or the name of a set. */
  readonly subject: string;
  /** Names the period, such as `2026-11`: with client, subject and state it makes the change. */
  readonly period: string;
  readonly dueAt: Date;
  /** What came; undefined where nothing did. */
  readonly runId?: string;
}

/**
 * Records changes that somebody may have to be told of, in the transaction of the changes. One that was recorded before is
 * not recorded again, but for `corrected`, which may happen more than once; and `corrected` by a run is left out, since its
 * judgement is told of. To be called only where notices have a way out (`config.notices.isOn`): nobody else empties the table.
 */
export async function recordNotices(
  transaction: Transaction,
  changes: readonly (JudgementChange | PeriodChange)[],
): Promise<void> {
  const told = changes.filter(
    (change) => 'judgement' in change || change.state !== 'corrected' || !change.runId,
  );
  if (told.length === 0) return;
  await transaction(tablesOf(transaction).notices)
    .insert(
      told.map((change) =>
        'judgement' in change
          ? { run_id: change.judgement.runId, number: change.judgement.number }
          : {
              state: change.state,
              client: change.client,
              monitoring_file_id: change.monitoringFileId,
              subject: change.subject,
              period: change.period,
              due_at: change.dueAt,
              run_id: change.runId,
            },
      ),
    )
    .onConflict()
    .ignore();
}

/** A message that told of a delivery, or is to. */
export interface Told {
  /** What of: as `failed` or `late`; null where nobody has decided yet who is told. */
  readonly state: string | null;
  /** Of the judgement; null for a change of a period. */
  readonly number: number | null;
  readonly at: Date;
  /** Null where nobody is told. */
  readonly message: {
    readonly way: Way;
    readonly target: string;
    readonly status: 'waiting' | 'delivered' | 'dead' | 'discarded';
    readonly settledAt: Date | null;
  } | null;
}

/** Rows of one run that are shown. */
const MOST_TOLD = 200;

/** Who was told of a run, and who is still to be, the first first. */
export async function toldOfRun(database: Database, runId: string): Promise<readonly Told[]> {
  const { notices, noticeMessages } = tablesOf(database);
  // Each half has an index.
  const { rows } = await database.raw(
    `SELECT notice.state, notice.number, notice.created_at AS at, way, target, status,
       settled_at AS "settledAt"
     FROM (
       SELECT * FROM ${notices} WHERE run_id = ? AND number IS NOT NULL
       UNION ALL SELECT * FROM ${notices} WHERE run_id = ? AND number IS NULL
     ) AS notice
     LEFT JOIN ${noticeMessages} AS message ON message.notice_ids @> ARRAY[notice.id]
     ORDER BY notice.id, message.created_at, message.id LIMIT ?`,
    [runId, runId, MOST_TOLD],
  );
  return rows.map(({ state, number, at, way, target, status, settledAt }: ToldRow) => ({
    ...{ state, number, at },
    message: way === null ? null : { way, target, status, settledAt },
  }));
}

type ToldRow = Pick<Told, 'state' | 'number' | 'at'> &
  (NonNullable<Told['message']> | Record<keyof NonNullable<Told['message']>, null>);
