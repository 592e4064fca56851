import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { NODE_PORTS } from '../../../../listener/src/jobs/engine-ports.ts';
import type { MonitoredFile } from '../../../../listener/src/jobs/monitored-file.ts';
import { s3DataQualityJob } from '../../../../listener/src/jobs/s3-data-quality-job.ts';
import type {
  ObjectStore,
  StoredObjectReference,
} from '../../../../listener/src/storage/object-store.ts';
import { PART_BYTES } from '../../../../listener/src/storage/read-in-parts.ts';
import { createS3Store } from '../../../../listener/src/storage/s3-store.ts';
import { type ServedObject, SLOW_DOWN, startS3Server } from '../../support/s3-server.ts';

/** 200 rows, of which a cut in the middle would leave a file that looks right. */
const CSV = `n,text\n${Array.from({ length: 200 }, (_, n) => `${n},some text\n`).join('')}`;
const SMALL = { body: CSV, eTag: 'e1' };
/** In three parts. */
const LARGE = { body: largeCsv(2.5 * PART_BYTES), eTag: 'e1' };

const object = { bucket: 'bucket', key: 'a.csv' };
const asDelivered = { ...object, eTag: 'e1', sizeBytes: CSV.length };
const largeAsDelivered = { ...object, eTag: 'e1', sizeBytes: LARGE.body.length };

const objects: Record<string, ServedObject> = {};
let server: Awaited<ReturnType<typeof startS3Server>>;
let store: ObjectStore;
/** What happens at S3 before it answers. */
let meanwhile: (range: string | undefined) => void;

beforeEach(async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  for (const path of Object.keys(objects)) delete objects[path];
  meanwhile = () => undefined;
  server = await startS3Server(objects, { onGet: (_, range) => meanwhile(range) });
  store = createS3Store({ region: 'us-gov-west-1', endpoint: server.endpoint });
});
afterEach(async () => {
  store.close();
  await server.close();
  vi.unstubAllEnvs();
});

const serve = (served: ServedObject) => {
  objects['bucket/a.csv'] = served;
};

const numbers: MonitoredFile = {
  monitoringFileId: 1,
  client: 'client',
  mapping: {
    name: 'numbers',
    version: 1,
    tableSchema: { fields: [{ name: 'n', type: 'integer' }, { name: 'text' }] },
    dialect: {},
    thresholds: {},
  },
};

function judge(reference: StoredObjectReference) {
  return s3DataQualityJob.run(reference, {
    store,
    findMonitoredFile: async () => numbers,
    engine: { ports: NODE_PORTS, maxKeyBytes: 2 ** 20 },
    maxFaults: 10,
    signal: new AbortController().signal,
  });
}

/** A CSV file of about this size, with rows that all differ. */
function largeCsv(size: number): Buffer {
  const rows = ['n,text\n'];
  const text = 'x'.repeat(1000);
  for (let n = 0; n * 1010 < size; n += 1) rows.push(`${n},${text}\n`);
  return Buffer.from(rows.join(''));
}

function crc32Of(body: string | Buffer): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(body));
  return bytes.toString('base64');
}

const whole = (body: string | Buffer) => ({
  'x-amz-checksum-crc32': crc32Of(body),
  'x-amz-checksum-type': 'FULL_OBJECT',
});

function flipped(body: string | Buffer): Buffer {
  const bytes = Buffer.from(body);
  // Of a cell's text: a file that looks as right as the delivered one.
  const place = bytes.lastIndexOf('x');
  bytes[place] = (bytes[place] ?? 0) ^ 1;
  return bytes;
}

const passed = (bytes: string | Buffer, checksum: object) => ({
  status: 'finished',
  report: {
    verdict: 'passed',
    bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    source: { checksum, contentEncoding: null },
  },
});
const compared = (algorithm: string) => ({ status: 'compared', algorithm, reason: null });
const notChecked = { status: 'not checked' };
const technical = (message: string) => ({
  name: 'StoreError',
  message: `s3://bucket/a.csv can't be read${message}`,
});

