import {
  DeleteObjectCommand,
  GetObjectCommand,
  type GetObjectCommandOutput,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandOutput,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { decodeKey } from '@file-processing/contract/s3-object.ts';
import { proxyAgents } from '../config/proxy-agents.ts';
import { inSpan } from '../tracing/tracing.ts';
import { type ChecksumComparison, compareWith, type StoredChecksum } from './checksums.ts';
import {
  type ObjectName,
  type ObjectStore,
  type OpenedObject,
  type StoredObjectReference,
  StoreError,
} from './object-store.ts';
import { PARTS_IN_HAND, type PartedObject, readInParts, Slots } from './read-in-parts.ts';
import { COPY_LIMITS, type CopyLimits, copyInS3 } from './s3-copy.ts';
import { asStoreError, nameOf, replaced } from './s3-errors.ts';
import { tagInS3 } from './s3-tags.ts';

/** Settings of {@link createS3Store}. */
export interface S3StoreOptions {
  /** @default what the SDK finds in its own configuration */
  readonly region?: string;
  /** Another S3 than AWS; buckets are then in the path, since their host names lead nowhere. */
  readonly endpoint?: string;
  /** The account that has to own a bucket, or S3 refuses. @default undefined for each: not looked at */
  readonly ownerOf?: (bucket: string) => string | undefined;
  /** A connection without a byte for so long counts as broken. @default 60,000 */
  readonly stallMs?: number;
  /** From which sizes on objects are copied in parts. @default {@link COPY_LIMITS} */
  readonly copyLimits?: CopyLimits;
  /** Called for each request, with the seconds until its answer began. @default nobody */
  readonly onRequest?: OnS3Request;
}

/** How a request to S3 ended: `refused` is an answer of 4xx, `failed` one of 5xx, `unanswered` none at all. */
type S3Outcome = 'answered' | 'refused' | 'failed' | 'unanswered';

/** Called with the name of the operation, as GetObject, how it ended, and how long that took. */
export type OnS3Request = (operation: string, outcome: S3Outcome, seconds: number) => void;

/** What a store reads and writes with. */
interface S3 {
  readonly client: S3Client;
  readonly ownerOf: NonNullable<S3StoreOptions['ownerOf']>;
  /** For the parts in memory, of all objects that are read: a process has one store. */
  readonly slots: Slots;
}

/** One for each file that a process may check at the same time, one for each part, and some for reports. */
const MAX_SOCKETS = 128;

/** Amazon S3. Credentials come from the environment, as the SDK reads them. */
export function createS3Store(options: S3StoreOptions = {}): ObjectStore {
  const { region, endpoint, ownerOf = () => undefined, stallMs = 60_000 } = options;
  const { copyLimits = COPY_LIMITS, onRequest } = options;
  const client = new S3Client({
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    followRegionRedirects: true,
    // The SDK can only check an answer that holds the whole object; ours may break off and go on.
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: 5_000,
      socketTimeout: stallMs,
      httpAgent: { maxSockets: MAX_SOCKETS },
      httpsAgent: { maxSockets: MAX_SOCKETS },
      ...proxyAgents(process.env, MAX_SOCKETS),
    },
  });
  askForChecksums(client);
  observe(client, onRequest);
  const s3 = { client, ownerOf, slots: new Slots(PARTS_IN_HAND) };
  return {
    open: (reference, signal) => openInS3(s3, reference, signal),
    write: (name, body, signal) => writeToS3(s3, name, body, signal),
    copy: (source, target, options) =>
      copyInS3(s3, { source, target, limits: copyLimits }, options),
    tag: (reference, tags, signal) => tagInS3(s3, reference, tags, signal),
    deleteVersions: (name, signal) => deleteFromS3(s3, name, signal),
    close: () => client.destroy(),
  };
}

/** What the parameter `ChecksumMode` sends; given that, the SDK would check the answer. */
function askForChecksums({ middlewareStack }: S3Client): void {
  middlewareStack.add(
    (next, { commandName }) =>
      (args) => {
        const { headers } = args.request as { readonly headers: Record<string, string> };
        if (commandName === 'GetObjectCommand') headers['x-amz-checksum-mode'] = 'ENABLED';
        return next(args);
      },
    { name: 'askForChecksums', step: 'build' },
  );
}

/**
 * Counts every request, the SDK's own retries as one, and makes a span of it where there is a trace (OpenTelemetry
 * semantic conventions, "AWS SDK client spans", but for `aws.s3.key`: what a file is called is nobody's there).
 */
