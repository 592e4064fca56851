import { once } from 'node:events';
import { createConnection, createServer, type Server } from 'node:net';
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  onTestFinished,
  test,
  vi,
} from 'vitest';
import type { DatabaseConfig } from '../../../../listener/src/config/database-config.ts';
import {
  answers,
  connect,
  type Database,
  onceAvailable,
} from '../../../../listener/src/database/connection.ts';
import { meansUnavailable } from '../../../../listener/src/database/errors.ts';
import { eventually } from '../../../support/eventually.ts';
import { databaseConfigOf } from '../../support/database-config.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { startTlsPostgres, type TlsPostgres } from '../../support/tls-postgres.ts';

let given: TestDatabase;
beforeAll(async () => {
  given = await createTestDatabase();
});
afterAll(() => given.drop());

const opened: Database[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((database) => database.destroy()));
});

function open(...parameters: Parameters<typeof connect>): Database {
  const database = connect(...parameters);
  opened.push(database);
  return database;
}

async function unavailable(work: Promise<unknown>): Promise<boolean> {
  return work.then(() => false, meansUnavailable);
}

test('the name of the application reaches the server', async () => {
  const database = open(given.config, 'file-processing worker');
  const { rows } = await database.raw("SELECT current_setting('application_name') AS name");
  expect(rows).toStrictEqual([{ name: 'file-processing worker' }]);
});

const TIMEOUTS = `SELECT current_setting('statement_timeout') AS statement,
  current_setting('idle_in_transaction_session_timeout') AS idle`;

test('a transaction has the time-outs, and leaves none on its connection', async () => {
  const database = open({ ...given.config, statementTimeoutMs: 1234, poolSize: 1 });
  const before = await database.raw(TIMEOUTS);
  const inside = await database.transaction((transaction) => transaction.raw(TIMEOUTS));
  const after = await database.raw(TIMEOUTS);
  expect(inside.rows).toStrictEqual([{ statement: '1234ms', idle: '1min' }]);
  expect([before.rows, after.rows]).toStrictEqual([
    [{ statement: '0', idle: '0' }],
    [{ statement: '0', idle: '0' }],
  ]);
});

test('counts are numbers', async () => {
  const { rows } = await given.database.raw('SELECT count(*) AS count FROM runs');
  expect(rows).toStrictEqual([{ count: 0 }]);
});

test('an error of a statement holds none of its values', async () => {
  const failing = given.database('mappings').insert({ name: 'no identifier: marker', version: 1 });
  const error = await failing.then(
    () => undefined,
    (reason: Error) => reason,
  );
  expect(error?.message).toContain('insert into');
  expect(error?.message).not.toContain('marker');
});

test('an exhausted pool means that the database is not available', async () => {
  const database = open({ ...given.config, poolSize: 2, connectTimeoutMs: 2_000 });
  const hold = () => eventually(() => database.transaction());
  const holders = await Promise.all([hold(), hold()]);
  expect(await unavailable(database.raw('SELECT 1'))).toBe(true);
  await Promise.all(holders.map((holder) => holder.rollback()));
});

test.each<[string, (database: Database) => Promise<unknown>]>([
  ['by itself', (database) => database.raw('SELECT pg_sleep(30)')],
  ['with a value', (database) => database.raw('SELECT pg_sleep(?)', [30])],
  [
    'in a transaction',
    (database) => database.transaction((each) => each.raw('SELECT pg_sleep(30)')),
  ],
])(
  'a statement %s that is over its time ends on the server, and its connection is good',
  async (_, run) => {
    const database = open({ ...given.config, statementTimeoutMs: 20, poolSize: 1 });
    // On a busy machine a statement as short as this one can be over its time as well.
    const pid = () => eventually(() => database.raw('SELECT pg_backend_pid() AS pid'));
    const { rows } = await pid();
    await expect(run(database)).rejects.toMatchObject({ code: '57014' });
    expect(await unavailable(run(database))).toBe(true);
    expect((await pid()).rows).toStrictEqual(rows);
  },
);

