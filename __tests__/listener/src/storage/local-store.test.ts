import { createHash } from 'node:crypto';
import { appendFile, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createLocalStore, localPath } from '../../../../listener/src/storage/local-store.ts';
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

test('reading a small file takes no more memory than the file', async () => {
  const { store } = await storeWith({ 'a.csv': 'n'.repeat(50_000) });
  const { bytes } = await store.open({ bucket: 'ignored', key: 'a.csv' }, never);
  for await (const chunk of bytes) expect(chunk.buffer.byteLength).toBeLessThan(66_000);
});

test('a file that is not there is gone', async () => {
  const { store } = await storeWith({});
  await expect(store.open({ bucket: 'bucket', key: 'a.csv' }, never)).rejects.toMatchObject({
    code: 'object-gone',
  });
});

test('a folder is not an object', async () => {
  const { store } = await storeWith({ 'bucket/folder/a.csv': '' });
  await expect(store.open({ bucket: 'bucket', key: 'folder' }, never)).rejects.toMatchObject({
    code: 'object-gone',
  });
});

test('a bucket that is not a folder name leads nowhere', async () => {
  const { store } = await storeWith({ 'inner/b/x.csv': '', 'a.csv': 'outside' });
  const inner = createLocalStore(`${(await storeWith({})).root}`);
  await expect(inner.open({ bucket: '..', key: 'a.csv' }, never)).rejects.toMatchObject({
    code: 'object-gone',
  });
  await expect(store.open({ bucket: 'inner/b', key: 'x.csv' }, never)).rejects.toMatchObject({
    code: 'object-gone',
  });
});

