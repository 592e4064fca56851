import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { ConfirmSubscriptionCommand, SNSClient } from '@aws-sdk/client-sns';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import type { SignedMessage } from '@file-processing/contract/sns-envelope.ts';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { type LocalSns, startLocalSns } from '../../listener/local/sns/local-sns.ts';
import { createTestDatabase, type TestDatabase } from '../listener/support/postgres.ts';
import { s3Event } from '../listener/support/sns-messages.ts';
import { type AlteringProxy, startAlteringProxy } from './support/altering-proxy.ts';
import { DEADLINE } from './support/drop-box.ts';
import { type ListenerProcess, startListener } from './support/listener-process.ts';
import { credentials, type LocalStack, region, topicArnOf } from './support/localstack.ts';
import { messagesOf } from './support/records.ts';
import { sharedLocalStack } from './support/shared-localstack.ts';

/** Messages that are published between two steps of a switch, and milliseconds between two of them. */
const BETWEEN_STEPS = 20;
const PACE = 10;
/** Messages on their way at the same time: a machine that is slower than the pace gets no heap of them. */
const AT_ONCE = 20;

let localStack: LocalStack;
let testDatabase: TestDatabase;
let sqs: SQSClient;
let sns: LocalSns;
let topicArn: string;
let queue: { readonly url: string; readonly endpoint: string };
let topics = 0;

beforeAll(async () => {
  [localStack, testDatabase, sns] = await Promise.all([
    sharedLocalStack(),
    createTestDatabase('migrated'),
    startLocalSns({ retryPolicy: { intervalMilliseconds: 200 } }),
  ]);
  sqs = new SQSClient({ region, endpoint: localStack.url, credentials });
});
afterAll(async () => {
  await sns?.close();
  sqs?.destroy();
  await testDatabase?.drop();
});
beforeEach(async () => {
  topics += 1;
  topicArn = topicArnOf(`switched-${topics}`);
  sns.createTopic(topicArn);
  queue = await subscribableQueue(`switched-${topics}`);
});

/** A queue of LocalStack, and an endpoint by which the local SNS, which knows HTTP alone, delivers to it. */
async function subscribableQueue(name: string) {
  const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: name }));
  // The host of the URL that LocalStack gives is not a host name.
  const url = `${localStack.url}${new URL(QueueUrl.replace(/\/\/[^/]+/, '//host')).pathname}`;
  const api = new SNSClient({ region, endpoint: sns.origin, credentials });
  const server = createServer(async (request, response) => {
    const message = (await json(request)) as SignedMessage;
    if (message.Type === 'SubscriptionConfirmation') {
      const { TopicArn, Token } = message;
      await api.send(new ConfirmSubscriptionCommand({ TopicArn, Token }));
    } else if (message.Type === 'Notification') {
      const MessageBody = JSON.stringify(message);
      await sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody }));
    }
    response.end();
  });
  const endpoint = await listening(server);
  onTestFinished(() => {
    api.destroy();
    server.close();
    server.closeAllConnections();
  });
  return { url, endpoint };
}

async function listening(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** A listener as the stack sets it up for the ways that are open. */
async function startAt(ways: { readonly fetches: boolean }): Promise<ListenerProcess> {
  return startListener({
    localStack,
    databaseUrl: testDatabase.url,
    parameters: ['--role', 'intake'],
    environment: {
      SNS_TOPIC_ARNS: topicArn,
      AWS_ENDPOINT_URL_SNS: sns.origin,
      ...(ways.fetches && { SQS_QUEUE_URL: queue.url }),
    },
  });
}

/** Publishes one message after the other until it is ended. */
function startStream() {
  const published: string[] = [];
  let onTheirWay = 0;
  const arrived = () => {
    onTheirWay -= 1;
  };
  const publish = () => {
    if (onTheirWay >= AT_ONCE) return;
    const message = s3Event(`${published.length}.csv`);
    const { messageId, delivered } = sns.publish(topicArn, { message });
    published.push(messageId);
    onTheirWay += 1;
    delivered.then(arrived, arrived);
  };
  const timer = setInterval(publish, PACE);
  onTestFinished(() => clearInterval(timer));
  return {
    /** Waits until more have been published. */
    goesOn: async () => {
      const enough = published.length + BETWEEN_STEPS;
      await vi.waitUntil(() => published.length >= enough, { timeout: DEADLINE, interval: PACE });
    },
    end: () => {
      clearInterval(timer);
      return published;
    },
  };
}

/** Subscribes, and waits until the endpoint has confirmed. @returns what ends the subscription */
async function subscribe(endpoint: string): Promise<() => Promise<void>> {
  const { arn, confirmed } = sns.subscribe(topicArn, endpoint);
  await confirmed;
  return () => sns.unsubscribe(arn);
}

async function queueIsEmpty() {
  await vi.waitFor(
    async () => {
      const { Attributes } = await sqs.send(
        new GetQueueAttributesCommand({ QueueUrl: queue.url, AttributeNames: ['All'] }),
      );
      expect(Attributes).toMatchObject({
        ApproximateNumberOfMessages: '0',
        ApproximateNumberOfMessagesNotVisible: '0',
        ApproximateNumberOfMessagesDelayed: '0',
      });
    },
    { timeout: DEADLINE },
  );
}

/** Expects each of these messages to be recorded, and each once: its id is the key of its record. */
async function allRecorded(published: readonly string[]) {
  await vi.waitFor(
    async () => {
      const messages = await messagesOf(testDatabase.database, topicArn);
      const recorded = new Set(messages.map(({ messageId }) => messageId));
      expect(published.filter((id) => !recorded.has(id))).toEqual([]);
    },
    { timeout: DEADLINE },
  );
}

/** What stands in front of the listener's pods, and leads to the newest. */
async function startLoadBalancer(listener: ListenerProcess): Promise<AlteringProxy> {
  const balancer = await startAlteringProxy(listener.url ?? '');
  onTestFinished(() => balancer.close());
  return balancer;
}

test('a switch from the endpoint to the queue loses none of a stream of messages', async () => {
  const before = await startAt({ fetches: false });
  const { url } = await startLoadBalancer(before);
  const endEndpoint = await subscribe(url);
  const stream = startStream();
  await stream.goesOn();

  // As one plan does it: the queue's subscription, the listener's rollout, and the endpoint's subscription goes.
  await subscribe(queue.endpoint);
  await stream.goesOn();
  const after = await startAt({ fetches: true });
  onTestFinished(async () => void (await after.stop()));
  await endEndpoint();
  await stream.goesOn();
  expect(await before.stop()).toBe(0);

  const published = stream.end();
  await allRecorded(published);
  await queueIsEmpty();
  expect(published.length).toBeGreaterThan(3 * BETWEEN_STEPS);
});

test('a switch from the queue to the endpoint loses none of a stream of messages', async () => {
  const before = await startAt({ fetches: true });
  const endQueue = await subscribe(queue.endpoint);
  const stream = startStream();
  await stream.goesOn();

  // Both ways are open: the endpoint is subscribed, and the listener goes on fetching.
  const both = await startAt({ fetches: true });
  expect(await before.stop()).toBe(0);
  const { url } = await startLoadBalancer(both);
  await subscribe(url);
  await stream.goesOn();

  // Then the queue's subscription ends, and the listener is told of the queue no more once nothing waits in it.
  await endQueue();
  await stream.goesOn();
  await queueIsEmpty();
  const published = stream.end();
  await allRecorded(published);
  expect(await both.stop()).toBe(0);
  expect(published.length).toBeGreaterThan(3 * BETWEEN_STEPS);
});
