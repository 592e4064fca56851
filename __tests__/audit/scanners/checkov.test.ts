import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { findCheckov, writeViews } from '../../../audit/scanners/checkov.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'find-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function program(path: string, mode = 0o755): string {
  const file = join(folder, path, 'checkov');
  mkdirSync(join(folder, path), { recursive: true });
  writeFileSync(file, '#!/bin/sh\n');
  chmodSync(file, mode);
  return file;
}

describe('checkov', () => {
  it('is the program that CHECKOV names, before all others', () => {
    const named = program('named');
    program('.checkov/bin');
    expect(findCheckov(folder, { CHECKOV: named, PATH: '' })).toBe(named);
  });

  it("is the one in the checkout's .checkov, before the path", () => {
    const own = program('.checkov/bin');
    program('bin');
    expect(findCheckov(folder, { PATH: join(folder, 'bin') })).toBe(own);
  });

  it('is the first one on the path that can be run', () => {
    program('plain', 0o644);
    const found = program('second');
    const PATH = [join(folder, 'plain'), join(folder, 'second')].join(delimiter);
    expect(findCheckov(folder, { PATH })).toBe(found);
  });

  it('may be missing', () => {
    expect(findCheckov(folder, { PATH: join(folder, 'nowhere') })).toBeUndefined();
    expect(findCheckov(folder, {})).toBeUndefined();
  });

  it('is not looked for elsewhere when CHECKOV names no program', () => {
    program('bin');
    expect(() =>
      findCheckov(folder, { CHECKOV: join(folder, 'typo'), PATH: join(folder, 'bin') }),
    ).toThrow('must be a program');
  });
});

it('names each manifest after its resource, so that a verdict leads back to it', () => {
  const manifest = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'n' } };
  writeViews(folder, { format_version: '1.2' }, [
    { stack: 'app', address: 'kubernetes_namespace_v1.n', manifest },
  ]);
  expect(readdirSync(join(folder, 'manifests'))).toEqual(['kubernetes_namespace_v1.n.yaml']);
  const text = readFileSync(join(folder, 'manifests/kubernetes_namespace_v1.n.yaml'), 'utf8');
  expect(parse(text)).toEqual(manifest);
  expect(JSON.parse(readFileSync(join(folder, 'plan.json'), 'utf8'))).toStrictEqual({
    format_version: '1.2',
  });
});
