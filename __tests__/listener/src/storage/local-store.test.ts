import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createLocalStore } from '../../../../listener/src/storage/local-store.ts';
import type { OpenedObject } from '../../../../listener/src/storage/object-store.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const never = new AbortController().signal;

async function storeWith(files: Record<string, string>) {
  const root = await temporaryFolder();
  for (const [path, content] of Object.entries(files)) {
    await mkdir(join(root, path, '..'), { recursive: true });
    await writeFile(join(root, path), content);
  }
  return { root, store: createLocalStore(root) };
}

async function textOf({ bytes }: OpenedObject): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

test('an object is the file below its bucket', async () => {
  const { store } = await storeWith({ 'bucket/from/a.csv': 'in bucket', 'from/a.csv': 'in root' });
  const opened = await store.open({ bucket: 'bucket', key: 'from/a.csv' }, never);
  expect(await textOf(opened)).toBe('in bucket');
  expect(opened.sizeBytes).toBe(9);
});

test('without a folder for the bucket, the key counts from the root', async () => {
  const { store } = await storeWith({ 'from/a.csv': 'in root' });
  expect(await textOf(await store.open({ bucket: 'ignored', key: 'from/a.csv' }, never))).toBe(
    'in root',
  );
});

test('a file that is not there is gone', async () => {
  const { store } = await storeWith({});
  await expect(store.open({ bucket: 'bucket', key: 'a.csv' }, never)).rejects.toMatchObject({
    code: 'object-gone',
  });
});

test('a folder is no object', async () => {
  const { store } = await storeWith({ 'bucket/folder/a.csv': '' });
  await expect(store.open({ bucket: 'bucket', key: 'folder' }, never)).rejects.toMatchObject({
    code: 'object-gone',
  });
});

test('a bucket that is no folder name leads nowhere', async () => {
  const { store } = await storeWith({ 'inner/b/x.csv': '', 'a.csv': 'outside' });
  const inner = createLocalStore(`${(await storeWith({})).root}`);
  await expect(inner.open({ bucket: '..', key: 'a.csv' }, never)).rejects.toMatchObject({
    code: 'object-gone',
  });
  await expect(store.open({ bucket: 'inner/b', key: 'x.csv' }, never)).rejects.toMatchObject({
    code: 'object-gone',
  });
});

test('a file that has changed since it was announced is replaced', async () => {
  const { root, store } = await storeWith({ 'bucket/a.csv': 'one' });
  const { eTag } = await store.open({ bucket: 'bucket', key: 'a.csv' }, never);
  await appendFile(join(root, 'bucket/a.csv'), 'more');
  await expect(store.open({ bucket: 'bucket', key: 'a.csv', eTag }, never)).rejects.toMatchObject({
    code: 'object-replaced',
  });
});

test('a file that changes while it is read is replaced', async () => {
  const { root, store } = await storeWith({ 'bucket/a.csv': 'one' });
  const opened = await store.open({ bucket: 'bucket', key: 'a.csv' }, never);
  await appendFile(join(root, 'bucket/a.csv'), 'more');
  await expect(textOf(opened)).rejects.toMatchObject({ code: 'object-replaced' });
});

test('the ETag of an S3 event is not compared with a local file', async () => {
  const { store } = await storeWith({ 'bucket/a.csv': 'one' });
  const eTag = 'd41d8cd98f00b204e9800998ecf8427e';
  expect(await textOf(await store.open({ bucket: 'bucket', key: 'a.csv', eTag }, never))).toBe(
    'one',
  );
});

test('an aborted signal ends the reading with its reason', async () => {
  const { store } = await storeWith({ 'bucket/a.csv': 'one' });
  const controller = new AbortController();
  const opened = await store.open({ bucket: 'bucket', key: 'a.csv' }, controller.signal);
  controller.abort(new Error('shutdown'));
  await expect(textOf(opened)).rejects.toThrow('shutdown');
});
