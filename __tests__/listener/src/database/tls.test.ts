import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DatabaseConfig } from '../../../../listener/src/config/database-config.ts';
import { connect } from '../../../../listener/src/database/connection.ts';
import { databaseConfigOf } from '../../support/database-config.ts';
import { startTlsPostgres, type TlsPostgres } from '../../support/tls-postgres.ts';

let postgres: TlsPostgres;
beforeAll(async () => {
  postgres = await startTlsPostgres();
});
afterAll(() => postgres.stop());

/** Whether a connection is encrypted, or why there is none. */
async function attempt(overrides: Partial<DatabaseConfig>): Promise<unknown> {
  const database = connect({ ...databaseConfigOf(postgres.url, 'postgres'), ...overrides });
  try {
    const { rows } = await database.raw('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()');
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

test('verify-full refuses a certificate of an unknown authority', async () => {
  expect(await attempt({ sslMode: 'verify-full' })).toMatch(/self-signed certificate/);
});

test('verify-full refuses a certificate for another host', async () => {
  const overrides = { sslMode: 'verify-full', sslAuthorities: postgres.certificate } as const;
  expect(await attempt({ ...overrides, host: 'localhost' })).toMatch(/does not match certificate/);
});
