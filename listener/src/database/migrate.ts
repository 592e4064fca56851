import { pathToFileURL } from 'node:url';
import knex, { type Knex } from 'knex';
import pg from 'pg';
import type { DatabaseConfig } from '../config/database-config.ts';
import { createQueues } from '../queue/queue.ts';
import {
  clientWithTimeouts,
  type Database,
  driverSettings,
  knowsSchema,
  MIGRATIONS_TABLE,
  queueSchemaOf,
  SILENT,
} from './connection.ts';
import { MIGRATIONS_FOLDER, migrationNames } from './schema-version.ts';

/** Taken by the process that migrates; any number, but the same in every version of this program. */
const MIGRATION_LOCK = 412_870_931;

/** How long a replica waits for another one's migration. */
const LOCK_WAIT_MS = 5 * 60_000;

/**
 * Brings the database up to date: our migrations in one transaction, then pg-boss's schema and our
 * queues. Any number of replicas may call it at once; one works, the others wait and find nothing
 * to do.
 *
 * knex marks a running migration by a row, which a killed process leaves behind for ever. The lock
 * that counts here is PostgreSQL's own, taken by the one connection that does everything, and so
 * released by the server when that connection ends; whatever knex's row says then is stale.
 *
 * Where the listener signs in as another role, that one may read and write our tables afterwards,
 * new ones included, and owns the queue's schema.
 *
 * @returns the names of the migrations that ran
 */
export async function migrate(config: DatabaseConfig): Promise<readonly string[]> {
  const database = knex({
    client: clientWithTimeouts({ ...config, statementTimeoutMs: 0 }),
    connection: driverSettings(config, 'file-processing migrate'),
    acquireConnectionTimeout: LOCK_WAIT_MS,
    log: SILENT,
    ...knowsSchema(config),
    pool: {
      min: 0,
      // One connection, so that the lock and the work can't be apart: a killed process's last
      // statement may go on for a while on the server, and the lock with it.
      max: 1,
      createTimeoutMillis: LOCK_WAIT_MS,
      idleTimeoutMillis: LOCK_WAIT_MS,
      afterCreate: takeMigrationLock,
    },
  });
  try {
    const { schema } = config;
    const options = {
      migrationSource,
      disableMigrationsListValidation: true,
      schemaName: schema,
      tableName: MIGRATIONS_TABLE,
    };
    // PostgreSQL asks for CREATE on the database even where the schema is there.
    if (!(await schemaExists(database, schema))) await database.raw(`CREATE SCHEMA ${schema}`);
    await database.migrate.forceFreeMigrationsLock(options);
    const [, applied] = (await database.migrate.latest(options)) as [number, string[]];
    if (config.listenerUser === undefined) await createQueues(database);
    else await handToListener(database, schema, config.listenerUser);
    return applied;
  } finally {
    await database.destroy();
  }
}

/** The pool has one connection, so that the role stays set until pg-boss is done. */
async function handToListener(
  database: Database,
  schema: string,
  listenerUser: string,
): Promise<void> {
  const listener = pg.escapeIdentifier(listenerUser).replaceAll('?', '\\?');
  await grantTables(database, schema, listener);
  const queue = queueSchemaOf(database);
  if (!(await schemaExists(database, queue))) {
    await database.raw(`CREATE SCHEMA ${queue} AUTHORIZATION ${listener}`);
  }
  await database.raw(`SET ROLE ${listener}`);
  await createQueues(database, false);
}

/** What knex has noted of the migrations is the migrator's business: the listener only reads it. */
async function grantTables(database: Database, schema: string, listener: string): Promise<void> {
  const names: string[] = await database('pg_catalog.pg_tables')
    .where({ schemaname: schema })
    .whereRaw('tableowner = current_user')
    .pluck('tablename');
  const tables = (kind: readonly string[]) =>
    kind.map((name) => `${schema}.${pg.escapeIdentifier(name)}`).join(', ');
  const ours = names.filter((name) => !name.startsWith(MIGRATIONS_TABLE));
  await database.raw(`GRANT USAGE ON SCHEMA ${schema} TO ${listener}`);
  await database.raw(`GRANT SELECT ON TABLE ${tables(names)} TO ${listener}`);
  await database.raw(`GRANT INSERT, UPDATE, DELETE ON TABLE ${tables(ours)} TO ${listener}`);
}

async function schemaExists(database: Database, name: string): Promise<boolean> {
  const found = await database('pg_catalog.pg_namespace').where({ nspname: name }).first('oid');
  return found !== undefined;
}

interface RawConnection {
  query(sql: string, done: (error: Error | null) => void): void;
}

function takeMigrationLock(
  connection: RawConnection,
  done: (error: Error | null, connection: RawConnection) => void,
): void {
  const statements = `SET lock_timeout = ${LOCK_WAIT_MS}; SELECT pg_advisory_lock(${MIGRATION_LOCK})`;
  connection.query(statements, (error) => done(error, connection));
}

/** Loads the migrations as Node.js runs them, `.ts`, whatever the package type is taken for. */
const migrationSource: Knex.MigrationSource<string> = {
  getMigrations: migrationNames,
  getMigrationName: (name) => name,
  async getMigration(name) {
    const { up } = (await import(pathToFileURL(`${MIGRATIONS_FOLDER}${name}`).href)) as {
      up: Knex.Migration['up'];
    };
    // knex asks for one. Forward only: a step back is a new migration.
    return { up, down: () => Promise.reject(new Error(`${name} can't be undone`)) };
  },
};
