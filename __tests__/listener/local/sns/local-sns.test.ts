import {
  ConfirmSubscriptionCommand,
  CreateTopicCommand,
  PublishCommand,
  SNSClient,
  SubscribeCommand,
  UnsubscribeCommand,
} from '@aws-sdk/client-sns';
import { afterEach, describe, expect, it } from 'vitest';
import {
  type LocalSns,
  type LocalSnsOptions,
  startLocalSns,
} from '../../../../listener/local/sns/local-sns.ts';
import { createCertificateStore } from '../../../../listener/src/sns/certificates.ts';
import { createConfirmer } from '../../../../listener/src/sns/confirmation.ts';
import { createVerifier } from '../../../../listener/src/sns/verifier.ts';
import {
  startTestListener,
  type TestListener,
  type TestListenerOptions,
  testKey,
} from '../../support/sns-listener.ts';
import { s3Event, topicArn, topicOf } from '../../support/sns-messages.ts';
import { startTestServer } from '../../support/sns-sockets.ts';

const open: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const part of open.splice(0).reverse()) {
    await part.close();
  }
});

function clientOf({ origin }: LocalSns): SNSClient {
  return new SNSClient({
    region: 'us-gov-west-1',
    endpoint: origin,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  });
}

async function startSns(options: LocalSnsOptions = {}): Promise<LocalSns> {
  const sns = await startLocalSns({
    retryPolicy: { intervalMilliseconds: 1, timeoutMilliseconds: 10_000 },
    ...options,
  });
  open.push(sns);
  sns.createTopic(topicArn);
  return sns;
}

/** The listener's application with its own verification and the SDK's client, beside a local SNS. */
async function startListener(
  sns: LocalSns,
  options: TestListenerOptions = {},
): Promise<TestListener> {
  const listener = await startTestListener(await testKey(), {
    ...options,
    app: {
      verifier: createVerifier({
        topics: [topicOf(topicArn)],
        certificates: createCertificateStore({ refetchMilliseconds: 0 }),
        trustedOrigins: [sns.origin],
        ...options.verifier,
      }),
      confirmer: createConfirmer(() => clientOf(sns)),
      ...options.app,
    },
  });
  open.push(listener);
  return listener;
}

async function startSubscribed(
  snsOptions: LocalSnsOptions = {},
  listenerOptions: TestListenerOptions = {},
) {
  const sns = await startSns(snsOptions);
  const listener = await startListener(sns, listenerOptions);
  const { arn, confirmed } = sns.subscribe(topicArn, `${listener.origin}/`);
  await confirmed;
  listener.calls.length = 0;
  return { sns, listener, subscriptionArn: arn };
}

