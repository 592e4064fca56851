import type { IncomingMessage, ServerResponse } from 'node:http';
import { encodeKey } from '../../../contract/s3-object.ts';
import { startTestServer } from './sns-sockets.ts';

/** An object of the server. */
export interface ServedObject {
  readonly body: string | Buffer;
  readonly eTag: string;
  readonly versionId?: string;
  readonly contentType?: string;
  /** What an answer says beside, or in the place of what it would say; undefined leaves it out. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  /** The second half of an answer waits for it. */
  readonly gate?: Promise<void>;
  /** What goes wrong with one answer after the other, and then with none. */
  readonly faults?: Fault[];
  /** What goes wrong with each answer. */
  readonly fault?: Fault;
}

/** `cut`: the connection breaks in the middle of an answer. `stalled`: nothing comes after half of it. */
export type Fault = 'cut' | 'stalled' | ErrorAnswer;

/** An answer without an object. */
export interface ErrorAnswer {
  readonly status: number;
  readonly code: string;
  /** @default the code */
  readonly message?: string;
  /** Further elements of the document. */
  readonly elements?: string;
}

/** What S3 answers while it gets too many requests. */
export const SLOW_DOWN: ErrorAnswer = {
  status: 503,
  code: 'SlowDown',
  message: 'Please reduce your request rate.',
};

/** A version of an object as a listing tells of it; what follows another one of its key is older. */
export interface ServedVersion {
  readonly key: string;
  /** @default the one version of a bucket that keeps none */
  readonly versionId?: string;
  /** Undefined for a delete marker. */
  readonly eTag?: string;
  readonly size?: number;
  readonly storageClass?: string;
  readonly lastModified: Date;
}

/** What buckets hold, by their names. */
export interface ServedListing {
  /** Deleted ones leave it. */
  readonly versions: Record<string, readonly ServedVersion[]>;
  /** @default 1000, as S3 has it */
  readonly pageSize?: number;
  /** Called before a page of a listing is answered, with its number among all; the answer waits for it. */
  onPage?: (page: number) => Promise<void> | undefined;
}

/** What the server holds beside, and tells a test, beside its place. */
export interface S3ServerOptions {
  /** @default no bucket can be listed */
  readonly listing?: ServedListing;
  /** Called before each answer, with the Range that was asked for. */
  readonly onGet?: (path: string, range: string | undefined) => void;
  /** What every request is answered with, of whatever key; undefined while all is well. */
  readonly outage?: () => ErrorAnswer | undefined;
}

/**
 * Stands in for Amazon S3: PutObject, GetObject by path, with `versionId`, `If-Match` and `Range`,
 * ListObjectVersions, and DeleteObject of what is listed. A key, or the prefix of a listing, that begins with an error's code answers with that error, a key
 * that begins with `Unanswered` never.
 */
export async function startS3Server(
  objects: Record<string, ServedObject>,
  options: S3ServerOptions = {},
) {
  /** The account that each request insists on as the bucket's owner. */
  const owners: unknown[] = [];
  /** What each GET asked for: `Range`, `If-Match`, the checksum. */
  const gets: IncomingMessage['headers'][] = [];
  let pages = 0;
  const server = await startTestServer((request, response) => {
    owners.push(request.headers['x-amz-expected-bucket-owner']);
    if (request.method === 'GET') gets.push(request.headers);
    const url = new URL(request.url ?? '/', 'http://s3');
    if (url.searchParams.has('versions')) {
      pages += 1;
      void list(options.listing ?? { versions: {} }, pages, url, response);
    } else if (request.method === 'DELETE' && options.listing !== undefined) {
      remove(options.listing, url, response);
    } else {
      // The process that asked may be killed in the middle of what it writes.
      answer(objects, options, request, response).catch(() => response.destroy());
    }
  });
  return { ...server, owners, gets, endpoint: server.origin };
}

async function answer(
  objects: Record<string, ServedObject>,
  { onGet, outage }: S3ServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://s3');
  const path = decodeURIComponent(url.pathname.slice(1));
  const failing = outage?.();
  if (failing !== undefined) return fail(response, failing);
  if (path.includes('/Unanswered')) return;
  if (path.includes('/AccessDenied')) return fail(response, { status: 403, code: 'AccessDenied' });
  if (request.method === 'PUT') return put(objects, path, request, response);
  const { range, 'if-match': match } = request.headers;
  onGet?.(path, range);
  const object = objects[path];
  if (object === undefined) return fail(response, { status: 404, code: 'NoSuchKey' });
  const fault = object.faults?.shift() ?? object.fault;
  if (typeof fault === 'object') return fail(response, fault);
  const version = url.searchParams.get('versionId');
  if (version !== null && version !== object.versionId) {
    return fail(response, { status: 404, code: 'NoSuchVersion' });
  }
  if (match !== undefined && match !== `"${object.eTag}"`) {
    return fail(response, { status: 412, code: 'PreconditionFailed' });
  }
  await send(object, range, fault, response);
}

