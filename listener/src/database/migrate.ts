import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import knex, { type Knex } from 'knex';
import pg from 'pg';
import type { DatabaseConfig } from '../config/database-config.ts';
import { buildIndexes, createQueues, indexStatements } from '../queue/create-queues.ts';
import {
  clientWithTimeouts,
  type Database,
  driverSettings,
  knowsSchema,
  type PostgresClient,
  type PostgresConnection,
  type PostgresStatement,
  SILENT,
  type Transaction,
} from './connection.ts';
import { DatabaseUnavailableError, SchemaOccupiedError, sqlStateOf } from './errors.ts';
import { makeMonths, preparationsOf, prepareMonths } from './months.ts';
import {
  hasOlderTables,
  moveOlderTables,
  requireOwnSchemas,
  retireOlderQueue,
} from './placement.ts';
import {
  MIGRATIONS_FOLDER,
  migrationNames,
  missingMigrations,
  QUEUE_SCHEMA_VERSION,
  queueSchemaVersion,
} from './schema-version.ts';
import { MIGRATIONS_TABLE, queueSchemaOf, schemaOf, tablesOf } from './tables.ts';

/** Taken by the transaction that migrates; any number, but the same in every version of this program. */
const MIGRATION_LOCK = 412_870_931;

/** How long a replica waits for another one's migration. */
const LOCK_WAIT_MS = 5 * 60_000;

/**
 * How long it waits for a table. Whoever wants that table meanwhile waits behind it, and who holds it may
 * wait for one that this transaction has: PostgreSQL ends one of both after a second (deadlock_timeout).
 * So this one gives way before, lets all of its locks go and tries again.
 */
const TABLE_WAIT_MS = 500;

/** Between two attempts, so that those who waited come first. */
const PAUSE_MS = 250;

/** Attempts at a transaction that gave way, or that PostgreSQL broke off in favour of another one. */
const ATTEMPTS = 15;

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
  const database = openFor(config);
  try {
    await prepareMonths(database);
    for (let attempt = 1; ; attempt += 1) {
      try {
        const applied = await database.transaction((transaction) =>
          migrateIn(transaction, config, say),
        );
        await buildIndexes(database);
        await makeMonths(database).catch((error: unknown) => {
          // As for a migration, a role that may not is refused nothing where none is missing.
          if (sqlStateOf(error) !== '42501') throw error;
        });
        return applied;
      } catch (error) {
        const gaveWay = ['40P01', '55P03'].includes(sqlStateOf(error) ?? '');
        if (!gaveWay || attempt === ATTEMPTS) throw error;
        await delay(PAUSE_MS);
      }
    }
  } finally {
    await database.destroy();
  }
}

function openFor(config: DatabaseConfig, client = clientOf(config)): Database {
  return knex({
    client,
    connection: driverSettings(config, 'file-processing migrate'),
    acquireConnectionTimeout: LOCK_WAIT_MS,
    log: SILENT,
    ...knowsSchema(config),
    pool: { min: 0, max: 1, createTimeoutMillis: LOCK_WAIT_MS },
  });
}

/** No statement of a migration has a limit. */
const clientOf = (config: DatabaseConfig) =>
  clientWithTimeouts({ ...config, statementTimeoutMs: 0 });

/**
 * The statements that {@link migrate} would send, for a database administrator who runs them in its
 * place: what the database lacks is looked up, nothing is changed. The role that connects, or
 * `listenerUser`, is granted the rights of the listener.
 *
 * @returns SQL; what can't run inside a transaction comes last
 * @throws {SchemaOccupiedError} as migrate does, and where tables of an older version are to be moved
 */
export async function printMigration(config: DatabaseConfig): Promise<string> {
  const statements: string[] = [];
  const database = openFor(config, recordingClient(config, statements));
  try {
    const version = await queueSchemaVersion(database);
    const missing = await missingMigrations(database);
    if (missing.length === 0 && (version ?? 0) >= QUEUE_SCHEMA_VERSION) {
      return '-- The schema is up to date.\n';
    }
    const early = await preparationsOf(database);
    await database.transaction(async (transaction) => {
      const there = await requireOwnSchemas(transaction);
      if (!there && (await hasOlderTables(transaction))) throw new SchemaOccupiedError(NOT_PRINTED);
      await migrateIn(transaction, { ...config, listenerUser: undefined }, () => undefined);
      const { listenerUser, user } = config;
      await grantRights(transaction, listenerUser ?? user, {
        migrates: listenerUser === undefined,
      });
    });
    const old = version !== undefined && version < QUEUE_SCHEMA_VERSION;
    const late = old ? indexStatements(database, version) : '';
    return [
      '-- file-processing migrate --print-sql. With psql: --set ON_ERROR_STOP=1 --file FILE\n',
      ...(early.length === 0 ? [] : ['\n-- First, outside of any transaction:\n']),
      ...early.map((sql) => `${sql};\n`),
      ...statements.map((sql) => `${sql.trim().replace(/;$/, '')};\n`),
      ...(late === '' ? [] : [`\n-- Outside of any transaction:\n${late}`]),
    ].join('');
  } finally {
    await database.destroy();
  }
}