describe('a subscription', () => {
  it('is confirmed by the listener through the API, never by its URL', async () => {
    const { sns, listener } = await startSubscribed();

    expect(sns.subscriptions()).toEqual([
      expect.objectContaining({
        topicArn,
        endpoint: `${listener.origin}/`,
        isConfirmed: true,
        authenticateOnUnsubscribe: true,
      }),
    ]);
    expect(sns.subscribeUrlVisits).toBe(0);
  });

  it('counts a visit of its SubscribeURL', async () => {
    const sns = await startSns();
    const visited = Promise.withResolvers<number>();
    const careless = await startTestServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', async () => {
        response.end();
        const answer = await fetch(JSON.parse(body).SubscribeURL);
        visited.resolve(answer.status);
      });
    });
    open.push(careless);

    await sns.subscribe(topicArn, careless.origin).confirmed;

    expect(await visited.promise).toBe(200);
    expect(sns.subscribeUrlVisits).toBe(1);
    expect(sns.subscriptions()[0]?.authenticateOnUnsubscribe).toBe(false);
  });

  it('gets no message before it is confirmed', async () => {
    const sns = await startSns();
    const silent = await startTestServer((_, response) => response.end());
    open.push(silent);
    sns.subscribe(topicArn, silent.origin);

    expect(await sns.publish(topicArn, { message: 'x' }).delivered).toBe(true);
    expect(silent.requests.length).toBeLessThanOrEqual(1);
  });

  it('is asked for again after a failure', async () => {
    const sns = await startSns();
    let failures = 2;
    const confirmer = createConfirmer(() => clientOf(sns));
    const listener = await startListener(sns, {
      app: {
        confirmer: {
          confirm(...about) {
            failures -= 1;
            return failures >= 0
              ? Promise.reject(new Error('AWS is unavailable'))
              : confirmer.confirm(...about);
          },
        },
      },
    });

    await sns.subscribe(topicArn, listener.origin).confirmed;

    expect(sns.attempts.map(({ status }) => status)).toEqual([500, 500, 200]);
  });

  it('fails where the endpoint refuses it', async () => {
    const sns = await startSns();
    const refusing = await startTestServer((_, response) => response.writeHead(403).end());
    open.push(refusing);

    await expect(sns.subscribe(topicArn, refusing.origin).confirmed).rejects.toThrow(
      `${refusing.origin} did not confirm its subscription`,
    );
    expect(sns.deadLetters).toMatchObject([{ message: { Type: 'SubscriptionConfirmation' } }]);
  });

  it('stays the same for the same endpoint', async () => {
    const { sns, listener, subscriptionArn } = await startSubscribed();

    expect(sns.subscribe(topicArn, `${listener.origin}/`).arn).toBe(subscriptionArn);
    expect(sns.subscriptions()).toHaveLength(1);
  });

  it('tells its endpoint when it ends', async () => {
    const { sns, listener, subscriptionArn } = await startSubscribed();

    await sns.unsubscribe(subscriptionArn);

    expect(listener.calls).toEqual([expect.stringMatching(/^unsubscribe /)]);
    expect(sns.subscriptions()).toEqual([]);
  });

  it('can’t be ended by the UnsubscribeURL of a message', async () => {
    const { sns, subscriptionArn } = await startSubscribed();

    const query = new URLSearchParams({ Action: 'Unsubscribe', SubscriptionArn: subscriptionArn });
    const answer = await fetch(`${sns.origin}/?${query}`);

    expect(answer.status).toBe(403);
    expect(sns.subscriptions()).toHaveLength(1);
  });
});

describe('a message', () => {
  it('is delivered, and the listener verifies it', async () => {
    const { sns, listener } = await startSubscribed();

    const { messageId, delivered } = sns.publish(topicArn, {
      message: s3Event(),
      subject: 'Grüße 🧪',
    });

    expect(await delivered).toBe(true);
    expect(listener.calls).toEqual([`notification ${messageId}`]);
  });

  it('is delivered with version 1 where both sides want it', async () => {
    const { sns, listener } = await startSubscribed(
      { signatureVersion: '1' },
      { verifier: { signatureVersions: ['1'] } },
    );

    const { messageId, delivered } = sns.publish(topicArn, { message: s3Event() });

    expect(await delivered).toBe(true);
    expect(listener.calls).toEqual([`notification ${messageId}`]);
  });

  it('is verified with a new key at the same URL', async () => {
    const { sns } = await startSubscribed();
    const url = sns.certificateUrl;

    await sns.rotateKey();

    expect(sns.certificateUrl).toBe(url);
    expect(await sns.publish(topicArn, { message: s3Event() }).delivered).toBe(true);
  });

  it('comes again with its id while the listener can’t take it', async () => {
    let failures = 2;
    const { sns, listener } = await startSubscribed(
      {},
      {
        intake: {
          async acceptNotification() {
            failures -= 1;
            if (failures >= 0) {
              throw new Error('the database is unavailable');
            }
            return { outcome: 'accepted', runIds: [] };
          },
        },
      },
    );

    const { messageId, delivered } = sns.publish(topicArn, { message: s3Event() });

    expect(await delivered).toBe(true);
    expect(listener.calls).toEqual(Array(3).fill(`notification ${messageId}`));
  });

  it('becomes a dead letter when all retries fail', async () => {
    const { sns, subscriptionArn } = await startSubscribed(
      {},
      { intake: { acceptNotification: () => Promise.reject(new Error('away')) } },
    );

    const { messageId, delivered } = sns.publish(topicArn, { message: s3Event() });

    expect(await delivered).toBe(false);
    expect(sns.deadLetters).toMatchObject([{ subscriptionArn, message: { MessageId: messageId } }]);
  });

  it('is not lost to a dropped request, nor to a lost answer', async () => {
    const { sns, listener } = await startSubscribed();
    sns.injectFaults((_, attempt) => {
      const faults = [{ kind: 'drop-request' }, { kind: 'drop-answer' }] as const;
      return faults[attempt - 1];
    });

    const { messageId, delivered } = sns.publish(topicArn, { message: s3Event() });

    expect(await delivered).toBe(true);
    // Once for the answer that was lost, once for the last try.
    expect(listener.calls).toEqual(Array(2).fill(`notification ${messageId}`));
  });

  it('needs a topic', async () => {
    const sns = await startSns();

    expect(() => sns.publish(`${topicArn}-2`, { message: 'x' })).toThrow('Topic does not exist');
  });
});

