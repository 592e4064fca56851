import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import knex, { type Knex } from 'knex';
import pg from 'pg';
import { PgBoss } from 'pg-boss';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { connect } from '../../../../listener/src/database/connection.ts';
import { migrate } from '../../../../listener/src/database/migrate.ts';
import { checkSchema, migrationNames } from '../../../../listener/src/database/schema-version.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';

const MIGRATE_SCRIPT = fileURLToPath(new URL('../../support/migrate-process.ts', import.meta.url));

let empty: TestDatabase;
beforeEach(async () => {
  empty = await createTestDatabase('empty');
});
afterEach(() => empty.drop());

test('an empty database gets every migration and the queue', async () => {
  expect(await migrate(empty.config)).toEqual(await migrationNames());
  await expect(checkSchema(empty.database)).resolves.toBeUndefined();
});

test('a second time changes nothing', async () => {
  await migrate(empty.config);
  expect(await migrate(empty.config)).toEqual([]);
});

test('three processes at once migrate it exactly once', async () => {
  const applied = await Promise.all([1, 2, 3].map(() => migrateInProcess(empty.url)));
  expect(applied.flat()).toEqual(await migrationNames());
  await expect(checkSchema(empty.database)).resolves.toBeUndefined();
});

test("the lock row of a killed process's knex does not block", async () => {
  await migrate(empty.config);
  await empty.database('migrations_lock').update({ is_locked: 1 });
  await empty.database('migrations').delete();
  await empty.database.raw(
    'DROP TABLE period_changes, periods, period_schedules, period_verdicts, period_clock, reference_keys, notices, notice_messages, judgements, reports, runs, messages, retired_months, monitoring_files, mappings, signing_certificates, privacy_events, console_sessions, rule_sets, listings, kubernetes_jobs, queue_clients, rule_revision, bucket_outages; DROP FUNCTION new_rule_revision, months, make_month, retire_month, drop_retired_months, current_round, take_places, accept_messages',
  );
  expect(await migrate(empty.config)).toEqual(await migrationNames());
});

test('it waits for another migration that holds the lock', async () => {
  const other = new pg.Client({ connectionString: empty.url });
  await other.connect();
  await other.query('SELECT pg_advisory_lock(412870931)');
  const order: string[] = [];
  const waiting = migrate(empty.config).then(() => order.push('migrated'));
  await lockIsWaitedFor(other);
  order.push('released');
  await other.end();
  await waiting;
  expect(order).toEqual(['released', 'migrated']);
});

test('another schema takes all of it', async () => {
  await migrate({ ...empty.config, schema: 'etl_quality' });
  const { rows } = await empty.database.raw(
    "SELECT DISTINCT schemaname AS name FROM pg_tables WHERE schemaname !~ '^(pg_|information)' ORDER BY 1",
  );
  expect(rows.map(({ name }: { name: string }) => name)).toEqual([
    'etl_quality',
    'etl_quality_queue',
  ]);
});

test('no search path is needed', async () => {
  await empty.database.raw(`ALTER DATABASE ${empty.config.database} SET search_path = ''`);
  await migrate(empty.config);
  const database = connect(empty.config);
  try {
    await expect(checkSchema(database)).resolves.toBeUndefined();
  } finally {
    await database.destroy();
  }
});

test('two schemas of one database do not know of each other', async () => {
  await migrate(empty.config);
  expect(await migrate({ ...empty.config, schema: 'second' })).toEqual(await migrationNames());
  await expect(checkSchema(empty.database)).resolves.toBeUndefined();
});

test("others' knex, tables and pg-boss in the same database are left alone", async () => {
  const others = { migrationSource: othersMigrations };
  const foreign = knex({ client: 'pg', connection: empty.url });
  const boss = new PgBoss({ connectionString: empty.url, supervise: false, schedule: false });
  try {
    await foreign.migrate.latest(others);
    await boss.start();
    await boss.createQueue('mail');
    await migrate(empty.config);
    await expect(checkSchema(empty.database)).resolves.toBeUndefined();
    // knex compares its table with its folder: "The migration directory is corrupt".
    expect(await foreign.migrate.latest(others)).toEqual([1, []]);
    expect(await foreign('runs').columnInfo()).toHaveProperty('theirs');
    expect((await boss.getQueues()).map(({ name }) => name)).toEqual(['mail']);
  } finally {
    await boss.stop({ graceful: false });
    await foreign.destroy();
  }
});

test('a database that is newer than the program is left alone', async () => {
  await migrate(empty.config);
  await empty.database('migrations').insert({ name: '9999_from_the_future.ts', batch: 2 });
  expect(await migrate(empty.config)).toEqual([]);
});

/** Of another application, which has a table of the same name as ours. */
const othersMigrations: Knex.MigrationSource<string> = {
  getMigrations: async () => ['2020_theirs.js'],
  getMigrationName: (name) => name,
  getMigration: async () => ({
    up: (trx) => trx.schema.createTable('runs', (table) => table.text('theirs')),
    down: () => Promise.resolve(),
  }),
};

/** Resolves once somebody waits for an advisory lock of the client's database: the server has others. */
async function lockIsWaitedFor(client: pg.Client): Promise<void> {
  for (;;) {
    const { rowCount } = await client.query(
      `SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    );
    if (rowCount) return;
  }
}

async function migrateInProcess(url: string): Promise<string[]> {
  const child = fork(MIGRATE_SCRIPT, [url], { execPath: process.execPath });
  const [[message], [code]] = await Promise.all([once(child, 'message'), once(child, 'exit')]);
  expect(code).toBe(0);
  return message as string[];
}
