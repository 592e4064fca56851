import type { UnsignedMessage } from '@file-processing/contract/sns-envelope.ts';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Signer } from '../../../../listener/local/sns/message.ts';
import { makeSigningKey, type SigningKey } from '../../../../listener/local/sns/signing-key.ts';
import { health, readyz, routes } from '../../../../listener/src/http/app.ts';
import { createMetrics } from '../../../../listener/src/http/metrics.ts';
import { errorAnswers, type ListenerMiddleware } from '../../../../listener/src/http/middleware.ts';
import { eventually } from '../../../support/eventually.ts';
import { ask } from '../../support/sns-koa.ts';
import {
  awsFailure,
  collectingLogger,
  requestsWith,
  startTestListener,
  type TestListener,
  type TestListenerOptions,
  testKey,
} from '../../support/sns-listener.ts';
import { confirmation, notification, signed, topicArn } from '../../support/sns-messages.ts';
import { connectRaw } from '../../support/sns-sockets.ts';

let key: SigningKey;
let otherKey: SigningKey;

beforeAll(async () => {
  [key, otherKey] = await Promise.all([testKey(), makeSigningKey()]);
});

interface Answered {
  readonly status: number;
  readonly outcome?: string;
  /** Calls of the intake; none where left out. */
  readonly calls?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
}

interface Row {
  readonly input: string;
  readonly options?: TestListenerOptions;
  send(listener: TestListener): Promise<Response>;
  readonly answer: Answered;
}

function post(
  message: UnsignedMessage,
  signer: Partial<Signer> = {},
  headers: Record<string, string> = {},
) {
  return (listener: TestListener): Promise<Response> =>
    listener.post(
      signed(message, key, { certificateUrl: listener.certificateUrl, ...signer }),
      headers,
    );
}

function get(path: string, init: RequestInit = {}) {
  return ({ origin }: TestListener): Promise<Response> => fetch(origin + path, init);
}

function postText(body: string | Uint8Array<ArrayBuffer>, type = 'Notification') {
  return get('/', { method: 'POST', headers: { 'x-amz-sns-message-type': type }, body });
}

const id = notification().MessageId;
const confirmationId = confirmation().MessageId;
const unsubscribe = () => confirmation({ Type: 'UnsubscribeConfirmation' });
const twoDaysAgo = new Date(Date.now() - 2 * 86_400_000).toISOString();
const inTenMinutes = new Date(Date.now() + 10 * 60_000).toISOString();

function intakeThat(outcome: 'duplicate' | 'ignored' | 'dead'): TestListenerOptions {
  return { intake: { acceptNotification: async () => ({ outcome, runIds: [] }) } };
}

function fails(error: Error): TestListenerOptions {
  const reject = () => Promise.reject(error);
  return {
    intake: {
      acceptNotification: reject,
      recordConfirmation: reject,
      recordUnsubscribe: reject,
    },
  };
}

const databaseAway = Object.assign(new Error('away'), { code: 'DATABASE_UNAVAILABLE' });

