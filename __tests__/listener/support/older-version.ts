import { readdir } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import type { Knex } from 'knex';
import knex from 'knex';
import type pg from 'pg';
import { PgBoss } from 'pg-boss';
import { type Database, SILENT } from '../../../listener/src/database/connection.ts';
import { MIGRATIONS_FOLDER } from '../../../listener/src/database/schema-version.ts';

/** What versions up to 0.2 noted of their migrations; the statements are those of today, in `public`. */
const MIGRATIONS = ['0001_initial_schema.ts', '0002_report_key.ts'];

const migrationSource: Knex.MigrationSource<string> = {
  getMigrations: async () => MIGRATIONS,
  getMigrationName: (name) => name,
  async getMigration(name) {
    const { up } = await import(`../../../listener/migrations/${name}`);
    return { up, down: () => Promise.resolve() };
  },
};

/** What of a connection's settings knex and pg-boss both take. */
export type DatabaseAddress =
  | { readonly connectionString: string }
  | Pick<pg.ClientConfig, 'host' | 'port' | 'database' | 'user' | 'password'>;

/** A database as such a version left it, and its pg-boss. */
export interface OlderVersion {
  readonly boss: PgBoss;
  close(): Promise<void>;
}

/**
 * Sets a database up as versions up to 0.2 did: tables in `public`, knex's notes in
 * `knex_migrations`, queues in `pgboss`.
 *
 * @param address of the database, with the role that the tables are of
 * @param listener with the role that the queue is of, where that is another one and has its schema
 */
export async function setUpOlderVersion(
  address: DatabaseAddress,
  listener?: DatabaseAddress,
): Promise<OlderVersion> {
  const settings = {
    client: 'pg',
    connection: address,
    log: SILENT,
    userParams: { schema: 'public' },
  };
  const database = knex(settings);
  await database.migrate.latest({ migrationSource });
  await database.destroy();
  const boss = new PgBoss({
    ...(listener ?? address),
    createSchema: listener === undefined,
    supervise: false,
    schedule: false,
  });
  // As when a migration takes the tables away.
  boss.on('error', () => undefined);
  await boss.start();
  await boss.createQueue('runs_dead_letter');
  await boss.createQueue('runs', { deadLetter: 'runs_dead_letter', retryLimit: 0 });
  return { boss, close: () => boss.stop({ graceful: false }) };
}

/** Sets an empty database up as a version did that had the migrations before this one, without a queue. */
export async function migrateTo(database: Database, name: string): Promise<void> {
  const names = (await readdir(MIGRATIONS_FOLDER)).filter((one) => one < name).sort();
  await database.raw('CREATE SCHEMA file_processing');
  for (const one of names) {
    const { up } = await import(pathToFileURL(`${MIGRATIONS_FOLDER}${one}`).href);
    await up(database);
  }
  await database.raw(
    `CREATE TABLE file_processing.migrations
       (id serial PRIMARY KEY, name text, batch integer, migration_time timestamptz);
     CREATE TABLE file_processing.migrations_lock (index serial PRIMARY KEY, is_locked integer)`,
  );
  await database('file_processing.migrations').insert(
    names.map((one) => ({ name: one, batch: 1 })),
  );
}
