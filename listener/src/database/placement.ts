import type { MovedJobs } from '../queue/create-queues.ts';
import { DEAD_LETTER_QUEUE, RUN_QUEUE } from '../queue/queue.ts';
import type { Transaction } from './connection.ts';
import { SchemaOccupiedError, sqlStateOf } from './errors.ts';
import { MIGRATIONS_TABLE, queueSchemaOf, schemaOf } from './tables.ts';

/** Where versions up to 0.2 had their tables, and pg-boss's. */
const OLDER = { tables: 'public', migrations: 'public.knex_migrations', queue: 'pgboss' } as const;

/** The migrations that such a version may have noted. */
const OLDER_MIGRATIONS = ['0001_initial_schema.ts', '0002_report_key.ts'] as const;

/** Its tables, each with a constraint that no other application's table of that name has. */
const OLDER_TABLES = {
  mappings: 'mappings_name_is_an_identifier',
  monitoring_files: 'monitoring_files_pattern_once',
  sns_messages: 'sns_messages_outcome_fits_the_type',
  runs: 'runs_finished_means_a_verdict',
} as const;

/**
 * Refuses schemas in which others have something.
 *
 * @returns whether our tables are there
 * @throws {SchemaOccupiedError}
 */
export async function requireOwnSchemas(transaction: Transaction): Promise<boolean> {
  const schema = schemaOf(transaction);
  await refuseReservedWord(transaction, schema);
  await requireOwnQueue(transaction, queueSchemaOf(transaction));
  const found = await relationsIn(transaction, schema);
  const noted = found.includes(MIGRATIONS_TABLE)
    ? await namesIn(transaction, `${schema}.${MIGRATIONS_TABLE}`)
    : [];
  if (noted.includes(OLDER_MIGRATIONS[0])) return true;
  // knex's own, which have nothing to say yet.
  const empty = noted.length === 0 ? [MIGRATIONS_TABLE, `${MIGRATIONS_TABLE}_lock`] : [];
  refuseOthers(
    schema,
    found.filter((name) => !empty.includes(name)),
  );
  return false;
}

/** Only the server knows which words are not names. */
async function refuseReservedWord(transaction: Transaction, schema: string): Promise<void> {
  const { rows } = await transaction.raw(
    "SELECT FROM pg_catalog.pg_get_keywords() WHERE word = ? AND catcode IN ('R', 'T')",
    [schema],
  );
  if (rows.length === 0) return;
  throw new SchemaOccupiedError(
    `DB_SCHEMA="${schema}": PostgreSQL keeps this word for itself; name another schema`,
  );
}

async function requireOwnQueue(transaction: Transaction, schema: string): Promise<void> {
  const found = await relationsIn(transaction, schema);
  if (found.includes('version') && found.includes('queue')) {
    const queues = await namesIn(transaction, `${schema}.queue`);
    if (queues.length === 0 || queues.includes(RUN_QUEUE)) return;
  }
  refuseOthers(schema, found);
}

function refuseOthers(schema: string, names: readonly string[]): void {
  if (names.length === 0) return;
  const more = names.length > 5 ? ` and ${names.length - 5} more` : '';
  throw new SchemaOccupiedError(
    `the schema "${schema}" holds what is not the listener's: ${names.slice(0, 5).join(', ')}${more}; name another schema by DB_SCHEMA (db_schema), or empty it`,
  );
}

async function relationsIn(transaction: Transaction, schema: string): Promise<string[]> {
  return transaction('pg_catalog.pg_class')
    .whereRaw('relnamespace = to_regnamespace(?)', [schema])
    .whereIn('relkind', ['r', 'p', 'v', 'm', 'f'])
    .orderBy('relname')
    .pluck('relname');
}

/** Whatever columns the table has: it may be anybody's. */
async function namesIn(transaction: Transaction, table: string): Promise<string[]> {
  const { rows } = await transaction.raw(`SELECT to_jsonb(t) ->> 'name' AS name FROM ${table} t`);
  return rows.map(({ name }: { name: string }) => name);
}

/**
 * Moves the tables of an older version out of `public` into our schema, with what knex noted of them.
 * Tables are recognised by their constraints, so that none of another application is taken. Old
 * replicas that still run find no table from then on: they answer 503, and SNS comes again.
 *
 * @returns what its queue held; undefined where no older version was
 * @throws {SchemaOccupiedError} where only part of it is there
 */
export async function moveOlderTables(
  transaction: Transaction,
  ensureMigrationsTable: () => Promise<unknown>,
): Promise<MovedJobs | undefined> {
  if (!(await hasOlderTables(transaction))) return undefined;
  const schema = schemaOf(transaction);
  const tables = Object.keys(OLDER_TABLES).map((name) => `${OLDER.tables}.${name}`);
  await transaction.raw(`LOCK TABLE ${tables.join(', ')} IN ACCESS EXCLUSIVE MODE`);
  const jobs = await readOlderQueue(transaction);
  for (const table of tables) await transaction.raw(`ALTER TABLE ${table} SET SCHEMA ${schema}`);
  await ensureMigrationsTable();
  await moveNotes(transaction, `${schema}.${MIGRATIONS_TABLE}`);
  await leaveNotice(transaction, schema);
  return jobs;
}