test('a file that has changed since its event is replaced', async () => {
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

test('a file of another size than its event says is replaced', async () => {
  const { store } = await storeWith({ 'bucket/a.csv': 'one' });
  const object = { bucket: 'bucket', key: 'a.csv' };
  expect(await textOf(await store.open({ ...object, sizeBytes: 3 }, never))).toBe('one');
  await expect(store.open({ ...object, sizeBytes: 4 }, never)).rejects.toMatchObject({
    code: 'object-replaced',
  });
});

// What the kernel makes up while it is read has a size of 0.
test.runIf(process.platform === 'linux')(
  'another number of bytes than the size of the file is technical',
  async () => {
    const store = createLocalStore('/proc');
    const opened = await store.open({ bucket: 'none', key: 'version' }, never);
    await expect(textOf(opened)).rejects.toMatchObject({
      name: 'StoreError',
      message: expect.stringMatching(/^\/proc\/version can't be read: \d+ bytes came of 0$/),
    });
  },
);

test('a link that took the place of a file is technical, and not followed', async () => {
  const { root, store } = await storeWith({ 'bucket/a.csv': 'one', 'bucket/b.csv': 'two' });
  const opened = await store.open({ bucket: 'bucket', key: 'a.csv' }, never);
  await rm(join(root, 'bucket/a.csv'));
  await symlink('b.csv', join(root, 'bucket/a.csv'));
  await expect(textOf(opened)).rejects.toMatchObject({ name: 'StoreError' });
});

test('a file has no checksum that its bytes could be compared with', async () => {
  const { store } = await storeWith({ 'bucket/a.csv': 'one' });
  const opened = await store.open({ bucket: 'bucket', key: 'a.csv' }, never);
  expect(await opened.compareChecksum('')).toStrictEqual({
    status: 'not checked',
    algorithm: null,
    reason: 'A folder keeps no checksums.',
  });
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

test('a report is written below its bucket, its folders made', async () => {
  const { root, store } = await storeWith({ 'bucket/a.csv': 'one' });
  await store.write({ bucket: 'bucket', key: 'reports/from/a.csv.json' }, '{}\n', never);
  expect(await readFile(join(root, 'bucket/reports/from/a.csv.json'), 'utf8')).toBe('{}\n');
});

test('without a folder for the bucket, a report is written below the root', async () => {
  const { root, store } = await storeWith({ 'a.csv': 'one' });
  await store.write({ bucket: 'ignored', key: 'reports/a.csv.json' }, '{}\n', never);
  expect(await readFile(join(root, 'reports/a.csv.json'), 'utf8')).toBe('{}\n');
});

test('a report takes the place of the one before, and nothing else is left', async () => {
  const { root, store } = await storeWith({ 'bucket/reports/a.json': 'longer than the next' });
  await store.write({ bucket: 'bucket', key: 'reports/a.json' }, '{}\n', never);
  expect(await readFile(join(root, 'bucket/reports/a.json'), 'utf8')).toBe('{}\n');
  expect(await readdir(join(root, 'bucket/reports'))).toEqual(['a.json']);
});

test('a writing that fails leaves nothing behind and names the object', async () => {
  const { root, store } = await storeWith({ 'bucket/reports/a.json/b': 'in the way' });
  const write = store.write({ bucket: 'bucket', key: 'reports/a.json' }, '{}\n', never);
  await expect(write).rejects.toMatchObject({
    name: 'StoreError',
    message: expect.stringContaining("bucket/reports/a.json can't be written"),
  });
  expect(await readdir(join(root, 'bucket/reports'))).toEqual(['a.json']);
});

test('a linked folder that leads out is not written into, nor is a folder made there', async () => {
  const { root, store } = await storeWith({ 'bucket/a.csv': 'one' });
  const outside = await temporaryFolder();
  await symlink(outside, join(root, 'bucket/reports'));
  const write = store.write({ bucket: 'bucket', key: 'reports/from/a.json' }, '{}\n', never);
  await expect(write).rejects.toThrow('it leads out of');
  expect(await readdir(outside)).toEqual([]);
});

test('a link in the place of a report is replaced, and its target is left alone', async () => {
  const { root, store } = await storeWith({ 'bucket/a.csv': 'one' });
  await symlink(join(root, 'bucket/a.csv'), join(root, 'bucket/a.json'));
  await store.write({ bucket: 'bucket', key: 'a.json' }, '{}\n', never);
  expect(await readFile(join(root, 'bucket/a.csv'), 'utf8')).toBe('one');
});

test.each(['../a.json', '/a.json', 'reports//a.json', 'a\\b.json'])(
  'the key %j is not written',
  async (key) => {
    const { store } = await storeWith({ 'bucket/a.csv': 'one' });
    const write = store.write({ bucket: 'bucket', key }, '{}\n', never);
    await expect(write).rejects.toThrow('it is not a local file');
  },
);

test('an aborted signal keeps a report from being written', async () => {
  const { root, store } = await storeWith({ 'bucket/a.csv': 'one' });
  const signal = AbortSignal.abort(new Error('shutdown'));
  const write = store.write({ bucket: 'bucket', key: 'a.json' }, '{}\n', signal);
  await expect(write).rejects.toThrow(/^shutdown$/);
  expect(await readdir(join(root, 'bucket'))).toEqual(['a.csv']);
});

/** `root` with a file, beside a secret. */
async function folders(): Promise<string> {
  const folder = await temporaryFolder();
  const root = join(folder, 'root');
  await mkdir(join(root, 'a b'), { recursive: true });
  await writeFile(join(root, 'a b', 'file.csv'), 'x');
  await writeFile(join(folder, 'secret.csv'), 'x');
  return root;
}

test('a key is a path below the folder', async () => {
  const root = await folders();
  expect(await localPath(root, 'a b/file.csv')).toStrictEqual({
    path: join(root, 'a b', 'file.csv'),
  });
});

test.each([
  ['..', '../secret.csv'],
  ['.. further down', 'a b/../../secret.csv'],
  ['.. that stays inside', 'a b/../a b/file.csv'],
  ['an absolute path', '/etc/passwd'],
  ['a NUL', 'a b/file.csv\0'],
  ['a backslash', '..\\secret.csv'],
  ['an empty segment', 'a b//file.csv'],
  ['a lone dot', 'a b/./file.csv'],
  ['nothing at all', ''],
  ['a file as a folder', 'a b/file.csv/more'],
  ['a name no file system takes', 'x'.repeat(1000)],
])('a key with %s is not a file', async (_, key) => {
  expect(await localPath(await folders(), key)).toStrictEqual({ missing: expect.any(String) });
});

test('a link that leads out of the folder is refused', async () => {
  const root = await folders();
  await symlink('../secret.csv', join(root, 'link.csv'));
  expect(await localPath(root, 'link.csv')).toStrictEqual({
    missing: expect.stringContaining('leads out of'),
  });
});

test('a linked folder that leads out of the folder is refused', async () => {
  const root = await folders();
  await symlink('..', join(root, 'up'));
  expect(await localPath(root, 'up/secret.csv')).toHaveProperty('missing');
});

test('a link that stays inside is followed', async () => {
  const root = await folders();
  await symlink('a b/file.csv', join(root, 'link.csv'));
  expect(await localPath(root, 'link.csv')).toStrictEqual({ path: join(root, 'a b', 'file.csv') });
});

test('links that lead to each other are not a file', async () => {
  const root = await folders();
  await symlink('two', join(root, 'one'));
  await symlink('one', join(root, 'two'));
  expect(await localPath(root, 'one')).toHaveProperty('missing');
});

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const copying = { sha256: null, onUpload: async () => undefined, signal: never };

test('a file is copied below its bucket, its bytes compared', async () => {
  const { root, store } = await storeWith({ 'bucket/a.csv': 'content', 'checked/x': '' });
  const checksum = await store.copy(
    { bucket: 'bucket', key: 'a.csv' },
    { bucket: 'checked', key: 'nm/accepted/a.csv' },
    { ...copying, sha256: sha256('content') },
  );
  expect(checksum).toEqual({ status: 'compared', algorithm: 'SHA256', reason: null });
  expect(await readFile(join(root, 'checked/nm/accepted/a.csv'), 'utf8')).toBe('content');
});

test('a file that is another one than was judged is not copied, and nothing is left', async () => {
  const { root, store } = await storeWith({ 'bucket/a.csv': 'other', 'checked/x': '' });
  const copied = store.copy(
    { bucket: 'bucket', key: 'a.csv' },
    { bucket: 'checked', key: 'a.csv' },
    { ...copying, sha256: sha256('content') },
  );
  await expect(copied).rejects.toThrow(/checked\/a\.csv can't be written.*SHA-256/);
  expect(await readdir(join(root, 'checked'))).toEqual(['x']);
});

test('a file that is gone is not copied', async () => {
  const { store } = await storeWith({});
  const target = { bucket: 'checked', key: 'a.csv' };
  const copied = store.copy({ bucket: 'bucket', key: 'a.csv' }, target, copying);
  await expect(copied).rejects.toMatchObject({ code: 'object-gone' });
});

test('a copy does not lead out of the folder', async () => {
  const { store } = await storeWith({ 'bucket/a.csv': 'content' });
  const target = { bucket: 'bucket', key: '../../a.csv' };
  const copied = store.copy({ bucket: 'bucket', key: 'a.csv' }, target, copying);
  await expect(copied).rejects.toThrow('it has the segment ".."');
});