function observe({ middlewareStack }: S3Client, onRequest: OnS3Request | undefined): void {
  middlewareStack.add(
    (next, { commandName = 'Command' }) =>
      async (args) => {
        const operation = commandName.replace(/Command$/, '');
        const { Bucket, Range } = args.input as {
          readonly Bucket?: string;
          readonly Range?: string;
        };
        const attributes = {
          'rpc.system': 'aws-api',
          'rpc.service': 'S3',
          'rpc.method': operation,
          ...(Bucket === undefined ? {} : { 'aws.s3.bucket': Bucket }),
          ...(Range === undefined ? {} : { 'file_processing.range': Range.replace('bytes=', '') }),
        };
        return inSpan(`S3 ${operation}`, { kind: 'client', attributes }, async (span) => {
          const startedAt = performance.now();
          const tell = (status: number | undefined) => {
            if (status !== undefined) span.set({ 'http.response.status_code': status });
            onRequest?.(operation, outcomeOf(status), (performance.now() - startedAt) / 1000);
          };
          try {
            const result = await next(args);
            tell((result.output as Answered).$metadata?.httpStatusCode ?? 200);
            return result;
          } catch (error) {
            tell((error as Answered).$metadata?.httpStatusCode);
            throw error;
          }
        });
      },
    { name: 'observe', step: 'initialize', priority: 'high' },
  );
}

interface Answered {
  readonly $metadata?: { readonly httpStatusCode?: number };
}

function outcomeOf(status: number | undefined): S3Outcome {
  if (status === undefined) return 'unanswered';
  if (status < 400) return 'answered';
  return status < 500 ? 'refused' : 'failed';
}

/**
 * Pins the version where there is one, else the ETag by `If-Match`. What is asked for later, of a large object or
 * after a broken connection, is pinned to version and ETag of the first answer.
 * Source: Amazon S3 API reference, "GetObject".
 */
async function openInS3(
  s3: S3,
  reference: StoredObjectReference,
  signal: AbortSignal,
): Promise<OpenedObject> {
  const { versionId, eTag } = reference;
  try {
    const answer = await getObject(s3, reference, signal, {
      VersionId: versionId,
      IfMatch: versionId === undefined && eTag !== undefined ? `"${eTag}"` : undefined,
    });
    const state = await stateIn(answer, reference);
    const comparison = compareWith(checksumIn(answer));
    const object: PartedObject = {
      sizeBytes: state.sizeBytes,
      opened: bodyOf(answer),
      request: (start, end, ending) => getRange(s3, reference, state, { start, end }, ending),
    };
    // Whoever put the object says it: nothing of it may act on a terminal.
    const contentEncoding = (answer.ContentEncoding ?? '').replace(/[^ -~]/g, '?');
    return {
      bytes: read(object, comparison, s3.slots, reference, signal),
      sizeBytes: state.sizeBytes,
      eTag: state.eTag,
      ...(state.versionId === undefined ? {} : { versionId: state.versionId }),
      ...(contentEncoding === '' ? {} : { contentEncoding }),
      compareChecksum: (sha256) =>
        comparison.end(sha256).catch((error) => {
          throw asStoreError(error, reference);
        }),
    };
  } catch (error) {
    signal.throwIfAborted();
    throw asStoreError(error, reference);
  }
}

async function* read(
  object: PartedObject,
  comparison: ChecksumComparison,
  slots: Slots,
  reference: StoredObjectReference,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of readInParts(object, slots, signal)) {
      comparison.update(chunk);
      yield chunk;
    }
  } catch (error) {
    signal.throwIfAborted();
    throw asStoreError(error, reference);
  }
}

/** How a request is pinned, and what it asks for. */
interface Pins {
  readonly VersionId?: string | undefined;
  readonly IfMatch?: string | undefined;
  readonly Range?: string;
}

function getObject(
  { client, ownerOf }: S3,
  { bucket, key }: ObjectName,
  signal: AbortSignal,
  pins: Pins,
): Promise<GetObjectCommandOutput> {
  const input = { Bucket: bucket, Key: key, ExpectedBucketOwner: ownerOf(bucket), ...pins };
  return client.send(new GetObjectCommand(input), { abortSignal: signal });
}

/** The state of an object that the first answer is of. */
interface ObjectState {
  readonly sizeBytes: number;
  /** Without quotes. */
  readonly eTag: string;
  readonly versionId: string | undefined;
}

/** Compares an answer with the event. An ETag is compared with no MD5: it is one for some objects only. */
async function stateIn(
  answer: GetObjectCommandOutput,
  reference: StoredObjectReference,
): Promise<ObjectState> {
  const { ContentLength: sizeBytes, VersionId: versionId } = answer;
  const eTag = eTagIn(answer);
  const difference = differenceOf('the event says', [
    ['version', versionId, reference.versionId],
    ['ETag', eTag, reference.eTag],
    ['size in bytes', sizeBytes, reference.sizeBytes],
  ]);
  if (difference === undefined && eTag !== undefined && sizeBytes !== undefined) {
    return { sizeBytes, eTag, versionId };
  }
  await refuseErrorDocument(answer);
  if (eTag === undefined) throw new Error('the answer has no ETag');
  if (sizeBytes === undefined) throw new Error('the answer has no Content-Length');
  const isPinned = reference.versionId !== undefined || reference.eTag === eTag;
  if (isPinned) throw new Error(difference);
  throw replaced(reference, difference);
}

