import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LocalPostgres, startLocalPostgres } from '../../../../listener/local/postgres.ts';
import { serverUser } from '../../../../listener/local/postgres-binaries.ts';
import { makeSigningKey } from '../../../../listener/local/sns/signing-key.ts';
import type { DatabaseConfig } from '../../../../listener/src/config/database-config.ts';
import { connect } from '../../../../listener/src/database/connection.ts';
import { databaseConfigOf } from '../../support/database-config.ts';

let folder: string;
let postgres: LocalPostgres;
let certificate: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'connection-tls-'));
  await chmod(folder, 0o711);
  const made = await makeSigningKey();
  certificate = made.certificate;
  const key = made.privateKey.export({ type: 'pkcs8', format: 'pem' });
  const paths = { certificate: join(folder, 'server.crt'), key: join(folder, 'server.key') };
  await writeFile(paths.certificate, certificate, { mode: 0o644 });
  await writeFile(paths.key, key, { mode: 0o600 });
  const user = await serverUser();
  if (user) await chown(paths.key, user.uid, user.gid);
  const settings = { ssl: 'on', ssl_cert_file: paths.certificate, ssl_key_file: paths.key };
  postgres = await startLocalPostgres({ folder: join(folder, 'postgres'), settings });
});
afterAll(async () => {
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
});

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
  const overrides = { sslMode: 'verify-full', sslAuthorities: certificate } as const;
  expect(await attempt({ ...overrides, host: 'localhost' })).toMatch(/does not match certificate/);
});