const NOT_PRINTED =
  'the tables of an older version are moved together with what its queue holds, which is not printed: run migrate once as a role that owns them';

/** A table, schema or column that the recorded statements would have made. */
const NOT_THERE = ['42P01', '3F000', '42703'];

/** knex looks twice whether its own tables are there. Its words are small, ours are not. */
const KNEX_TABLES = /^(create table|insert into) /;

/** A client of knex that asks the database what only reads, and records any other statement. */
function recordingClient(config: DatabaseConfig, statements: string[]): typeof Knex.Client {
  const Client = clientOf(config) as unknown as new (config: Knex.Config) => PostgresClient;
  class RecordingClient extends Client {
    override async _query(connection: PostgresConnection, statement: PostgresStatement) {
      if (/^\s*SELECT\b/i.test(statement.sql)) {
        return super._query(connection, statement).catch((error: unknown) => {
          if (!NOT_THERE.includes(sqlStateOf(error) ?? '')) throw error;
          // Also of an empty table, a maximum is a row.
          return answered(statement, /^\s*SELECT max\(/i.test(statement.sql) ? [{}] : []);
        });
      }
      const sql = withValues(statement);
      if (!KNEX_TABLES.test(sql) || !statements.includes(sql)) statements.push(sql);
      return answered(statement, [{}]);
    }
  }
  return RecordingClient as unknown as typeof Knex.Client;
}

function answered(statement: PostgresStatement, rows: readonly object[]): PostgresStatement {
  const [command = ''] = statement.sql.trim().toUpperCase().split(/\s/, 1);
  statement.response = { command, rowCount: rows.length, rows };
  return statement;
}

function withValues({ sql, bindings = [] }: PostgresStatement): string {
  if (bindings.length === 0) return sql;
  return sql.replace(/\$(\d+)/g, (_, position: string) => literal(bindings[Number(position) - 1]));
}

function literal(value: unknown): string {
  if (value === null || value === undefined) return 'NULL';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (value instanceof Date) return pg.escapeLiteral(value.toISOString());
  return pg.escapeLiteral(typeof value === 'string' ? value : JSON.stringify(value));
}

async function migrateIn(
  transaction: Transaction,
  { schema, listenerUser }: DatabaseConfig,
  say: (line: string) => void,
): Promise<readonly string[]> {
  await transaction
    .raw(
      `SET LOCAL lock_timeout = ${LOCK_WAIT_MS}; SELECT pg_advisory_xact_lock(${MIGRATION_LOCK});
     SET LOCAL lock_timeout = ${TABLE_WAIT_MS}`,
    )
    .catch((error: unknown) => {
      if (sqlStateOf(error) !== '55P03') throw error;
      const reason = `another process has migrated it for ${LOCK_WAIT_MS / 60_000} minutes`;
      throw new DatabaseUnavailableError(reason, { cause: error });
    });
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
  if (listenerUser !== undefined && (await ownsTables(transaction, say))) {
    await grantRights(transaction, listenerUser);
  }
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

/** Rights on tables that an administrator has made are that role's to grant. */
async function ownsTables(transaction: Transaction, say: (line: string) => void): Promise<boolean> {
  const owners: string[] = await transaction('pg_catalog.pg_tables')
    .distinct('tableowner')
    .whereIn('schemaname', [schemaOf(transaction), queueSchemaOf(transaction)])
    .whereRaw('tableowner <> current_user')
    .pluck('tableowner');
  if (owners.length > 0) say(`the tables are those of ${owners.join(', ')}: no rights are granted`);
  return owners.length === 0;
}

/**
 * Lets the listener read and write the tables and call the queue's functions; all that it needs is
 * granted by name, since the database's owner may have taken from everybody what PostgreSQL gives.
 *
 * @param options.migrates whether the role migrates as well: else what knex has noted of the
 * migrations is not its business, and it only reads that
 */
async function grantRights(
  transaction: Transaction,
  listenerUser: string,
  options = { migrates: false },
): Promise<void> {
  const [ours, queue] = [schemaOf(transaction), queueSchemaOf(transaction)];
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
  const { migrations, retiredMonths } = tablesOf(transaction);
  await transaction.raw(`
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${ours}, ${queue} TO ${listener};
    GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA ${queue} TO ${listener};
    GRANT EXECUTE ON FUNCTION ${ours}.months(), ${ours}.make_month(text, date),
      ${ours}.retire_month(text, text), ${ours}.drop_retired_months(), ${ours}.current_round(),
      ${ours}.take_places(text[], double precision[]), ${ours}.accept_messages(jsonb, jsonb, text) TO ${listener};
    GRANT USAGE ON TYPE ${queue}.job_state TO ${listener}`);
  if (options.migrates) return;
  // Whatever stands in the table of retired months is dropped with its owner's rights.
  await transaction.raw(
    `REVOKE INSERT, UPDATE, DELETE ON ${migrations}, ${migrations}_lock, ${retiredMonths} FROM ${listener}`,
  );
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
