import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import {
  type ClientHttp2Session,
  connect,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startProviderProxy } from './provider-proxy.ts';

let folder: string;
let socket: string;
let provider: Http2Server | undefined;
let terraform: ClientHttp2Session | undefined;
let schemasGiven = 0;
const sessions = new Set<ServerHttp2Session>();

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'provider-proxy-'));
  socket = join(folder, 'socket');
  schemasGiven = 0;
});
afterEach(async () => {
  terraform?.destroy();
  await stopProvider();
  await rm(folder, { recursive: true });
});

type Answer = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

/** A provider that has one schema, and answers everything else as it is told. */
async function startProvider(schema: string, answer: Answer = () => undefined): Promise<void> {
  provider = createServer();
  provider.on('session', (session) => sessions.add(session));
  provider.on('stream', (stream, headers) => {
    if (!headers[':path']?.endsWith('/GetSchema')) return answer(stream, headers);
    schemasGiven += 1;
    stream.respond({ 'content-type': 'application/grpc' });
    stream.end(schema);
  });
  await once(provider.listen(socket), 'listening');
}

async function stopProvider(): Promise<void> {
  const gone = [...sessions].map((session) => session.closed || once(session, 'close'));
  for (const session of sessions) session.destroy();
  await Promise.all(gone);
  sessions.clear();
  provider?.close();
  provider = undefined;
}

/** What Terraform sees of a call. */
async function call(path: string, body: string) {
  const request = terraform?.request({ ':path': path, ':method': 'POST' });
  if (request === undefined) throw new Error('Terraform is not connected');
  let headers: IncomingHttpHeaders = {};
  let trailers: IncomingHttpHeaders = {};
  request.on('response', (received) => {
    headers = received;
  });
  request.on('trailers', (received) => {
    trailers = received;
  });
  request.end(body);
  const answered = Buffer.concat(await request.toArray()).toString();
  return { answered, status: headers['grpc-status'] ?? trailers['grpc-status'] };
}

async function startProxy(): Promise<void> {
  terraform = connect(`http://127.0.0.1:${await startProviderProxy(socket, new Set())}`);
}

test('a call, its answer and the status behind it are handed on', async () => {
  await startProvider('head.', async (stream, headers) => {
    const asked = Buffer.concat(await stream.toArray()).toString();
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.respond({}, { waitForTrailers: true });
    stream.end(`${headers[':path']} ${asked}`);
  });
  await startProxy();
  expect(await call('/tfplugin5.Provider/Configure', 'region')).toEqual({
    answered: '/tfplugin5.Provider/Configure region',
    status: '0',
  });
});

test('an error that has no answer is handed on', async () => {
  await startProvider('head.', (stream) => {
    stream.respond({ 'grpc-status': '12' }, { endStream: true });
  });
  await startProxy();
  expect(await call('/tfplugin5.Provider/Unknown', '')).toEqual({ answered: '', status: '12' });
});

test('the schema is asked for once', async () => {
  await startProvider('head.');
  await startProxy();
  const schema = { answered: '\0\0\0\0\0', status: '0' };
  expect(await call('/tfplugin5.Provider/GetSchema', '')).toEqual(schema);
  expect(await call('/tfplugin5.Provider/GetSchema', '')).toEqual(schema);
  expect(schemasGiven).toBe(1);
});

test('a call to a provider that is gone fails, and nothing else does', async () => {
  await startProvider('head.');
  await startProxy();
  await stopProvider();
  const lost = call('/tfplugin5.Provider/Configure', '');
  await expect(lost).rejects.toThrow('NGHTTP2_REFUSED_STREAM');
});

test('a provider that has no schema is an error', async () => {
  await startProvider('');
  await expect(startProxy()).rejects.toThrow('did not answer with its schema');
});

test('a provider that does not listen is an error', async () => {
  await expect(startProxy()).rejects.toThrow('ENOENT');
});
