import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, connect, createServer as createSocketServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { COMPILE_CACHE } from '../../../support/compile-cache.ts';
import { cli } from '../../support/cli.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { startTlsPostgres, type TlsPostgres } from '../../support/tls-postgres.ts';

const MAIN = fileURLToPath(new URL('../../../../listener/src/main.ts', import.meta.url));

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

test('migrate is worth another try where the server takes the connection and says nothing', async () => {
  const silent = createSocketServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  onTestFinished(() => void silent.close());
  const { port } = silent.address() as AddressInfo;
  const answer = await cli(['migrate'], {
    DATABASE_URL: `postgresql://somebody:secret@127.0.0.1:${port}/files`,
    DB_CONNECT_TIMEOUT_SECONDS: '1',
  });
  expect(answer).toMatchObject({
    code: 69,
    err: expect.stringMatching(/^the database is not available: .*\n$/),
  });
});

test('migrate --wait waits for a database that is not there yet, and says why', async () => {
  const url = new URL(given.url);
  const { hostname, port } = url;
  let connections = 0;
  const server = createSocketServer((client) => {
    client.on('error', () => client.destroy());
    connections += 1;
    if (connections === 1) client.destroy();
    else client.pipe(connect(Number(port), hostname)).pipe(client);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  url.hostname = '127.0.0.1';
  url.port = `${(server.address() as AddressInfo).port}`;
  expect(await cli(['migrate', '--wait'], { DATABASE_URL: url.href })).toMatchObject({
    code: 0,
    err: expect.stringMatching(/^waits for the database: .+\n$/),
  });
});

test('migrate --wait does not wait where another try makes nothing better', async () => {
  const url = new URL(given.url);
  url.pathname = '/nowhere';
  expect(await cli(['migrate', '--wait'], { DATABASE_URL: url.href })).toMatchObject({ code: 2 });
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

test('credentials to sign in by IAM come through the proxy', async () => {
  const tls = await startTlsPostgres();
  onTestFinished(() => tls.stop());
  const asked: string[] = [];
  const proxy = createServer().on('connect', (request, socket) => {
    asked.push(request.url ?? '');
    socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
  });
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void proxy.close());
  const token = join(await temporaryFolder(), 'token');
  await writeFile(token, 'a token of EKS');
  const { hostname, port } = new URL(tls.url);
  const child = spawn(process.execPath, [MAIN, 'migrate'], {
    env: {
      ...COMPILE_CACHE,
      DB_HOST: hostname,
      DB_PORT: port,
      DB_NAME: 'files',
      DB_USER: 'migrator',
      DB_IAM_AUTH: 'true',
      DB_SSL: 'require',
      AWS_REGION: 'us-gov-west-1',
      AWS_ROLE_ARN: 'arn:aws-us-gov:iam::123456789012:role/database-migrate',
      AWS_WEB_IDENTITY_TOKEN_FILE: token,
      AWS_EC2_METADATA_DISABLED: 'true',
      NODE_USE_ENV_PROXY: '1',
      HTTPS_PROXY: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    },
    stdio: 'ignore',
  });
  const [code] = await once(child, 'close');
  expect(asked).toContain('sts.us-gov-west-1.amazonaws.com:443');
  expect(code).not.toBe(0);
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
