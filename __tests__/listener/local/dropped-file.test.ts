import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { objectCreatedEvent, readS3Event } from '@file-processing/contract/s3-event.ts';
import { expect, test } from 'vitest';
import { droppedFile } from '../../../listener/local/dropped-file.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

async function dropped(key: string) {
  const root = await temporaryFolder();
  const path = join(root, 'bucket', key);
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, 'abc');
  return { root, path, file: await droppedFile(root, path) };
}

test('the first level is the bucket, the rest the key', async () => {
  const { file } = await dropped('from/a.csv');
  expect(file).toMatchObject({ bucket: 'bucket', key: 'from/a.csv', sizeBytes: 3 });
});

test.each([
  ['a file in no bucket', 'a.csv'],
  ['a file that is gone', 'bucket/a.csv'],
])('%s is not an object', async (_, path) => {
  const root = await temporaryFolder();
  await mkdir(join(root, 'bucket'));
  if (path === 'a.csv') await writeFile(join(root, path), '');
  expect(await droppedFile(root, join(root, path))).toBeUndefined();
});

test('a folder is not an object', async () => {
  const { root } = await dropped('from/a.csv');
  expect(await droppedFile(root, join(root, 'bucket', 'from'))).toBeUndefined();
});

test('an unchanged file stays the same object, a changed one is a later one', async () => {
  const { root, path, file } = await dropped('a.csv');
  expect(await droppedFile(root, path)).toEqual(file);
  await utimes(path, new Date(), new Date(Date.now() + 5000));
  const later = await droppedFile(root, path);
  expect(later?.eTag).not.toBe(file?.eTag);
  expect((later?.sequencer ?? '') > (file?.sequencer ?? '')).toBe(true);
});

test.each(['a b/c+d/ä%2F.csv', "it's (1)!*.csv"])('the listener reads the key %s', async (key) => {
  const { file } = await dropped(key);
  if (file === undefined) throw new Error('no file');
  const time = new Date(0);
  const event = JSON.stringify(objectCreatedEvent({ ...file, region: 'us-gov-west-1', time }));
  expect(readS3Event(event, { buckets: [{ prefixes: [] }], reportPrefix: '' })).toMatchObject({
    kind: 'objects',
    objects: [{ ...file, awsRegion: 'us-gov-west-1', eventTime: time.toISOString() }],
  });
});