async function send(
  { body, eTag, versionId, gate, headers }: ServedObject,
  range: string | undefined,
  fault: 'cut' | 'stalled' | undefined,
  response: ServerResponse,
): Promise<void> {
  const whole = Buffer.from(body);
  const [, start = '0', last = `${whole.length - 1}`] =
    /^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? [];
  const part = whole.subarray(Number(start), Number(last) + 1);
  const said = {
    ETag: `"${eTag}"`,
    'Content-Length': String(part.length),
    'Content-Range': range && `bytes ${start}-${last}/${whole.length}`,
    'x-amz-version-id': versionId,
    ...headers,
  };
  response.writeHead(
    range === undefined ? 200 : 206,
    Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined)),
  );
  const half = part.length >> 1;
  response.write(part.subarray(0, half));
  if (fault === 'stalled') return;
  if (fault === 'cut') {
    setImmediate(() => response.destroy());
    return;
  }
  await gate;
  response.end(part.subarray(half));
}

/** Amazon S3 API reference, "ListObjectVersions". */
async function list(
  { versions, pageSize = 1000, onPage }: ServedListing,
  number: number,
  { pathname, searchParams }: URL,
  response: ServerResponse,
): Promise<void> {
  const asked = (name: string) => searchParams.get(name) ?? '';
  const prefix = asked('prefix');
  const all = versions[decodeURIComponent(pathname.split('/')[1] ?? '')];
  const denied = prefix.startsWith('AccessDenied');
  if (denied || all === undefined || asked('encoding-type') !== 'url') {
    const error = denied ? ([403, 'AccessDenied'] as const) : ([404, 'NoSuchBucket'] as const);
    fail(response, { status: error[0], code: error[1] });
    return;
  }
  await onPage?.(number);
  const found = all
    .filter(({ key }) => key.startsWith(prefix))
    .toSorted((one, other) => Buffer.compare(Buffer.from(one.key), Buffer.from(other.key)));
  const from =
    1 +
    found.findIndex(
      ({ key, versionId = 'null' }) =>
        key === asked('key-marker') && versionId === asked('version-id-marker'),
    );
  const page = found.slice(from, from + pageSize);
  const isLatest = (version: ServedVersion) =>
    found.find(({ key }) => key === version.key) === version;
  const last = from + pageSize < found.length ? page.at(-1) : undefined;
  const next =
    last &&
    `<NextKeyMarker>${encodeKey(last.key)}</NextKeyMarker>` +
      `<NextVersionIdMarker>${last.versionId ?? 'null'}</NextVersionIdMarker>`;
  response
    .writeHead(200, { 'Content-Type': 'application/xml' })
    .end(
      `<?xml version="1.0"?><ListVersionsResult><IsTruncated>${last !== undefined}</IsTruncated>` +
        `${next ?? ''}${page.map((version) => listed(version, isLatest(version))).join('')}</ListVersionsResult>`,
    );
}

/** DeleteObject of a version. One whose id begins with an error's code answers with that error. */
function remove(
  { versions }: ServedListing,
  { pathname, searchParams }: URL,
  response: ServerResponse,
): void {
  const [bucket = '', ...key] = pathname.slice(1).split('/').map(decodeURIComponent);
  const id = searchParams.get('versionId');
  if (id?.startsWith('AccessDenied')) {
    fail(response, { status: 403, code: 'AccessDenied' });
    return;
  }
  versions[bucket] = (versions[bucket] ?? []).filter(
    (version) => version.key !== key.join('/') || (version.versionId ?? 'null') !== id,
  );
  response.writeHead(204).end();
}

function listed(version: ServedVersion, isLatest: boolean): string {
  const {
    key,
    versionId = 'null',
    eTag,
    size = 1,
    lastModified,
    storageClass = 'STANDARD',
  } = version;
  const kind = eTag === undefined ? 'DeleteMarker' : 'Version';
  const content =
    eTag === undefined
      ? ''
      : `<ETag>&quot;${eTag}&quot;</ETag><Size>${size}</Size><StorageClass>${storageClass}</StorageClass>`;
  const time = `<LastModified>${lastModified.toISOString()}</LastModified><IsLatest>${isLatest}</IsLatest>`;
  return `<${kind}><Key>${encodeKey(key)}</Key><VersionId>${versionId}</VersionId>${time}${content}</${kind}>`;
}

async function put(
  objects: Record<string, ServedObject>,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const contentType = request.headers['content-type'];
  objects[path] = {
    body: Buffer.concat(chunks).toString(),
    eTag: 'written',
    ...(contentType === undefined ? {} : { contentType }),
  };
  response.writeHead(200, { ETag: '"written"' }).end();
}

function fail(
  response: ServerResponse,
  { status, code, message = code, elements = '' }: ErrorAnswer,
): void {
  response.writeHead(status, { 'Content-Type': 'application/xml' });
  response.end(
    `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message>${elements}</Error>`,
  );
}
