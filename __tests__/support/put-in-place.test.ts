import { existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { temporaryFolder } from '../listener/support/temporary-folder.ts';
import { putInPlace } from './put-in-place.ts';

let finished: string;
let place: string;
beforeEach(async () => {
  const cache = await temporaryFolder();
  finished = join(cache, 'place.abc');
  place = join(cache, 'place');
  await folderWith(finished, 'whole');
});

async function folderWith(path: string, ...files: string[]): Promise<void> {
  await mkdir(path);
  for (const file of files) await writeFile(join(path, file), '');
}

const put = () => putInPlace(finished, place, () => existsSync(join(place, 'whole')));

it('takes a free place', async () => {
  await put();
  expect(await readdir(place)).toEqual(['whole']);
});

it('replaces what is broken', async () => {
  await folderWith(place, 'half');
  await put();
  expect(await readdir(place)).toEqual(['whole']);
});

it('leaves what another run has made', async () => {
  await folderWith(place, 'theirs', 'whole');
  await put();
  expect(await readdir(place)).toEqual(['theirs', 'whole']);
});
