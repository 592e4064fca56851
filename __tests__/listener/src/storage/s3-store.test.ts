import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ObjectStore, OpenedObject } from '../../../../listener/src/storage/object-store.ts';
import { createS3Store } from '../../../../listener/src/storage/s3-store.ts';
import { type ServedObject, startS3Server } from '../../support/s3-server.ts';

const never = new AbortController().signal;
const objects: Record<string, ServedObject> = {};
let server: Awaited<ReturnType<typeof startS3Server>>;
let store: ObjectStore;

beforeEach(async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  objects['bucket/a b.csv'] = { body: 'a,b\n1,2\n', eTag: 'e1', versionId: 'v1' };
  server = await startS3Server(objects);
  store = createS3Store({ region: 'us-gov-west-1', endpoint: server.endpoint });
});
afterEach(async () => {
  store.close();
  await server.close();
  vi.unstubAllEnvs();
});

async function textOf({ bytes }: OpenedObject): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

test('an object is read with what identifies it', async () => {
  const opened = await store.open({ bucket: 'bucket', key: 'a b.csv' }, never);
  expect(opened).toMatchObject({ sizeBytes: 8, versionId: 'v1', eTag: 'e1' });
  expect(await textOf(opened)).toBe('a,b\n1,2\n');
});

test('the version of the event is asked for', async () => {
  await textOf(await store.open({ bucket: 'bucket', key: 'a b.csv', versionId: 'v1' }, never));
  expect(server.requests.at(-1)).toContain('versionId=v1');
});

test('a version of the event that is gone is gone, whatever the key holds now', async () => {
  const open = store.open({ bucket: 'bucket', key: 'a b.csv', versionId: 'v0' }, never);
  await expect(open).rejects.toMatchObject({ code: 'object-gone' });
});

test('a key that is gone is gone', async () => {
  const open = store.open({ bucket: 'bucket', key: 'other.csv' }, never);
  await expect(open).rejects.toMatchObject({
    code: 'object-gone',
    message: 's3://bucket/other.csv is gone',
  });
});

test('another content than the ETag of the event is replaced', async () => {
  const open = store.open({ bucket: 'bucket', key: 'a b.csv', eTag: 'e0' }, never);
  await expect(open).rejects.toMatchObject({ code: 'object-replaced' });
});

test('the ETag of the event is read', async () => {
  const opened = await store.open({ bucket: 'bucket', key: 'a b.csv', eTag: 'e1' }, never);
  expect(await textOf(opened)).toBe('a,b\n1,2\n');
});

test('denied access is technical and names the object', async () => {
  const open = store.open({ bucket: 'bucket', key: 'AccessDenied.csv' }, never);
  await expect(open).rejects.toMatchObject({
    name: 'StoreError',
    message: "s3://bucket/AccessDenied.csv can't be read: AccessDenied",
  });
});

test('a store that does not answer is technical and names the object', async () => {
  const away = createS3Store({ region: 'us-gov-west-1', endpoint: 'http://127.0.0.1:1' });
  const open = away.open({ bucket: 'bucket', key: 'a.csv' }, never);
  await expect(open).rejects.toMatchObject({
    name: 'StoreError',
    message: expect.stringMatching(/^s3:\/\/bucket\/a\.csv can't be read: .*ECONNREFUSED/),
  });
  away.close();
});

test('a connection that breaks again and again is technical and names the object', async () => {
  objects['bucket/broken.csv'] = { body: 'a,b\n1,2\n', eTag: 'e1', fault: 'cut' };
  const opened = await store.open({ bucket: 'bucket', key: 'broken.csv' }, never);
  await expect(textOf(opened)).rejects.toMatchObject({
    name: 'StoreError',
    message: expect.stringContaining("s3://bucket/broken.csv can't be read"),
  });
});

test('a report is written whole, as JSON', async () => {
  await store.write({ bucket: 'bucket', key: 'reports/a b.csv.json' }, '{"ä":1}\n', never);
  expect(objects['bucket/reports/a b.csv.json']).toMatchObject({
    body: '{"ä":1}\n',
    contentType: 'application/json',
  });
});

test('a page is written as HTML, so that a browser shows it', async () => {
  await store.write({ bucket: 'bucket', key: 'reports/a.csv.html' }, '<!doctype html>', never);
  expect(objects['bucket/reports/a.csv.html']).toMatchObject({
    contentType: 'text/html; charset=utf-8',
  });
});

test('a report that may not be written is technical and names its key', async () => {
  const write = store.write({ bucket: 'bucket', key: 'AccessDenied.json' }, '{}', never);
  await expect(write).rejects.toMatchObject({
    name: 'StoreError',
    message: "s3://bucket/AccessDenied.json can't be written: AccessDenied",
  });
});

test('an object takes one request, and from 16 MiB on one for each 8 MiB of it; a report takes one', async () => {
  const MIB = 2 ** 20;
  const requestsFor = async (mebibytes: number) => {
    objects['bucket/large.csv'] = { body: Buffer.alloc(mebibytes * MIB, 'a'), eTag: 'e1' };
    const before = server.requests.length;
    await textOf(await store.open({ bucket: 'bucket', key: 'large.csv' }, never));
    return server.requests.length - before;
  };
  expect(await requestsFor(15)).toBe(1);
  expect(await requestsFor(20)).toBe(3);
  const before = server.requests.length;
  await store.write({ bucket: 'bucket', key: 'report.json' }, '{}', never);
  expect(server.requests.length - before).toBe(1);
});

test('an aborted signal ends a writing with its reason', async () => {
  const signal = AbortSignal.abort(new Error('shutdown'));
  const write = store.write({ bucket: 'bucket', key: 'never.json' }, '{}', signal);
  await expect(write).rejects.toThrow(/^shutdown$/);
  expect(objects).not.toHaveProperty(['bucket/never.json']);
});

test('an aborted signal ends a read that stalls', async () => {
  const gate = Promise.withResolvers<void>();
  objects['bucket/slow.csv'] = { body: 'a,b\n1,2\n', eTag: 'e1', gate: gate.promise };
  const controller = new AbortController();
  const opened = await store.open({ bucket: 'bucket', key: 'slow.csv' }, controller.signal);
  const reading = textOf(opened);
  controller.abort(new Error('shutdown'));
  await expect(reading).rejects.toThrow();
  gate.resolve();
});
