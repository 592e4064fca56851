import { CreateTopicCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import {
  CreateQueueCommand,
  type Message,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { parseTopicArn } from '@file-processing/contract/arn.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Notice } from '../../listener/src/notices/notice.ts';
import { topicOutlet } from '../../listener/src/notices/topic.ts';
import {
  describeFiles,
  forgetNotices,
  noticedVerdict,
  tellerOf,
} from '../listener/support/noticed-runs.ts';
import { createTestDatabase, type TestDatabase } from '../listener/support/postgres.ts';
import { credentials, type LocalStack, region } from './support/localstack.ts';
import { sharedLocalStack } from './support/shared-localstack.ts';

let localStack: LocalStack;
let given: TestDatabase;
let sqs: SQSClient;

beforeAll(async () => {
  [localStack, given] = await Promise.all([sharedLocalStack(), createTestDatabase()]);
  await describeFiles(given.database);
  sqs = new SQSClient({ region, endpoint: localStack.url, credentials });
});
afterAll(async () => {
  sqs?.destroy();
  await given?.drop();
});

/** A topic, and a queue that gets what a filter policy lets through. */
async function topicWithQueue(name: string, filter: object) {
  const { TopicArn = '' } = await localStack.sns.send(new CreateTopicCommand({ Name: name }));
  const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: name }));
  await localStack.sns.send(
    new SubscribeCommand({
      ...{ TopicArn, Protocol: 'sqs', Endpoint: TopicArn.replace(':sns:', ':sqs:') },
      Attributes: { FilterPolicy: JSON.stringify(filter), RawMessageDelivery: 'true' },
    }),
  );
  return { arn: TopicArn, QueueUrl };
}

async function received(QueueUrl: string, count: number): Promise<Notice[]> {
  const all: Message[] = [];
  do {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 2, MaxNumberOfMessages: 10 }),
    );
    all.push(...Messages);
    if (Messages.length === 0) break;
  } while (all.length < count);
  return all.map(({ Body = '' }) => JSON.parse(Body));
}

function tellerTo(arn: string) {
  const topic = parseTopicArn(arn);
  if (topic === undefined) throw new Error(`${arn} is not a topic`);
  const client = new SNSClient({ region, endpoint: localStack.url, credentials });
  return tellerOf(given.database, [topicOutlet(topic, client)], {
    audience: { states: [], operators: [], mail: false, topicArn: arn, webhooks: [] },
  });
}

test('a loader whose filter policy asks for what passed gets that and nothing else', async () => {
  const { arn, QueueUrl } = await topicWithQueue('loads-what-passed', {
    ...{ verdict: ['passed'], client: ['nm_albuquerque'], mapping: ['people'] },
  });
  await forgetNotices(given.database);
  for (const [index, verdict] of (['passed', 'failed', 'warned', 'passed'] as const).entries()) {
    await noticedVerdict(given.database, verdict, { key: `${index}.csv` });
  }
  await tellerTo(arn).tell();
  const keys = (await received(QueueUrl, 2)).map(({ data }) => data.object?.key);
  expect(keys.sort()).toEqual(['0.csv', '3.csv']);
});

test('a state can be filtered, and each change is published once', async () => {
  const { arn, QueueUrl } = await topicWithQueue('tells-of-corrections', { state: ['corrected'] });
  await forgetNotices(given.database);
  const runId = await noticedVerdict(given.database, 'failed');
  const teller = tellerTo(arn);
  await teller.tell();
  await noticedVerdict(given.database, 'passed', { runId });
  await teller.tell();
  await teller.after(3_600_000);
  expect(await received(QueueUrl, 2)).toMatchObject([
    { type: 'delivery.corrected', data: { verdict: 'passed', previousVerdict: 'failed' } },
  ]);
});

test('a topic that is not there is tried again, by the name of the error alone', async () => {
  await forgetNotices(given.database);
  await noticedVerdict(given.database, 'failed');
  await tellerTo('arn:aws:sns:us-east-1:000000000000:not-there').tell();
  expect(await given.database('notice_messages')).toMatchObject([
    { status: 'waiting', error: 'SNS: NotFoundException' },
  ]);
});
