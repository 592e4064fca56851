import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { variableReader } from '../../../../listener/src/config/read-variables.ts';

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
])('a mounted secret that can not be read is a fault (%s)', (name, problem) => {
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

test('a password in an address that is no secret is not shown', () => {
  const reader = variableReader({ AWS_ENDPOINT_URL: 'http://me:geheim@host' });
  reader.optional('AWS_ENDPOINT_URL');
  expect(reader.faults).toHaveLength(1);
  expect(JSON.stringify(reader.faults)).not.toContain('geheim');
});
