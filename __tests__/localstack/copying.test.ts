import { createHash, randomBytes } from 'node:crypto';
import {
  type ChecksumAlgorithm,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  PutObjectTaggingCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type {
  CopyOptions,
  ObjectStore,
  StoredObjectReference,
} from '../../listener/src/storage/object-store.ts';
import { createS3Store } from '../../listener/src/storage/s3-store.ts';
import { credentials, type LocalStack, region } from './support/localstack.ts';
import { sharedLocalStack } from './support/shared-localstack.ts';

const BUCKET = 'copied-from';
const UNVERSIONED = 'copied-from-unversioned';
const TARGET = 'copied-to';
const MIB = 1024 * 1024;
/** Of three parts, where S3 takes no smaller ones. */
const large = randomBytes(2 * 5 * MIB + 1);
const never = new AbortController().signal;

let localStack: LocalStack;
let store: ObjectStore;

beforeAll(async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', credentials.accessKeyId);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', credentials.secretAccessKey);
  localStack = await sharedLocalStack();
  store = createS3Store({
    ...{ region, endpoint: localStack.url },
    copyLimits: { wholeBytes: 5 * MIB, partBytes: 5 * MIB },
  });
  for (const Bucket of [BUCKET, UNVERSIONED, TARGET]) {
    await localStack.s3.send(new CreateBucketCommand({ Bucket }));
  }
  const VersioningConfiguration = { Status: 'Enabled' } as const;
  await localStack.s3.send(
    new PutBucketVersioningCommand({ Bucket: BUCKET, VersioningConfiguration }),
  );
});
afterAll(() => {
  store?.close();
  vi.unstubAllEnvs();
});

/** Puts an object. @returns the state of it */
async function put(
  key: string,
  body: string | Buffer,
  more: Partial<PutObjectCommandInput> = {},
): Promise<StoredObjectReference> {
  const bucket = more.Bucket ?? BUCKET;
  const input = { Bucket: bucket, Key: key, Body: body, ...more };
  const { VersionId, ETag = '' } = await localStack.s3.send(new PutObjectCommand(input));
  return {
    ...{ bucket, key, eTag: ETag.replaceAll('"', ''), sizeBytes: body.length },
    ...(VersionId === undefined ? {} : { versionId: VersionId }),
  };
}

const sha256 = (body: string | Buffer) => createHash('sha256').update(body).digest('hex');

const copy = (source: StoredObjectReference, key: string, options: Partial<CopyOptions> = {}) =>
  store.copy(
    source,
    { bucket: TARGET, key },
    { sha256: null, onUpload: async () => undefined, signal: never, ...options },
  );

async function content(key: string): Promise<Buffer> {
  const { Body } = await localStack.s3.send(new GetObjectCommand({ Bucket: TARGET, Key: key }));
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
}

const uploads = async () =>
  (await localStack.s3.send(new ListMultipartUploadsCommand({ Bucket: TARGET }))).Uploads ?? [];

async function tagsOf(reference: StoredObjectReference): Promise<Record<string, string>> {
  const { bucket, key, versionId } = reference;
  const command = new GetObjectTaggingCommand({ Bucket: bucket, Key: key, VersionId: versionId });
  const { TagSet = [] } = await localStack.s3.send(command);
  return Object.fromEntries(TagSet.map(({ Key, Value }) => [Key ?? '', Value ?? '']));
}

test('the version that was judged is copied, whatever its key holds by now', async () => {
  const first = await put('from_client/a b+ä.csv', 'first', { ContentType: 'text/csv' });
  await put('from_client/a b+ä.csv', 'second');
  const checksum = await copy(first, 'accepted/a b+ä.csv', { sha256: sha256('first') });
  expect(checksum).toEqual({ status: 'compared', algorithm: 'SHA256', reason: null });
  expect((await content('accepted/a b+ä.csv')).toString()).toBe('first');
  const head = new HeadObjectCommand({ Bucket: TARGET, Key: 'accepted/a b+ä.csv' });
  expect(await localStack.s3.send(head)).toMatchObject({ ContentType: 'text/csv' });
});

test('a copy of another content than was judged is an error', async () => {
  const source = await put('other.csv', 'what is there');
  await expect(copy(source, 'other.csv', { sha256: sha256('what was judged') })).rejects.toThrow(
    /can't be copied to s3:\/\/copied-to\/other\.csv: the copy has SHA256/,
  );
});

test('a copy takes over no tags', async () => {
  const source = await put('tagged.csv', 'a', { Tagging: 'owner=county' });
  await copy(source, 'tagged.csv');
  expect(await tagsOf({ bucket: TARGET, key: 'tagged.csv' })).toEqual({});
});

test('where a bucket keeps no versions, an object that was replaced meanwhile is not copied', async () => {
  const judged = await put('a.csv', 'first', { Bucket: UNVERSIONED });
  await put('a.csv', 'other', { Bucket: UNVERSIONED });
  await expect(copy(judged, 'replaced.csv')).rejects.toMatchObject({ code: 'object-replaced' });
  await expect(content('replaced.csv')).rejects.toThrow(/NoSuchKey|does not exist/);
});

test('a version that is gone is not copied', async () => {
  const source = await put('gone.csv', 'a');
  const { bucket: Bucket, key: Key, versionId: VersionId } = source;
  await localStack.s3.send(new DeleteObjectCommand({ Bucket, Key, VersionId }));
  await expect(copy(source, 'gone.csv')).rejects.toMatchObject({ code: 'object-gone' });
});

