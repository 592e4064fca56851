import { CreateBucketCommand, PutBucketNotificationConfigurationCommand } from '@aws-sdk/client-s3';
import { SubscribeCommand } from '@aws-sdk/client-sns';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { listRuns } from '../../listener/src/database/runs.ts';
import { createTestDatabase, type TestDatabase } from '../listener/support/postgres.ts';
import { eventBridgeEvent } from '../listener/support/sns-messages.ts';
import { createBucket, createTopic, DEADLINE, putFile } from './support/drop-box.ts';
import { type ListenerProcess, startListener } from './support/listener-process.ts';
import { credentials, type LocalStack, region, topicArnOf } from './support/localstack.ts';
import { endedRuns, outcomesOf } from './support/records.ts';
import { sharedLocalStack } from './support/shared-localstack.ts';

const TOPIC = 'queued';
const FORGED = 'forged';
const GOOD_FILE = 'id,name\n1,Ada\n2,Grace\n';

let localStack: LocalStack;
let testDatabase: TestDatabase;
let sqs: SQSClient;

beforeAll(async () => {
  [localStack, testDatabase] = await Promise.all([
    sharedLocalStack(),
    createTestDatabase('migrated'),
  ]);
  sqs = new SQSClient({ region, endpoint: localStack.url, credentials });
});
afterAll(async () => {
  sqs?.destroy();
  await testDatabase?.drop();
});

async function createQueue(name: string, Attributes: Record<string, string>): Promise<string> {
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: name, Attributes }));
  if (QueueUrl === undefined) throw new Error(`the queue ${name} has no URL`);
  // The host of the URL that LocalStack gives is not a host name (sqs.us-east-1.127.0.0.1).
  return `${localStack.url}${new URL(QueueUrl.replace(/\/\/[^/]+/, '//host')).pathname}`;
}

/**
 * A queue with a dead-letter queue, for one test alone: LocalStack hands messages out to a listener
 * that has ended while it asked.
 */
async function createQueues(name: string): Promise<{ queueUrl: string; deadLetterUrl: string }> {
  const deadLetterUrl = await createQueue(`${name}-dead-letter`, {});
  const queueUrl = await createQueue(name, {
    // So short that a message is soon handed out again.
    VisibilityTimeout: '1',
    RedrivePolicy: JSON.stringify({
      deadLetterTargetArn: await arnOf(deadLetterUrl),
      maxReceiveCount: 2,
    }),
  });
  return { queueUrl, deadLetterUrl };
}

async function attributeOf(
  url: string,
  name: 'QueueArn' | 'ApproximateNumberOfMessages' | 'ApproximateNumberOfMessagesNotVisible',
): Promise<string> {
  const command = new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: [name] });
  return (await sqs.send(command)).Attributes?.[name] ?? '';
}

const arnOf = (url: string) => attributeOf(url, 'QueueArn');

