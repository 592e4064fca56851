import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, test } from 'vitest';
import { removedAtExit, replaceFile } from '../../../src/operations/files.ts';
import { ROOT } from '../../support/run-main.ts';

let file: string;
beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), 'replace-file-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  file = join(folder, 'a.tfvars');
  writeFileSync(file, 'db_password = "marker"\n');
});

describe('a file that is replaced', () => {
  it('has the new text, and nothing lies beside it', () => {
    replaceFile(file, 'new');
    expect(readFileSync(file, 'utf8')).toBe('new');
    expect(existsSync(`${file}.new`)).toBe(false);
  });

  it('can be read by nobody who could not read it before', () => {
    chmodSync(file, 0o600);
    replaceFile(file, 'new');
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('stays a link where it was one', () => {
    const link = `${file}.link`;
    symlinkSync(file, link);
    replaceFile(link, 'new');
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(readFileSync(file, 'utf8')).toBe('new');
  });

  it('keeps its text, and the other file too, where the place beside it is taken', () => {
    writeFileSync(`${file}.new`, 'of somebody else');
    expect(() => replaceFile(file, 'new')).toThrow('EEXIST');
    expect(readFileSync(file, 'utf8')).toContain('marker');
    expect(readFileSync(`${file}.new`, 'utf8')).toBe('of somebody else');
  });
});

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'removed-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

describe('a file or folder for the time of some work', () => {
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
    const module = join(ROOT, 'src/operations/files.ts');
    const program = `
      const { removedAtExit } = await import(${JSON.stringify(module)});
      await removedAtExit(${JSON.stringify(path)}, async () => process.exit(130));
    `;
    const { status } = spawnSync(process.execPath, ['--input-type=module', '-e', program]);
    expect(status).toBe(130);
    expect(existsSync(path)).toBe(false);
  });
});
