import { setTimeout as delay } from 'node:timers/promises';
import type { Queue } from '../queue/queue.ts';
import type { Database, Transaction } from './connection.ts';
import { dropRetiredMonths, monthsOf, retireMonths } from './months.ts';
import { deleteOldReferenceKeys } from './reference-keys.ts';
import { MESSAGE_OUTCOMES } from './sns-messages.ts';
import { schemaOf, tablesOf } from './tables.ts';

/** What {@link deleteOld} works with. */
export interface RetentionOptions {
  readonly database: Database;
  readonly queue: Pick<Queue, 'deadLetters' | 'discard'>;
  /** RETENTION_DAYS. */
  readonly days: number;
  /** Asked before each transaction; what is left then waits for the next call. */
  readonly isStopping: () => boolean;
  /** What one transaction deletes. @default 500 */
  readonly batchSize?: number;
  /** Between two transactions of a kind, so that others have the database for most of the time. @default 100 */
  readonly pauseMs?: number;
}

/** How much {@link deleteOld} deleted. */
export interface Deleted {
  readonly messages: number;
  /** Judgements of which report and error text are gone; the rows are there. */
  readonly details: number;
  readonly deadLetters: number;
  /** Sets of keys that foreign keys of other files refer to. */
  readonly referenceKeys: number;
  /** Changes and the messages that told of them. */
  readonly notices: number;
  /** Tables with all messages, or all reports, of a month. */
  readonly months: number;
}

/** Beside a number of the schema's name; any number, but the same in every version of this program. */
const RETENTION_LOCK = 412_870_932;

/** Deletes some of what is older. @returns how much; fewer than a batch when there is no more */
type DeleteSome = (transaction: Transaction, cutoff: Date, batchSize: number) => Promise<number>;

/**
 * Deletes messages, the reports and error texts of judgements, dead letters, and keys for foreign keys that are older than
 * the retention. A run, its verdict and the figures of its judgements stay for good.
 *
 * Messages and reports go with the table of their month, once all of it is too old; those that are in no such table, row
 * by row, as everything else does. Each batch of rows is a short transaction that holds an advisory lock, so that of any number of processes one
 * works at a time; another one gives up at once. The lock ends with the transaction, which is all that
 * a pooler allows.
 */
export async function deleteOld(options: RetentionOptions): Promise<Deleted> {
  const { database, queue, days } = options;
  const { rows } = await database.raw<{ rows: { cutoff: Date }[] }>(
    'SELECT now() - make_interval(days => ?) AS cutoff',
    [days],
  );
  const { cutoff } = rows[0] ?? {};
  if (cutoff === undefined) throw new Error('the database does not say what time it is');
  const deleteAll = (deleteSome: DeleteSome) => deleteInBatches(deleteSome, cutoff, options);

  const months = (await retireMonths(database, cutoff)) ? await dropRetiredMonths(database) : 0;
  let messages = 0;
  let details = 0;
  for (const { parent, name, isOneMonth } of await monthsOf(database)) {
    if (isOneMonth) continue;
    const table = `${schemaOf(database)}.${name}`;
    if (parent === 'reports') details += await deleteAll(reportsIn(table));
    else {
      for (const outcome of MESSAGE_OUTCOMES)
        messages += await deleteAll(messagesIn(table, outcome));
    }
  }
  details += await deleteAll(judgementDetails);
  const deadLetters = await deleteAll(async (transaction, before, batchSize) => {
    const oldest = await queue.deadLetters(batchSize);
    const old = oldest.filter(({ diedAt }) => diedAt < before);
    return queue.discard(
      old.map(({ id }) => id),
      transaction,
    );
  });
  const referenceKeys = await deleteAll(deleteOldReferenceKeys);
  const notices =
    (await deleteAll(noticesIn('noticeMessages'))) + (await deleteAll(noticesIn('notices')));
  await deleteAll(oldListings);
  return { messages, details, deadLetters, referenceKeys, notices, months };
}

async function deleteInBatches(
  deleteSome: DeleteSome,
  cutoff: Date,
  { database, isStopping, batchSize = 500, pauseMs = 100 }: RetentionOptions,
): Promise<number> {
  let total = 0;
  while (!isStopping()) {
    const deleted = await database.transaction(async (transaction) =>
      (await isAlone(transaction)) ? deleteSome(transaction, cutoff, batchSize) : 0,
    );
    total += deleted;
    if (deleted < batchSize) break;
    await delay(pauseMs);
  }
  return total;
}

