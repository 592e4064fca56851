import { afterEach, expect, test } from 'vitest';
import {
  checkSchema,
  isUsable,
  migrationNames,
} from '../../../../listener/src/database/schema-version.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';

let current: TestDatabase | undefined;
afterEach(async () => {
  await current?.drop();
  current = undefined;
});

async function given(kind: 'migrated' | 'empty') {
  current = await createTestDatabase(kind);
  return current.database;
}

test('an empty database is refused with the command that helps', async () => {
  await expect(checkSchema(await given('empty'))).rejects.toMatchObject({
    code: 'SCHEMA_OUTDATED',
    message: expect.stringContaining('file-processing migrate'),
  });
});

test('a database that lacks a migration is refused, with its name', async () => {
  const database = await given('migrated');
  await database('migrations').delete();
  await database('migrations').insert({ name: '0000_other.ts', batch: 1 });
  await expect(checkSchema(database)).rejects.toMatchObject({
    missing: await migrationNames(),
  });
});

test("a database with old tables of the queue's is refused", async () => {
  const database = await given('migrated');
  await database('file_processing_queue.version').update({ version: 1 });
  await expect(checkSchema(database)).rejects.toThrow(/queue's tables have version 1 of \d+/);
});

test('a newer database is accepted, as during a rollout', async () => {
  const database = await given('migrated');
  await database('migrations').insert({ name: '9999_from_the_future.ts', batch: 2 });
  await database('file_processing_queue.version').update({ version: 9999 });
  await expect(checkSchema(database)).resolves.toBeUndefined();
});

test('the one statement that readiness asks agrees with it', async () => {
  const database = await given('migrated');
  expect(await isUsable(database)).toBe(true);
  await database('migrations').insert({ name: '9999_from_the_future.ts', batch: 2 });
  expect(await isUsable(database)).toBe(true);
  const { version } = await database('file_processing_queue.version').first('version');
  await database('file_processing_queue.version').update({ version: version - 1 });
  expect(await isUsable(database)).toBe(false);
  await database('file_processing_queue.version').update({ version });
  await database('migrations').where({ name: '0001_initial_schema.ts' }).delete();
  expect(await isUsable(database)).toBe(false);
});

test('a database that takes no writes, as a standby, is not ready', async () => {
  const database = await given('migrated');
  await database.raw('ALTER DATABASE ?? SET default_transaction_read_only = on', [
    database.client.database(),
  ]);
  await database.destroy();
  database.initialize();
  expect(await isUsable(database)).toBe(false);
});
