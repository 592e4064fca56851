import { Agent, get, type RequestListener } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import {
  type HttpServer,
  type ServerLimits,
  startHttpServer,
} from '../../../../listener/src/http/server.ts';
import { connectRaw } from '../../support/sns-sockets.ts';

const servers: HttpServer[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close(0)));
});

async function start(
  handler: RequestListener = (_, response) => response.end('ok'),
  limits: Partial<ServerLimits> = {},
  port = 0,
): Promise<HttpServer> {
  const server = await startHttpServer(handler, {
    port,
    portSetting: 'PORT',
    host: '127.0.0.1',
    limits: { checkMilliseconds: 20, ...limits },
  });
  servers.push(server);
  return server;
}

const request = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';

/** Which of our ports a request went out from: the same one twice is the same connection. */
function clientPortOfGet(port: number, agent: Agent): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get({ port, host: '127.0.0.1', agent }, (response) => {
      const clientPort = response.socket.localPort;
      response.resume().once('end', () => resolve(clientPort));
    }).once('error', reject);
  });
}

describe('startHttpServer', () => {
  it('listens on all interfaces by default', async () => {
    const server = await startHttpServer((_, response) => response.end('ok'), {
      port: 0,
      portSetting: 'PORT',
    });
    servers.push(server);

    expect(await (await fetch(`http://127.0.0.1:${server.port}`)).text()).toBe('ok');
  });

  it('says in one line that the port is in use', async () => {
    const { port } = await start();

    await expect(start(undefined, {}, port)).rejects.toThrow(
      new RegExp(`^PORT ${port} is in use by another process. Set PORT to a free port.$`),
    );
  });
});

describe('a client that is too slow or too much', () => {
  it('is cut when it says nothing', async () => {
    const { port } = await start(undefined, { headersMilliseconds: 40 });
    const { closed } = await connectRaw(port, '');

    expect(await closed).toMatch(/^HTTP\/1.1 503 /);
  });

  it('is cut when it dribbles its head', async () => {
    const { port } = await start(undefined, { headersMilliseconds: 40 });
    const { socket, closed } = await connectRaw(port, 'GET / HTTP/1.1\r\nHost: x\r\n');
    const dribble = setInterval(() => socket.write('X-More: x\r\n'), 5);
    const answer = await closed;
    clearInterval(dribble);

    expect(answer).toMatch(/^HTTP\/1.1 503 /);
  });

  it('is cut when it dribbles its body, even where nobody waits for it', async () => {
    const { port } = await start(() => undefined, {
      headersMilliseconds: 30,
      requestMilliseconds: 60,
    });
    const head = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n';
    const { socket, closed } = await connectRaw(port, head);
    const dribble = setInterval(() => socket.write('x'), 5);
    const answer = await closed;
    clearInterval(dribble);

    expect(answer).toMatch(/^HTTP\/1.1 503 .*\r\nRetry-After: 5\r\n/);
  });

  it('is cut when it keeps an idle connection', async () => {
    // Node.js adds a second of grace to what its header says.
    const { port } = await start(undefined, { keepAliveMilliseconds: 20 });
    const { closed } = await connectRaw(port, request);

    expect(await closed).toMatch(/^HTTP\/1.1 200 /);
  });

  it('gets 431 for a head that is too large', async () => {
    const { port } = await start(undefined, { maxHeaderBytes: 2000 });
    const { closed } = await connectRaw(port, `GET / HTTP/1.1\r\nX: ${'x'.repeat(5000)}\r\n\r\n`);

    expect(await closed).toMatch(/^HTTP\/1.1 431 /);
  });

  it('gets 400 for what is not HTTP', async () => {
    const { port } = await start();
    const { closed } = await connectRaw(port, 'hello\r\n\r\n');

    expect(await closed).toMatch(/^HTTP\/1.1 400 /);
  });

  it('is refused where there are too many connections', async () => {
    const entered = Promise.withResolvers<void>();
    const { port } = await start(() => entered.resolve(), { maxConnections: 1 });
    const first = await connectRaw(port, request);
    await entered.promise;

    const second = await connectRaw(port, request);

    expect(await second.closed).toBe('');
    first.socket.destroy();
  });

  it('has to connect again after its number of requests', async () => {
    const { port } = await start(undefined, { maxRequestsPerConnection: 2 });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const clientPorts: (number | undefined)[] = [];
    for (let request = 0; request < 3; request += 1) {
      clientPorts.push(await clientPortOfGet(port, agent));
    }
    agent.destroy();

    expect(clientPorts[1]).toBe(clientPorts[0]);
    expect(clientPorts[2]).not.toBe(clientPorts[0]);
  });
});

describe('close', () => {
  it('waits for no client that was cut and never closes its side', async () => {
    const server = await start(undefined, { headersMilliseconds: 40 });
    const socket = connect({ port: server.port, host: '127.0.0.1', allowHalfOpen: true });
    await new Promise((resolve) => socket.resume().once('end', resolve));

    await server.close(60_000);
    socket.destroy();
  });

  it('lets a running request finish, and ends its connection', async () => {
    const entered = Promise.withResolvers<() => void>();
    const server = await start((_, response) => {
      entered.resolve(() => response.end('finished'));
    });
    const { closed } = await connectRaw(server.port, request);
    const finish = await entered.promise;

    const closing = server.close(60_000);
    finish();
    await closing;

    const answer = await closed;
    expect(answer).toMatch(/^HTTP\/1.1 200 OK\r\nConnection: close\r\n/);
    expect(answer).toMatch(/finished$/);
  });

  it('takes no new connection', async () => {
    const entered = Promise.withResolvers<() => void>();
    const server = await start((_, response) => {
      entered.resolve(() => response.end());
    });
    await connectRaw(server.port, request);
    const finish = await entered.promise;
    const closing = server.close(60_000);

    await expect(fetch(`http://127.0.0.1:${server.port}`)).rejects.toThrow('fetch failed');
    finish();
    await closing;
  });

  it('ends idle connections at once', async () => {
    const server = await start(undefined, { keepAliveMilliseconds: 600_000 });
    const agent = new Agent({ keepAlive: true });
    await clientPortOfGet(server.port, agent);

    await server.close(60_000);
    agent.destroy();
  });

  it('cuts a request that does not finish in time', async () => {
    const entered = Promise.withResolvers<void>();
    const server = await start(() => entered.resolve());
    const { closed } = await connectRaw(server.port, request);
    await entered.promise;

    await server.close(10);

    expect(await closed).toBe('');
  });
});