describe('the API for the SDK', () => {
  it('creates a topic, subscribes and publishes', async () => {
    const sns = await startSns();
    const listener = await startListener(sns);
    const client = clientOf(sns);

    const topic = await client.send(new CreateTopicCommand({ Name: 'file-processing-topic' }));
    expect(topic.TopicArn).toBe(topicArn);
    const pending = await client.send(
      new SubscribeCommand({ TopicArn: topicArn, Protocol: 'http', Endpoint: listener.origin }),
    );
    expect(pending.SubscriptionArn).toBe('pending confirmation');
    await sns.subscribe(topicArn, listener.origin).confirmed;
    const published = await client.send(
      new PublishCommand({ TopicArn: topicArn, Message: s3Event(), Subject: 'S' }),
    );

    await sns.publish(topicArn, { message: s3Event() }).delivered;
    expect(published.MessageId).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('takes AuthenticateOnUnsubscribe from a signed request alone', async () => {
    const { sns } = await startSubscribed();
    const query = new URLSearchParams({
      Action: 'ConfirmSubscription',
      TopicArn: topicArn,
      Token: sns.subscriptions()[0]?.token ?? '',
      AuthenticateOnUnsubscribe: 'true',
    });

    expect((await fetch(`${sns.origin}/?${query}`)).status).toBe(403);
  });

  it('ends a subscription for a signed request', async () => {
    const { sns, subscriptionArn } = await startSubscribed();

    await clientOf(sns).send(new UnsubscribeCommand({ SubscriptionArn: subscriptionArn }));

    expect(sns.subscriptions()).toEqual([]);
  });

  it.each([
    ['NotFound', { TopicArn: `${topicArn}-2`, Token: 'x' }],
    ['InvalidParameter', { TopicArn: topicArn, Token: 'x' }],
  ])('refuses a confirmation with %s', async (code, input) => {
    const sns = await startSns();

    await expect(clientOf(sns).send(new ConfirmSubscriptionCommand(input))).rejects.toThrow(
      expect.objectContaining({ name: expect.stringContaining(code) }),
    );
  });
});

describe('close', () => {
  it('ends a delivery that waits for a retry', async () => {
    const sns = await startLocalSns({ retryPolicy: { intervalMilliseconds: 3_600_000 } });
    sns.createTopic(topicArn);
    const entered = Promise.withResolvers<void>();
    const refusing = await startTestServer((_, response) => {
      response.writeHead(503).end();
      entered.resolve();
    });
    open.push(refusing);
    sns.subscribe(topicArn, refusing.origin);
    await entered.promise;

    await sns.close();

    expect(sns.deadLetters).toEqual([]);
  });
});
