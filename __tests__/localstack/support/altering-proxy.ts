import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One delivery that went through. */
export interface Delivery {
  /** Of the header `x-amz-sns-message-type`. */
  readonly type: string;
  readonly headers: Readonly<Record<string, string>>;
  /** As SNS sent it. */
  readonly body: string;
  /** What the listener answered, to what it was sent. */
  readonly status: number;
  readonly answer: string;
}

/** Somebody on the way between SNS and the listener. */
export interface AlteringProxy {
  /** Where SNS delivers to. */
  readonly url: string;
  readonly deliveries: readonly Delivery[];
  /** From now on, changes what passes. */
  alter(change: (body: string) => string): void;
  close(): Promise<void>;
}

/** Headers of the message; those of the connection are made anew. */
const PASSED_ON = /^(content-type|user-agent|x-amz-sns-.*)$/;

/** Starts a proxy that passes everything on unchanged, until it is told otherwise. */
export async function startAlteringProxy(listenerUrl: string): Promise<AlteringProxy> {
  const deliveries: Delivery[] = [];
  let change = (body: string) => body;
  const server = createServer(async (request, response) => {
    const body = await textOf(request);
    const headers = passedOn(request.headers);
    const forwarded = await fetch(listenerUrl, { method: 'POST', headers, body: change(body) });
    const { status } = forwarded;
    const answer = await forwarded.text();
    response.writeHead(status).end(answer);
    const type = headers['x-amz-sns-message-type'] ?? 'none';
    deliveries.push({ type, headers, body, status, answer });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    deliveries,
    alter(newChange) {
      change = newChange;
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

function passedOn(headers: IncomingHttpHeaders): Record<string, string> {
  const entries = Object.entries(headers).filter(([name]) => PASSED_ON.test(name));
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]));
}
