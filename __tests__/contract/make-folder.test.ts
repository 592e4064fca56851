import { existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeFolder } from '@file-processing/contract/make-folder.ts';
import { afterAll, beforeAll, expect, it } from 'vitest';

let place: string;
beforeAll(() => {
  place = mkdtempSync(join(tmpdir(), 'make-folder-'));
  writeFileSync(join(place, 'file'), '');
  symlinkSync('nowhere', join(place, 'link'));
});
afterAll(() => rmSync(place, { recursive: true }));

it('is made with those that it lies in, and said to be made once', () => {
  expect([makeFolder(join(place, 'a/b/c')), makeFolder(join(place, 'a/b/c/'))]).toEqual([
    true,
    false,
  ]);
  expect(readdirSync(join(place, 'a/b/c'))).toEqual([]);
});

it.each([
  ['file', 'EEXIST'],
  ['file/below', 'ENOTDIR'],
  ['link', 'EEXIST'],
  ['link/below', 'EEXIST'],
  ['caf\uFFFD', 'EILSEQ'],
])(
  'is refused where a file or a link to nothing is in the way, or its name is not UTF-8: %s',
  (name, code) => {
    const before = readdirSync(place);
    expect(() => makeFolder(join(place, name))).toThrow(expect.objectContaining({ code }));
    expect(readdirSync(place)).toEqual(before);
  },
);

it.skipIf(!existsSync('/proc'))(
  'is refused, and not tried for ever, where no folder can be made',
  () => {
    expect(() => makeFolder('/proc/none/below')).toThrow(/ENOENT.*'\/proc\/none'/);
  },
);
