import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  ConfigError,
  loadDotEnv,
  variableReader,
} from '../../../../listener/src/config/read-variables.ts';

test('the message has one line a fault, with value, problem and what is allowed', () => {
  const error = new ConfigError([
    { variable: 'PORT', value: 'x', allowed: 'a number' },
    { variable: 'DB_HOST', problem: 'is required and not set', allowed: 'a host name' },
  ]);
  expect(error.message).toBe(
    [
      '2 faults in the environment:',
      '- PORT="x": not allowed; allowed: a number',
      '- DB_HOST: is required and not set; allowed: a host name',
    ].join('\n'),
  );
});

test('a long value is cut in the message', () => {
  const error = new ConfigError([
    { variable: 'S3_BUCKETS', value: '['.repeat(100_000), allowed: 'a list' },
  ]);
  expect(error.message).toBe(
    `1 fault in the environment:\n- S3_BUCKETS="${'['.repeat(119)}…: not allowed; allowed: a list`,
  );
});

const folder = mkdtempSync(join(tmpdir(), 'read-variables-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

test('a mounted secret is read, without the end of its line', () => {
  const reader = variableReader({ DB_PASSWORD_FILE: file('password', ' pass word \n') });
  expect(reader.optional('DB_PASSWORD')).toBe(' pass word ');
});

test('a mounted host is read without blanks', () => {
  const reader = variableReader({ DB_HOST_FILE: file('host', ' db.internal \n') });
  expect(reader.optional('DB_HOST')).toBe('db.internal');
});

test('a variable and its file together are a fault', () => {
  const reader = variableReader({ DB_PASSWORD: 'geheim', DB_PASSWORD_FILE: file('p', 'geheim') });
  expect(reader.optional('DB_PASSWORD')).toBeUndefined();
  expect(reader.faults).toEqual([
    expect.objectContaining({
      variable: 'DB_PASSWORD_FILE',
      problem: 'DB_PASSWORD is set as well',
    }),
  ]);
  expect(JSON.stringify(reader.faults)).not.toContain('geheim');
});

test.each([
  ['missing', 'there is no such file'],
  ['.', 'it is a folder'],
])('a mounted secret that cannot be read is a fault (%s)', (name, problem) => {
  const path = join(folder, name);
  const reader = variableReader({ DB_PASSWORD_FILE: path });
  expect(reader.optional('DB_PASSWORD')).toBeUndefined();
  expect(reader.faults).toEqual([
    expect.objectContaining({ variable: 'DB_PASSWORD_FILE', value: path, problem }),
  ]);
});

test('an empty file is a fault', () => {
  const reader = variableReader({ DB_PASSWORD_FILE: file('empty', '\n') });
  reader.optional('DB_PASSWORD');
  expect(reader.faults).toEqual([expect.objectContaining({ problem: 'the file is empty' })]);
});

test('only variables that hold secrets or their company may come as a file', () => {
  const reader = variableReader({ PORT_FILE: file('port', '1') });
  expect(reader.optional('PORT')).toBe(8080);
});

test('a password in an address that is not a secret is not shown', () => {
  const reader = variableReader({ AWS_ENDPOINT_URL: 'http://me:geheim@host' });
  reader.optional('AWS_ENDPOINT_URL');
  expect(reader.faults).toHaveLength(1);
  expect(JSON.stringify(reader.faults)).not.toContain('geheim');
});

describe('a .env file', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'dotenv-'));
    vi.stubEnv('DOTENV_TEST_SET', 'from the shell');
    vi.stubEnv('DOTENV_TEST_NEW', undefined);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  });

  test('the file adds what is not set and leaves what is', () => {
    writeFileSync(join(folder, '.env'), 'DOTENV_TEST_SET=file\nDOTENV_TEST_NEW=file\n');
    expect(loadDotEnv(folder)).toBe(true);
    expect(process.env.DOTENV_TEST_SET).toBe('from the shell');
    expect(process.env.DOTENV_TEST_NEW).toBe('file');
  });

  test('a folder without the file is not a fault', () => {
    expect(loadDotEnv(folder)).toBe(false);
  });
});