test('a statement over its time that nobody can cancel ends with its connection', async () => {
  const proxy = await proxyOf(given.config);
  const database = open({
    ...given.config,
    port: proxy.port,
    statementTimeoutMs: 1_000,
    connectTimeoutMs: 1_000,
  });
  await eventually(() => database.raw('SELECT 1'));
  proxy.close();
  expect(await unavailable(database.raw('SELECT pg_sleep(30)'))).toBe(true);
});

test('a cancellation that the server takes no notice of is asked for again', async () => {
  const proxy = await proxyOf(given.config, { lostCancellations: 1 });
  const database = open({ ...given.config, port: proxy.port, statementTimeoutMs: 500 });
  await eventually(() => database.raw('SELECT 1'));
  await expect(database.raw('SELECT pg_sleep(90)')).rejects.toMatchObject({ code: '57014' });
});

test('a transaction that is one text and fails leaves its connection as it was', async () => {
  const database = open({ ...given.config, poolSize: 1 });
  await expect(database.raw('BEGIN; SELECT 1/0; COMMIT')).rejects.toMatchObject({ code: '22012' });
  await expect(database.raw('SELECT 1')).resolves.toBeDefined();
});

test('a port where nobody listens means that the database is not available', async () => {
  const database = open({ ...given.config, port: await closedPort() });
  expect(await unavailable(database.raw('SELECT 1'))).toBe(true);
});

test('a server that never answers means that the database is not available', async () => {
  const { server, port } = await silentServer();
  const database = open({ ...given.config, port, connectTimeoutMs: 50 });
  expect(await unavailable(database.raw('SELECT 1'))).toBe(true);
  server.close();
});

test('a connection that the server ends means that the database is not available', async () => {
  const query = given.database.raw('SELECT pg_terminate_backend(pg_backend_pid())');
  expect(await unavailable(query)).toBe(true);
});

test('the pool gets over a connection that the server ended', async () => {
  const database = open({ ...given.config, poolSize: 2 });
  await unavailable(database.raw('SELECT pg_terminate_backend(pg_backend_pid())'));
  // The end of the socket may come after the error.
  await eventually(() => database.raw('SELECT 1'));
});

test('a server without TLS is refused when TLS is asked for', async () => {
  const database = open({ ...given.config, sslMode: 'require' });
  expect(await unavailable(database.raw('SELECT 1'))).toBe(true);
});

async function silentServer(): Promise<{ server: Server; port: number }> {
  const server = createServer(() => undefined).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { server, port: address.port };
}

/** Begins a request to cancel (PostgreSQL manual, "Message Formats"). */
const CANCEL_REQUEST = Buffer.from([0, 0, 0, 16, 0x04, 0xd2, 0x16, 0x2e]);

