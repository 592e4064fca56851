import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { removedAtExit } from '../../../../src/operations/terraform/removed-at-exit.ts';
import { ROOT } from '../../../support/run-main.ts';

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'removed-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

test('it is there during the work and gone afterwards', async () => {
  const file = join(folder(), 'plan');
  const there = await removedAtExit(file, async () => {
    writeFileSync(file, 'plan');
    return existsSync(file);
  });
  expect(there).toBe(true);
  expect(existsSync(file)).toBe(false);
});

test('it is gone when the work fails', async () => {
  const path = folder();
  const work = removedAtExit(path, () => Promise.reject(new Error('no')));
  await expect(work).rejects.toThrow('no');
  expect(existsSync(path)).toBe(false);
});

test('it is gone when the process ends in the middle of the work', () => {
  const path = folder();
  const module = join(ROOT, 'src/operations/terraform/removed-at-exit.ts');
  const program = `
    const { removedAtExit } = await import(${JSON.stringify(module)});
    await removedAtExit(${JSON.stringify(path)}, async () => process.exit(130));
  `;
  const { status } = spawnSync(process.execPath, ['--input-type=module', '-e', program]);
  expect(status).toBe(130);
  expect(existsSync(path)).toBe(false);
});
