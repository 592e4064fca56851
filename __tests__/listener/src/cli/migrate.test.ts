import { afterAll, beforeAll, expect, test } from 'vitest';
import { cli } from '../../support/cli.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';

let given: TestDatabase;
beforeAll(async () => {
  given = await createTestDatabase('empty');
});
afterAll(() => given.drop());

test('migrate names what it applied, and the second time says that there is nothing', async () => {
  const environment = { DATABASE_URL: given.url };
  expect(await cli(['migrate'], environment)).toMatchObject({
    code: 0,
    out: expect.stringContaining('0001_initial_schema'),
  });
  expect(await cli(['migrate'], environment)).toMatchObject({
    code: 0,
    out: 'the schema is up to date\n',
  });
});
