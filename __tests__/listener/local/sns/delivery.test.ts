import { Agent, type IncomingHttpHeaders, type RequestListener } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import {
  type DeliveryAttempt,
  type DeliveryOptions,
  defaultRetryPolicy,
  deliver,
} from '../../../../listener/local/sns/delivery.ts';
import { testKey } from '../../support/sns-listener.ts';
import { notification, signed, topicArn } from '../../support/sns-messages.ts';
import { startTestServer, type TestServer } from '../../support/sns-sockets.ts';

const servers: TestServer[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function serve(handler: RequestListener): Promise<TestServer> {
  const server = await startTestServer(handler);
  servers.push(server);
  return server;
}

/** Answers with these statuses, one after the other; the last one again and again. */
function serveStatuses(...statuses: number[]): Promise<TestServer> {
  let request = 0;
  return serve((incoming, response) => {
    const status = statuses[Math.min(request, statuses.length - 1)] ?? 200;
    request += 1;
    incoming.resume().once('end', () => response.writeHead(status).end());
  });
}

async function deliverTo(endpoint: string, options: Partial<DeliveryOptions> = {}) {
  const attempts: DeliveryAttempt[] = [];
  const agent = new Agent();
  const isTaken = await deliver(signed(notification(), await testKey()), {
    endpoint,
    subscriptionArn: `${topicArn}:subscription`,
    policy: { retries: 3, intervalMilliseconds: 1, timeoutMilliseconds: 10_000 },
    agent,
    signal: new AbortController().signal,
    faultFor: () => undefined,
    onAttempt: (attempt) => attempts.push(attempt),
    ...options,
  });
  agent.destroy();
  return { isTaken, attempts };
}

describe('deliver', () => {
  it('posts a message with the headers of SNS', async () => {
    const seen: { headers: IncomingHttpHeaders; body: string; method?: string }[] = [];
    const { origin } = await serve(async (request, response) => {
      const { headers, method } = request;
      seen.push({ headers, method, body: await text(request) });
      response.end();
    });

    await deliverTo(origin);

    expect(seen[0]?.method).toBe('POST');
    expect(seen[0]?.headers).toMatchObject({
      'x-amz-sns-message-type': 'Notification',
      'x-amz-sns-message-id': notification().MessageId,
      'x-amz-sns-topic-arn': topicArn,
      'x-amz-sns-subscription-arn': `${topicArn}:subscription`,
      'content-type': 'text/plain; charset=UTF-8',
      'user-agent': 'Amazon Simple Notification Service Agent',
    });
    expect(JSON.parse(seen[0]?.body ?? '')).toMatchObject({ Type: 'Notification' });
  });

  it.each([200, 204, 299])('is done after %i', async (status) => {
    const { origin } = await serveStatuses(status);

    expect(await deliverTo(origin)).toMatchObject({ isTaken: true, attempts: [{ status }] });
  });

  it.each([500, 503, 599, 429])('tries again after %i', async (status) => {
    const { origin } = await serveStatuses(status, 200);

    expect(await deliverTo(origin)).toMatchObject({
      isTaken: true,
      attempts: [
        { attempt: 1, status },
        { attempt: 2, status: 200 },
      ],
    });
  });

  it.each([400, 403, 404, 408, 413, 301])('gives up after %i', async (status) => {
    const { origin } = await serveStatuses(status, 200);

    expect(await deliverTo(origin)).toMatchObject({ isTaken: false, attempts: [{ status }] });
  });

  it('gives up after three retries, all with the same message id', async () => {
    const { origin } = await serveStatuses(503);

    const { isTaken, attempts } = await deliverTo(origin);

    expect(isTaken).toBe(false);
    expect(attempts.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4]);
    expect(new Set(attempts.map(({ messageId }) => messageId)).size).toBe(1);
  });

  it('tries again where nobody listens', async () => {
    const server = await startTestServer(() => undefined);
    await server.close();

    const { isTaken, attempts } = await deliverTo(server.origin);

    expect(isTaken).toBe(false);
    expect(attempts).toHaveLength(4);
    expect(attempts[0]?.error).toContain('ECONNREFUSED');
  });

  it('tries again where the endpoint does not answer in time', async () => {
    let request = 0;
    const { origin } = await serve((_, response) => {
      request += 1;
      if (request > 1) {
        response.end();
      }
    });

    const { isTaken, attempts } = await deliverTo(origin, {
      // On a busy machine an answer can be late that is on its way.
      policy: { retries: 100, intervalMilliseconds: 1, timeoutMilliseconds: 200 },
    });

    expect(isTaken).toBe(true);
    expect(attempts[0]).toMatchObject({ error: expect.any(String) });
    expect(attempts.at(-1)).toMatchObject({ status: 200 });
  });

  it('has the policy of SNS by default', () => {
    expect(defaultRetryPolicy).toStrictEqual({
      retries: 3,
      intervalMilliseconds: 20_000,
      timeoutMilliseconds: 15_000,
    });
  });

  it('ends with its signal while it waits for a retry', async () => {
    const { origin } = await serveStatuses(503);
    const controller = new AbortController();

    await expect(
      deliverTo(origin, {
        policy: { retries: 3, intervalMilliseconds: 3_600_000, timeoutMilliseconds: 10_000 },
        signal: controller.signal,
        onAttempt: () => controller.abort(),
      }),
    ).rejects.toThrow('aborted');
  });
});

describe('a fault', () => {
  it('drops a request in the middle of its body', async () => {
    const bodies: (string | undefined)[] = [];
    const { origin } = await serve(async (request, response) => {
      bodies.push(await text(request).catch(() => undefined));
      response.end();
    });

    const { isTaken, attempts } = await deliverTo(origin, {
      faultFor: (_, attempt) => (attempt === 1 ? { kind: 'drop-request' } : undefined),
    });

    expect(isTaken).toBe(true);
    expect(attempts).toMatchObject([{ error: 'the request was dropped' }, { status: 200 }]);
    expect(bodies.filter((body) => body !== undefined)).toHaveLength(1);
  });

  it('drops an answer, so that the endpoint gets the message twice', async () => {
    const server = await serveStatuses(200);

    const { isTaken } = await deliverTo(server.origin, {
      faultFor: (_, attempt) => (attempt === 1 ? { kind: 'drop-answer' } : undefined),
    });

    expect(isTaken).toBe(true);
    expect(server.requests).toHaveLength(2);
  });

  it('delays a message', async () => {
    const server = await serveStatuses(200);
    const controller = new AbortController();
    const delivery = deliverTo(server.origin, {
      faultFor: () => ({ kind: 'delay', milliseconds: 3_600_000 }),
      signal: controller.signal,
    });
    controller.abort();

    await expect(delivery).rejects.toThrow('aborted');
    expect(server.requests).toHaveLength(0);
  });

  it('sends a message twice', async () => {
    const server = await serveStatuses(200);

    const { attempts } = await deliverTo(server.origin, {
      faultFor: () => ({ kind: 'duplicate' }),
    });

    expect(attempts).toMatchObject([{ status: 200 }, { status: 200 }]);
    expect(server.requests).toHaveLength(2);
  });
});
