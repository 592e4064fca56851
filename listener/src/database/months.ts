import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from './connection.ts';
import { sqlStateOf } from './errors.ts';
import { missingMigrations } from './schema-version.ts';
import { schemaOf, tablesOf } from './tables.ts';

/** The tables that consist of one for each month. */
const PARENTS = ['messages', 'reports'] as const;

/** Months after the present one that have their tables. */
const MONTHS_AHEAD = 3;

/**
 * Attempts at a table that others use. Each waits 30 ms for it at most, since whoever comes meanwhile waits behind it: what is
 * left then is done by the next look.
 */
const ATTEMPTS = 20;

/** Between two of them: others come first. */
const PAUSE_MS = 250;

/** A table of messages or reports. */
export interface Month {
  readonly parent: (typeof PARENTS)[number];
  readonly name: string;
  /** Whether it has one month alone, and so is dropped as a whole. */
  readonly isOneMonth: boolean;
}

/** The tables of messages and reports, oldest first. */
export async function monthsOf(database: Database): Promise<readonly Month[]> {
  const { rows } = await database.raw<{ rows: Month[] }>(
    `SELECT parent, name, coalesce(starts > '-infinity', false) AS "isOneMonth"
     FROM ${schemaOf(database)}.months() ORDER BY ends, parent`,
  );
  return rows;
}

/**
 * Makes the tables of this month and the next three where they are missing. Any number of processes may call it at once: one
 * of them works.
 *
 * @returns how many it made
 */
export async function makeMonths(database: Database): Promise<number> {
  const { rows } = await database.raw<{ rows: { parent: string; month: string }[] }>(
    `SELECT parent, to_char(month, 'YYYY-MM-DD') AS month
     FROM unnest(?::text[]) AS parent
     CROSS JOIN generate_series(
       date_trunc('month', now() AT TIME ZONE 'UTC'),
       date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => ?), '1 month'
     ) AS month
     WHERE NOT EXISTS (
       SELECT FROM ${schemaOf(database)}.months() AS made
       WHERE made.parent = parent.parent AND made.starts <= month AT TIME ZONE 'UTC'
         AND made.ends > month AT TIME ZONE 'UTC'
     )
     ORDER BY month, parent`,
    [[...PARENTS], MONTHS_AHEAD],
  );
  let made = 0;
  for (const { parent, month } of rows) {
    const isMade = await patiently(() =>
      callFunction(database, 'make_month(?, ?::date)', [parent, month]),
    );
    if (isMade) made += 1;
  }
  return made;
}

/**
 * Takes the tables out of which all is older, so that they can be dropped.
 *
 * Not by `DETACH PARTITION CONCURRENTLY`, which PostgreSQL has for the owner of the table alone, and in no function: the
 * listener need not be the owner.
 *
 * @returns whether there is any to be dropped
 */
export async function retireMonths(database: Database, cutoff: Date): Promise<boolean> {
  const schema = schemaOf(database);
  const { rows } = await database.raw<{ rows: Month[] }>(
    `SELECT parent, name FROM ${schema}.months() WHERE ends <= ? ORDER BY ends, parent`,
    [cutoff],
  );
  for (const { parent, name } of rows) {
    await patiently(() => callFunction(database, 'retire_month(?, ?)', [parent, name]));
  }
  const retired = await database.raw(
    `SELECT FROM ${tablesOf(database).retiredMonths}
     WHERE to_regclass('${schema}.' || name) IS NOT NULL LIMIT 1`,
  );
  return retired.rows.length > 0;
}

/** Drops the tables that were taken out. @returns how many */
export async function dropRetiredMonths(database: Database): Promise<number> {
  return (await patiently(() => callFunction(database, 'drop_retired_months()', []))) ?? 0;
}

/** A statement of its own, which is a transaction: no process that is frozen meanwhile holds a lock. */
async function callFunction<T>(
  database: Database,
  call: string,
  values: readonly string[],
): Promise<T> {
  const { rows } = await database.raw<{ rows: { answer: T }[] }>(
    `SELECT ${schemaOf(database)}.${call} AS answer`,
    [...values],
  );
  return rows[0]?.answer as T;
}

/** @returns undefined where others used the table all the time */
async function patiently<T>(work: () => Promise<T>): Promise<T | undefined> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (!['55P03', '40P01'].includes(sqlStateOf(error) ?? '')) throw error;
      await delay(PAUSE_MS);
    }
  }
  return undefined;
}

/** The migration that makes the months. */
const MIGRATION = '0022_months.ts';

/** Statements, each a transaction of its own, that spare {@link MIGRATION} its look at all rows of a large table. */
export async function preparationsOf(database: Database): Promise<readonly string[]> {
  const missing = await missingMigrations(database);
  // A database without tables has nothing to look at, and one of version 0.2 or older no such tables.
  if (!missing.includes(MIGRATION) || missing.includes('0021_traces.ts')) return [];
  const { judgements, snsMessages } = tablesOf(database);
  const end = `(date_trunc('month', now() AT TIME ZONE 'UTC') + interval '2 months') AT TIME ZONE 'UTC'`;
  return [
    `ALTER TABLE ${judgements} ADD COLUMN IF NOT EXISTS reported_at timestamptz`,
    `CREATE INDEX CONCURRENTLY IF NOT EXISTS judgements_with_texts ON ${judgements} (finished_at)
     WHERE details_deleted_at IS NULL AND (report IS NOT NULL OR error IS NOT NULL)`,
    `CREATE INDEX CONCURRENTLY IF NOT EXISTS judgements_not_in_bucket ON ${judgements} (finished_at)
     WHERE report_key IS NULL AND (report IS NOT NULL OR reported_at IS NOT NULL)`,
    `DO $$ BEGIN EXECUTE format(
       'ALTER TABLE ${snsMessages} DROP CONSTRAINT IF EXISTS sns_messages_before_months,
        ADD CONSTRAINT sns_messages_before_months CHECK (signed_at < %L) NOT VALID', ${end}
     ); END $$`,
    `ALTER TABLE ${snsMessages} VALIDATE CONSTRAINT sns_messages_before_months`,
  ];
}

/** As a migration waits for a table. */
const TABLE_WAIT_MS = 500;

/**
 * Does what takes long beside working replicas, before the transaction of the migration: that one finds it done, and does all
 * that is not.
 */
export async function prepareMonths(database: Database): Promise<void> {
  for (const statement of await preparationsOf(database)) {
    await patiently(() =>
      statement.includes('CONCURRENTLY')
        ? database.raw(statement)
        : database.transaction(async (transaction) => {
            await transaction.raw(`SET LOCAL lock_timeout = ${TABLE_WAIT_MS}`);
            await transaction.raw(statement);
          }),
    );
    await othersHaveBuilt(database);
  }
}

/** An index that another process builds is there, and not valid yet. */
async function othersHaveBuilt(database: Database): Promise<void> {
  const building = () =>
    database.raw('SELECT FROM pg_catalog.pg_stat_progress_create_index WHERE relid = ?::regclass', [
      tablesOf(database).judgements,
    ]);
  while ((await building()).rows.length > 0) await delay(PAUSE_MS);
}