/** Whether the tables of a version up to 0.2 wait to be moved. */
export async function hasOlderTables(transaction: Transaction): Promise<boolean> {
  const found: string[] = await transaction('pg_catalog.pg_constraint')
    .join('pg_catalog.pg_class', 'pg_class.oid', 'conrelid')
    .whereRaw('relnamespace = to_regnamespace(?)', [OLDER.tables])
    .whereIn(['relname', 'conname'], Object.entries(OLDER_TABLES))
    .pluck('relname');
  if (found.length === 0) return false;
  const noted = (await isThere(transaction, OLDER.migrations))
    ? await namesIn(transaction, OLDER.migrations)
    : [];
  const missing = [
    ...Object.keys(OLDER_TABLES).filter((name) => !found.includes(name)),
    ...(noted.includes(OLDER_MIGRATIONS[0]) ? [] : [`${OLDER_MIGRATIONS[0]} in knex_migrations`]),
  ];
  if (missing.length === 0) return true;
  throw new SchemaOccupiedError(
    `the schema "${OLDER.tables}" holds ${found.join(', ')} of an older version of the listener, but lacks ${missing.join(', ')}: restore that, or move or drop the rest`,
  );
}

async function isThere(transaction: Transaction, name: string): Promise<boolean> {
  const { rows } = await transaction.raw('SELECT to_regclass(?) IS NOT NULL AS found', [name]);
  return rows[0].found;
}

/** Another application may have its own notes in the same table: these stay, and so does the table. */
async function moveNotes(transaction: Transaction, migrations: string): Promise<void> {
  const names = [...OLDER_MIGRATIONS];
  await transaction.raw(
    `INSERT INTO ${migrations} (name, batch, migration_time)
     SELECT name, batch, migration_time FROM ${OLDER.migrations} WHERE name = ANY (?) ORDER BY id`,
    [names],
  );
  await transaction(OLDER.migrations).whereIn('name', names).delete();
  if ((await namesIn(transaction, OLDER.migrations)).length > 0) return;
  await dropIfFree(
    transaction,
    `DROP TABLE ${OLDER.migrations}; DROP TABLE IF EXISTS ${OLDER.migrations}_lock`,
  );
}

/**
 * An older version that starts once more (a pod on another node, a rollback) would make its tables
 * anew, and take messages that nobody ever looks at. A relation of that name makes its migration fail.
 */
async function leaveNotice(transaction: Transaction, schema: string): Promise<void> {
  const { rows } = await transaction.raw("SELECT has_schema_privilege(?, 'CREATE') AS granted", [
    OLDER.tables,
  ]);
  // Then an older version can't make tables there either.
  if (!rows[0].granted) return;
  const view = `${OLDER.tables}.monitoring_files`;
  await transaction.raw(`
    CREATE VIEW ${view} AS SELECT 'moved to the schema ${schema}' AS notice;
    COMMENT ON VIEW ${view} IS
      'Keeps versions of file-processing up to 0.2 from starting anew in this schema. May be dropped once none is left.';
  `);
}

/** Jobs that wait, are retried or in hand; those that ended are of no use any more. */
const UNFINISHED = "state::text IN ('created', 'retry', 'active')";

/**
 * Runs that wait for a worker or have one, and those that have a job for another reason, as one whose
 * report is not written yet has; and the dead letters. Order and times stay, attempts do not.
 */
async function readOlderQueue(transaction: Transaction): Promise<MovedJobs> {
  const jobs = `${OLDER.queue}.job`;
  const queued = await isThere(transaction, jobs);
  const dead = queued
    ? await transaction.raw(
        `SELECT id, data ->> 'runId' AS "runId", created_on AS "diedAt",
           coalesce((to_jsonb(job) ->> 'source_retry_count')::int, 0) AS "retryCount",
           to_jsonb(job) -> 'source_output' AS output
         FROM ${jobs} AS job WHERE name = ? AND ${UNFINISHED}
           AND data ->> 'runId' IN (SELECT id::text FROM ${OLDER.tables}.runs)
         ORDER BY created_on, id`,
        [DEAD_LETTER_QUEUE],
      )
    : { rows: [] };
  const { rows } = await transaction.raw(
    `SELECT id FROM ${OLDER.tables}.runs WHERE status IN ('queued', 'running') ${
      queued
        ? `OR id::text IN (SELECT data ->> 'runId' FROM ${jobs} WHERE name = '${RUN_QUEUE}' AND ${UNFINISHED})`
        : ''
    } ORDER BY created_at, id`,
  );
  const given: ReadonlySet<string> = new Set(dead.rows.map(({ runId }: DeadJob) => runId));
  const waiting = rows.map(({ id }: { id: string }) => id);
  return { waiting: waiting.filter((id: string) => !given.has(id)), dead: dead.rows };
}

type DeadJob = MovedJobs['dead'][number];

/** Takes our queues out of the older version's pg-boss, and that away where nobody else uses it. */
export async function retireOlderQueue(transaction: Transaction): Promise<void> {
  const queues = `${OLDER.queue}.queue`;
  if (!(await isThere(transaction, queues))) return;
  const ours = [RUN_QUEUE, DEAD_LETTER_QUEUE];
  // Here alone: releases of pg-boss before 12.38 have no such plan, and must start on these tables.
  const { getUninstallPlans } = await import('pg-boss');
  const others = (await namesIn(transaction, queues)).filter((name) => !ours.includes(name));
  const gone =
    others.length === 0 &&
    (await dropIfFree(
      transaction,
      `${getUninstallPlans(OLDER.queue)}; DROP SCHEMA ${OLDER.queue}`,
    ));
  if (gone) return;
  for (const name of ours) {
    await transaction.raw(`SELECT ${OLDER.queue}.delete_queue(?)`, [name]);
  }
}

/** @returns false where others depend on it, or own it: then it stays */
async function dropIfFree(transaction: Transaction, statements: string): Promise<boolean> {
  try {
    await transaction.transaction((savepoint) => savepoint.raw(statements));
    return true;
  } catch (error) {
    if (['2BP01', '42501'].includes(sqlStateOf(error) ?? '')) return false;
    throw error;
  }
}
