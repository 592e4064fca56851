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
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { replaceFile } from '../../../../src/operations/tfvars/replace-file.ts';

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
