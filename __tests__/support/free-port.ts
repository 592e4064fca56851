import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below the ports that Linux (32768) and macOS (49152) give to whoever asks for any, above those that services are known by. */
const RANGE = [20_000, 32_768] as const;

/**
 * A loopback port that nobody listens on at the moment, for programs that can't pick one. It is one that the system gives to
 * nobody else before the program takes it, however many connections other tests open meanwhile.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(...RANGE);
    const server = createServer().listen(port, '127.0.0.1');
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}
