import type { Transaction } from '../database/connection.ts';
import type { JudgementReference } from '../database/judgements.ts';
import { tablesOf } from '../database/tables.ts';

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