function startAt(
  queueUrl: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<ListenerProcess> {
  return startListener({
    localStack,
    databaseUrl: testDatabase.url,
    environment: { SNS_TOPIC_ARNS: topicArnOf(TOPIC), SQS_QUEUE_URL: queueUrl, ...environment },
  });
}

async function isEmpty(url: string) {
  await vi.waitFor(
    async () => {
      expect(await attributeOf(url, 'ApproximateNumberOfMessages')).toBe('0');
      expect(await attributeOf(url, 'ApproximateNumberOfMessagesNotVisible')).toBe('0');
    },
    { timeout: DEADLINE },
  );
}

test('a file whose event came while the listener was stopped gets its verdict once it is back', async () => {
  const { queueUrl } = await createQueues('deliveries');
  const topicArn = await createTopic(localStack, TOPIC);
  const subscription = { TopicArn: topicArn, Protocol: 'sqs', Endpoint: await arnOf(queueUrl) };
  await localStack.sns.send(new SubscribeCommand(subscription));
  await createBucket(localStack, TOPIC, topicArn);
  await putFile(localStack, TOPIC, 'folder/early.csv', GOOD_FILE);
  const listener = await startAt(queueUrl);
  try {
    const [run] = await endedRuns(testDatabase.database, TOPIC);
    expect(run).toMatchObject({ key: 'folder/early.csv', verdict: 'passed', rowCount: 2 });
    await isEmpty(queueUrl);
    expect(await outcomesOf(testDatabase.database, topicArnOf(TOPIC), 2)).toContainEqual({
      outcome: 'ignored',
      reason: 's3:TestEvent',
    });
  } finally {
    await listener.stop();
  }
});

test('an object that S3 and EventBridge tell the queue of themselves makes one run', async () => {
  const bucket = 'unsigned';
  const { queueUrl, deadLetterUrl } = await createQueues(bucket);
  await localStack.s3.send(new CreateBucketCommand({ Bucket: bucket }));
  const QueueArn = await arnOf(queueUrl);
  await localStack.s3.send(
    new PutBucketNotificationConfigurationCommand({
      Bucket: bucket,
      NotificationConfiguration: {
        QueueConfigurations: [{ QueueArn, Events: ['s3:ObjectCreated:*'] }],
      },
    }),
  );
  await putFile(localStack, bucket, 'folder/one.csv', GOOD_FILE);
  const listener = await startAt(queueUrl, { SQS_TRUSTED_SOURCES: `${bucket}@000000000000` });
  try {
    const [run] = await endedRuns(testDatabase.database, bucket);
    expect(run).toMatchObject({ key: 'folder/one.csv', verdict: 'passed', rowCount: 2 });
    const { eTag, sequencer, versionId } = run ?? {};
    const object = { key: run?.key, etag: eTag, sequencer, 'version-id': versionId };
    const fromBridge = (account: string) =>
      JSON.stringify(
        eventBridgeEvent({}, { account, detail: { bucket: { name: bucket }, object } }),
      );
    for (const account of ['000000000000', '210987654321']) {
      const MessageBody = fromBridge(account);
      await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody }));
    }
    await vi.waitFor(
      async () => expect(await attributeOf(deadLetterUrl, 'ApproximateNumberOfMessages')).toBe('1'),
      { timeout: DEADLINE },
    );
    await isEmpty(queueUrl);
    expect(await outcomesOf(testDatabase.database, `arn:aws:s3:::${bucket}`, 3)).toEqual(
      expect.arrayContaining([
        { outcome: 'ignored', reason: 's3:TestEvent' },
        { outcome: 'accepted', reason: null },
      ]),
    );
    expect(await listRuns(testDatabase.database, { bucket })).toHaveLength(1);
  } finally {
    await listener.stop();
  }
});

test('a message that SNS did not sign ends in the dead-letter queue and makes no run', async () => {
  const { queueUrl, deadLetterUrl } = await createQueues(FORGED);
  const listener = await startAt(queueUrl);
  try {
    const record = { s3: { bucket: { name: FORGED }, object: { key: 'forged.csv' } } };
    const forged = {
      Type: 'Notification',
      MessageId: 'forged',
      TopicArn: topicArnOf(TOPIC),
      Message: JSON.stringify({ Records: [record] }),
      Timestamp: new Date().toISOString(),
      SignatureVersion: '2',
      Signature: 'Zm9yZ2Vk',
      SigningCertURL: 'https://sns.us-east-1.amazonaws.com.example/x.pem',
    };
    for (const MessageBody of [JSON.stringify(forged), forged.Message]) {
      await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody }));
    }
    await vi.waitFor(
      async () => expect(await attributeOf(deadLetterUrl, 'ApproximateNumberOfMessages')).toBe('2'),
      { timeout: DEADLINE },
    );
    expect(listener.log).toContainEqual(
      expect.objectContaining({
        msg: 'message stays in the queue',
        code: 'certificate_url_not_allowed',
      }),
    );
    expect(listener.log).toContainEqual(
      expect.objectContaining({ msg: 'message stays in the queue', code: 'envelope_invalid' }),
    );
    expect(await listRuns(testDatabase.database, { bucket: FORGED })).toEqual([]);
  } finally {
    expect(await listener.stop()).toBe(0);
  }
});
