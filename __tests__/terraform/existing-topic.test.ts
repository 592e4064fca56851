import { CreateTopicCommand } from '@aws-sdk/client-sns';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { awsClients } from '../../src/operations/aws-clients.ts';
import { type AttachedAws, emptyAttachedAws } from './support/attached-provider.ts';
import { createNetwork, REGION } from './support/aws-account.ts';
import { type Checkout, temporaryCheckout } from './support/checkout.ts';
import { type Plan, type Terraform, terraformIn } from './support/terraform.ts';

const ENVIRONMENT = 'etl-playground';
const SNS = { Version: '2010-03-31' };

let emulator: AttachedAws;
let checkout: Checkout;
let processing: Terraform;
let topicArn: string;
let second: Plan;

beforeAll(async () => {
  emulator = await emptyAttachedAws();
  await createNetwork(emulator, 'etl-platform');
  await emulator.createBucket('etl-ba-research-client-etl', REGION);
  const made = await emulator.query('sns', REGION, {
    ...SNS,
    Action: 'CreateTopic',
    Name: 'new-files',
  });
  topicArn = /<TopicArn>([^<]+)</.exec(made)?.[1] ?? '';
  checkout = temporaryCheckout();
  checkout.addEnvironment(ENVIRONMENT, {
    fileProcessing: { existing_topic_arn: topicArn, delivery: 'sqs', create_repository: false },
  });
  await checkout.synthesize(ENVIRONMENT);
  processing = terraformIn(checkout.stackFolder('file-processing'), { aws: emulator });
  await processing.init();
  await processing.apply();
  second = await processing.plan();
});

afterAll(async () => {
  await processing?.close();
  await emulator?.stop();
  await checkout?.close();
});

describe('a topic of others', () => {
  test('leaves nothing to do in a second plan', () => {
    expect(second).toMatchObject({ exitCode: 0, changes: [] });
  });

  test('is subscribed to, not made', async () => {
    const state = await processing.stateList();
    expect(state).toContain('aws_sns_topic_subscription.queue');
    expect(state.filter((address) => address.startsWith('aws_sns_topic.'))).toEqual([]);
    expect(await processing.outputs()).toMatchObject({ sns_topic_arn: topicArn });
  });

  test('fills the queue with what is published to it', async () => {
    const { queue_url: queueUrl } = await processing.outputs();
    await emulator.query('sns', REGION, {
      ...SNS,
      Action: 'Publish',
      TopicArn: topicArn,
      Message: 'a new file',
    });
    const received = await emulator.query('sqs', REGION, {
      Action: 'ReceiveMessage',
      Version: '2012-11-05',
      QueueUrl: String(queueUrl),
    });
    expect(received).toContain('a new file');
  });

  test('stays when the stack is destroyed', async () => {
    await processing.destroy();
    const topics = await emulator.query('sns', REGION, { ...SNS, Action: 'ListTopics' });
    expect(topics).toContain(topicArn);
  });
});

describe('a topic of another account', () => {
  const SUBSCRIPTION = 'aws_sns_topic_subscription.queue';
  let terraform: Terraform;
  let foreignArn: string;

  beforeAll(async () => {
    const owner = awsClients({
      region: REGION,
      profile: '',
      endpoint: emulator.url,
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      assumeRole: { arn: 'arn:aws-us-gov:iam::210987654321:role/owner', externalId: '' },
    });
    const sns = await owner.sns();
    const { TopicArn = '' } = await sns.send(new CreateTopicCommand({ Name: 'new-files' }));
    foreignArn = TopicArn;
    checkout.addEnvironment(
      ENVIRONMENT,
      { fileProcessing: { existing_topic_arn: foreignArn, delivery: 'sqs' } },
      'foreign',
    );
    await checkout.synthesize('foreign', 'cdktf.out.foreign');
    const folder = checkout.stackFolder('file-processing', 'cdktf.out.foreign');
    terraform = terraformIn(folder, { aws: emulator });
    await terraform.init();
    await terraform.apply({ targets: [SUBSCRIPTION] });
  });

  afterAll(() => terraform?.close());

  test('is subscribed to by its ARN, and left as it is by a second plan', async () => {
    expect(foreignArn).toBe(`arn:aws-us-gov:sns:${REGION}:210987654321:new-files`);
    expect(await checkout.localState('foreign', 'file-processing')).toContain(
      `"topic_arn": "${foreignArn}"`,
    );
    expect(await terraform.plan({ targets: [SUBSCRIPTION] })).toMatchObject({ changes: [] });
  });
});