describe('ends in the verdict of the delivered bytes', () => {
  test('a small object, by one request', async () => {
    serve({ ...SMALL, headers: whole(CSV) });
    expect(await judge(asDelivered)).toMatchObject(passed(CSV, compared('CRC32')));
    expect(server.gets).toHaveLength(1);
    expect(server.gets[0]).toMatchObject({ 'x-amz-checksum-mode': 'ENABLED', 'if-match': '"e1"' });
  });

  test('a large object, by ranges that are pinned to ETag and version of the first answer', async () => {
    serve({ ...LARGE, versionId: 'v1', headers: whole(LARGE.body) });
    expect(await judge(largeAsDelivered)).toMatchObject(passed(LARGE.body, compared('CRC32')));
    const ranges = server.gets.flatMap(({ range, 'if-match': match }) => (range ? [match] : []));
    expect(ranges).toEqual(['"e1"', '"e1"']);
    expect(server.requests.filter((path) => path.includes('versionId=v1'))).toHaveLength(2);
  });

  test('an object by its SHA-256, which is the one of the report', async () => {
    const sha256 = createHash('sha256').update(CSV).digest('base64');
    serve({ ...SMALL, headers: { 'x-amz-checksum-sha256': sha256 } });
    expect(await judge(asDelivered)).toMatchObject(passed(CSV, compared('SHA256')));
  });

  test('a slow answer', async () => {
    const gate = Promise.withResolvers<void>();
    meanwhile = () => setImmediate(gate.resolve);
    serve({ ...SMALL, gate: gate.promise, headers: whole(CSV) });
    expect(await judge(asDelivered)).toMatchObject(passed(CSV, compared('CRC32')));
  });

  test('a connection that stalls, which counts as broken', async () => {
    store.close();
    store = createS3Store({ region: 'us-gov-west-1', endpoint: server.endpoint, stallMs: 1_000 });
    serve({ ...SMALL, faults: ['stalled'], headers: whole(CSV) });
    expect(await judge(asDelivered)).toMatchObject(passed(CSV, compared('CRC32')));
    expect(server.gets[1]?.range).toBe(`bytes=${CSV.length >> 1}-${CSV.length - 1}`);
  });

  test('a broken connection, without reading from the beginning again', async () => {
    serve({ ...SMALL, faults: ['cut'], headers: whole(CSV) });
    expect(await judge(asDelivered)).toMatchObject(passed(CSV, compared('CRC32')));
    expect(server.gets[1]?.range).toBe(`bytes=${CSV.length >> 1}-${CSV.length - 1}`);
  });

  test('broken connections of every part', async () => {
    serve({ ...LARGE, faults: ['cut', 'cut', 'cut'], headers: whole(LARGE.body) });
    expect(await judge(largeAsDelivered)).toMatchObject(passed(LARGE.body, compared('CRC32')));
  });

  test('an answer of 503, asked for again', async () => {
    serve({ ...SMALL, faults: [SLOW_DOWN], headers: whole(CSV) });
    expect(await judge(asDelivered)).toMatchObject(passed(CSV, compared('CRC32')));
  });

  test('a composite checksum, said as not checked', async () => {
    const headers = { 'x-amz-checksum-crc32': 'AAAAAA==-2', 'x-amz-checksum-type': 'COMPOSITE' };
    serve({ ...SMALL, headers });
    expect(await judge(asDelivered)).toMatchObject(
      passed(CSV, { ...notChecked, algorithm: 'CRC32' }),
    );
  });

  test('no checksum at all, said as not checked: a flipped bit goes unseen', async () => {
    serve({ ...LARGE, body: flipped(LARGE.body) });
    expect(await judge(largeAsDelivered)).toMatchObject(
      passed(flipped(LARGE.body), { ...notChecked, algorithm: null }),
    );
  });

  test('an ETag that is not an MD5', async () => {
    serve({ ...SMALL, eTag: '0123456789abcdef0123456789abcdef-3' });
    const eTag = '0123456789abcdef0123456789abcdef-3';
    expect(await judge({ ...asDelivered, eTag })).toMatchObject(passed(CSV, notChecked));
  });

  test('an object that is said to be gzip and is not, which the report says', async () => {
    serve({ ...SMALL, headers: { 'Content-Encoding': 'gzip' } });
    expect(await judge(asDelivered)).toMatchObject({
      report: { verdict: 'passed', reasons: [], source: { contentEncoding: 'gzip' } },
    });
  });

  test('an encoding that would act on a terminal, made harmless', async () => {
    serve({ ...SMALL, headers: { 'Content-Encoding': 'gzip\u009b31m' } });
    expect(await judge(asDelivered)).toMatchObject({
      report: { source: { contentEncoding: 'gzip?31m' } },
    });
  });

  test.each(['br', 'aws-chunked'])(
    'an object that is stored as %s, which the reasons name',
    async (encoding) => {
      const body = { br: '\u008b\u0007\u0080', 'aws-chunked': 'a;chunk-signature=0\r\n1,2\r\n' }[
        encoding
      ];
      serve({
        body: Buffer.from(body ?? '', 'latin1'),
        eTag: 'e1',
        headers: { 'Content-Encoding': encoding },
      });
      const outcome = await judge({ ...object, eTag: 'e1' });
      expect(outcome).toMatchObject({
        status: 'finished',
        report: {
          verdict: expect.stringMatching(/unreadable|failed/),
          reasons: expect.arrayContaining([
            `The file is stored with Content-Encoding ${encoding} and was judged as it is stored.`,
          ]),
          source: { contentEncoding: encoding },
        },
      });
    },
  );
});

