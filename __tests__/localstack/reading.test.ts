import { createHash } from 'node:crypto';
import {
  type ChecksumAlgorithm,
  type ChecksumType,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type {
  ObjectStore,
  StoredObjectReference,
} from '../../listener/src/storage/object-store.ts';
import { PARTS_FROM_BYTES } from '../../listener/src/storage/read-in-parts.ts';
import { createS3Store } from '../../listener/src/storage/s3-store.ts';
import { credentials, type LocalStack, region } from './support/localstack.ts';
import { sharedLocalStack } from './support/shared-localstack.ts';

const BUCKET = 'objects-to-read';
const PART = 10 * 1024 * 1024;
/** Read in three parts, the last of one byte. */
const large = Buffer.from(
  new Uint32Array(PARTS_FROM_BYTES / 4 + 1).map((_, at) => at).buffer,
).subarray(0, PARTS_FROM_BYTES + 1);

let localStack: LocalStack;
let store: ObjectStore;

beforeAll(async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', credentials.accessKeyId);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', credentials.secretAccessKey);
  localStack = await sharedLocalStack();
  store = createS3Store({ region, endpoint: localStack.url });
  await localStack.s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
});
afterAll(() => {
  store?.close();
  vi.unstubAllEnvs();
});

async function read(reference: StoredObjectReference) {
  const opened = await store.open(reference, new AbortController().signal);
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of opened.bytes) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  const sha256 = hash.digest('hex');
  return { bytes, sha256, checksum: await opened.compareChecksum(sha256) };
}

const whole = { bytes: large.length, sha256: createHash('sha256').update(large).digest('hex') };
const withoutQuotes = (eTag: string | undefined) => (eTag ?? '').replaceAll('"', '');

test.each<ChecksumAlgorithm>(['CRC64NVME', 'CRC32', 'CRC32C', 'SHA256', 'SHA1'])(
  'a large object is read by parts, and its %s compared',
  async (algorithm) => {
    const { ETag } = await localStack.s3.send(
      new PutObjectCommand({
        Bucket: BUCKET,
        Key: algorithm,
        Body: large,
        ChecksumAlgorithm: algorithm,
      }),
    );
    const stated = { eTag: withoutQuotes(ETag), sizeBytes: large.length };
    expect(await read({ bucket: BUCKET, key: algorithm, ...stated })).toEqual({
      ...whole,
      checksum: { status: 'compared', algorithm, reason: null },
    });
  },
);

test.each<[ChecksumAlgorithm, ChecksumType, string]>([
  ['CRC64NVME', 'FULL_OBJECT', 'compared'],
  ['CRC32', 'COMPOSITE', 'not checked'],
])('of an upload in parts with %s as %s, the checksum is %s', async (algorithm, type, status) => {
  const upload = { Bucket: BUCKET, Key: `parts-${algorithm}` };
  const { UploadId } = await localStack.s3.send(
    new CreateMultipartUploadCommand({
      ...upload,
      ChecksumAlgorithm: algorithm,
      ChecksumType: type,
    }),
  );
  const parts = [];
  for (const PartNumber of [1, 2]) {
    const Body = large.subarray((PartNumber - 1) * PART, PartNumber * PART);
    const part = await localStack.s3.send(
      new UploadPartCommand({
        ...upload,
        UploadId,
        PartNumber,
        Body,
        ChecksumAlgorithm: algorithm,
      }),
    );
    parts.push({ ...part, PartNumber });
  }
  const { ETag } = await localStack.s3.send(
    new CompleteMultipartUploadCommand({
      ...upload,
      UploadId,
      ChecksumType: type,
      MultipartUpload: { Parts: parts },
    }),
  );
  const reference = { bucket: BUCKET, key: upload.Key, eTag: withoutQuotes(ETag) };
  expect(await read(reference)).toMatchObject({ ...whole, checksum: { status, algorithm } });
});

test('an object that is replaced, deleted or archived is told from one that is read', async () => {
  const put = { Bucket: BUCKET, Key: 'a.csv', Body: 'a' };
  const reference = { bucket: BUCKET, key: 'a.csv', eTag: '0123' };
  await localStack.s3.send(new PutObjectCommand(put));
  await expect(read(reference)).rejects.toMatchObject({ code: 'object-replaced' });
  await localStack.s3.send(new PutObjectCommand({ ...put, StorageClass: 'GLACIER' }));
  await expect(read({ bucket: BUCKET, key: 'a.csv' })).rejects.toMatchObject({
    message: expect.stringContaining('it is archived (GLACIER), restore it first'),
  });
  await localStack.s3.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: 'a.csv' }));
  await expect(read(reference)).rejects.toMatchObject({ code: 'object-gone' });
});
