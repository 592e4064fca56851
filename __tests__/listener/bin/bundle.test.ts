import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { digestOf, freshBundle } from '../../../listener/bin/bundle.cjs';
import { temporaryFolder } from '../support/temporary-folder.ts';

const FILES = ['listener/src/main.ts', 'quality/inspect.ts'];

let root: string;
let listener: string;

beforeEach(async () => {
  root = await temporaryFolder();
  listener = join(root, 'listener');
  for (const file of FILES) await write(file, file);
  const list = { files: FILES, digest: digestOf(root, FILES) };
  await write('listener/dist/inputs.json', JSON.stringify(list));
});

async function write(file: string, content: string) {
  await mkdir(dirname(join(root, file)), { recursive: true });
  await writeFile(join(root, file), content);
}

it('a bundle is loaded that was made from the sources as they are', () => {
  expect(freshBundle(listener)).toBe(join(listener, 'dist', digestOf(root, FILES), 'main.mjs'));
});

it.each([
  ['a source was changed', () => write('quality/inspect.ts', 'another')],
  [
    'a line went from one source to the next',
    async () => {
      await write('listener/src/main.ts', 'listener/src/main.t');
      await write('quality/inspect.ts', 'squality/inspect.ts');
    },
  ],
  ['a source is gone', () => rm(join(root, 'quality/inspect.ts'))],
  ['its list is gone', () => rm(join(listener, 'dist/inputs.json'))],
  ['its list is cut off', () => write('listener/dist/inputs.json', '{"files": [')],
])('no bundle is loaded where %s', async (_, change) => {
  await change();
  expect(freshBundle(listener)).toBeUndefined();
});
