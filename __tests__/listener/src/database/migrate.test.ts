import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
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
  await empty.database('knex_migrations_lock').update({ is_locked: 1 });
  await empty.database('knex_migrations').delete();
  await empty.database.raw('DROP TABLE runs, sns_messages, monitoring_files, mappings');
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

test('a database that is newer than the program is left alone', async () => {
  await migrate(empty.config);
  await empty.database('knex_migrations').insert({ name: '9999_from_the_future.ts', batch: 2 });
  expect(await migrate(empty.config)).toEqual([]);
});

/** Resolves once somebody waits for an advisory lock. */
async function lockIsWaitedFor(client: pg.Client): Promise<void> {
  for (;;) {
    const { rowCount } = await client.query(
      "SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted",
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
