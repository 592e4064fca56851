import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Agent, get, type RequestListener } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { FLOODS, startFlood } from '../../../../bench/intake/flood.ts';
import type { SigningKey } from '../../../../listener/local/sns/signing-key.ts';
import {
  type Closure,
  type ConnectionTableOptions,
  closureReport,
  createConnectionTable,
  type HttpServer,
  type ServerLimits,
  startHttpServer,
} from '../../../../listener/src/http/server.ts';
import { eventually } from '../../../support/eventually.ts';
import { collectingLogger, startTestListener, testKey } from '../../support/sns-listener.ts';
import { notification, signed } from '../../support/sns-messages.ts';
import { connectRaw, type RawConnection } from '../../support/sns-sockets.ts';

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

/** A server with a table of two connections, and a clock that stands still. */
async function startSmall(options: ConnectionTableOptions = {}) {
  const closures: Closure[] = [];
  const clock = { now: 0 };
  const connections = createConnectionTable({
    maxConnections: 2,
    onClosure: (closure) => closures.push(closure),
    now: () => clock.now,
    ...options,
  });
  const handler: RequestListener = (request, response) => {
    if (request.url === '/verified') connections.protect(request);
    // Written and not ended: its head shows the client that the request is in hand.
    if (request.url === '/') response.end('ok');
    else response.write('in hand');
  };
  const server = await startHttpServer(handler, {
    ...{ port: 0, portSetting: 'PORT', host: '127.0.0.1' },
    ...{ limits: { checkMilliseconds: 20 }, connections },
  });
  servers.push(server);

  // A client is connected once the kernel has answered it, which can be before the server hears of it.
  const taken = new Set<number | undefined>();
  const note = (message: unknown) =>
    void taken.add((message as { readonly socket: Socket }).socket.remotePort);
  subscribe('net.server.socket', note);
  onTestFinished(() => void unsubscribe('net.server.socket', note));

  const of = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
  const withoutRequest = async (): Promise<RawConnection> => {
    const client = await connectRaw(server.port, 'GET / HT');
    const { localPort } = client.socket;
    await eventually(() => expect(taken).toContain(localPort));
    return client;
  };
  const answered = async (path: string): Promise<RawConnection> => {
    const client = await connectRaw(server.port, of(path));
    await Promise.race([
      new Promise((resolve) => client.socket.once('data', resolve)),
      client.closed,
    ]);
    return client;
  };
  return {
    server,
    closures,
    clock,
    /** What each kind of client does, until the server has seen it. */
    clients: {
      no_request: withoutRequest,
      idle: () => answered('/'),
      unverified: () => answered('/unverified'),
      verified: () => answered('/verified'),
    },
  };
}

describe('a table of connections that is full', () => {
  it.each([
    ['no_request', 'idle'],
    ['idle', 'unverified'],
    ['no_request', 'unverified'],
    ['idle', 'verified'],
    ['unverified', 'verified'],
    ['no_request', 'verified'],
  ] as const)('closes one that is %s rather than one that is %s', async (closed, kept) => {
    const { clients, closures, clock } = await startSmall();
    const other = await clients[kept]();
    const chosen = await clients[closed]();
    clock.now = 1000;

    await clients.idle();

    await chosen.closed;
    expect(closures).toEqual([closed]);
    expect(other.socket.closed).toBe(false);
  });

  it('closes the one that has been idle for longest', async () => {
    const { clients, clock } = await startSmall();
    const first = await clients.idle();
    clock.now = 1;
    const second = await clients.idle();

    // The first one asks again, and is then the younger of the two.
    first.socket.write(request);
    await new Promise((resolve) => first.socket.once('data', resolve));
    await clients.idle();

    await second.closed;
    expect(first.socket.closed).toBe(false);
  });

  it('gives a new connection a second to send its request', async () => {
    const { clients, closures, clock } = await startSmall();
    const unverified = await clients.unverified();
    clock.now = 1000;
    const newcomer = await clients.no_request();

    await clients.idle();

    await unverified.closed;
    expect(closures).toEqual(['unverified']);
    expect(newcomer.socket.closed).toBe(false);
  });

  it('closes the oldest one where all are younger than a second', async () => {
    const { clients, closures, clock } = await startSmall();
    const oldest = await clients.unverified();
    clock.now = 1;
    const newcomer = await clients.no_request();
    clock.now = 2;

    await clients.idle();

    await oldest.closed;
    expect(closures).toEqual(['unverified']);
    expect(newcomer.socket.closed).toBe(false);
  });

  it('refuses the new one where all have a verified message in hand', async () => {
    const { clients, closures, clock } = await startSmall();
    const [first, second] = [await clients.verified(), await clients.verified()];
    clock.now = 60_000;

    const newcomer = await clients.no_request();

    expect(await newcomer.closed).toBe('');
    expect(closures).toEqual(['refused']);
    expect([first.socket.closed, second.socket.closed]).toEqual([false, false]);
  });

  it('has room again when a connection has gone', async () => {
    const { clients, closures } = await startSmall();
    const gone = await clients.verified();
    await clients.verified();
    gone.socket.destroy();

    // Until the server has seen that it is gone, a new one is refused.
    await eventually(async () => {
      const client = await clients.idle();
      expect(client.socket.closed).toBe(false);
    });
    expect(closures.filter((closure) => closure !== 'refused')).toEqual([]);
  });
});

