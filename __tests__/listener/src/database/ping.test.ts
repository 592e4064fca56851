import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect } from '../../../../listener/src/database/connection.ts';
import { answers } from '../../../../listener/src/database/ping.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';

let given: TestDatabase;
beforeAll(async () => {
  given = await createTestDatabase();
});
afterAll(() => given.drop());

test('a database that is there answers', async () => {
  expect(await answers(given.database, 10_000)).toBe(true);
});

test('a database that is away does not', async () => {
  const away = connect({ ...given.config, port: 1 });
  expect(await answers(away, 10_000)).toBe(false);
  await away.destroy();
});

test('a database without a free connection does not', async () => {
  const full = connect({ ...given.config, poolSize: 1, connectTimeoutMs: 10_000 });
  const holder = await full.transaction();
  expect(await answers(full, 1)).toBe(false);
  await holder.rollback();
  await full.destroy();
});
