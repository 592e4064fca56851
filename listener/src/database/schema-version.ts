import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import pgBossPackage from 'pg-boss/package.json' with { type: 'json' };
import type { Database, Transaction } from './connection.ts';
import { queueSchemaOf, schemaOf, tablesOf } from './tables.ts';

/** Our migrations, applied in the order of their names. */
export const MIGRATIONS_FOLDER = fileURLToPath(new URL('../../migrations/', import.meta.url));

/** Version of the queue's tables that this program works with, as pg-boss counts. */
export const QUEUE_SCHEMA_VERSION: number = pgBossPackage.pgboss.schema;

/** The database's tables are older than this program. */
export class SchemaOutdatedError extends Error {
  override readonly name = 'SchemaOutdatedError';
  readonly code = 'SCHEMA_OUTDATED';
  /** Migrations that have not run; empty when only the queue's tables are old. */
  readonly missing: readonly string[];

  constructor(problem: string, missing: readonly string[]) {
    super(
      `the database's schema is older than this program (${problem}): ` +
        'run `file-processing migrate`, or start with `serve --migrate`',
    );
    this.missing = missing;
  }
}

/** The names of our migrations in their order. */
export async function migrationNames(): Promise<string[]> {
  const names = await readdir(MIGRATIONS_FOLDER);
  return names.filter((name) => name.endsWith('.ts')).sort();
}

/** The names of our migrations that have not run, in their order. */
export async function missingMigrations(database: Database | Transaction): Promise<string[]> {
  const { migrations } = tablesOf(database);
  const applied = (await tableExists(database, migrations))
    ? await database(migrations).pluck<string[]>('name')
    : [];
  return (await migrationNames()).filter((name) => !applied.includes(name));
}

/**
 * Refuses a database that lacks a migration of ours or of pg-boss's. A newer one is accepted:
 * while a rollout runs, the old replicas work on the new schema.
 *
 * @throws {SchemaOutdatedError}
 */
export async function checkSchema(database: Database): Promise<void> {
  const names = await migrationNames();
  const missing = await missingMigrations(database);
  if (missing.length === names.length) {
    const problem = `none of its tables is in the schema ${schemaOf(database)} yet`;
    throw new SchemaOutdatedError(problem, missing);
  }
  if (missing.length > 0) throw new SchemaOutdatedError(`missing: ${missing.join(', ')}`, missing);

  const needed = QUEUE_SCHEMA_VERSION;
  const found = await queueSchemaVersion(database);
  if (found === undefined) throw new SchemaOutdatedError("the queue's tables are missing", []);
  if (found < needed) {
    throw new SchemaOutdatedError(`the queue's tables have version ${found} of ${needed}`, []);
  }
}

/**
 * Whether {@link checkSchema} would accept the database and it takes writes, in one statement: one that
 * was restored from a snapshot may be older than when the listener started, and after a failover its
 * name may lead to a standby, which can be read.
 */
export async function isUsable(database: Database): Promise<boolean> {
  const names = await migrationNames();
  const { rows } = await database.raw<{ rows: { usable: boolean }[] }>(
    `SELECT (SELECT count(*) FROM ${tablesOf(database).migrations} WHERE name = ANY (?)) = ?
       AND (SELECT max(version) FROM ${queueSchemaOf(database)}.version) >= ?
       AND current_setting('transaction_read_only') = 'off' AS usable`,
    [names, names.length, QUEUE_SCHEMA_VERSION],
  );
  return rows[0]?.usable === true;
}

/** Version of the queue's tables; undefined where there are none. */
export async function queueSchemaVersion(database: Database): Promise<number | undefined> {
  const version = `${queueSchemaOf(database)}.version`;
  if (!(await tableExists(database, version))) return undefined;
  const row = await database(version).first<{ version: number } | undefined>();
  return row?.version;
}

async function tableExists(database: Database | Transaction, name: string): Promise<boolean> {
  const { rows } = await database.raw('SELECT to_regclass(?) IS NOT NULL AS found', [name]);
  return rows[0].found;
}
