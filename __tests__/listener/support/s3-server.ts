import type { IncomingMessage, ServerResponse } from 'node:http';
import { startTestServer } from './sns-sockets.ts';

/** An object of the server. */
export interface ServedObject {
  readonly body: string;
  readonly eTag: string;
  readonly versionId?: string;
  readonly contentType?: string;
  /** The second half of the body waits for it. */
  readonly gate?: Promise<void>;
  /** The connection breaks in the middle of the body. */
  readonly broken?: true;
}

/**
 * Stands in for Amazon S3: PutObject, and GetObject by path, with `versionId` and `If-Match`. A key
 * that begins with an error's code answers with that error, one that begins with `Unanswered` never.
 */
export async function startS3Server(objects: Record<string, ServedObject>) {
  /** The account that each request insists on as the bucket's owner. */
  const owners: unknown[] = [];
  const server = await startTestServer((request, response) => {
    owners.push(request.headers['x-amz-expected-bucket-owner']);
    void answer(objects, request, response);
  });
  return { ...server, owners, endpoint: server.origin };
}

async function answer(
  objects: Record<string, ServedObject>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://s3');
  const path = decodeURIComponent(url.pathname.slice(1));
  if (path.includes('/Unanswered')) return;
  if (path.includes('/AccessDenied')) return fail(response, 403, 'AccessDenied');
  if (request.method === 'PUT') return put(objects, path, request, response);
  const object = objects[path];
  if (object === undefined) return fail(response, 404, 'NoSuchKey');
  const version = url.searchParams.get('versionId');
  if (version !== null && version !== object.versionId) return fail(response, 404, 'NoSuchVersion');
  const match = request.headers['if-match'];
  if (match !== undefined && match !== `"${object.eTag}"`) {
    return fail(response, 412, 'PreconditionFailed');
  }
  const body = Buffer.from(object.body);
  response.writeHead(200, {
    ETag: `"${object.eTag}"`,
    'Content-Length': body.length,
    ...(object.versionId === undefined ? {} : { 'x-amz-version-id': object.versionId }),
  });
  const half = body.length >> 1;
  response.write(body.subarray(0, half));
  if (object.broken) {
    setImmediate(() => response.destroy());
    return;
  }
  await object.gate;
  response.end(body.subarray(half));
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

function fail(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'Content-Type': 'application/xml' });
  response.end(
    `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`,
  );
}
