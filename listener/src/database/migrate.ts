import { pathToFileURL } from 'node:url';
import knex, { type Knex } from 'knex';
import pg from 'pg';
import type { DatabaseConfig } from '../config/database-config.ts';
import { buildIndexes, createQueues } from '../queue/queue.ts';
import {
  clientWithTimeouts,
  driverSettings,
  knowsSchema,
  SILENT,
  type Transaction,
} from './connection.ts';
import { SchemaOccupiedError, sqlStateOf } from './errors.ts';
import { moveOlderTables, requireOwnSchemas, retireOlderQueue } from './placement.ts';
import { MIGRATIONS_FOLDER, migrationNames, missingMigrations } from './schema-version.ts';
import { MIGRATIONS_TABLE, queueSchemaOf, schemaOf, tablesOf } from './tables.ts';

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
 * Where the listener signs in as another role, that one may read and write the tables afterwards, new
 * ones included.
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
        const applied = await database.transaction((transaction) =>
          migrateIn(transaction, config, say),
        );
        await buildIndexes(database);
        return applied;
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
  const applied = await runMigrations(transaction, options);
  await makeSchema(transaction, queueSchemaOf(transaction));
  await createQueues(transaction, moved);
  if (listenerUser !== undefined) await grantRights(transaction, listenerUser, say);
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
async function makeSchema(transaction: Transaction, name: string): Promise<void> {
  const found = await transaction('pg_catalog.pg_namespace').where({ nspname: name }).first('oid');
  if (found === undefined) await transaction.raw(`CREATE SCHEMA ${name}`);
}

/** Where none is missing, knex would write all the same; a role that may not is refused nothing then. */
async function runMigrations(
  transaction: Transaction,
  options: Knex.MigratorConfig,
): Promise<readonly string[]> {
  if ((await missingMigrations(transaction)).length === 0) return [];
  await transaction.migrate.forceFreeMigrationsLock(options);
  const [, applied] = (await transaction.migrate.latest(options).catch((error: unknown) => {
    throw explained(error);
  })) as [number, string[]];
  return applied;
}

/**
 * Lets the listener read and write the tables and call the queue's functions; all that it needs is
 * granted by name, since the database's owner may have taken from everybody what PostgreSQL gives.
 * What knex has noted of the migrations is the migrator's business: the listener only reads it.
 */
async function grantRights(
  transaction: Transaction,
  listenerUser: string,
  say: (line: string) => void,
): Promise<void> {
  const [ours, queue] = [schemaOf(transaction), queueSchemaOf(transaction)];
  const owners: string[] = await transaction('pg_catalog.pg_tables')
    .distinct('tableowner')
    .whereIn('schemaname', [ours, queue])
    .whereRaw('tableowner <> current_user')
    .pluck('tableowner');
  if (owners.length > 0) {
    say(
      `rights: tables belong to ${owners.join(', ')}, who has to grant ${listenerUser} its rights`,
    );
    return;
  }
  const listener = pg.escapeIdentifier(listenerUser).replaceAll('?', '\\?');
  for (const schema of [ours, queue]) {
    const { rows } = await transaction.raw('SELECT has_schema_privilege(?, ?, ?) AS granted', [
      listenerUser,
      schema,
      'USAGE',
    ]);
    if (!rows[0]?.granted) {
      await transaction.raw(`GRANT USAGE ON SCHEMA ${schema} TO ${listener}`);
    }
  }
  const { migrations } = tablesOf(transaction);
  await transaction.raw(`
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${ours}, ${queue} TO ${listener};
    REVOKE INSERT, UPDATE, DELETE ON ${migrations}, ${migrations}_lock FROM ${listener};
    GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA ${queue} TO ${listener};
    GRANT USAGE ON TYPE ${queue}.job_state TO ${listener}`);
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
