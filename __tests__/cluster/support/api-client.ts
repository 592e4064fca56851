import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';

/** Where an API server is, and how to sign in. */
export interface ApiServer {
  /** `https://127.0.0.1:<port>` */
  readonly url: string;
  /** PEM of the certificate that signed the server's. */
  readonly certificateAuthority: string;
  /** Of an administrator; known to this server alone. */
  readonly token: string;
}

/** An answer of the API server. */
export interface ApiAnswer {
  readonly status: number;
  readonly body: string;
}

/** What changed, as the API's watch tells it (Kubernetes API concepts, "Efficient detection of changes"). */
export interface WatchEvent<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: T;
}

/**
 * One call of the API.
 *
 * @param path with its query
 * @param body is sent as JSON, by POST @default none, by GET
 */
export async function callApi(server: ApiServer, path: string, body?: object): Promise<ApiAnswer> {
  const response = await open(server, path, body);
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return { status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') };
}

/**
 * Every event of a watch, from what exists on, until the signal ends it.
 *
 * @param path of a collection, such as `/api/v1/namespaces/default/pods`
 */
export async function* watchApi<T>(
  server: ApiServer,
  path: string,
  signal: AbortSignal,
): AsyncGenerator<WatchEvent<T>> {
  const separator = path.includes('?') ? '&' : '?';
  const response = await open(server, `${path}${separator}watch=1`);
  const close = () => response.destroy();
  signal.addEventListener('abort', close);
  let rest = '';
  try {
    for await (const chunk of response.setEncoding('utf8')) {
      const lines = `${rest}${chunk}`.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) yield JSON.parse(line) as WatchEvent<T>;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', close);
    close();
  }
}

async function open(server: ApiServer, path: string, body?: object): Promise<IncomingMessage> {
  const call = request(new URL(path, server.url), {
    method: body === undefined ? 'GET' : 'POST',
    ca: server.certificateAuthority,
    headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' },
  });
  call.end(body === undefined ? undefined : JSON.stringify(body));
  const [response]: IncomingMessage[] = await once(call, 'response');
  if (response === undefined) throw new Error(`${path} was not answered`);
  return response;
}
