import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ListSubscriptionsByTopicCommand } from '@aws-sdk/client-sns';
import { GetQueueAttributesCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AwsClients, awsClients } from '../../src/operations/aws-clients.ts';
import { type AttachedAws, emptyAttachedAws } from './support/attached-provider.ts';
import { ACCOUNT, createNetwork, REGION } from './support/aws-account.ts';
import { type ManagedCheckout, managedCheckout } from './support/managed-checkout.ts';
import { type Plan, type Terraform, terraformIn } from './support/terraform.ts';

const ENVIRONMENT = 'etl-playground';
const ENDPOINT = 'https://files.example.gov/';
const TOPIC = `arn:aws-us-gov:sns:${REGION}:${ACCOUNT}:file-processing-topic`;
const QUEUE = `arn:aws-us-gov:sqs:${REGION}:${ACCOUNT}:file-processing-topic-deliveries`;
const TO_ENDPOINT = { sns_endpoint_url: ENDPOINT, image: 'registry.example.gov/listener:1' };

let emulator: AttachedAws;
let clients: AwsClients;
let checkout: ManagedCheckout;
let terraform: Terraform;

beforeAll(async () => {
  emulator = await emptyAttachedAws();
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  clients = awsClients({ region: REGION, profile: '', endpoint: emulator.url, credentials });
  await createNetwork(emulator, 'etl-platform');
  checkout = managedCheckout(emulator);
  await settings(TO_ENDPOINT);
  terraform = terraformIn(checkout.stackFolder('file-processing'), { aws: emulator });
  await terraform.init();
});

afterAll(async () => {
  await terraform?.close();
  await emulator?.stop();
  await checkout?.close();
});

/** Synthesizes with other settings, where Terraform is at work. */
async function settings(fileProcessing: Readonly<Record<string, unknown>>): Promise<void> {
  checkout.addEnvironment(ENVIRONMENT, {
    fileProcessing: { create_s3_notifications: false, create_repository: false, ...fileProcessing },
  });
  await checkout.synthesize(ENVIRONMENT);
}

async function subscribed(): Promise<readonly (string | undefined)[]> {
  const command = new ListSubscriptionsByTopicCommand({ TopicArn: TOPIC });
  const { Subscriptions = [] } = await (await clients.sns()).send(command);
  return Subscriptions.map(({ Endpoint }) => Endpoint).sort();
}

const queueUrl = () => `${emulator.url}/${ACCOUNT}/${QUEUE.split(':').at(-1)}`;

async function waiting(): Promise<string | undefined> {
  const command = new GetQueueAttributesCommand({
    QueueUrl: queueUrl(),
    AttributeNames: ['ApproximateNumberOfMessages'],
  });
  return (await (await clients.sqs()).send(command)).Attributes?.ApproximateNumberOfMessages;
}

/** Addresses that a plan deletes, also to replace them. */
const deletedBy = ({ changes }: Plan) =>
  changes.filter(({ actions }) => actions.includes('delete')).map(({ address }) => address);

describe('a first deployment with an endpoint', () => {
  test('is not harmed by the removal of a queue that it never had', async () => {
    await terraform.apply();
    expect(await terraform.plan()).toMatchObject({ exitCode: 0, changes: [] });
    expect(await subscribed()).toEqual([ENDPOINT]);
  });
});

describe('a switch to the queue', () => {
  let written: string;

  beforeAll(async () => {
    await settings({ delivery: 'sqs' });
    const plan = await terraform.plan();
    expect(plan.changes).toContainEqual({
      address: 'aws_sns_topic_subscription.queue',
      actions: ['create', 'delete'],
      importing: undefined,
    });
    expect(deletedBy(plan)).toEqual(['aws_sns_topic_subscription.queue']);
    written = await terraform.applyPlan();
  });

  test('subscribes the queue before it unsubscribes the endpoint, in one plan', () => {
    const subscribes = written.indexOf('aws_sns_topic_subscription.queue: Creation complete');
    const unsubscribes = written.search(
      /aws_sns_topic_subscription\.queue \(deposed object \w+\): Destroying/,
    );
    expect(subscribes).toBeGreaterThan(0);
    expect(unsubscribes).toBeGreaterThan(subscribes);
  });

  test('leaves the queue alone subscribed, and nothing to do', async () => {
    expect(await subscribed()).toEqual([QUEUE]);
    expect(await terraform.plan()).toMatchObject({ exitCode: 0, changes: [] });
  });
});

