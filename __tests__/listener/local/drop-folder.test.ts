import { appendFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import {
  filesIn,
  prepareDropFolder,
  sampleKey,
  watchDropFolder,
} from '../../../listener/local/drop-folder.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

async function watched(...files: string[]) {
  const root = await temporaryFolder();
  for (const file of files) await writeFile(join(root, file), 'abc');
  const seen: string[] = [];
  const errors: unknown[] = [];
  const folder = watchDropFolder(
    root,
    (path) => seen.push(path.slice(root.length + 1)),
    (error) => errors.push(error),
  );
  onTestFinished(() => folder.close());
  await folder.ready;
  const sees = (...expected: string[]) =>
    vi.waitFor(() => expect([...seen].sort()).toEqual(expected), { timeout: 10_000 });
  return { root, seen, errors, sees };
}

test('files that are there are reported', async () => {
  const { sees } = await watched('a.csv', 'b.csv');
  await sees('a.csv', 'b.csv');
});

test('a new file in a new folder is reported', async () => {
  const { root, sees } = await watched();
  await mkdir(join(root, 'bucket/from'), { recursive: true });
  await writeFile(join(root, 'bucket/from/a.csv'), 'abc');
  await sees('bucket/from/a.csv');
});

test('a file that is moved into the folder is reported', async () => {
  const { root, sees } = await watched();
  const elsewhere = await temporaryFolder();
  await writeFile(join(elsewhere, 'a.csv'), 'abc');
  await rename(join(elsewhere, 'a.csv'), join(root, 'a.csv'));
  await sees('a.csv');
});

test('a changed file is reported again', async () => {
  const { root, sees } = await watched('a.csv');
  await sees('a.csv');
  await appendFile(join(root, 'a.csv'), 'more');
  await sees('a.csv', 'a.csv');
});

/** Writes to a file for a second. @returns how often it was reported meanwhile */
async function grow(path: string, seen: readonly string[]): Promise<number> {
  for (let chunk = 0; chunk < 20; chunk += 1) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    await appendFile(path, '1\n');
  }
  return seen.length;
}

test('a new file is not reported before it stops growing', async () => {
  const { root, seen, sees } = await watched();
  expect(await grow(join(root, 'a.csv'), seen)).toBe(0);
  await sees('a.csv');
});

test('a file that is there is not reported before it stops growing', async () => {
  const { root, seen, sees } = await watched('a.csv');
  expect(await grow(join(root, 'a.csv'), seen)).toBe(0);
  await sees('a.csv');
});

test('hidden files are not reported', async () => {
  const { root, sees } = await watched('.hidden', 'a.csv');
  await mkdir(join(root, '.git'));
  await writeFile(join(root, '.git', 'index'), 'abc');
  await writeFile(join(root, 'b.csv'), 'abc');
  await sees('a.csv', 'b.csv');
});

test('the list of files is sorted, without hidden ones and links', async () => {
  const root = await temporaryFolder();
  await mkdir(join(root, 'z'));
  for (const name of ['z/b.csv', 'a.csv', '.hidden']) await writeFile(join(root, name), '');
  expect(await filesIn(root)).toEqual([join(root, 'a.csv'), join(root, 'z/b.csv')]);
});

const settings = { bucket: 'bucket', filters: [{ prefix: 'from_client/', suffix: '' }] };

test('the first start has a sample in the bucket', async () => {
  const root = join(await temporaryFolder(), 'data');
  expect(await prepareDropFolder(root, settings)).toBe(true);
  const [path = ''] = await filesIn(root);
  expect(path).toBe(join(root, 'bucket/from_client/nm_albuquerque/Officer_Detail.csv'));
  expect(await readFile(path, 'utf8')).toContain('officer_id');
});

test('a sample that was removed does not come back', async () => {
  const root = join(await temporaryFolder(), 'data');
  await prepareDropFolder(root, settings);
  for (const path of await filesIn(root)) await rm(path);
  expect(await prepareDropFolder(root, settings)).toBe(false);
  expect(await filesIn(root)).toEqual([]);
});

test.each([
  [{ prefix: 'in/', suffix: '' }, 'in/nm_albuquerque/Officer_Detail.csv'],
  [{ prefix: '', suffix: '.csv' }, 'nm_albuquerque/Officer_Detail.csv'],
  [{ prefix: '', suffix: '.CSV' }, 'nm_albuquerque/Officer_Detail.CSV'],
])('the key of the sample passes the filter %j', (filter, key) => {
  expect(sampleKey([filter])).toBe(key);
});
