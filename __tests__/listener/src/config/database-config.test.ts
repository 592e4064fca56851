import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import {
  defaultSslMode,
  readDatabaseConfig,
  Secret,
} from '../../../../listener/src/config/database-config.ts';
import { variableReader } from '../../../../listener/src/config/read-variables.ts';

const folder = mkdtempSync(join(tmpdir(), 'database-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

const PARTS = { DB_HOST: 'db.internal', DB_NAME: 'files', DB_USER: 'app', DB_PASSWORD: 's3cret!' };

function read(environment: Record<string, string>) {
  const reader = variableReader(environment);
  return { config: readDatabaseConfig(reader), faults: reader.faults };
}

test('the parts of an address make a configuration', () => {
  const { config, faults } = read({ ...PARTS, DB_PORT: '6432' });
  expect(faults).toEqual([]);
  expect(config).toMatchObject({ host: 'db.internal', port: 6432, database: 'files', user: 'app' });
  expect(config?.password?.reveal()).toBe('s3cret!');
});

test.each([
  [{}, 'file_processing'],
  [{ DB_SCHEMA: 'etl_quality' }, 'etl_quality'],
])('with %j the schema is %s', (environment, schema) => {
  expect(read({ ...PARTS, ...environment }).config).toMatchObject({ schema });
});

test('DATABASE_URL takes precedence over the parts', () => {
  const { config } = read({ ...PARTS, DATABASE_URL: 'postgresql://u:p@other:1234/name' });
  expect(config).toMatchObject({ host: 'other', port: 1234, database: 'name', user: 'u' });
});

test('escapes in DATABASE_URL are read', () => {
  const { config } = read({ DATABASE_URL: 'postgres://us%40er:p%2Fw%25@host/na%20me' });
  expect(config).toMatchObject({ user: 'us@er', database: 'na me', port: 5432 });
  expect(config?.password?.reveal()).toBe('p/w%');
});

test.each([
  ['mysql://u:p@h/d', 'is not a PostgreSQL address'],
  ['not an address', 'is not a PostgreSQL address'],
  ['postgresql:///d', 'has no host'],
  ['postgresql://u:p@h', 'has no database'],
  ['postgresql://h/d', 'has no user'],
  ['postgresql://u:p%@h/d', 'holds a percent sign that is not an escape'],
  ['postgresql://u:a#b@h/d', "holds a raw '#' before the '@'; in a password it is '%23'"],
  // The characters before it are taken for a port.
  ['postgresql://u:1#b@h/d', "holds a raw '#' before the '@'; in a password it is '%23'"],
  ['postgresql://u:a/b@h/d', "holds a raw '/' before the '@'; in a password it is '%2F'"],
  ['postgresql://u:1?b@h/d', "holds a raw '?' before the '@'; in a password it is '%3F'"],
  ['postgresql://u:p@h/d#x', "holds a raw '#'; it is '%23'"],
  ['postgresql://h:5432/d', 'has no user'],
  ['postgresql://u:p@h/d?sslmode=prefer', "holds sslmode 'prefer'"],
  ['postgresql://u:p@h/d?options=-c', "has the unknown parameter 'options'"],
])('DATABASE_URL %s is refused without being shown', (url, problem) => {
  const { config, faults } = read({ DATABASE_URL: url });
  expect(config).toBeUndefined();
  expect(faults).toEqual([
    expect.objectContaining({
      variable: 'DATABASE_URL',
      problem: expect.stringContaining(problem),
    }),
  ]);
  expect(faults[0]).not.toHaveProperty('value');
});

test('a password with an @ as it is needs no escape', () => {
  const { config } = read({ DATABASE_URL: 'postgresql://u:p@ss@h/d' });
  expect([config?.host, config?.password?.reveal()]).toEqual(['h', 'p@ss']);
});

test('parts that are missing are named together', () => {
  expect(read({ DB_HOST: 'db' }).faults.map(({ variable }) => variable)).toEqual([
    'DB_NAME',
    'DB_USER',
  ]);
});

describe('TLS', () => {
  test.each([
    ['localhost', 'disable'],
    ['127.0.0.1', 'disable'],
    ['::1', 'disable'],
    ['/var/run/postgresql', 'disable'],
    ['db.internal', 'verify-full'],
    ['127.0.0.1.example.com', 'verify-full'],
    ['10.0.0.5', 'verify-full'],
  ])('without a setting, %s gets %s', (host, mode) => {
    expect(defaultSslMode(host)).toBe(mode);
  });

  test('sslmode of the address is used, and DB_SSL takes precedence over it', () => {
    const url = { DATABASE_URL: 'postgresql://u:p@h/d?sslmode=require' };
    expect(read(url).config?.sslMode).toBe('require');
    expect(read({ ...url, DB_SSL: 'verify-full' }).config?.sslMode).toBe('verify-full');
  });

  test('the authorities are read from their file', () => {
    const path = join(folder, 'ca.pem');
    writeFileSync(path, '-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n');
    const { config } = read({ ...PARTS, DB_SSL_CA_FILE: path });
    expect(config?.sslAuthorities).toContain('BEGIN CERTIFICATE');
  });

  test('a file without a certificate is a fault', () => {
    const path = join(folder, 'empty.pem');
    writeFileSync(path, 'nothing');
    expect(read({ ...PARTS, DB_SSL_CA_FILE: path }).faults).toEqual([
      expect.objectContaining({ value: path, problem: 'the file holds no certificate' }),
    ]);
  });
});

describe('DB_IAM_AUTH', () => {
  const { DB_PASSWORD: _, ...withoutPassword } = PARTS;
  const given = { ...withoutPassword, DB_IAM_AUTH: 'true', AWS_REGION: 'us-gov-west-1' };

  test('takes the place of the password', () => {
    const { config, faults } = read(given);
    expect(faults).toEqual([]);
    expect(config).toMatchObject({ iamRegion: 'us-gov-west-1', password: undefined });
  });

  test.each([
    [{ DB_PASSWORD: 's3cret!' }, 'a password is set as well'],
    [{ DB_SSL: 'disable' }, 'TLS is switched off'],
    [{ AWS_REGION: '' }, 'AWS_REGION is not set'],
  ])('does not go with %j', (change, problem) => {
    const { config, faults } = read({ ...given, ...change });
    expect(config).toBeUndefined();
    expect(faults).toEqual([expect.objectContaining({ variable: 'DB_IAM_AUTH', problem })]);
  });
});

test.each([
  ['JSON', (secret: Secret) => JSON.stringify({ secret })],
  ['a template', (secret: Secret) => `${secret}`],
  ['the console', (secret: Secret) => inspect({ secret }, { depth: 9, showHidden: true })],
])('%s does not show a secret', (_where, show) => {
  expect(show(new Secret('geheim'))).not.toContain('geheim');
});

test('a secret is given out when asked', () => {
  expect(new Secret('geheim').reveal()).toBe('geheim');
});
