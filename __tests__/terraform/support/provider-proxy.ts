import { once } from 'node:events';
import {
  type ClientHttp2Session,
  connect,
  constants,
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import { type AddressInfo, connect as connectSocket } from 'node:net';
import { limitSchema } from './provider-schema.ts';

const GET_SCHEMA = '/tfplugin5.Provider/GetSchema';

/** Of gRPC's "Length-Prefixed-Message": whether it is compressed, and its length in bytes. */
const MESSAGE_HEAD = 5;

/**
 * Stands between Terraform and a provider, and hands everything on as it is, but the schema: that is
 * asked for once and holds the given types alone. A whole one has some 1500 types and costs each
 * command two to three seconds of CPU and half a gigabyte.
 *
 * @param providerSocket - where the provider listens
 * @returns the port on 127.0.0.1 where Terraform is answered until this process ends
 * @throws Error when the provider does not answer
 */
export async function startProviderProxy(
  providerSocket: string,
  types: ReadonlySet<string>,
): Promise<number> {
  const provider = connect('http://localhost', {
    createConnection: () => connectSocket(providerSocket),
  });
  provider.unref();
  // Each request tells of it too.
  provider.on('error', () => undefined);
  const schema = await limitedSchema(provider, types);
  const server = createServer();
  server.on('stream', (stream, headers) => {
    // Terraform is told of it, and this process goes on.
    stream.on('error', () => undefined);
    if (provider.destroyed) stream.close(constants.NGHTTP2_REFUSED_STREAM);
    else if (headers[':path'] === GET_SCHEMA) answer(stream, schema);
    else handOn(stream, headers, provider);
  });
  server.listen(0, '127.0.0.1').unref();
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

function handOn(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  provider: ClientHttp2Session,
): void {
  const request = provider.request(headers);
  let trailers: IncomingHttpHeaders = {};
  stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  request.on('trailers', (received) => {
    trailers = received;
  });
  request.on('response', (received, flags) => {
    // An error alone is headers without a body ("Trailers-Only").
    const endStream = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    stream.respond(received, endStream ? { endStream } : { waitForTrailers: true });
  });
  stream.on('aborted', () => request.close(constants.NGHTTP2_CANCEL));
  request.on('error', () => stream.close(constants.NGHTTP2_INTERNAL_ERROR));
  stream.on('error', () => request.close(constants.NGHTTP2_CANCEL));
  stream.pipe(request);
  request.pipe(stream);
}

async function limitedSchema(
  provider: ClientHttp2Session,
  types: ReadonlySet<string>,
): Promise<Buffer> {
  const request = provider.request({
    ':method': 'POST',
    ':path': GET_SCHEMA,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  request.end(lengthPrefixed(Buffer.alloc(0)));
  const body = Buffer.concat(await request.toArray());
  if (body.length === 0) throw new Error('The provider did not answer with its schema');
  return lengthPrefixed(limitSchema(body.subarray(MESSAGE_HEAD), types));
}

function lengthPrefixed(message: Buffer): Buffer {
  const head = Buffer.alloc(MESSAGE_HEAD);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

function answer(stream: ServerHttp2Stream, schema: Buffer): void {
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.respond({ 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.end(schema);
}