/** Passes the first connections on, and not the first requests to cancel; closed, it takes no further one. */
async function proxyOf(
  { host, port }: DatabaseConfig,
  { lostCancellations = 0 } = {},
): Promise<{ port: number; close(): void }> {
  let lost = 0;
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (first) => {
      if (first.subarray(0, 8).equals(CANCEL_REQUEST) && lost < lostCancellations) {
        lost++;
        socket.end();
        return;
      }
      const onward = createConnection({ host, port });
      onward.on('error', () => undefined);
      onward.write(first);
      socket.pipe(onward).pipe(socket);
      onTestFinished(() => {
        socket.destroy();
        onward.destroy();
      });
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { port: address.port, close: () => server.close() };
}

async function closedPort(): Promise<number> {
  const { server, port } = await silentServer();
  server.close();
  await once(server, 'close');
  return port;
}

describe('TLS', () => {
  let postgres: TlsPostgres;
  beforeAll(async () => {
    postgres = await startTlsPostgres();
  });
  afterAll(() => postgres.stop());

  /** Whether a connection is encrypted, or why there is none. */
  async function attempt(overrides: Partial<DatabaseConfig>): Promise<unknown> {
    const database = connect({ ...databaseConfigOf(postgres.url, 'postgres'), ...overrides });
    try {
      const { rows } = await database.raw(
        'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()',
      );
      return rows[0].ssl;
    } catch (error) {
      return error instanceof Error ? error.message : error;
    } finally {
      await database.destroy();
    }
  }

  test('disable does not encrypt', async () => {
    expect(await attempt({ sslMode: 'disable' })).toBe(false);
  });

  test('require encrypts and takes any certificate', async () => {
    expect(await attempt({ sslMode: 'require' })).toBe(true);
  });

  test('a statement over its time is cancelled by TLS too', async () => {
    const config = databaseConfigOf(postgres.url, 'postgres');
    const database = open({ ...config, sslMode: 'require', statementTimeoutMs: 20 });
    await expect(database.raw('SELECT pg_sleep(30)')).rejects.toMatchObject({ code: '57014' });
  });

  test('verify-full refuses a certificate of an unknown authority', async () => {
    expect(await attempt({ sslMode: 'verify-full' })).toMatch(/self-signed certificate/);
  });

  test('verify-full refuses a certificate for another host', async () => {
    const overrides = { sslMode: 'verify-full', sslAuthorities: postgres.certificate } as const;
    expect(await attempt({ ...overrides, host: 'localhost' })).toMatch(
      /does not match certificate/,
    );
  });
});

describe('IAM authentication', () => {
  beforeEach(() => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDEXAMPLE');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'marker-secret');
  });
  afterEach(() => vi.unstubAllEnvs());

  /** A server that asks for a password in the clear, keeps it, and refuses. */
  async function passwordCollector() {
    const passwords: string[] = [];
    const server = createServer((socket) => {
      socket.once('data', () => {
        const askForPassword = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]);
        socket.write(askForPassword);
        socket.once('data', (message) => {
          passwords.push(message.subarray(5, -1).toString());
          socket.destroy();
        });
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => new Promise((resolve) => server.close(() => resolve())));
    const address = server.address();
    return { passwords, port: typeof address === 'object' && address ? address.port : 0 };
  }

  test('each connection signs in with a token for its user at its host', async () => {
    const { passwords, port } = await passwordCollector();
    const database = connect({
      ...databaseConfigOf(`postgresql://etl_user@127.0.0.1:${port}`, 'etl_db'),
      password: undefined,
      iamRegion: 'us-gov-west-1',
    });
    onTestFinished(() => database.destroy());
    await expect(database.raw('SELECT 1')).rejects.toThrow();
    await expect(database.raw('SELECT 1')).rejects.toThrow();

    expect(passwords).toHaveLength(2);
    const [address = '', query = ''] = (passwords[0] ?? '').split('/?');
    expect(address).toBe(`127.0.0.1:${port}`);
    expect(Object.fromEntries(new URLSearchParams(query))).toMatchObject({
      Action: 'connect',
      DBUser: 'etl_user',
      'X-Amz-Credential': expect.stringMatching(/^AKIDEXAMPLE\/\d{8}\/us-gov-west-1\/rds-db\//),
      'X-Amz-Signature': expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(query).not.toContain('marker-secret');
  });
});

const answersYes = async (database: Database) => (await database.raw('SELECT 1')) !== undefined;

test('a database that is there answers', async () => {
  expect(await answers(() => answersYes(given.database), 10_000)).toBe(true);
});

test('a database that is unavailable does not', async () => {
  const away = connect({ ...given.config, port: 1 });
  expect(await answers(() => answersYes(away), 10_000)).toBe(false);
  await away.destroy();
});

test('a database without a free connection does not', async () => {
  const full = connect({ ...given.config, poolSize: 1, connectTimeoutMs: 10_000 });
  const holder = await full.transaction();
  expect(await answers(() => answersYes(full), 1)).toBe(false);
  await holder.rollback();
  await full.destroy();
});

test('a wait for a host with two addresses says why neither answers', async () => {
  const refused = (message: string) => Object.assign(new Error(message), { code: 'ECONNREFUSED' });
  const errors = [new AggregateError([refused('no at ::1'), refused('no at 127.0.0.1')])];
  const reasons: string[] = [];
  const work = async () => {
    const [error] = errors.splice(0);
    if (error !== undefined) throw error;
    return 'done';
  };
  expect(await onceAvailable(work, (reason) => reasons.push(reason))).toBe('done');
  expect(reasons).toEqual(['no at ::1; no at 127.0.0.1']);
});
