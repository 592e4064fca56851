import { forgetMessages } from '../notices/messages.ts';
import { forget } from '../privacy/withhold.ts';
import { storableText, toJsonb } from './column-values.ts';
import type { Database, Transaction } from './connection.ts';
import { REPORT_COLUMNS, withReport } from './judgements.ts';
import type { RoutingAct } from './routing.ts';
import { tablesOf } from './tables.ts';

/** What was done with values or with runs, by whom, and why. */
export interface RecordedAct {
  readonly act: 'reveal' | 'forget' | 'retry' | 'rejudge' | 'discard';
  /**
   * By a command: who says that it was they, since the database knows only the role, which it records beside it. In the
   * console: who signed in.
   */
  readonly actor: string;
  readonly via: 'command' | 'console';
  /** Not empty. */
  readonly reason: string;
  /** Of what: a run, or what selected many. */
  readonly subject: Readonly<Record<string, unknown>>;
}

/**
 * Records that somebody sees or removes values, or acts in the console; to be done before, or in the act's transaction, so
 * that nothing is done unrecorded.
 */
export async function recordAct(database: Database | Transaction, act: RecordedAct): Promise<void> {
  await database(tablesOf(database).privacyEvents).insert(rowOf(act));
}

/**
 * As {@link recordAct}, where the subject names the form that asked for it.
 *
 * @returns whether nobody had recorded an act of that form before
 */
export async function recordActOnce(
  database: Database | Transaction,
  act: RecordedAct & { readonly subject: { readonly form: string } },
): Promise<boolean> {
  const inserted = await database(tablesOf(database).privacyEvents)
    .insert(rowOf(act))
    .onConflict()
    .ignore()
    .returning('id');
  return inserted.length === 1;
}

function rowOf({ act, actor, via, reason, subject }: RecordedAct) {
  return {
    act,
    via,
    actor: storableText(actor),
    reason: storableText(reason),
    subject: toJsonb(subject),
  };
}

/** The last acts, newest first. */
export async function lastActs(
  database: Database,
  limit: number,
): Promise<readonly (RecordedAct & { readonly at: Date })[]> {
  return database(tablesOf(database).privacyEvents)
    .select('at', 'act', 'actor', 'via', 'reason', 'subject')
    .orderBy('id', 'desc')
    .limit(limit);
}

/** What {@link forgetValues} found of some runs. */
export interface Forgotten {
  /** Judgements that hold no value any more. */
  readonly judgements: number;
  /** Where in buckets their reports are, and what routing has put somewhere, or may have. */
  readonly reports: readonly { readonly bucket: string; readonly key: string }[];
  /** Runs of which a judgement has not ended, or is still being routed, which may put values somewhere yet. */
  readonly waiting: number;
}

/**
 * Removes every value, shapes included, from the reports of some runs, the texts of their errors, and the hashes of their
 * keys. Verdicts, counts and
 * places of faults stay. What was forgotten before is not touched, so that it may be done again.
 */
export async function forgetValues(
  database: Database,
  runIds: readonly string[],
): Promise<Forgotten> {
  const { runs, judgements, reports, referenceKeys } = tablesOf(database);
  return database.transaction(async (transaction) => {
    await transaction(judgements)
      .whereIn('run_id', runIds)
      .orderBy(['run_id', 'number'])
      .forUpdate()
      .select('number');
    // A statement of its own: it sees the reports that were recorded while the one before waited.
    const rows = await transaction({ judgement: judgements })
      .join({ run: runs }, 'run.id', 'judgement.run_id')
      .leftJoin({ stored: reports }, withReport)
      .whereIn('judgement.run_id', runIds)
      .orderBy(['judgement.run_id', 'judgement.number'])
      .select('judgement.run_id', 'judgement.number', 'judgement.reported_at', 'run.bucket')
      .select('error', 'report_key', 'forgotten_at', 'routing', 'routed_at')
      .select(transaction.raw(REPORT_COLUMNS));
    let count = 0;
    for (const row of rows) {
      const { run_id, number, reported_at, report, error, forgotten_at } = row;
      if (forgotten_at !== null || (report === null && error === null)) continue;
      const kept = {
        report: report === null ? null : toJsonb(forget(report)),
        withheld: report === null ? null : '{}',
      };
      if (reported_at !== null && report !== null) {
        // The time itself: that of JavaScript has no microseconds.
        const key = transaction(judgements)
          .where({ run_id, number })
          .select('run_id', 'number', 'reported_at');
        await transaction(reports).whereIn(['run_id', 'number', 'recorded_at'], key).update(kept);
      }
      await transaction(judgements)
        .where({ run_id, number })
        .update({
          ...(reported_at === null ? kept : {}),
          accepted_columns: null,
          error: error === null ? null : FORGOTTEN,
          forgotten_at: transaction.fn.now(),
        });
      count += 1;
    }
    await transaction(referenceKeys).whereIn('run_id', runIds).delete();
    await forgetMessages(transaction, runIds);
    const waiting = await transaction(runs)
      .whereIn('id', runIds)
      .where('status', 'pending')
      .pluck('id');
    const routed = rows.flatMap(({ run_id, routing, routed_at }) =>
      routing !== null && routed_at === null ? [run_id] : [],
    );
    return {
      judgements: count,
      reports: rows.flatMap(({ bucket, report_key: key, routing }) => [
        ...(key === null ? [] : [{ bucket, key }]),
        ...placedBy(routing ?? []),
      ]),
      waiting: new Set([...waiting, ...routed]).size,
    };
  });
}

function placedBy(acts: readonly RoutingAct[]): Forgotten['reports'] {
  return acts.flatMap((act) =>
    act.act === 'copy' || act.act === 'rejects' ? [{ bucket: act.bucket, key: act.key }] : [],
  );
}

/** What stands in the place of an error's text, which may quote a value. */
const FORGOTTEN = 'the reason was forgotten on demand';