/** Whether no other process works on this schema; until the end of the transaction none will. */
async function isAlone(transaction: Transaction): Promise<boolean> {
  const { rows } = await transaction.raw<{ rows: { alone: boolean }[] }>(
    'SELECT pg_try_advisory_xact_lock(?, hashtext(?)) AS alone',
    [RETENTION_LOCK, schemaOf(transaction)],
  );
  return rows[0]?.alone === true;
}

/** By the outcome, since the index begins with it: intake is spared another one. */
function messagesIn(table: string, outcome: string): DeleteSome {
  return async (transaction, cutoff, batchSize) => {
    const { rowCount } = await transaction.raw<{ rowCount: number }>(
      `DELETE FROM ${table} WHERE message_id IN (
         SELECT message_id FROM ${table} WHERE outcome = ? AND received_at < ?
         ORDER BY received_at LIMIT ? FOR UPDATE SKIP LOCKED
       )`,
      [outcome, cutoff, batchSize],
    );
    return rowCount;
  };
}

/** Reports of a month that nobody has made. Without an index by time, since there should be none. */
function reportsIn(table: string): DeleteSome {
  return async (transaction, cutoff, batchSize) => {
    const { judgements } = tablesOf(transaction);
    const { rowCount } = await transaction.raw<{ rowCount: number }>(
      `WITH gone AS (
         DELETE FROM ${table} WHERE (run_id, number, recorded_at) IN (
           SELECT run_id, number, recorded_at FROM ${table} WHERE recorded_at < ?
           LIMIT ? FOR UPDATE SKIP LOCKED
         ) RETURNING run_id, number
       )
       UPDATE ${judgements} AS judgement SET details_deleted_at = now(), error = NULL
       FROM gone WHERE judgement.run_id = gone.run_id AND judgement.number = gone.number`,
      [cutoff, batchSize],
    );
    return rowCount;
  };
}

/** Changes have no index by time, which each verdict would pay for: their numbers are in the same order. */
const DELETE_NOTICES = {
  noticeMessages: (table: string) => `DELETE FROM ${table} WHERE id IN (
    SELECT id FROM ${table} WHERE created_at < ? ORDER BY created_at LIMIT ? FOR UPDATE SKIP LOCKED
  )`,
  notices: (table: string) => `DELETE FROM ${table} WHERE created_at < ? AND id IN (
    SELECT id FROM ${table} ORDER BY id LIMIT ? FOR UPDATE SKIP LOCKED
  )`,
};

function noticesIn(table: keyof typeof DELETE_NOTICES): DeleteSome {
  return async (transaction, cutoff, batchSize) => {
    const statement = DELETE_NOTICES[table](tablesOf(transaction)[table]);
    const { rowCount } = await transaction.raw<{ rowCount: number }>(statement, [
      cutoff,
      batchSize,
    ]);
    return rowCount;
  };
}

/** Some a day: their numbers are in the order of their times. */
const oldListings: DeleteSome = async (transaction, cutoff, batchSize) => {
  const { listings } = tablesOf(transaction);
  const { rowCount } = await transaction.raw<{ rowCount: number }>(
    `DELETE FROM ${listings} WHERE ended_at < ? AND id IN (
       SELECT id FROM ${listings} ORDER BY id LIMIT ? FOR UPDATE SKIP LOCKED
     )`,
    [cutoff, batchSize],
  );
  return rowCount;
};

/**
 * The error texts, since one that a library wrote may quote a value of the file, and the reports that versions up to 0.2 have
 * recorded in the rows of judgements.
 */
const judgementDetails: DeleteSome = async (transaction, cutoff, batchSize) => {
  const { judgements } = tablesOf(transaction);
  const { rowCount } = await transaction.raw<{ rowCount: number }>(
    `WITH old AS (
       SELECT run_id, number FROM ${judgements}
       WHERE finished_at < ? AND details_deleted_at IS NULL
         AND (report IS NOT NULL OR error IS NOT NULL)
       ORDER BY finished_at LIMIT ? FOR NO KEY UPDATE SKIP LOCKED
     )
     UPDATE ${judgements} AS judgement
     SET report = NULL, withheld = NULL, error = NULL, details_deleted_at = now()
     FROM old WHERE judgement.run_id = old.run_id AND judgement.number = old.number`,
    [cutoff, batchSize],
  );
  return rowCount;
};