describe('is gone or replaced', () => {
  test('a deleted object', async () => {
    expect(await judge(asDelivered)).toEqual({
      status: 'gone',
      reason: 's3://bucket/a.csv is gone',
    });
  });

  test('an object that is deleted while it is read', async () => {
    serve(LARGE);
    meanwhile = (range) => {
      if (range !== undefined) delete objects['bucket/a.csv'];
    };
    expect(await judge(largeAsDelivered)).toMatchObject({ status: 'gone' });
  });

  test('a version that is deleted', async () => {
    serve({ ...SMALL, versionId: 'v2' });
    expect(await judge({ ...asDelivered, versionId: 'v1' })).toMatchObject({
      status: 'gone',
      reason: 's3://bucket/a.csv in version v1 is gone',
    });
  });

  test('an object with another ETag', async () => {
    serve({ ...SMALL, eTag: 'e2' });
    expect(await judge(asDelivered)).toEqual({
      status: 'replaced',
      reason: 's3://bucket/a.csv was replaced',
    });
  });

  test('an object with another ETag, of a store that overlooks If-Match', async () => {
    serve({ ...SMALL, headers: { ETag: '"e2"' } });
    expect(await judge(asDelivered)).toEqual({
      status: 'replaced',
      reason: 's3://bucket/a.csv was replaced: the answer has ETag e2, the event says e1',
    });
  });

  test('an object of another size, where the event says no more than that', async () => {
    serve(SMALL);
    expect(await judge({ ...object, sizeBytes: 9 })).toEqual({
      status: 'replaced',
      reason: `s3://bucket/a.csv was replaced: the answer has size in bytes ${CSV.length}, the event says 9`,
    });
  });

  test('an object that is replaced while it is read', async () => {
    serve(LARGE);
    meanwhile = (range) => {
      if (range !== undefined) serve({ ...LARGE, eTag: 'e2' });
    };
    expect(await judge(largeAsDelivered)).toMatchObject({ status: 'replaced' });
  });
});