test('a bucket that is not there is an outage and no object that is gone', async () => {
  const source = await put('b.csv', 'a');
  const target = { bucket: 'not-there', key: 'b.csv' };
  const options = { sha256: null, onUpload: async () => undefined, signal: never };
  await expect(store.copy(source, target, options)).rejects.toThrow('NoSuchBucket');
});

test.each<ChecksumAlgorithm>(['CRC64NVME', 'CRC32', 'CRC32C'])(
  'a large object is copied in parts, and its %s compared',
  async (algorithm) => {
    const source = await put(`large-${algorithm}`, large, {
      ...{ ChecksumAlgorithm: algorithm, ContentType: 'text/csv', Metadata: { county: 'taos' } },
    });
    const onUpload = vi.fn(async () => undefined);
    const checksum = await copy(source, `large-${algorithm}`, { onUpload });
    expect(checksum).toEqual({ status: 'compared', algorithm, reason: null });
    expect((await content(`large-${algorithm}`)).equals(large)).toBe(true);
    expect(onUpload).toHaveBeenCalledTimes(1);
    const head = new HeadObjectCommand({ Bucket: TARGET, Key: `large-${algorithm}` });
    expect(await localStack.s3.send(head)).toMatchObject({
      ...{ ContentType: 'text/csv', Metadata: { county: 'taos' } },
    });
    expect(await uploads()).toEqual([]);
  },
);

test('a large object whose store keeps no checksum of the whole is copied, and that is said', async () => {
  const source = await put('large-sha', large, { ChecksumAlgorithm: 'SHA256' });
  expect(await copy(source, 'large-sha')).toMatchObject({ status: 'not checked' });
  expect((await content('large-sha')).equals(large)).toBe(true);
});

test('the parts of a copy that fails are deleted', async () => {
  const source = await put('large-failed', large);
  const failing = copy(source, 'large-failed', {
    onUpload: async () => {
      throw new Error('the database is away');
    },
  });
  await expect(failing).rejects.toThrow('the database is away');
  expect(await uploads()).toEqual([]);
});

test('the parts that a killed process has left are deleted by the next attempt', async () => {
  const target = { Bucket: TARGET, Key: 'large-left' };
  const { UploadId = '' } = await localStack.s3.send(new CreateMultipartUploadCommand(target));
  await localStack.s3.send(
    new UploadPartCommand({ ...target, UploadId, PartNumber: 1, Body: 'left' }),
  );
  const source = await put('large-left', large);
  await copy(source, 'large-left', { leftUpload: UploadId });
  expect(await uploads()).toEqual([]);
  expect((await content('large-left')).equals(large)).toBe(true);
});

test('an upload that is not there any more does no harm', async () => {
  const source = await put('large-again', large);
  const uploadsBefore: string[] = [];
  const onUpload = async (upload: string) => {
    uploadsBefore.push(upload);
  };
  await copy(source, 'large-again', { onUpload });
  await copy(source, 'large-again', { onUpload, leftUpload: uploadsBefore[0] ?? '' });
  expect(uploadsBefore).toHaveLength(2);
});

test('a version is tagged beside the tags that it has, and no other version', async () => {
  const first = await put('t.csv', 'first', { Tagging: 'owner=county&dq-verdict=failed' });
  const second = await put('t.csv', 'second');
  expect(await store.tag?.(first, { 'dq-verdict': 'passed' }, never)).toBe('tagged');
  expect(await tagsOf(first)).toEqual({ owner: 'county', 'dq-verdict': 'passed' });
  expect(await tagsOf(second)).toEqual({});
});

test('a full set of tags stays as it is', async () => {
  const source = await put('full.csv', 'a');
  const TagSet = Array.from({ length: 10 }, (_, at) => ({ Key: `t${at}`, Value: 'x' }));
  const { bucket: Bucket, key: Key } = source;
  await localStack.s3.send(new PutObjectTaggingCommand({ Bucket, Key, Tagging: { TagSet } }));
  expect(await store.tag?.(source, { 'dq-verdict': 'passed' }, never)).toBe('full');
  expect(Object.keys(await tagsOf(source))).toHaveLength(10);
  expect(await store.tag?.(source, { t3: 'y' }, never)).toBe('tagged');
  expect(await tagsOf(source)).toMatchObject({ t3: 'y', t4: 'x' });
});

test('where a bucket keeps no versions, an object that was replaced meanwhile is not tagged', async () => {
  const judged = await put('tag.csv', 'first', { Bucket: UNVERSIONED });
  const now = await put('tag.csv', 'other', { Bucket: UNVERSIONED });
  const tagging = store.tag?.(judged, { 'dq-verdict': 'passed' }, never);
  await expect(tagging).rejects.toMatchObject({ code: 'object-replaced' });
  expect(await tagsOf(now)).toEqual({});
  await store.tag?.(now, { 'dq-verdict': 'failed' }, never);
  expect(await tagsOf(now)).toEqual({ 'dq-verdict': 'failed' });
});

test('an object that is not there is not tagged', async () => {
  const nothing = { bucket: TARGET, key: 'nothing.csv' };
  const tagging = store.tag?.(nothing, { 'dq-verdict': 'superseded' }, never);
  await expect(tagging).rejects.toMatchObject({ code: 'object-gone' });
});
