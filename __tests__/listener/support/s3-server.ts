import type { IncomingMessage, ServerResponse } from 'node:http';
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

/** What the server tells a test, beside its place. */
export interface S3ServerOptions {
  /** Called before each answer, with the Range that was asked for. */
  readonly onGet?: (path: string, range: string | undefined) => void;
}

/**
 * Stands in for Amazon S3: PutObject, and GetObject by path, with `versionId`, `If-Match` and `Range`. A key
 * that begins with an error's code answers with that error, one that begins with `Unanswered` never.
 */
export async function startS3Server(
  objects: Record<string, ServedObject>,
  options: S3ServerOptions = {},
) {
  /** The account that each request insists on as the bucket's owner. */
  const owners: unknown[] = [];
  /** What each GET asked for: `Range`, `If-Match`, the checksum. */
  const gets: IncomingMessage['headers'][] = [];
  const server = await startTestServer((request, response) => {
    owners.push(request.headers['x-amz-expected-bucket-owner']);
    if (request.method === 'GET') gets.push(request.headers);
    void answer(objects, options, request, response);
  });
  return { ...server, owners, gets, endpoint: server.origin };
}

async function answer(
  objects: Record<string, ServedObject>,
  { onGet }: S3ServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://s3');
  const path = decodeURIComponent(url.pathname.slice(1));
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
