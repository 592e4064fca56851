import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type DatabaseConfig, Secret } from '../../../../listener/src/config/database-config.ts';
import { connect, type Database } from '../../../../listener/src/database/connection.ts';
import {
  connectionFault,
  DatabaseUnavailableError,
  meansUnavailable,
  reasonOf,
} from '../../../../listener/src/database/errors.ts';
import { databaseConfigOf } from '../../support/database-config.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { startTlsPostgres, type TlsPostgres } from '../../support/tls-postgres.ts';

const withCode = (code: string, message = 'x') => Object.assign(new Error(message), { code });

test.each([
  'ECONNREFUSED',
  'ECONNRESET',
  '57P01',
  '57P03',
  '53300',
  '08006',
  '28P01',
  '25006',
  '40P01',
  // A right that is missing is granted sooner or later, and a message waits until then.
  '42501',
])('%s means that the database is not available', (code) => {
  expect(meansUnavailable(withCode(code))).toBe(true);
});

test.each(['42P01', '23505', '22P02', 'ERR_ASSERTION'])('%s does not', (code) => {
  expect(meansUnavailable(withCode(code))).toBe(false);
});

test('one unavailable address among those of a host name is enough', () => {
  expect(meansUnavailable(new AggregateError([withCode('ECONNREFUSED')]))).toBe(true);
});

test('the error has a stable code', () => {
  expect(new DatabaseUnavailableError('gone')).toMatchObject({
    code: 'DATABASE_UNAVAILABLE',
    message: 'the database is not available: gone',
  });
});

describe('connectionFault', () => {
  let plain: TestDatabase;
  let tls: TlsPostgres;
  beforeAll(async () => {
    [plain, tls] = await Promise.all([createTestDatabase('empty'), startTlsPostgres()]);
  });
  afterAll(() => Promise.all([plain.drop(), tls.stop()]));

  /** What is said of the error that a connection with these settings really ends with. */
  async function faultOf(config: DatabaseConfig) {
    const database = connect(config);
    try {
      await database.raw('SELECT 1');
      return undefined;
    } catch (error) {
      return connectionFault(error);
    } finally {
      await database.destroy();
    }
  }

  test.each<[string, Partial<DatabaseConfig>, RegExp]>([
    ['a wrong password', { password: new Secret('wrong') }, /DB_PASSWORD/],
    ['an unknown database', { database: 'nowhere' }, /DB_NAME/],
    ['TLS that the server does not have', { sslMode: 'require' }, /DB_SSL=disable/],
  ])('%s is final and names the setting', async (_, overrides, advice) => {
    expect(await faultOf({ ...plain.config, ...overrides })).toStrictEqual({
      advice: expect.stringMatching(advice),
      final: true,
    });
  });

  test('no password is final and names the setting', async () => {
    // pg leaves the connection open, and a server ends only when it has timed out: here soon.
    const config = { ...databaseConfigOf(tls.url, 'postgres'), password: undefined };
    expect(await faultOf({ ...config, sslMode: 'require' })).toStrictEqual({
      advice: expect.stringMatching(/DB_PASSWORD/),
      final: true,
    });
  });

  test('a certificate of an unknown authority is not final and names the file', async () => {
    const config = databaseConfigOf(tls.url, 'postgres');
    expect(await faultOf({ ...config, sslMode: 'verify-full' })).toStrictEqual({
      advice: expect.stringContaining('DB_SSL_CA_FILE'),
      final: false,
    });
  });

  test('a certificate for another host is not final and names the host', async () => {
    const config = databaseConfigOf(tls.url, 'postgres');
    const sslAuthorities = tls.certificate;
    expect(await faultOf({ ...config, sslMode: 'verify-full', sslAuthorities })).toStrictEqual({
      advice: expect.stringContaining('DB_HOST'),
      final: false,
    });
  });

  test('a certificate that has expired is not a matter of the authorities', () => {
    expect(connectionFault(withCode('CERT_HAS_EXPIRED'))?.advice).toMatch(/renew/);
  });

  test('a server that wants encryption names DB_SSL', () => {
    const message =
      'no pg_hba.conf entry for host "1.2.3.4", user "u", database "d", no encryption';
    expect(connectionFault(withCode('28000', message))).toStrictEqual({
      advice: expect.stringContaining('DB_SSL'),
      final: true,
    });
  });

  test('a user that may not connect from here names user and database', () => {
    const message =
      'no pg_hba.conf entry for host "1.2.3.4", user "u", database "d", SSL encryption';
    expect(connectionFault(withCode('28000', message))?.advice).toMatch(/DB_USER.*pg_hba/);
  });

  test('IAM that refuses is worth a retry, as it does so under load', () => {
    const message = 'PAM authentication failed for user "u"';
    expect(connectionFault(withCode('28000', message))?.final).toBe(false);
  });

  test('a user without a right is final, and it is not the connection that is refused', () => {
    expect(connectionFault(withCode('42501', 'permission denied for table runs'))).toStrictEqual({
      advice: expect.stringContaining('DB_USER'),
      final: true,
      refused: 'this user',
    });
  });

  test.each([
    ['unsupported startup parameter: options', /PGOPTIONS.*ignore_startup_parameters/],
    ['transaction blocks not allowed in statement pooling mode', /pool_mode/],
    ['no such database: d', /DB_NAME/],
  ])("PgBouncer's '%s' is final", (message, advice) => {
    expect(connectionFault(withCode('08P01', message))).toMatchObject({
      advice: expect.stringMatching(advice),
      final: true,
    });
  });

  test("PgBouncer's word of a server that is down is worth a retry", () => {
    expect(connectionFault(withCode('08P01', 'query_wait_timeout'))).toBeUndefined();
  });

  test.each(['ECONNREFUSED', '57P03', '42P01', 'ERR_ASSERTION'])(
    '%s is not such a fault',
    (code) => {
      expect(connectionFault(withCode(code))).toBeUndefined();
    },
  );
});

describe('what an error says to people', () => {
  test('is what the server said, without the statement, also of a transaction', async () => {
    const given = await createTestDatabase();
    const failing = (database: Database) =>
      database.raw('SELECT 3 - 2 - ?::int', ['x - y']).catch((error) => error);
    const failed = await failing(given.database);
    const inside = await given.database.transaction(failing).catch((error) => error);
    await given.drop();
    const said = 'invalid input syntax for type integer: "x - y"';
    expect([reasonOf(failed), reasonOf(inside)]).toEqual([said, said]);
  });

  test('is all of it, where it is not of the server', () => {
    expect(reasonOf(new Error('S3 - of all things - is away'))).toBe(
      'S3 - of all things - is away',
    );
  });

  test('is never empty', () => {
    expect(reasonOf(new Error(''))).toBe('no reason given');
  });
});
