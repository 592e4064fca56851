import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A TCP proxy on loopback that breaks what goes through it. */
export interface Gate {
  readonly port: number;
  /** Breaks all connections. @returns how many */
  cut(): number;
  /** Holds up what goes through until it is called with false; what was sent meanwhile then arrives late. */
  stall(stalled: boolean): void;
  /**
   * Breaks the connections of the next commits: before the database hears of it, or after it has
   * committed and before the client hears of that.
   */
  breakCommits(moment: 'before' | 'after', count: number): void;
  /**
   * Holds up each connection from the next statement on that a pattern fits, and no other one, until it is called with
   * undefined; what was sent meanwhile then arrives late.
   */
  holdBack(statements: RegExp | undefined): void;
  /** Commits that were broken so far. */
  readonly brokenCommits: number;
  close(): void;
}

/** @param target the port behind it, asked for each connection; undefined while there is none */
export async function startGate(target: () => number | undefined): Promise<Gate> {
  const sockets = new Set<Socket>();
  const held: (() => void)[] = [];
  const heldBack = new Map<Socket, Buffer[]>();
  let statements: RegExp | undefined;
  const toBreak = { before: 0, after: 0 };
  let stalled = false;
  let brokenCommits = 0;
  const inTime = (work: () => void) => (stalled ? held.push(work) : work());

  const listening = createServer((client) => {
    const port = target();
    client.on('error', () => undefined);
    if (port === undefined) return client.destroy();
    const server = connect({ port, host: '127.0.0.1' });
    server.on('error', () => undefined);
    let isAnswerLost = false;
    const destroy = () => {
      client.destroy();
      server.destroy();
    };
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(socket.setNoDelay(true));
      socket.once('close', () => {
        sockets.delete(socket);
        inTime(() => other.end());
      });
    }
    client.on('data', (data) => {
      if (toBreak.before + toBreak.after > 0 && data.includes('COMMIT')) {
        const moment = toBreak.before > 0 ? 'before' : 'after';
        toBreak[moment] -= 1;
        brokenCommits += 1;
        if (moment === 'before') return destroy();
        isAnswerLost = true;
      }
      if (statements?.test(data.toString('latin1')) && !heldBack.has(server))
        heldBack.set(server, []);
      const ofConnection = heldBack.get(server);
      if (ofConnection) ofConnection.push(data);
      else inTime(() => server.write(data));
    });
    server.on('data', (data) => {
      if (isAnswerLost) return destroy();
      inTime(() => client.write(data));
    });
  }).listen(0, '127.0.0.1');
  await once(listening, 'listening');

  const cut = () => {
    const count = sockets.size / 2;
    for (const socket of [...sockets]) socket.resetAndDestroy();
    return Math.ceil(count);
  };
  return {
    port: (listening.address() as AddressInfo).port,
    cut,
    stall(now) {
      stalled = now;
      if (!stalled) for (const work of held.splice(0)) work();
    },
    holdBack(now) {
      statements = now;
      if (statements !== undefined) return;
      for (const [server, sent] of heldBack) for (const data of sent) server.write(data);
      heldBack.clear();
    },
    breakCommits(moment, count) {
      toBreak[moment] = count;
    },
    get brokenCommits() {
      return brokenCommits;
    },
    close() {
      listening.close();
      cut();
    },
  };
}
