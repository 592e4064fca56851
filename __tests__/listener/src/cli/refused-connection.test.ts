import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { cli, eventOf } from '../../support/cli.ts';
import { startListenerChild } from '../../support/listener-process.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { startTlsPostgres, type TlsPostgres } from '../../support/tls-postgres.ts';

let plain: TestDatabase;
let tls: TlsPostgres;
beforeAll(async () => {
  [plain, tls] = await Promise.all([createTestDatabase(), startTlsPostgres()]);
});
afterAll(() => Promise.all([plain.drop(), tls.stop()]));

const COMMANDS = [
  ['migrate'],
  ['seed'],
  ['run', 's3_data_quality_job', '--event-json', eventOf('bucket', 'a.csv')],
  ['runs', 'list'],
  ['serve', '--role', 'worker'],
  ['serve', '--role', 'worker', '--migrate'],
];

/** Runs a command. @returns how it ended and what it said */
async function ended(parameters: readonly string[], environment: Record<string, string>) {
  const { code, out, err } = await cli(parameters, {
    ...{ METRICS_PORT: '0', LOCAL_S3_ROOT: '.' },
    ...environment,
  });
  return { code, said: err, out };
}

/** A copy of an address that is changed. */
function changed(address: string, change: (url: URL) => void): string {
  const url = new URL(address);
  change(url);
  return url.href;
}

describe.each(COMMANDS.map((command) => [command.join(' '), command] as const))(
  '%s',
  (_, command) => {
    test('says in one line that the password is refused, and not the password', async () => {
      const DATABASE_URL = changed(plain.url, (url) => {
        url.password = 'wrong-marker';
      });
      const { code, said } = await ended(command, { DATABASE_URL });
      expect(said).toMatch(/^the database refuses this connection: password .*DB_PASSWORD.*\n$/);
      expect(said).not.toContain('wrong-marker');
      expect(code).toBe(2);
    });
  },
);

// A certificate is renewed at the server: the listener waits for that, the others end.
test.each(COMMANDS.filter(([name]) => name !== 'serve').map((command) => [command[0], command]))(
  '%s says in one line that a certificate of an unknown authority is wrong',
  async (_, command) => {
    const environment = { DATABASE_URL: tls.url, DB_SSL: 'verify-full' };
    const { code, said } = await ended(command as readonly string[], environment);
    expect(said).toMatch(/^the database is not available: .*certificate.*DB_SSL_CA_FILE.*\n$/);
    expect(code).toBe(69);
  },
);

test('a listener that waits for a certificate says in one line what to look at', async () => {
  const listener = startListenerChild(['serve', '--role', 'worker'], {
    ...{ DATABASE_URL: tls.url, DB_SSL: 'verify-full' },
    ...{ METRICS_PORT: '0', LOCAL_S3_ROOT: '.' },
  });
  const { reason } = await listener.line(
    'the database is not available, the listener waits for it',
  );
  expect(reason).toMatch(/^.*certificate.*DB_SSL_CA_FILE.*$/);
});

test('a certificate for another host is one line', async () => {
  const { code, said } = await ended(['runs', 'list'], {
    DATABASE_URL: tls.url,
    DB_SSL: 'verify-full',
    DB_SSL_CA_FILE: tls.certificateFile,
  });
  expect(said).toMatch(/^the database is not available: .*does not match.*DB_HOST.*\n$/);
  expect(code).toBe(69);
});

test('a server without TLS is one line', async () => {
  const environment = { DATABASE_URL: plain.url, DB_SSL: 'require' };
  const { code, said } = await ended(['runs', 'list'], environment);
  expect(said).toMatch(/^the database refuses this connection: .*SSL.*DB_SSL=disable.*\n$/);
  expect(code).toBe(2);
});

test('an unknown database is one line', async () => {
  const DATABASE_URL = changed(plain.url, (url) => {
    url.pathname = '/nowhere';
  });
  const { code, said } = await ended(['runs', 'list'], { DATABASE_URL });
  expect(said).toMatch(/^the database refuses this connection: .*"nowhere".*DB_NAME.*\n$/);
  expect(code).toBe(2);
});

test('a user without a right is one line that names where it lacks', async () => {
  const role = `rightless_${randomBytes(4).toString('hex')}`;
  await plain.database.raw(`CREATE ROLE ${role} LOGIN PASSWORD 'rightless'`);
  onTestFinished(() => plain.database.raw(`DROP ROLE ${role}`));
  const DATABASE_URL = changed(plain.url, (url) => {
    url.username = role;
    url.password = 'rightless';
  });
  const { code, said } = await ended(['runs', 'list'], { DATABASE_URL });
  expect(said).toMatch(
    /^the database refuses this user: permission denied for schema \w+; .*DB_USER.*\n$/,
  );
  expect(code).toBe(2);
});

test('check names the setting below what is red', async () => {
  const environment = { DATABASE_URL: tls.url, DB_SSL: 'verify-full' };
  const { code, out, said } = await ended(['check', '--only', 'database'], environment);
  expect(out).toMatch(/^RED {2}database connection .*certificate.*\n +next: DB_SSL_CA_FILE/);
  expect(said).toBe('');
  expect(code).toBe(1);
});
