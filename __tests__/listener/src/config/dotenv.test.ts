import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { loadDotEnv } from '../../../../listener/src/config/dotenv.ts';

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

test('a folder without the file is no fault', () => {
  expect(loadDotEnv(folder)).toBe(false);
});
