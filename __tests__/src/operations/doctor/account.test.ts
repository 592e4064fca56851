import { GetQueueUrlCommand, QueueDoesNotExist } from '@aws-sdk/client-sqs';
import { topicIn } from '@file-processing/contract/arn.ts';
import { describe, expect, it } from 'vitest';
import type { AwsClients } from '../../../../src/operations/aws-clients.ts';
import { deliveryDiagnoses } from '../../../../src/operations/doctor/account.ts';
import type { Target } from '../../../../src/operations/target.ts';
import { fileProcessingSettings, listedBucket } from '../../../support/settings.ts';

const OTHER = '210987654321';

/** What doctor says of the buckets, where S3 answers each request so. */
async function diagnosesOf(
  buckets: ReturnType<typeof fileProcessingSettings>['buckets'],
  answer: (input: Readonly<Record<string, unknown>>) => object,
) {
  const send = async ({ input }: { readonly input: Readonly<Record<string, unknown>> }) =>
    answer(input);
  const target = {
    clients: {
      s3: async () => ({ send }),
      sns: async () => ({ send: async () => ({}) }),
      sqs: async () => ({ send: async () => ({}) }),
    } as unknown as AwsClients,
    region: 'us-gov-west-1',
    environment: { fileProcessing: fileProcessingSettings({ buckets }) },
  } as unknown as Target;
  const all = await Promise.all(
    deliveryDiagnoses(target, 'arn:topic', topicIn('us-gov-west-1', '123456789012', 'files')),
  );
  return all.filter(({ name }) => name.startsWith('bucket'));
}

describe('several buckets', () => {
  const buckets = [listedBucket('letters'), listedBucket('theirs', { account_id: OTHER })];

  it('have a line each, and that of another account is asked for with its owner', async () => {
    const asked: unknown[] = [];
    const found = await diagnosesOf(buckets, (input) => {
      asked.push(input);
      return { BucketRegion: 'us-gov-west-1' };
    });
    expect(found).toMatchObject([
      { name: 'bucket letters', state: 'ok' },
      { name: 'bucket theirs', state: 'ok' },
    ]);
    expect(asked).toEqual([
      { Bucket: 'letters' },
      { Bucket: 'theirs', ExpectedBucketOwner: OTHER },
    ]);
  });

  it('are not held against who may not look at the bucket of another account', async () => {
    const found = await diagnosesOf(buckets, ({ ExpectedBucketOwner }) => {
      if (ExpectedBucketOwner) throw Object.assign(new Error('403'), { name: '403' });
      return {};
    });
    expect(found[1]).toMatchObject({
      state: 'skipped',
      found: `theirs is not shown to you: account ${OTHER}, if it owns it, lets the listener in`,
    });
  });

  it('that are not there are red, with who has to make them', async () => {
    const found = await diagnosesOf(buckets, () => {
      throw Object.assign(new Error('404'), { name: 'NotFound' });
    });
    expect(found).toMatchObject([
      { state: 'red', next: expect.stringContaining('the stack does not make it') },
      { state: 'red', next: `account ${OTHER} has to make it; or correct buckets` },
    ]);
  });

  it('of another region are red', async () => {
    const found = await diagnosesOf(buckets, () => ({ BucketRegion: 'us-gov-east-1' }));
    expect(found.map(({ state }) => state)).toEqual(['red', 'red']);
  });
});

/** What doctor says of the dead-letter queues, where they hold so many messages; undefined where one is not there. */
async function deadLettersFound(
  settings: Parameters<typeof fileProcessingSettings>[0],
  held: Readonly<Record<string, number | undefined>>,
) {
  const send = async (command: { readonly input: object }) => {
    const { QueueName, QueueUrl } = command.input as { QueueName?: string; QueueUrl?: string };
    if (command instanceof GetQueueUrlCommand) {
      const messages = held[QueueName ?? ''];
      if (messages !== undefined) return { QueueUrl: QueueName };
      throw new QueueDoesNotExist({ message: 'none', $metadata: {} });
    }
    return { Attributes: { ApproximateNumberOfMessages: `${held[QueueUrl ?? '']}` } };
  };
  const clients = {
    s3: async () => ({ send: async () => ({}) }),
    sns: async () => ({ send: async () => ({}) }),
    sqs: async () => ({ send }),
  } as unknown as AwsClients;
  const fileProcessing = fileProcessingSettings(settings);
  const target = { clients, region: 'us-gov-west-1', environment: { fileProcessing } };
  const topic = topicIn('us-gov-west-1', '123456789012', 'files');
  const all = deliveryDiagnoses(target as unknown as Target, topic.arn, topic);
  return (await Promise.all(all)).filter(({ name }) => name === 'dead letters');
}

describe('dead-letter queues', () => {
  const BRIDGE = {
    delivery: 'sqs',
    notification: 'eventbridge',
    account_id: '123456789012',
  } as const;

  it('that are empty are ok', async () => {
    expect(await deadLettersFound({}, { 'files-dead-letter': 0 })).toStrictEqual([
      {
        name: 'dead letters',
        state: 'ok',
        found:
          'files-dead-letter, for messages that were not taken: 0 messages (0 waiting, 0 in flight, 0 delayed)',
      },
    ]);
  });

  it('that hold messages lead to the command that takes them in again', async () => {
    const held = { 'files-dead-letter': 0, 'files-undelivered': 3 };
    expect(await deadLettersFound(BRIDGE, held)).toMatchObject([
      { state: 'ok' },
      {
        state: 'warn',
        found: expect.stringContaining('events that EventBridge could not deliver: 3 messages'),
        next: 'npm run manage -- sqs-redrive takes them in again',
      },
    ]);
  });

  it('that are not there are red', async () => {
    expect(await deadLettersFound(BRIDGE, { 'files-dead-letter': 0 })).toMatchObject([
      { state: 'ok' },
      { state: 'red', found: 'there is no files-undelivered', next: 'npm run manage -- apply' },
    ]);
  });
});