describe('a limit of connections per address', () => {
  it('is held by closing another one of that address, though the table has room', async () => {
    const { clients, closures } = await startSmall({
      maxConnections: 100,
      maxConnectionsPerAddress: 1,
    });
    const first = await clients.idle();

    const second = await clients.idle();

    await first.closed;
    expect(closures).toEqual(['idle']);
    expect(second.socket.closed).toBe(false);
  });

  it('is off by default', async () => {
    const { clients, closures } = await startSmall({ maxConnections: 20 });
    for (let count = 0; count < 20; count += 1) await clients.idle();

    expect(closures).toEqual([]);
  });
});

describe('a request of our own', () => {
  it('is answered though each connection has a verified message in hand, and closes none', async () => {
    const { server, clients, closures } = await startSmall();
    await clients.verified();
    await clients.verified();

    expect(await server.answers('/', 60_000)).toBe(true);
    expect(closures).toEqual([]);
  });

  it('is no success where the answer is another one than 200', async () => {
    const server = await start((_, response) => response.writeHead(503).end());

    expect(await server.answers('/', 60_000)).toBe(false);
  });

  it('is no success where there is no answer in time', async () => {
    const server = await start(() => undefined);

    expect(await server.answers('/', 20)).toBe(false);
  });

  it('is no success where the port takes no connection', async () => {
    const server = await start();
    await server.close(0);

    expect(await server.answers('/', 60_000)).toBe(false);
  });

  it('leaves no connection behind', async () => {
    const server = await start(undefined, { keepAliveMilliseconds: 600_000 });
    await server.answers('/', 60_000);

    await server.close(60_000);
  });
});

describe('the report of closures', () => {
  it('counts each one and logs at most every ten seconds how many there were', () => {
    const { logger, lines } = collectingLogger();
    const counted: Closure[] = [];
    let now = 0;
    const report = closureReport(
      logger,
      (closure) => counted.push(closure),
      () => now,
    );

    report('idle');
    report('idle');
    report('refused');
    now = 10_000;
    report('idle');

    expect(counted).toEqual(['idle', 'idle', 'refused', 'idle']);
    expect(lines.map(({ level, closed }) => [level, closed])).toEqual([
      [40, { idle: 1 }],
      [40, { idle: 2, refused: 1 }],
    ]);
  });
});

/** Sockets of one process: both ends are ours, and some are needed for the deliveries and the tests. */
function floodSize(): number {
  const { userLimits } = process.report.getReport() as unknown as {
    userLimits: { open_files: { soft: number | string } };
  };
  const files = Number(userLimits.open_files.soft);
  return Number.isNaN(files) ? 1000 : Math.min(1000, Math.floor((files - 200) / 2));
}

describe('genuine deliveries', () => {
  let key: SigningKey;

  beforeAll(async () => {
    key = await testKey();
  });

  it.each(Object.keys(FLOODS) as (keyof typeof FLOODS)[])(
    'are all answered while a client holds a thousand connections: %s',
    async (kind) => {
      const size = floodSize();
      const listener = await startTestListener(key, { connections: { maxConnections: size } });
      const flood = await startFlood(listener.port, kind, size);
      const statuses: number[] = [];
      for (let count = 0; count < 30; count += 1) {
        const message = signed(notification(), key, { certificateUrl: listener.certificateUrl });
        const response = await listener.post(message, { connection: 'close' });
        statuses.push(response.status);
      }
      const { closed } = flood;
      flood.stop();
      await listener.close();

      expect(statuses).toEqual(Array.from({ length: 30 }, () => 200));
      expect(closed).toBeGreaterThan(0);
    },
  );
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
