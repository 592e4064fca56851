import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { SNS_HEADERS } from '@file-processing/contract/sns-envelope.ts';

const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';

/** What a client sends who wants to keep others out, by what its connections then are. */
export const FLOODS = {
  idle: GET,
  'half a head': 'POST / HTTP/1.1\r\nHost: x\r\n',
  'half a body': `POST / HTTP/1.1\r\nHost: x\r\n${SNS_HEADERS.type}: Notification\r\nContent-Length: 9\r\n\r\n{`,
} as const;

/** As many as one client needed to keep every delivery out of a server that drops the newest connection. */
const REQUESTS_PER_SECOND = 27;

/** A client that holds many connections. */
export interface Flood {
  /** How many of its connections were closed so far. */
  readonly closed: number;
  stop(): void;
}

/**
 * Opens so many connections, and each again as soon as it is closed. Idle ones ask from time to time,
 * 27 times a second in all.
 */
export async function startFlood(
  port: number,
  kind: keyof typeof FLOODS,
  connections: number,
): Promise<Flood> {
  const sockets = new Set<Socket>();
  let closed = 0;
  let flooding = true;
  const open = async (): Promise<void> => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket
      .on('error', () => undefined)
      .once('close', () => {
        sockets.delete(socket);
        closed += 1;
        if (flooding) void open();
      });
    socket.resume();
    sockets.add(socket);
    await Promise.race([once(socket, 'connect'), once(socket, 'close')]);
    socket.write(FLOODS[kind]);
    if (!flooding) socket.destroy();
  };
  // One after the other: more than the system queues at a time are tried again after seconds.
  for (let count = 0; count < connections; count += 1) await open();

  const asking = setInterval(() => {
    const [longest] = kind === 'idle' ? sockets : [];
    if (longest === undefined) return;
    longest.write(GET);
    // The one that has asked last is the last of the set.
    sockets.delete(longest);
    sockets.add(longest);
  }, 1000 / REQUESTS_PER_SECOND);

  return {
    get closed() {
      return closed;
    },
    stop() {
      flooding = false;
      clearInterval(asking);
      for (const socket of sockets) socket.destroy();
    },
  };
}