/** The table of the interface: what comes in, what SNS is answered, what happens. */
const rows: Row[] = [
  { input: 'GET /', send: get('/'), answer: { status: 200 } },
  { input: 'HEAD /', send: get('/', { method: 'HEAD' }), answer: { status: 200 } },
  { input: 'GET /?x=1', send: get('/?x=1'), answer: { status: 200 } },
  { input: 'GET /healthz', send: get('/healthz'), answer: { status: 200 } },
  { input: 'HEAD /healthz', send: get('/healthz', { method: 'HEAD' }), answer: { status: 200 } },
  { input: 'GET /readyz', send: get('/readyz'), answer: { status: 200 } },
  {
    input: 'GET /readyz while the database is unavailable or the process drains',
    options: { app: { readiness: async () => false } },
    send: get('/readyz'),
    answer: { status: 503, outcome: 'not_ready' },
  },
  {
    input: 'GET /healthz while the database is unavailable',
    options: { app: { readiness: () => Promise.reject(databaseAway) } },
    send: get('/healthz'),
    answer: { status: 200 },
  },
  { input: 'another path', send: get('/admin'), answer: { status: 404, outcome: 'not_found' } },
  {
    input: 'a path called like a property of the prototype',
    send: get('/__proto__'),
    answer: { status: 404, outcome: 'not_found' },
  },
  {
    input: 'POST to another path',
    send: get('/sns', { method: 'POST', body: '{}' }),
    answer: { status: 404, outcome: 'not_found' },
  },
  {
    input: 'PUT /',
    send: get('/', { method: 'PUT', body: '{}' }),
    answer: { status: 405, outcome: 'method_not_allowed', headers: { allow: 'GET, HEAD, POST' } },
  },
  {
    input: 'POST /healthz',
    send: get('/healthz', { method: 'POST', body: '{}' }),
    answer: { status: 405, outcome: 'method_not_allowed', headers: { allow: 'GET, HEAD' } },
  },
  {
    input: 'a body over 320 KiB',
    send: postText('x'.repeat(320 * 1024 + 1)),
    answer: { status: 413, outcome: 'body_too_large' },
  },
  {
    input: 'a body of 320 KiB that is not JSON',
    send: postText('x'.repeat(320 * 1024)),
    answer: { status: 400, outcome: 'body_not_json' },
  },
  { input: 'no body', send: postText(''), answer: { status: 400, outcome: 'body_not_json' } },
  {
    input: 'a body that is not UTF-8',
    send: postText(new Uint8Array([0x22, 0xff, 0x22])),
    answer: { status: 400, outcome: 'body_not_json' },
  },
  {
    input: 'JSON that is not an SNS envelope',
    send: postText('{"Records":[]}'),
    answer: { status: 400, outcome: 'envelope_invalid' },
  },
  {
    input: 'a JSON bomb',
    send: postText(`${'['.repeat(150_000)}${']'.repeat(150_000)}`),
    answer: { status: 400, outcome: 'envelope_invalid' },
  },
  {
    input: 'a x-amz-sns-message-type that differs from Type',
    send: post(notification(), {}, { 'x-amz-sns-message-type': 'SubscriptionConfirmation' }),
    answer: { status: 400, outcome: 'message_type_mismatch' },
  },
  {
    input: 'no x-amz-sns-message-type',
    send: get('/', { method: 'POST', body: '{}' }),
    answer: { status: 400, outcome: 'message_type_missing' },
  },
  {
    input: 'raw delivery',
    send: post(notification(), {}, { 'x-amz-sns-rawdelivery': 'true' }),
    answer: { status: 400, outcome: 'raw_delivery' },
  },
  {
    input: 'the signature of another key',
    send: (listener) =>
      listener.post(signed(notification(), otherKey, { certificateUrl: listener.certificateUrl })),
    answer: { status: 403, outcome: 'signature_invalid' },
  },
  {
    input: 'a message that was changed',
    send: (listener) =>
      listener.post({
        ...signed(notification(), key, { certificateUrl: listener.certificateUrl }),
        Message: '{}',
      }),
    answer: { status: 403, outcome: 'signature_invalid' },
  },
  {
    input: 'a certificate in an S3 bucket called sns',
    send: post(notification(), {
      certificateUrl: 'https://sns.s3-us-west-2.amazonaws.com/SimpleNotificationService-ab.pem',
    }),
    answer: { status: 403, outcome: 'certificate_url_not_allowed' },
  },
  {
    input: 'another topic',
    send: post(notification({ TopicArn: `${topicArn}-2` })),
    answer: { status: 403, outcome: 'topic_not_allowed' },
  },
  {
    input: 'a confirmation for another topic',
    send: post(confirmation({ TopicArn: `${topicArn}-2` })),
    answer: { status: 403, outcome: 'topic_not_allowed' },
  },
  {
    input: 'a message that is too old',
    send: post(notification({ Timestamp: twoDaysAgo })),
    answer: { status: 403, outcome: 'message_too_old' },
  },
  {
    // Whoever signed it has the right time: SNS comes again until this clock has it too.
    input: 'a message that is ahead of the clock',
    send: post(notification({ Timestamp: inTenMinutes })),
    answer: { status: 503, outcome: 'message_from_future' },
  },
  {
    input: 'version 1 without the setting',
    send: post(notification(), { signatureVersion: '1' }),
    answer: { status: 403, outcome: 'signature_version_not_allowed' },
  },
  {
    input: 'version 1 with the setting',
    options: { verifier: { signatureVersions: ['1', '2'] } },
    send: post(notification(), { signatureVersion: '1' }),
    answer: { status: 200, outcome: 'accepted', calls: [`notification ${id}`] },
  },
  {
    input: 'a certificate that can’t be fetched',
    options: { certificate: undefined },
    send: post(notification()),
    answer: { status: 503, outcome: 'certificate_unavailable', headers: { 'retry-after': '5' } },
  },
  {
    input: 'SubscriptionConfirmation',
    send: post(confirmation()),
    answer: { status: 200, outcome: 'confirmed', calls: [`confirmation ${confirmationId}`] },
  },
  {
    input: 'SubscriptionConfirmation when AWS fails',
    options: { app: { confirmer: { confirm: () => Promise.reject(awsFailure()) } } },
    send: post(confirmation()),
    answer: { status: 503, outcome: 'confirmation_failed', headers: { 'retry-after': '5' } },
  },
  {
    input: 'UnsubscribeConfirmation',
    send: post(unsubscribe()),
    answer: { status: 200, outcome: 'unsubscribed', calls: [`unsubscribe ${confirmationId}`] },
  },
  {
    input: 'a new notification',
    send: post(notification()),
    answer: { status: 200, outcome: 'accepted', calls: [`notification ${id}`] },
  },
  {
    input: 'a notification as application/json',
    send: post(notification(), {}, { 'content-type': 'application/json' }),
    answer: { status: 200, outcome: 'accepted', calls: [`notification ${id}`] },
  },
  {
    input: 'UTF-8 in subject and message',
    send: post(notification({ Subject: 'Größe 日本語 🧪', Message: '{"ü":"\u2028🧪"}' })),
    answer: { status: 200, outcome: 'accepted', calls: [`notification ${id}`] },
  },
  ...(['duplicate', 'ignored', 'dead'] as const).map(
    (outcome): Row => ({
      input: `a notification that is ${outcome}`,
      options: intakeThat(outcome),
      send: post(notification()),
      answer: { status: 200, outcome, calls: [`notification ${id}`] },
    }),
  ),
  ...[notification(), confirmation(), unsubscribe()].map(
    (message): Row => ({
      input: `${message.Type} while the database is unavailable`,
      options: fails(databaseAway),
      send: post(message),
      answer: {
        status: 503,
        outcome: 'database_unavailable',
        headers: { 'retry-after': '5' },
        calls: [expect.stringContaining(message.MessageId)],
      },
    }),
  ),
  {
    input: 'a notification that can’t be recorded for another reason',
    options: fails(new Error('a bug')),
    send: post(notification()),
    answer: {
      status: 503,
      outcome: 'intake_failed',
      headers: { 'retry-after': '5' },
      calls: [`notification ${id}`],
    },
  },
  {
    input: 'a notification whose answer takes too long',
    options: {
      app: { answerMilliseconds: 1_000 },
      intake: { acceptNotification: () => new Promise(() => undefined) },
    },
    send: post(notification()),
    answer: {
      status: 503,
      outcome: 'deadline_exceeded',
      headers: { 'retry-after': '5' },
      calls: [`notification ${id}`],
    },
  },
];

