import { randomBytes } from 'node:crypto';
import type { lookup as lookUp } from 'node:dns';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { Secret } from '../../../../listener/src/config/database-config.ts';
import {
  addressFault,
  type WebhookSurroundings,
  webhookOutlets,
} from '../../../../listener/src/notices/webhook.ts';
import {
  describeFiles,
  forgetNotices,
  noticedVerdict,
  type Teller,
  tellerOf,
} from '../../support/noticed-runs.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';

const secret = () => `whsec_${randomBytes(32).toString('base64')}`;
const OLD = secret();
const NEW = secret();

let given: TestDatabase;
beforeAll(async () => {
  given = await createTestDatabase();
  await describeFiles(given.database);
});
afterAll(() => given?.drop());
beforeEach(() => forgetNotices(given.database));

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A receiver on loopback. */
async function receive(answer: (response: ServerResponse) => void) {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    received.push({ headers: request.headers, body: await text(request) });
    answer(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { received, port, url: `http://127.0.0.1:${port}/hook` };
}

const answering = (status: number) => receive((response) => response.writeHead(status).end());

function tellerTo(
  url: string,
  {
    secrets = OLD,
    privateHosts = [],
    ...surroundings
  }: { secrets?: string; privateHosts?: string[] } & WebhookSurroundings = {},
): Teller {
  const config = { urls: [url], secrets: new Secret(secrets), privateHosts };
  const teller: Teller = tellerOf(
    given.database,
    webhookOutlets(config, { now: () => teller.now, ...surroundings }),
    {
      audience: {
        ...{ states: ['failed'], operators: [], mail: false, topicArn: undefined },
        webhooks: [url],
      },
    },
  );
  teller.now = new Date();
  return teller;
}

const messages = () => given.database('notice_messages').select('status', 'attempts', 'error');

describe('a receiver of Standard Webhooks', () => {
  test('verifies what it gets, and knows it by its id', async () => {
    const { received, url } = await answering(204);
    const runId = await noticedVerdict(given.database, 'failed');
    await tellerTo(url).tell();
    const [{ headers, body } = { headers: {}, body: '' }] = received;
    const notice = new Webhook(OLD).verify(body, headers as Record<string, string>);
    expect(notice).toMatchObject({ type: 'delivery.failed', data: { run: { id: runId } } });
    expect((notice as { id: string }).id).toBe(headers['webhook-id']);
    expect(await messages()).toMatchObject([{ status: 'delivered' }]);
  });

  test.each([
    ['old', OLD],
    ['new', NEW],
  ])('that knows the %s secret verifies while both are valid', async (_which, known) => {
    const { received, url } = await answering(200);
    await noticedVerdict(given.database, 'failed');
    await tellerTo(url, { secrets: `${NEW} ${OLD}` }).tell();
    const [{ headers, body } = { headers: {}, body: '' }] = received;
    expect(new Webhook(known).verify(body, headers as Record<string, string>)).toBeDefined();
    expect(() => new Webhook(secret()).verify(body, headers as Record<string, string>)).toThrow();
  });

  test('gets the same message again until it takes it, each time signed anew', async () => {
    let status = 500;
    const { received, url } = await receive((response) => response.writeHead(status).end());
    await noticedVerdict(given.database, 'failed');
    const teller = tellerTo(url);
    await teller.tell();
    for (let tenth = 0; tenth < 24 * 6; tenth += 1) await teller.after(600_000);
    status = 200;
    await teller.after(3_600_000);
    expect(await messages()).toMatchObject([{ status: 'delivered', error: null }]);
    expect(new Set(received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    const times = received.map(({ headers }) => headers['webhook-timestamp']);
    expect(new Set(times).size).toBe(times.length);
  });

  test('that wants no more gets no more', async () => {
    const { received, url } = await answering(410);
    await noticedVerdict(given.database, 'failed');
    const teller = tellerTo(url);
    await teller.tell();
    await teller.after(3_600_000);
    expect(received).toHaveLength(1);
    expect(await messages()).toMatchObject([{ status: 'dead', error: 'HTTP 410' }]);
  });

  test('that hangs is given up in time, and tried again', async () => {
    const { url } = await receive(() => undefined);
    await noticedVerdict(given.database, 'failed');
    await tellerTo(url, { timeoutMs: 100 }).tell();
    expect(await messages()).toMatchObject([{ status: 'waiting', error: 'no answer in time' }]);
  });

  test('that answers without an end is not listened to', async () => {
    const { url } = await receive((response) => {
      response.writeHead(200);
      response.write('x');
    });
    await noticedVerdict(given.database, 'failed');
    await tellerTo(url).tell();
    expect(await messages()).toMatchObject([{ status: 'delivered' }]);
  });
});

describe('a redirect', () => {
  test.each([301, 302, 303, 307, 308])(
    'by %i to a private address is not followed',
    async (status) => {
      const inside = await answering(200);
      const { url } = await receive((response) =>
        response.writeHead(status, { location: inside.url }).end(),
      );
      await noticedVerdict(given.database, 'failed');
      await tellerTo(url).tell();
      expect(inside.received).toEqual([]);
      expect(await messages()).toMatchObject([
        { status: 'waiting', error: `HTTP ${status}: redirects are not followed` },
      ]);
    },
  );
});

/** A name server of the test. @param answers one after the other */
function resolver(...answers: readonly string[][]) {
  const asked: string[] = [];
  const lookup = ((host: string, _options: object, callback: (...results: unknown[]) => void) => {
    const answer = answers[Math.min(asked.length, answers.length - 1)] ?? [];
    asked.push(host);
    callback(
      null,
      answer.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  }) as unknown as typeof lookUp;
  return { asked, lookup };
}

describe('a host', () => {
  test.each([
    ['a private address', ['127.0.0.1'], 'is private'],
    ['one beside a public address', ['93.184.216.34', '10.0.0.1'], 'is private'],
    ['the address of the metadata', ['169.254.169.254'], 'is link-local or reserved'],
  ])('that has %s is not connected to', async (_what, answer, fault) => {
    const { received, port } = await answering(200);
    await noticedVerdict(given.database, 'failed');
    const { lookup } = resolver(answer);
    await tellerTo(`http://hook.example.org:${port}/`, { lookup }).tell();
    expect(received).toEqual([]);
    expect(await messages()).toMatchObject([
      { status: 'waiting', error: `an address of hook.example.org ${fault}` },
    ]);
  });

  test('that is named may have a private address, but not that of the metadata', async () => {
    const { received, port } = await answering(200);
    await noticedVerdict(given.database, 'failed');
    const named = { privateHosts: ['hook.example.org'] };
    const first = resolver(['169.254.169.254']);
    const teller = tellerTo(`http://hook.example.org:${port}/`, { ...named, ...first });
    await teller.tell();
    expect(received).toEqual([]);
    await forgetNotices(given.database);
    await noticedVerdict(given.database, 'failed');
    const { lookup } = resolver(['127.0.0.1']);
    await tellerTo(`http://hook.example.org:${port}/`, { ...named, lookup }).tell();
    expect(received).toHaveLength(1);
  });

  test('whose name has another address a moment later is connected to at the one that was checked', async () => {
    const { received, port } = await answering(200);
    await noticedVerdict(given.database, 'failed');
    const { asked, lookup } = resolver(['127.0.0.1'], ['169.254.169.254']);
    const privateHosts = ['hook.example.org'];
    await tellerTo(`http://hook.example.org:${port}/`, { privateHosts, lookup }).tell();
    expect(asked).toEqual(['hook.example.org']);
    expect(received).toHaveLength(1);
  });

  test('that is a private address itself is not connected to', async () => {
    await noticedVerdict(given.database, 'failed');
    await tellerTo('https://10.0.0.1/').tell();
    expect(await messages()).toMatchObject([{ status: 'waiting', error: '10.0.0.1 is private' }]);
  });
});

describe('addresses', () => {
  test.each([
    ...['10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.0.1', '100.64.0.1', '127.0.0.1'],
    ...['::1', 'fd00::1', '::ffff:10.0.0.1', '::ffff:127.0.0.1'],
  ])('%s is private, and may be named', (address) => {
    expect(addressFault(address, false)).toBe('is private');
    expect(addressFault(address, true)).toBeUndefined();
  });

  test.each([
    ...['0.0.0.0', '169.254.169.254', '224.0.0.1', '255.255.255.255', '::', 'fe80::1', 'ff02::1'],
    ...['::ffff:169.254.169.254', '64:ff9b::a00:1', '2002:a00:1::', 'localhost'],
  ])('%s is never connected to', (address) => {
    expect(addressFault(address, true)).toBeDefined();
  });

  test.each(['93.184.216.34', '172.32.0.1', '2606:2800:220:1::1'])('%s is public', (address) => {
    expect(addressFault(address, false)).toBeUndefined();
  });
});
