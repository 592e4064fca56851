import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import type { DatabaseConfig } from '../../../listener/src/config/database-config.ts';
import { connect, type Database } from '../../../listener/src/database/connection.ts';
import { databaseConfigOf } from './database-config.ts';

/** A database of one test file. */
export interface TestDatabase {
  readonly config: DatabaseConfig;
  /** Its address, password included, for processes that a test starts. */
  readonly url: string;
  readonly database: Database;
  /** Closes the pool and drops the database, whoever else is still connected. */
  drop(): Promise<void>;
}

/**
 * A fresh database: a copy of the migrated one, or an empty one for tests of the migrations.
 *
 * @param kind `empty` has no tables at all
 */
export async function createTestDatabase(
  kind: 'migrated' | 'empty' = 'migrated',
  overrides: Partial<DatabaseConfig> = {},
): Promise<TestDatabase> {
  const serverUrl = inject('postgresUrl');
  const name = `test_${randomBytes(8).toString('hex')}`;
  const template = kind === 'migrated' ? inject('postgresTemplate') : 'template0';
  await onServer(serverUrl, `CREATE DATABASE ${name} TEMPLATE ${template}`);
  const config = { ...databaseConfigOf(serverUrl, name), ...overrides };
  const database = connect(config, 'file-processing tests');
  // The tests' own SQL is short. Processes that they start, and pools of their own, have the path that
  // PostgreSQL gives everybody.
  database.client.searchPath = [config.schema, 'public'];
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return {
    config,
    url: url.href,
    database,
    async drop() {
      await database.destroy();
      await onServer(serverUrl, `DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}

/**
 * Deletes all rows of some tables. Unlike TRUNCATE it takes no exclusive lock, so it neither waits for a reader that
 * the test before has left at work nor ends in a deadlock with it.
 *
 * @param tables in an order that their foreign keys allow, those that reference others first
 */
export async function emptyTables(database: Database, ...tables: readonly string[]): Promise<void> {
  await database.raw(tables.map((table) => `DELETE FROM ${table}`).join(';'));
}

async function onServer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