describe('the interface', () => {
  it.each(rows)('answers $answer.status to $input', async ({ options, send, answer }) => {
    const listener = await startTestListener(key, options);
    try {
      const response = await send(listener);

      expect(response.status).toBe(answer.status);
      // On a busy machine the time for the answer can be over before the message is verified.
      await eventually(() => expect(listener.calls).toEqual(answer.calls ?? []));
      for (const [name, value] of Object.entries(answer.headers ?? {})) {
        expect(response.headers.get(name)).toBe(value);
      }
      if (answer.outcome !== undefined) {
        expect(await requestsWith(listener.metrics, answer.outcome)).toBe(1);
      }
    } finally {
      await listener.close();
    }
  });

  it('answers an error of our own inside with its code alone', async () => {
    const listener = await startTestListener(key, fails(new Error('password=hunter2 at 10.0.0.7')));

    const response = await post(notification())(listener);

    expect(await response.json()).toStrictEqual({ error: 'intake_failed' });
    await listener.close();
  });

  it('answers a wrong message with the reason', async () => {
    const listener = await startTestListener(key);

    const response = await postText('{"Type":"x"}')(listener);

    expect(await response.json()).toStrictEqual({
      error: 'envelope_invalid',
      message: expect.stringContaining('Type is "x"'),
    });
    await listener.close();
  });

  it('confirms the allow-listed topic with the token, and visits nothing', async () => {
    const listener = await startTestListener(key);

    await post(confirmation({ SubscribeURL: `${listener.certificateUrl}?SubscribeURL` }))(listener);

    expect(listener.confirmed).toEqual([`${topicArn} 233641233797a0f0`]);
    expect(listener.certificateRequests).toEqual(['/SimpleNotificationService-0.pem']);
    await listener.close();
  });

  it('never subscribes again after an UnsubscribeConfirmation', async () => {
    const listener = await startTestListener(key);

    await post(unsubscribe())(listener);

    expect(listener.confirmed).toEqual([]);
    await listener.close();
  });

  it('answers 503 to a client that dribbles its body, and cuts it', async () => {
    const listener = await startTestListener(key, { app: { answerMilliseconds: 50 } });
    const head =
      'POST / HTTP/1.1\r\nHost: x\r\nx-amz-sns-message-type: Notification\r\n' +
      'Content-Length: 1000\r\n\r\n';
    const { socket, closed } = await connectRaw(listener.port, head);
    const dribble = setInterval(() => socket.write(' '), 5);
    const answer = await closed;
    clearInterval(dribble);

    expect(answer).toMatch(/^HTTP\/1.1 503 /);
    expect(answer).toMatch(/\r\nConnection: close\r\n/);
    await listener.close();
  });
});

