import { PublishCommand, SetSubscriptionAttributesCommand } from '@aws-sdk/client-sns';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { listRuns } from '../../listener/src/database/runs.ts';
import { createTestDatabase, type TestDatabase } from '../listener/support/postgres.ts';
import { type AlteringProxy, type Delivery, startAlteringProxy } from './support/altering-proxy.ts';
import {
  createBucket,
  createTopic,
  DEADLINE,
  putFile,
  requestSubscription,
  signWith,
  subscribe,
  subscriptionAttributes,
} from './support/drop-box.ts';
import { type ListenerProcess, startListener } from './support/listener-process.ts';
import { type LocalStack, topicArnOf } from './support/localstack.ts';
import { endedRuns, messagesOf } from './support/records.ts';
import { sharedLocalStack } from './support/shared-localstack.ts';

/** The allow-list is fixed when the listener starts, so each test's topic is named ahead. */
const topics = {
  altered: 'altered-on-the-way',
  forged: 'certificate-of-somebody-else',
  oldVersion: 'subscribed-with-version-1',
  downgraded: 'went-back-to-version-1',
  raw: 'raw-delivery',
} as const;

let localStack: LocalStack;
let testDatabase: TestDatabase;
let listener: ListenerProcess;
let proxy: AlteringProxy;

beforeAll(async () => {
  [localStack, testDatabase] = await Promise.all([sharedLocalStack(), createTestDatabase('empty')]);
  listener = await startListener({
    localStack,
    databaseUrl: testDatabase.url,
    environment: { SNS_TOPIC_ARNS: Object.values(topics).map(topicArnOf).join(',') },
  });
});

afterAll(async () => {
  await listener?.stop();
  await testDatabase?.drop();
});

beforeEach(async () => {
  proxy = await startAlteringProxy(listener.url ?? '');
});

afterEach(async () => {
  await proxy.close();
});

/** The next delivery after those that were counted. */
async function deliveryAfter(count: number): Promise<Delivery> {
  return vi.waitUntil(() => proxy.deliveries[count], { timeout: DEADLINE });
}

/**
 * Waits for the listener's answer as well: a refusal is quick, and would be counted before that of
 * the confirmation.
 */
async function subscribeByProxy(topicArn: string): Promise<string> {
  const subscriptionArn = await subscribe(localStack, topicArn, proxy.url);
  await deliveryAfter(0);
  return subscriptionArn;
}

/** Types of a topic's messages that were stored. */
async function storedTypes(topicArn: string): Promise<string[]> {
  return (await messagesOf(testDatabase.database, topicArn)).map(({ type }) => type);
}

test('a message of which one byte was altered on the way is refused and not stored', async () => {
  const topicArn = await createTopic(localStack, topics.altered);
  await subscribeByProxy(topicArn);
  await createBucket(localStack, topics.altered, topicArn);
  await deliveryAfter(1);
  proxy.alter((body) => body.replace('file.csv', 'fire.csv'));
  await putFile(localStack, topics.altered, 'file.csv', 'id\n1\n');

  const delivery = await deliveryAfter(2);
  expect(delivery).toMatchObject({ type: 'Notification', status: 403 });
  expect(JSON.parse(delivery.answer)).toMatchObject({ error: 'signature_invalid' });
  expect((await storedTypes(topicArn)).sort()).toEqual([
    'Notification',
    'SubscriptionConfirmation',
  ]);
  expect(await listRuns(testDatabase.database, { bucket: topics.altered })).toEqual([]);

  // Nothing but that byte was wrong with it.
  const { headers, body } = delivery;
  const original = await fetch(listener.url ?? '', { method: 'POST', headers, body });
  expect(original.status).toBe(200);
  const [run] = await endedRuns(testDatabase.database, topics.altered);
  expect(run).toMatchObject({ key: 'file.csv', verdict: 'passed' });
});

test("a message that names somebody else's certificate is refused and not stored", async () => {
  const topicArn = await createTopic(localStack, topics.forged);
  await subscribeByProxy(topicArn);
  proxy.alter((body) =>
    body.replace(`${localStack.url}/_aws/sns/`, 'https://sns.us-east-1.amazonaws.com.example/'),
  );
  await localStack.sns.send(new PublishCommand({ TopicArn: topicArn, Message: '{}' }));

  const delivery = await deliveryAfter(1);
  expect(delivery.status).toBe(403);
  expect(JSON.parse(delivery.answer)).toMatchObject({ error: 'certificate_url_not_allowed' });
  expect(await storedTypes(topicArn)).toEqual(['SubscriptionConfirmation']);
});

test('a subscription of signature version 1 is not confirmed unless version 1 is allowed', async () => {
  const topicArn = await createTopic(localStack, topics.oldVersion, '1');
  const subscriptionArn = await requestSubscription(localStack, topicArn, proxy.url);

  const delivery = await deliveryAfter(0);
  expect(delivery).toMatchObject({ type: 'SubscriptionConfirmation', status: 403 });
  expect(JSON.parse(delivery.answer)).toMatchObject({ error: 'signature_version_not_allowed' });
  expect(await subscriptionAttributes(localStack, subscriptionArn)).toMatchObject({
    PendingConfirmation: 'true',
  });
  expect(await storedTypes(topicArn)).toEqual([]);
});

test('a message of signature version 1 is refused unless version 1 is allowed', async () => {
  const topicArn = await createTopic(localStack, topics.downgraded);
  await subscribeByProxy(topicArn);
  await signWith(localStack, topicArn, '1');
  await createBucket(localStack, topics.downgraded, topicArn);

  const delivery = await deliveryAfter(1);
  expect(delivery).toMatchObject({ type: 'Notification', status: 403 });
  expect(JSON.parse(delivery.answer)).toMatchObject({ error: 'signature_version_not_allowed' });
  expect(await storedTypes(topicArn)).toEqual(['SubscriptionConfirmation']);
});

test('a topic that is not in the allow-list gets no subscription', async () => {
  const topicArn = await createTopic(localStack, 'somebody-elses-topic');
  const subscriptionArn = await requestSubscription(localStack, topicArn, proxy.url);

  const delivery = await deliveryAfter(0);
  expect(delivery.status).toBe(403);
  expect(JSON.parse(delivery.answer)).toMatchObject({ error: 'topic_not_allowed' });
  expect(await subscriptionAttributes(localStack, subscriptionArn)).toMatchObject({
    PendingConfirmation: 'true',
  });
  expect(await storedTypes(topicArn)).toEqual([]);
});

test('a raw delivery, which carries no signature, is refused and not stored', async () => {
  const topicArn = await createTopic(localStack, topics.raw);
  const subscriptionArn = await subscribeByProxy(topicArn);
  await localStack.sns.send(
    new SetSubscriptionAttributesCommand({
      SubscriptionArn: subscriptionArn,
      AttributeName: 'RawMessageDelivery',
      AttributeValue: 'true',
    }),
  );
  await createBucket(localStack, topics.raw, topicArn);

  const delivery = await deliveryAfter(1);
  expect(delivery.status).toBe(400);
  expect(JSON.parse(delivery.answer)).toMatchObject({ error: 'raw_delivery' });
  expect(await storedTypes(topicArn)).toEqual(['SubscriptionConfirmation']);
});