describe('is an error that names its reason and is tried again', () => {
  test('fewer bytes than were delivered, under the same ETag', async () => {
    serve({ ...SMALL, body: CSV.slice(0, 1000) });
    await expect(judge(asDelivered)).rejects.toMatchObject(
      technical(`: the answer has size in bytes 1000, the event says ${CSV.length}`),
    );
  });

  test('fewer bytes than were delivered, of the same version', async () => {
    serve({ ...SMALL, body: CSV.slice(0, 1000), versionId: 'v1' });
    const { eTag: _, ...withoutETag } = { ...asDelivered, versionId: 'v1' };
    await expect(judge(withoutETag)).rejects.toMatchObject({
      message: `s3://bucket/a.csv in version v1 can't be read: the answer has size in bytes 1000, the event says ${CSV.length}`,
    });
  });

  test('another ETag of the same version', async () => {
    serve({ ...SMALL, versionId: 'v1', eTag: 'e2' });
    await expect(judge({ ...asDelivered, versionId: 'v1' })).rejects.toMatchObject({
      message: expect.stringContaining('the answer has ETag e2, the event says e1'),
    });
  });

  test('another version than was asked for', async () => {
    serve({ ...SMALL, versionId: 'v1', headers: { 'x-amz-version-id': 'v2' } });
    await expect(judge({ ...asDelivered, versionId: 'v1' })).rejects.toMatchObject({
      message: expect.stringContaining('the answer has version v2, the event says v1'),
    });
  });

  test('fewer bytes than the answer announces', async () => {
    serve({ ...SMALL, fault: 'cut' });
    await expect(judge(asDelivered)).rejects.toMatchObject({
      message: expect.stringMatching(
        /can't be read: the connection broke 4 times, the last time after \d+ of \d+ bytes: /,
      ),
    });
  });

  test('an answer without a length', async () => {
    serve({ ...SMALL, headers: { 'Content-Length': undefined } });
    await expect(judge(object)).rejects.toMatchObject(
      technical(': the answer has no Content-Length'),
    );
  });

  test('an answer without an ETag', async () => {
    serve({ ...SMALL, headers: { ETag: undefined } });
    await expect(judge(object)).rejects.toMatchObject(technical(': the answer has no ETag'));
  });

  test('a range that is answered with something else', async () => {
    serve({ ...LARGE, headers: { 'Content-Range': 'bytes 0-9/10' } });
    await expect(judge(largeAsDelivered)).rejects.toMatchObject({
      message: expect.stringMatching(
        /: the answer has Content-Range bytes 0-9\/10, asked for was bytes 8388608-16777215\/\d+$/,
      ),
    });
  });

  test('a wrong checksum', async () => {
    serve({ ...SMALL, headers: whole('something else') });
    await expect(judge(asDelivered)).rejects.toMatchObject(
      technical(
        `: the CRC32 of the bytes is ${crc32Of(CSV)}, the store has ${crc32Of('something else')}`,
      ),
    );
  });

  test('a flipped bit in a later part', async () => {
    serve({ ...LARGE, body: flipped(LARGE.body), headers: whole(LARGE.body) });
    await expect(judge(largeAsDelivered)).rejects.toMatchObject({
      message: expect.stringContaining('the CRC32 of the bytes is'),
    });
  });

  test('a flipped bit under a SHA-256', async () => {
    const sha256 = createHash('sha256').update(CSV).digest('base64');
    serve({ ...SMALL, body: flipped(CSV), headers: { 'x-amz-checksum-sha256': sha256 } });
    await expect(judge(asDelivered)).rejects.toMatchObject({
      message: expect.stringContaining('the SHA256 of the bytes is'),
    });
  });

  test('a store that answers 503 again and again', async () => {
    vi.stubEnv('AWS_MAX_ATTEMPTS', '2');
    store.close();
    store = createS3Store({ region: 'us-gov-west-1', endpoint: server.endpoint });
    serve({ ...SMALL, fault: SLOW_DOWN });
    await expect(judge(asDelivered)).rejects.toMatchObject(
      technical(': SlowDown: Please reduce your request rate.'),
    );
  });

  test('a key of KMS that the role may not use', async () => {
    const message =
      'User: arn:aws-us-gov:sts::123456789012:assumed-role/r/s is not authorized to perform: kms:Decrypt';
    serve({ ...SMALL, fault: { status: 403, code: 'AccessDenied', message } });
    await expect(judge(asDelivered)).rejects.toMatchObject(
      technical(`: S3 may not use the KMS key that encrypts it: AccessDenied: ${message}`),
    );
  });

  test('a key of KMS that is disabled', async () => {
    serve({ ...SMALL, fault: { status: 400, code: 'KMS.DisabledException' } });
    await expect(judge(asDelivered)).rejects.toMatchObject(
      technical(': S3 may not use the KMS key that encrypts it: KMS.DisabledException'),
    );
  });

  test('an archived object', async () => {
    serve({
      ...SMALL,
      fault: {
        status: 403,
        code: 'InvalidObjectState',
        message: "The operation is not valid for the object's storage class",
        elements: '<StorageClass>GLACIER</StorageClass>',
      },
    });
    await expect(judge(asDelivered)).rejects.toMatchObject(
      technical(
        ": it is archived (GLACIER), restore it first: InvalidObjectState: The operation is not valid for the object's storage class",
      ),
    );
  });

  test.each([undefined, 'e1'])(
    'a document of an error that is answered with 200 (ETag %s of the event)',
    async (eTag) => {
      const document =
        '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>InternalError</Code><Message>Try again.</Message></Error>';
      serve({ ...SMALL, body: document, headers: { ETag: undefined } });
      await expect(judge({ ...object, ...(eTag && { eTag }) })).rejects.toMatchObject(
        technical(
          ': the answer is not the object but the document of an error: InternalError: Try again.',
        ),
      );
    },
  );
});

test('a delivered file that looks like the document of an error is judged as any other', async () => {
  const body = '<Error><Code>InternalError</Code></Error>\n';
  serve({ ...SMALL, body });
  expect(await judge({ ...object, eTag: 'e1', sizeBytes: body.length })).toMatchObject({
    status: 'finished',
    report: { verdict: 'unreadable' },
  });
});