const answerWith =
  (text: string): ListenerMiddleware =>
  (ctx) => {
    ctx.body = text;
  };

const stack = [
  errorAnswers(collectingLogger().logger, createMetrics()),
  routes({ '/a': { GET: answerWith('get a'), POST: answerWith('post a') } }),
];

describe('routes', () => {
  it.each([
    ['GET', '/a', 200, 'get a'],
    ['GET', '/a?query', 200, 'get a'],
    ['POST', '/a', 200, 'post a'],
    ['DELETE', '/a', 405, 'method_not_allowed'],
    ['OPTIONS', '/a', 405, 'method_not_allowed'],
    ['GET', '/a/', 404, 'not_found'],
    ['GET', '/A', 404, 'not_found'],
    ['GET', '/toString', 404, 'not_found'],
  ])('sends %s %s to an answer of %i', async (method, path, status, text) => {
    const answer = await ask(stack, path, { method });

    expect(answer.status).toBe(status);
    expect(answer.text).toContain(text);
  });

  it('names the allowed methods', async () => {
    const answer = await ask(stack, '/a', { method: 'DELETE' });

    expect(answer.headers.get('allow')).toBe('GET, POST');
  });
});

it('says that the process runs', async () => {
  expect(await ask([health])).toMatchObject({ status: 200, text: '{"status":"ok"}' });
});

async function statusWith(readiness: () => Promise<boolean>): Promise<number> {
  const errors = errorAnswers(collectingLogger().logger, createMetrics());
  return (await ask([errors, readyz(readiness)])).status;
}

describe('readyz', () => {
  it('answers 200 when ready', async () => {
    expect(await statusWith(async () => true)).toBe(200);
  });

  it('answers 503 when not', async () => {
    expect(await statusWith(async () => false)).toBe(503);
  });

  it('answers 503 when the question fails', async () => {
    expect(await statusWith(() => Promise.reject(new Error('no connection')))).toBe(503);
  });
});
