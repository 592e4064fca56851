import { Agent, request } from 'node:http';
import { SNS_HEADERS } from '@file-processing/contract/sns-envelope.ts';

/**
 * Posts every body once, over so many connections that each have one request under way.
 *
 * @returns seconds until the last answer
 * @throws at the first answer that is not 200
 */
export async function postAll(
  port: number,
  bodies: readonly Buffer[],
  connections: number,
): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const remaining = bodies.values();
  const begin = performance.now();
  try {
    await Promise.all(
      Array.from({ length: connections }, async () => {
        for (const body of remaining) await post(port, body, agent);
      }),
    );
    return (performance.now() - begin) / 1000;
  } finally {
    agent.destroy();
  }
}

/**
 * Posts every body by a connection of its own, one after the other, as SNS comes to a new endpoint.
 *
 * @returns seconds that each took
 * @throws at the first answer that is not 200
 */
export async function postOneByOne(
  port: number,
  bodies: readonly Buffer[],
): Promise<readonly number[]> {
  const seconds: number[] = [];
  for (const body of bodies) {
    const agent = new Agent({ keepAlive: false });
    const begin = performance.now();
    await post(port, body, agent);
    seconds.push((performance.now() - begin) / 1000);
  }
  return seconds;
}

/** Deliveries at a steady pace. */
export interface PacedLoad {
  /** Posts no more. @returns the seconds that each took @throws at an answer that was not 200 */
  stop(): Promise<readonly number[]>;
}

/** Posts so many bodies a second, whether or not those before are answered. */
export function postAtPace(port: number, bodies: readonly Buffer[], perSecond: number): PacedLoad {
  const agent = new Agent({ keepAlive: true });
  const posted: Promise<number>[] = [];
  const first = performance.now();
  // Those that are due by now: a timer knows whole milliseconds, and comes late on a busy machine.
  const timer = setInterval(
    () => {
      const due = Math.min(((performance.now() - first) / 1000) * perSecond, bodies.length);
      for (const body of bodies.slice(posted.length, Math.floor(due))) {
        const begin = performance.now();
        const answer = post(port, body, agent).then(() => (performance.now() - begin) / 1000);
        answer.catch(() => undefined);
        posted.push(answer);
      }
    },
    Math.max(1, Math.floor(1000 / perSecond)),
  );
  return {
    async stop() {
      clearInterval(timer);
      try {
        return await Promise.all(posted);
      } finally {
        agent.destroy();
      }
    },
  };
}

function post(port: number, body: Buffer, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = {
      'content-type': 'text/plain; charset=UTF-8',
      'content-length': body.length,
      [SNS_HEADERS.type]: 'Notification',
    };
    const sent = request(
      { host: '127.0.0.1', port, method: 'POST', path: '/', agent, headers },
      (response) => {
        response.resume();
        response.once('error', reject);
        response.once('end', () => {
          if (response.statusCode === 200) resolve();
          else reject(new Error(`a delivery was answered with ${response.statusCode}`));
        });
      },
    );
    sent.setTimeout(10_000, () => sent.destroy(new Error('no answer within 10 s')));
    sent.once('error', reject);
    sent.end(body);
  });
}
