import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { cli } from '../../support/cli.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { startTlsPostgres, type TlsPostgres } from '../../support/tls-postgres.ts';

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

describe('migrate, signing in by IAM,', () => {
  let tls: TlsPostgres;
  beforeAll(async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
    tls = await startTlsPostgres();
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await tls.stop();
  });

  test('tries again where its user is not there yet, and says who makes it', async () => {
    const { hostname, port } = new URL(tls.url);
    const { code, err } = await cli(['migrate'], {
      DB_HOST: hostname,
      DB_PORT: port,
      DB_NAME: 'files',
      DB_USER: 'migrator',
      DB_IAM_AUTH: 'true',
      DB_SSL: 'require',
      AWS_REGION: 'us-gov-west-1',
    });
    expect(err).toMatch(
      /^the database is not available: .*; bootstrap-database makes the database and DB_USER "migrator", .*rds-db:connect\n$/,
    );
    expect(err).not.toContain('X-Amz-Signature');
    expect(code).toBe(69);
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
