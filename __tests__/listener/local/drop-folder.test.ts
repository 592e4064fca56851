import { appendFile, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  filesIn,
  type Pause,
  prepareDropFolder,
  sampleKey,
  watchDropFolder,
} from '../../../listener/local/drop-folder.ts';
import { eventually } from '../../support/eventually.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

async function watched(files: readonly string[] = [], pause?: Pause) {
  const root = await temporaryFolder();
  for (const file of files) await writeFile(join(root, file), 'abc');
  const seen: string[] = [];
  const unnamed: string[] = [];
  const errors: unknown[] = [];
  const folder = watchDropFolder(root, {
    onFile: (path) => seen.push(path.slice(root.length + 1)),
    onNotUtf8: (path) => unnamed.push(path.slice(root.length + 1)),
    onError: (error) => errors.push(error),
    ...(pause === undefined ? {} : { pause }),
  });
  onTestFinished(() => folder.close());
  await folder.ready;
  const sees = (...expected: string[]) =>
    eventually(() => expect([...seen].sort()).toEqual(expected));
  const names = (...expected: string[]) =>
    eventually(() => expect([...unnamed].sort()).toEqual(expected));
  return { root, seen, errors, sees, names };
}

test('files that are there are reported', async () => {
  const { sees } = await watched(['a.csv', 'b.csv']);
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
  const { root, sees } = await watched(['a.csv']);
  await sees('a.csv');
  await appendFile(join(root, 'a.csv'), 'more');
  await sees('a.csv', 'a.csv');
});

/** Pauses that end when the test says so. */
function manualPauses() {
  const pauses: (() => void)[] = [];
  return {
    pause: () => new Promise<void>((resolve) => pauses.push(resolve)),
    /** Waits until the pause of this number has begun. */
    begun: (number: number) =>
      eventually(() => expect(pauses.length).toBeGreaterThanOrEqual(number)),
    end: (number: number) => pauses[number - 1]?.(),
    endAll: () => {
      for (const end of pauses) end();
    },
  };
}

test.each([
  ['a new file', []],
  ['a file that is there', ['a.csv']],
])('%s is not reported before it stops growing', async (_, there) => {
  const { pause, begun, end, endAll } = manualPauses();
  const { root, seen } = await watched(there, pause);
  const path = join(root, 'a.csv');
  for (const round of [1, 2]) {
    await appendFile(path, '1\n');
    await begun(round);
    await appendFile(path, '2\n');
    end(round);
  }
  await begun(3);
  expect(seen).toEqual([]);
  await eventually(() => {
    endAll();
    expect(seen).toEqual(['a.csv']);
  });
});

test('a file that is gone before its end is nothing to report', async () => {
  const { pause, begun, endAll } = manualPauses();
  const { root, seen, errors } = await watched(['a.csv', 'b.csv'], pause);
  await begun(2);
  await rm(join(root, 'a.csv'));
  await eventually(() => {
    endAll();
    expect(seen).toEqual(['b.csv']);
  });
  expect(errors).toEqual([]);
});

test('hidden files are not reported', async () => {
  const { root, sees } = await watched(['.hidden', 'a.csv']);
  await mkdir(join(root, '.git'));
  await writeFile(join(root, '.git', 'index'), 'abc');
  await writeFile(join(root, 'b.csv'), 'abc');
  await sees('a.csv', 'b.csv');
});

test('the list of files is sorted, without hidden ones and links', async () => {
  const root = await temporaryFolder();
  await mkdir(join(root, 'z'));
  for (const name of ['z/b.csv', 'a.csv', '.hidden']) await writeFile(join(root, name), '');
  expect((await filesIn(root)).paths).toEqual([join(root, 'a.csv'), join(root, 'z/b.csv')]);
});

const settings = {
  buckets: [{ name: 'bucket', filters: [{ prefix: 'from_client/', suffix: '' }] }],
};

test('the first start has a sample in the bucket', async () => {
  const root = join(await temporaryFolder(), 'data');
  const path = (await prepareDropFolder(root, settings)) ?? '';
  expect((await filesIn(root)).paths).toEqual([path]);
  expect(path).toBe(join(root, 'bucket/from_client/nm_albuquerque/Officer_Detail.csv'));
  expect(await readFile(path, 'utf8')).toContain('officer_id');
});

test('the first start has a folder for each bucket, and a sample in the first', async () => {
  const root = join(await temporaryFolder(), 'data');
  const other = { name: 'other', filters: [{ prefix: 'in/', suffix: '' }] };
  await prepareDropFolder(root, { buckets: [...settings.buckets, other] });
  expect((await filesIn(root)).paths).toEqual([
    join(root, 'bucket/from_client/nm_albuquerque/Officer_Detail.csv'),
  ]);
  expect((await stat(join(root, 'other/in'))).isDirectory()).toBe(true);
});

test('a sample that was removed does not come back', async () => {
  const root = join(await temporaryFolder(), 'data');
  await prepareDropFolder(root, settings);
  for (const path of (await filesIn(root)).paths) await rm(path);
  expect(await prepareDropFolder(root, settings)).toBeUndefined();
  expect((await filesIn(root)).paths).toEqual([]);
});

test('a sample is known as such until somebody changes it', async () => {
  const root = join(await temporaryFolder(), 'data');
  const path = (await prepareDropFolder(root, settings)) ?? '';
  expect(await prepareDropFolder(root, settings)).toBe(path);
  await writeFile(path, 'n\n1\n');
  expect(await prepareDropFolder(root, settings)).toBeUndefined();
});

test.each([
  [{ prefix: 'in/', suffix: '' }, 'in/nm_albuquerque/Officer_Detail.csv'],
  [{ prefix: '', suffix: '.csv' }, 'nm_albuquerque/Officer_Detail.csv'],
  [{ prefix: '', suffix: '.CSV' }, 'nm_albuquerque/Officer_Detail.CSV'],
])('the key of the sample passes the filter %j', (filter, key) => {
  expect(sampleKey([filter])).toBe(key);
});

describe.skipIf(process.platform !== 'linux')('a name that is not UTF-8', () => {
  /** `caf\xE9` in Latin-1 and what follows it, below a folder. */
  const latin1 = (folder: string, end: string) =>
    Buffer.concat([Buffer.from(`${folder}/caf`), Buffer.from([0xe9]), Buffer.from(end)]);

  test('is told once of a file that comes, with its bytes', async () => {
    const { root, seen, errors, sees, names } = await watched();
    await writeFile(latin1(root, '.csv'), 'abc');
    await names('caf\\xE9.csv');
    await appendFile(latin1(root, '.csv'), 'more');
    await writeFile(latin1(root, '\u001b.csv'), 'abc');
    await names('caf\\xE9.csv', 'caf\\xE9\\x1B.csv');
    await writeFile(join(root, 'a.csv'), 'abc');
    await sees('a.csv');
    expect([seen, errors]).toEqual([['a.csv'], []]);
  });

  test('is told of what is there, and its folder is not looked into', async () => {
    const root = await temporaryFolder();
    await mkdir(latin1(root, ''));
    await writeFile(latin1(root, '/a.csv'), 'abc');
    await writeFile(join(root, 'a.csv'), 'abc');
    expect(await filesIn(root)).toEqual({
      paths: [join(root, 'a.csv')],
      notUtf8: [join(root, 'caf\\xE9')],
    });
  });

  test('is told from one that has U+FFFD itself', async () => {
    const { root, names, sees } = await watched(['caf\uFFFD.csv']);
    await sees('caf\uFFFD.csv');
    await writeFile(latin1(root, '.csv'), 'abc');
    await names('caf\\xE9.csv');
  });
});
