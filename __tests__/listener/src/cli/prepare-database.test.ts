import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cli } from '../../support/cli.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

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

describe('seed', () => {
  let given: TestDatabase;
  beforeAll(async () => {
    given = await createTestDatabase();
  });
  afterAll(() => given.drop());

  test('the definitions of the repository are loaded once', async () => {
    const environment = { DATABASE_URL: given.url };
    const first = await cli(['seed'], environment);
    expect(first).toMatchObject({
      code: 0,
      out: expect.stringContaining('mappings: 1 found, 1 ch'),
    });
    const second = await cli(['seed'], environment);
    expect(second.out).toContain('mappings: 1 found, 0 changed');
  });

  test('a folder that is not there is a fault of usage', async () => {
    expect(await cli(['seed', '/nowhere'], { DATABASE_URL: given.url })).toMatchObject({
      code: 2,
      err: 'there is no folder /nowhere\n',
    });
  });

  test('a folder without definitions is a fault of usage', async () => {
    const folder = await temporaryFolder();
    expect(await cli(['seed', folder], { DATABASE_URL: given.url })).toMatchObject({ code: 2 });
  });
});
