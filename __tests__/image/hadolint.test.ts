import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { pythonEnvironment } from '../support/python-environment.ts';
import { ROOT } from '../support/run-main.ts';
import { run } from '../support/run-program.ts';

const DOCKERFILE = join(ROOT, 'listener/Dockerfile');

let hadolint: string;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hadolint-'));
  writeFileSync(join(folder, 'nothing-ignored.yaml'), 'ignored: []\n');
  const requirements = join(ROOT, 'test-support/hadolint/requirements.txt');
  hadolint = join(dirname(await pythonEnvironment(requirements)), 'hadolint');
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const lint = (file: string) =>
  run(hadolint, ['--no-color', '--config', join(folder, 'nothing-ignored.yaml'), file]);

it('hadolint finds nothing in the Dockerfile, and nothing is ignored', async () => {
  expect(await lint(DOCKERFILE)).toEqual({ exitCode: 0, stdout: '', stderr: '' });
  expect(readFileSync(DOCKERFILE, 'utf8')).not.toContain('hadolint');
});

it('hadolint finds a planted fault', async () => {
  const file = join(folder, 'Dockerfile');
  writeFileSync(file, `${readFileSync(DOCKERFILE, 'utf8')}USER root\n`);
  const { exitCode, stdout } = await lint(file);
  expect(stdout).toContain('DL3002');
  expect(exitCode).toBe(1);
});
