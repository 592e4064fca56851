import { afterEach, describe, expect, it } from 'vitest';
import { ListenerError } from '../../../../listener/src/errors.ts';
import { readBody } from '../../../../listener/src/http/read-body.ts';
import { connectRaw, startTestServer, type TestServer } from '../../support/sns-sockets.ts';

const servers: TestServer[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

/** A server that reads bodies of at most ten bytes and answers with what it got. */
async function serveReadBody(signal?: AbortSignal) {
  const results: (string | ListenerError)[] = [];
  const settled = Promise.withResolvers<void>();
  const server = await startTestServer(async (request, response) => {
    const result = await readBody(request, { limitBytes: 10, signal }).catch((error: unknown) => {
      if (error instanceof ListenerError) {
        return error;
      }
      throw error;
    });
    results.push(result);
    settled.resolve();
    const text = typeof result === 'string' ? result : result.code;
    response.writeHead(200, { connection: 'close' }).end(text);
  });
  servers.push(server);
  return { server, results, settled: settled.promise };
}

async function answerTo(body: string | Uint8Array<ArrayBuffer>): Promise<string> {
  const { server } = await serveReadBody();
  const response = await fetch(server.origin, { method: 'POST', body });
  return response.text();
}

describe('readBody', () => {
  it.each(['', 'a', '0123456789', 'größe'])('reads %j', async (body) => {
    expect(await answerTo(body)).toBe(body);
  });

  it('joins a character that came in two parts', async () => {
    const { server, results } = await serveReadBody();
    const head = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n';
    const { socket, closed } = await connectRaw(server.port, head);
    socket.write(Uint8Array.of(0xc3), () => socket.write(Uint8Array.of(0xbc)));
    await closed;

    expect(results).toEqual(['ü']);
  });

  it('refuses one byte too many', async () => {
    expect(await answerTo('01234567890')).toBe('body_too_large');
  });

  it('refuses what is not UTF-8', async () => {
    expect(await answerTo(Uint8Array.of(0xff))).toBe('body_not_json');
  });

  it('answers a client that reads nothing before it has sent half a megabyte', async () => {
    const { server } = await serveReadBody();
    const head = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\n';
    const { socket, closed } = await connectRaw(server.port, head);
    socket.pause();
    for (let sent = 0; sent < 500_000; sent += 10_000) {
      // Each turn of the event loop lets the server, which is in this process, go on.
      await new Promise((resolve) => socket.write('x'.repeat(10_000), () => setImmediate(resolve)));
    }
    socket.resume();

    expect(await closed).toContain('body_too_large');
  });

  it('answers at once where far too much is declared', async () => {
    const { server } = await serveReadBody();
    const head = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n';
    const { closed } = await connectRaw(server.port, head);

    expect(await closed).toContain('body_too_large');
  });

  it('stops at the limit where nothing is declared', async () => {
    const { server } = await serveReadBody();
    const head = 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n';
    const { socket, closed } = await connectRaw(server.port, `${head}b\r\n01234567890\r\n`);
    const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`;
    const write = (): void => {
      while (!socket.destroyed && socket.write(chunk)) {
        // until the socket's buffer is full; the server ends it
      }
    };
    socket.on('drain', write);
    write();

    await closed;
  });

  it('tells when the client went away', async () => {
    const { server, results, settled } = await serveReadBody();
    const head = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n';
    const { socket } = await connectRaw(server.port, `${head}abc`);
    socket.end();
    await settled;

    expect(results).toEqual([expect.objectContaining({ code: 'body_incomplete' })]);
  });

  it('ends with its signal', async () => {
    const controller = new AbortController();
    const { server, results, settled } = await serveReadBody(controller.signal);
    const head = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n';
    const { socket } = await connectRaw(server.port, `${head}abc`);
    const reason = new ListenerError('deadline_exceeded', { milliseconds: 1 });
    controller.abort(reason);
    await settled;

    expect(results).toEqual([reason]);
    socket.destroy();
  });
});
