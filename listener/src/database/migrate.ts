import { pathToFileURL } from 'node:url';
import knex, { type Knex } from 'knex';
import pg from 'pg';
import type { DatabaseConfig } from '../config/database-config.ts';
import { createQueues, type MovedJobs } from '../queue/queue.ts';
import {
  clientWithTimeouts,
  driverSettings,
  knowsSchema,
  SILENT,
  type Transaction,
} from './connection.ts';
import { SchemaOccupiedError, sqlStateOf } from './errors.ts';
import { moveOlderTables, requireOwnSchemas, retireOlderQueue } from './placement.ts';
import { MIGRATIONS_FOLDER, migrationNames } from './schema-version.ts';
import { MIGRATIONS_TABLE, queueSchemaOf } from './tables.ts';

/** Taken by the transaction that migrates; any number, but the same in every version of this program. */
const MIGRATION_LOCK = 412_870_931;

/** How long a replica waits for another one's migration. */
const LOCK_WAIT_MS = 5 * 60_000;

/** How long it waits for a table: whoever wants that table meanwhile waits behind it. */
const TABLE_WAIT_MS = 10_000;

/** Attempts at a transaction that PostgreSQL broke off in favour of another one. */
const ATTEMPTS = 3;

/**
 * Brings the database up to date: the tables of an older version are moved, our migrations run, and
 * pg-boss's tables and our queues are made, all in one transaction. Any number of replicas may call
 * it at once; one works, the others wait and find nothing to do. A process that is killed leaves
 * nothing behind.
 *
 * knex marks a running migration by a row, which a killed process could leave behind for ever. The
 * lock that counts here is PostgreSQL's own, and ends with the transaction; whatever knex's row says
 * then is stale.
 *
 * Where the listener signs in as another role, that one may read and write our tables afterwards,
 * new ones included, and owns the queue's schema.
 *
 * @param say told what an operator should know of
 * @returns the names of the migrations that ran
 * @throws {SchemaOccupiedError} where others have something in our schemas
 */
export async function migrate(
  config: DatabaseConfig,
  say: (line: string) => void = () => undefined,
): Promise<readonly string[]> {
  const database = knex({
    client: clientWithTimeouts({ ...config, statementTimeoutMs: 0 }),
    connection: driverSettings(config, 'file-processing migrate'),
    acquireConnectionTimeout: LOCK_WAIT_MS,
    log: SILENT,
    ...knowsSchema(config),
    pool: { min: 0, max: 1, createTimeoutMillis: LOCK_WAIT_MS },
  });
  try {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await database.transaction((transaction) => migrateIn(transaction, config, say));
      } catch (error) {
        if (sqlStateOf(error) !== '40P01' || attempt === ATTEMPTS) throw error;
      }
    }
  } finally {
    await database.destroy();
  }
}

async function migrateIn(
  transaction: Transaction,
  { schema, listenerUser }: DatabaseConfig,
  say: (line: string) => void,
): Promise<readonly string[]> {
  await transaction.raw(
    `SET LOCAL lock_timeout = ${LOCK_WAIT_MS}; SELECT pg_advisory_xact_lock(${MIGRATION_LOCK});
     SET LOCAL lock_timeout = ${TABLE_WAIT_MS}`,
  );
  const there = await requireOwnSchemas(transaction);
  await makeSchema(transaction, schema);
  const options = {
    migrationSource,
    disableMigrationsListValidation: true,
    schemaName: schema,
    tableName: MIGRATIONS_TABLE,
  };
  const moved = there
    ? undefined
    : await moveOlderTables(transaction, () => transaction.migrate.currentVersion(options));
  await transaction.migrate.forceFreeMigrationsLock(options);
  const [, applied] = (await transaction.migrate.latest(options).catch((error: unknown) => {
    throw explained(error);
  })) as [number, string[]];
  await makeQueues(transaction, schema, listenerUser, moved);
  if (moved === undefined) return applied;
  await retireOlderQueue(transaction);
  say(
    `moved: the tables of an older version into the schema ${schema}, with ${moved.waiting.length} jobs and ${moved.dead.length} dead letters`,
  );
  return applied;
}

/** What others made of our tables, such as a view, is theirs to take away. */
function explained(error: unknown): unknown {
  if (sqlStateOf(error) !== '2BP01' || !(error instanceof Error)) return error;
  const detail = 'detail' in error ? String(error.detail).replaceAll('_before_judgements', '') : '';
  return new SchemaOccupiedError(
    `a migration changes what others depend on: ${detail.replaceAll('\n', '; ')}; drop that, migrate, and make it anew`,
  );
}

/** PostgreSQL asks for CREATE on the database even where the schema is there. */
async function makeSchema(transaction: Transaction, name: string, owner?: string): Promise<void> {
  const found = await transaction('pg_catalog.pg_namespace').where({ nspname: name }).first('oid');
  if (found !== undefined) return;
  await transaction.raw(`CREATE SCHEMA ${name} ${owner ? `AUTHORIZATION ${owner}` : ''}`);
}

/** The listener's role is set for pg-boss alone, whose tables are to be its own. */
async function makeQueues(
  transaction: Transaction,
  schema: string,
  listenerUser: string | undefined,
  moved: MovedJobs | undefined,
): Promise<void> {
  const listener = listenerUser && pg.escapeIdentifier(listenerUser).replaceAll('?', '\\?');
  await makeSchema(transaction, queueSchemaOf(transaction), listener);
  if (!listener) return createQueues(transaction, moved);
  await grantTables(transaction, schema, listener);
  await transaction.raw(`SET LOCAL ROLE ${listener}`);
  await createQueues(transaction, moved);
  await transaction.raw('SET LOCAL ROLE NONE');
}

/** What knex has noted of the migrations is the migrator's business: the listener only reads it. */
async function grantTables(
  transaction: Transaction,
  schema: string,
  listener: string,
): Promise<void> {
  const names: string[] = await transaction('pg_catalog.pg_tables')
    .where({ schemaname: schema })
    .whereRaw('tableowner = current_user')
    .pluck('tablename');
  const tables = (kind: readonly string[]) =>
    kind.map((name) => `${schema}.${pg.escapeIdentifier(name)}`).join(', ');
  const ours = names.filter((name) => !name.startsWith(MIGRATIONS_TABLE));
  await transaction.raw(`GRANT USAGE ON SCHEMA ${schema} TO ${listener}`);
  await transaction.raw(`GRANT SELECT ON TABLE ${tables(names)} TO ${listener}`);
  await transaction.raw(`GRANT INSERT, UPDATE, DELETE ON TABLE ${tables(ours)} TO ${listener}`);
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
