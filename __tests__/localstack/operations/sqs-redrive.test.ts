import { SetSubscriptionAttributesCommand } from '@aws-sdk/client-sns';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { listRuns } from '../../../listener/src/database/runs.ts';
import type { Runner } from '../../../src/operations/runner.ts';
import { cli } from '../../listener/support/cli.ts';
import { createTestDatabase, type TestDatabase } from '../../listener/support/postgres.ts';
import { eventually } from '../../support/eventually.ts';
import { manage, temporaryRoot } from '../../support/manage.ts';
import { changeSettings } from '../../terraform/support/change-settings.ts';
import { createBucket, createTopic, putFile, subscribe } from '../support/drop-box.ts';
import { startListener } from '../support/listener-process.ts';
import { credentials, type LocalStack, region, topicArnOf } from '../support/localstack.ts';
import { outcomesOf } from '../support/records.ts';
import { sharedLocalStack } from '../support/shared-localstack.ts';

const ACCOUNT = '000000000000';
const arnOf = (queue: string) => `arn:aws:sqs:${region}:${ACCOUNT}:${queue}`;

let localStack: LocalStack;
let sqs: SQSClient;
let testDatabase: TestDatabase;

beforeAll(async () => {
  [localStack, testDatabase] = await Promise.all([
    sharedLocalStack(),
    createTestDatabase('migrated'),
  ]);
  sqs = new SQSClient({ region, endpoint: localStack.url, credentials });
  vi.stubEnv('AWS_ENDPOINT_URL', localStack.url);
  vi.stubEnv('AWS_ACCESS_KEY_ID', credentials.accessKeyId);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', credentials.secretAccessKey);
});

afterAll(async () => {
  vi.unstubAllEnvs();
  sqs?.destroy();
  await testDatabase?.drop();
});

async function createQueue(name: string, Attributes: Record<string, string> = {}): Promise<string> {
  const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: name, Attributes }));
  return atLocalStack(QueueUrl);
}

/** The host of the URL that LocalStack gives is not a host name (sqs.us-east-1.127.0.0.1). */
function atLocalStack(queueUrl: string): string {
  return queueUrl.replace(/^http:\/\/[^/]+/, localStack.url);
}

async function messagesIn(QueueUrl: string): Promise<string | undefined> {
  const AttributeNames = ['ApproximateNumberOfMessages'] as const;
  const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...AttributeNames] });
  return (await sqs.send(command)).Attributes?.ApproximateNumberOfMessages;
}

/** Runs the command for a stack with this topic; a Job of the cluster is the listener's program in this process. */
async function redrive(settings: Readonly<Record<string, unknown>>) {
  const root = temporaryRoot();
  changeSettings(root, { aws_region: region, ...settings });
  let drained = { code: 0, out: '', err: '' };
  const container = { name: 'main', image: 'listener' };
  const deployment = {
    kind: 'Deployment',
    metadata: { name: 'listener', namespace: 'file-processing' },
    spec: {
      template: {
        metadata: { labels: { app: 'listener' } },
        spec: { serviceAccountName: 'file-processing-sa', containers: [container] },
      },
    },
  };
  const run: Runner = async (program, given, options) => {
    const answer = (value: object) => ({ code: 0, stdout: JSON.stringify(value), stderr: '' });
    if (given.includes('apply')) {
      const { items } = JSON.parse(options?.input ?? '');
      const [command, url] = items.at(-1).spec.template.spec.containers[0].args;
      drained = await cli([command, atLocalStack(url)], {
        AWS_REGION: region,
        AWS_ENDPOINT_URL: localStack.url,
        AWS_ENDPOINT_URL_SNS: localStack.url,
        SNS_TOPIC_ARNS: topicArnOf(String(settings.sns_topic_name)),
        DATABASE_URL: testDatabase.url,
      });
    }
    if (program === 'aws' || !given.includes('get')) return answer({});
    if (!given.includes('pods')) return answer({ items: [deployment] });
    const state = { terminated: { exitCode: drained.code } };
    const status = { containerStatuses: [{ name: 'main', state }] };
    return answer({ items: [{ metadata: { name: 'pod' }, status }] });
  };
  const parameters = ['sqs-redrive', '--profile', '', '--auto-approve', '--json'];
  return { ...(await manage(parameters, { root, run })), drained };
}

test('SQS moves what is in the dead-letter queue back into the delivery queue', async () => {
  const deadLetterUrl = await createQueue('moved-dead-letter');
  const deliveriesUrl = await createQueue('moved-deliveries', {
    RedrivePolicy: JSON.stringify({
      deadLetterTargetArn: arnOf('moved-dead-letter'),
      maxReceiveCount: 5,
    }),
  });
  for (const MessageBody of ['one', 'two']) {
    await sqs.send(new SendMessageCommand({ QueueUrl: deadLetterUrl, MessageBody }));
  }
  const settings = { sns_topic_name: 'moved', delivery: 'sqs' };
  const { code, out, err } = await redrive(settings);
  expect(err).not.toContain('error');
  expect(JSON.parse(out)).toMatchObject([{ queue: 'moved-dead-letter' }]);
  expect(code).toBe(0);
  await eventually(async () => expect(await messagesIn(deliveriesUrl)).toBe('2'));
  expect(await messagesIn(deadLetterUrl)).toBe('0');
  expect((await redrive(settings)).out).toContain('nothing waits');
});

test('a file whose message SNS gave up on gets its run from the dead-letter queue', async () => {
  const topic = 'given-up';
  const deadLetterUrl = await createQueue(`${topic}-dead-letter`);
  const topicArn = await createTopic(localStack, topic);
  const listener = await startListener({
    localStack,
    databaseUrl: testDatabase.url,
    environment: { SNS_TOPIC_ARNS: topicArn },
  });
  const SubscriptionArn = await subscribe(localStack, topicArn, listener.url);
  await localStack.sns.send(
    new SetSubscriptionAttributesCommand({
      SubscriptionArn,
      AttributeName: 'RedrivePolicy',
      AttributeValue: JSON.stringify({ deadLetterTargetArn: arnOf(`${topic}-dead-letter`) }),
    }),
  );
  await createBucket(localStack, topic, topicArn);
  // Confirmation and the bucket's test event: SNS would give up on the latter, too.
  await outcomesOf(testDatabase.database, topicArn, 2);
  expect(await listener.stop()).toBe(0);
  await putFile(localStack, topic, 'folder/late.csv', 'id,name\n1,Ada\n');
  await eventually(async () => expect(await messagesIn(deadLetterUrl)).toBe('1'));

  const { code, out, drained } = await redrive({ sns_topic_name: topic });
  expect(drained).toMatchObject({ code: 0, out: '1 taken, 0 left in the queue (1 accepted)\n' });
  expect(JSON.parse(out)).toEqual([{ queue: `${topic}-dead-letter`, outcome: 'taken' }]);
  expect(code).toBe(0);
  expect(await messagesIn(deadLetterUrl)).toBe('0');
  expect(await listRuns(testDatabase.database, { bucket: topic })).toMatchObject([
    { key: 'folder/late.csv' },
  ]);
});