async function getRange(
  s3: S3,
  reference: StoredObjectReference,
  { sizeBytes, eTag, versionId }: ObjectState,
  { start, end }: { readonly start: number; readonly end: number },
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const range = `${start}-${end - 1}`;
  const answer = await getObject(s3, reference, signal, {
    VersionId: versionId,
    IfMatch: `"${eTag}"`,
    Range: `bytes=${range}`,
  });
  const difference = differenceOf('asked for was', [
    ['Content-Range', answer.ContentRange, `bytes ${range}/${sizeBytes}`],
    ['version', answer.VersionId, versionId],
    ['ETag', eTagIn(answer), eTag],
  ]);
  if (difference === undefined) return bodyOf(answer);
  await refuseErrorDocument(answer);
  throw new Error(difference);
}

type Comparison = readonly [name: string, found: unknown, expected: unknown];

/** The first difference, in words; what is not expected is not compared. */
function differenceOf(says: string, comparisons: readonly Comparison[]): string | undefined {
  const different = comparisons.find(
    ([, found, expected]) => expected !== undefined && found !== expected,
  );
  if (different === undefined) return undefined;
  const [name, found = 'none', expected] = different;
  return `the answer has ${name} ${found}, ${says} ${expected}`;
}

function eTagIn({ ETag }: GetObjectCommandOutput): string | undefined {
  return ETag?.replaceAll('"', '');
}

function checksumIn(answer: GetObjectCommandOutput): StoredChecksum | undefined {
  for (const [name, value] of Object.entries(answer)) {
    const algorithm = /^Checksum([A-Z0-9]+)$/.exec(name)?.[1];
    if (algorithm === undefined || typeof value !== 'string') continue;
    return { algorithm, value, type: answer.ChecksumType };
  }
  return undefined;
}

/** In Node.js the SDK's body is a stream, whatever else its type allows for. */
function bodyOf({ Body }: GetObjectCommandOutput): AsyncIterable<Uint8Array> {
  if (Body === undefined) throw new Error('the answer has no body');
  return Body as AsyncIterable<Uint8Array>;
}

/** As many bytes of an answer as tell an error document. */
const DOCUMENT_BYTES = 4096;

/** Some gateways answer 200 with the document of an error; else the body is given up unread. */
async function refuseErrorDocument(answer: GetObjectCommandOutput): Promise<void> {
  let text = '';
  for await (const chunk of bodyOf(answer)) {
    text += Buffer.from(chunk).toString('latin1');
    if (text.length >= DOCUMENT_BYTES) break;
  }
  const [, document] = /^\s*(?:<\?xml[^>]*>)?\s*<Error>(.*)/s.exec(text) ?? [];
  if (document === undefined) return;
  const [code, message] = ['Code', 'Message'].map(
    (name) => new RegExp(`<${name}>([^<\\p{Cc}]*)`, 'u').exec(document)?.[1] ?? `no ${name}`,
  );
  throw new Error(`the answer is not the object but the document of an error: ${code}: ${message}`);
}

/** Encrypted as the bucket says. Source: Amazon S3 API reference, "PutObject". */
async function writeToS3(
  { client, ownerOf }: S3,
  { bucket, key }: ObjectName,
  body: string,
  signal: AbortSignal,
): Promise<void> {
  try {
    await client.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: key,
        ExpectedBucketOwner: ownerOf(bucket),
        Body: body,
        ContentType: contentTypeOf(key),
      }),
      { abortSignal: signal },
    );
  } catch (error) {
    signal.throwIfAborted();
    throw new StoreError(`${nameOf({ bucket, key })} can't be written`, error);
  }
}

/** A browser shows a page only where its type is named. */
function contentTypeOf(key: string): string {
  if (key.endsWith('.html')) return 'text/html; charset=utf-8';
  return key.endsWith('.csv') ? 'text/csv; charset=utf-8' : 'application/json';
}

/** Without versioning there is one version, whose id is `null`. */
async function deleteFromS3(
  { client, ownerOf }: S3,
  { bucket, key }: ObjectName,
  signal: AbortSignal,
): Promise<number> {
  const place = { Bucket: bucket, ExpectedBucketOwner: ownerOf(bucket) };
  let deleted = 0;
  let page: ListObjectVersionsCommandOutput | undefined;
  try {
    do {
      const from = {
        KeyMarker: page?.NextKeyMarker && decoded(page.NextKeyMarker),
        VersionIdMarker: page?.NextVersionIdMarker,
      };
      // XML has no form for some characters of keys.
      const listing = new ListObjectVersionsCommand({
        ...place,
        ...from,
        Prefix: key,
        EncodingType: 'url',
      });
      page = await client.send(listing, { abortSignal: signal });
      const { Versions = [], DeleteMarkers = [] } = page;
      // The prefix is also that of longer keys.
      for (const { Key, VersionId } of [...Versions, ...DeleteMarkers]) {
        if (Key === undefined || decoded(Key) !== key) continue;
        await client.send(new DeleteObjectCommand({ ...place, Key: key, VersionId }), {
          abortSignal: signal,
        });
        deleted += 1;
      }
    } while (page.IsTruncated === true);
    return deleted;
  } catch (error) {
    signal.throwIfAborted();
    throw new StoreError(`${nameOf({ bucket, key })} can't be deleted`, error);
  }
}

function decoded(key: string): string {
  return decodeKey(key) ?? key;
}