describe('an upgrade of a stack with a queue', () => {
  test('replaces nothing', async () => {
    const file = join(checkout.stackFolder('file-processing'), 'cdk.tf.json');
    const upgraded = readFileSync(file, 'utf8');
    const { moved, ...before } = JSON.parse(upgraded);
    expect(moved).toHaveLength(1);
    const { lifecycle, ...subscription } = before.resource.aws_sns_topic_subscription.queue;
    expect(lifecycle).toEqual({ create_before_destroy: true });
    before.resource.aws_sns_topic_subscription.queue = subscription;
    writeFileSync(file, JSON.stringify(before));
    await terraform.apply();
    writeFileSync(file, upgraded);
    expect(await terraform.plan()).toMatchObject({ exitCode: 0, changes: [] });
  });
});

describe('a switch to the endpoint', () => {
  test('by manage is refused as long as nothing but the queue is subscribed', async () => {
    await settings(TO_ENDPOINT);
    const { code, stderr } = await checkout.manage(['apply', '--auto-approve']);
    expect(code).toBe(77);
    expect(stderr).toContain('the listener would lose its queue');
    expect(await subscribed()).toEqual([QUEUE]);
  });

  test('opens the way over the endpoint beside the queue, and takes nothing away', async () => {
    await settings({ ...TO_ENDPOINT, both_deliveries: true });
    expect(deletedBy(await terraform.plan())).toEqual([]);
    await terraform.applyPlan();
    expect(await subscribed()).toEqual([QUEUE, ENDPOINT].sort());
    const { queue_url: url } = await terraform.outputs();
    expect(url).toMatch(/-deliveries$/);
  });

  test('leaves the queue outside the state, with what waits in it', async () => {
    const sqs = await clients.sqs();
    await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl(), MessageBody: 'still waits' }));
    await settings(TO_ENDPOINT);
    const { code, stdout, stderr } = await checkout.manage([
      ...['apply', '--auto-approve', '--allow-message-loss'],
    ]);
    expect(code, `${stdout}${stderr}`).toBe(0);
    expect(stderr).toContain('next: npm run manage -- queue-delete');
    expect(await subscribed()).toEqual([ENDPOINT]);
    expect(await terraform.stateList()).not.toContain('aws_sqs_queue.deliveries');
    expect(await waiting()).toBe('1');
  });
});

describe('a switch back by manage', () => {
  test('takes the queue that was left, with what waits in it', async () => {
    await settings({ delivery: 'sqs' });
    const { code, stdout, stderr } = await checkout.manage(['apply', '--auto-approve']);
    expect(code, `${stdout}${stderr}`).toBe(0);
    expect(stderr).toContain('1. queue, 2. the rest');
    expect(await subscribed()).toEqual([QUEUE]);
    expect(await waiting()).toBe('1');
  });

  test('refuses another topic in the place of this one, for what waits', async () => {
    await settings({ delivery: 'sqs', sns_topic_name: 'renamed' });
    const { code, stderr } = await checkout.manage(['plan']);
    expect(code).toBe(77);
    expect(stderr).toContain('would replace the topic file-processing-topic');
    expect(stderr).toContain('file-processing-topic-deliveries away: 1 messages (1 waiting');
  });
});

describe('a switch to the endpoint without manage', () => {
  test('in one step is stopped by Terraform before it changes anything', async () => {
    await settings(TO_ENDPOINT);
    await expect(terraform.apply()).rejects.toThrow('Cycle');
    expect(await subscribed()).toEqual([QUEUE]);
    expect(await terraform.stateList()).toContain('aws_sqs_queue.deliveries');
  });

  test('by way of both loses no message, and leaves the queue with what waits in it', async () => {
    await settings({ ...TO_ENDPOINT, both_deliveries: true });
    await terraform.apply();
    expect(await subscribed()).toEqual([QUEUE, ENDPOINT].sort());
    await settings(TO_ENDPOINT);
    await terraform.apply();
    expect(await subscribed()).toEqual([ENDPOINT]);
    expect(await waiting()).toBe('1');
    expect(await terraform.plan()).toMatchObject({ exitCode: 0, changes: [] });
  });
});
