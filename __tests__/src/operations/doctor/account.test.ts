import { GetQueueUrlCommand, QueueDoesNotExist } from '@aws-sdk/client-sqs';
import { topicIn } from '@file-processing/contract/arn.ts';
import { describe, expect, it } from 'vitest';
import type { AwsClients } from '../../../../src/operations/aws-clients.ts';
import {
  deliveryDiagnoses,
  networkDiagnosis,
  noticeDiagnoses,
} from '../../../../src/operations/doctor/account.ts';
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
        next: 'npm run manage -- sqs-redrive has them processed again',
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

describe('a network that is not there', () => {
  it.each([
    [{}, 'npm run manage -- apply foundation-network, or check foundation_name_prefix'],
    [{ vpc_id: 'vpc-0123456789abcdef0' }, 'check vpc_id and aws_region'],
  ])('is to be made, or named rightly, by the settings %j', async (settings, next) => {
    const target = {
      clients: { ec2: async () => ({ send: async () => ({ Vpcs: [] }) }) },
      region: 'us-gov-west-1',
      environment: { fileProcessing: fileProcessingSettings(settings) },
    };
    const diagnosis = await networkDiagnosis(target as unknown as Target);
    expect(diagnosis).toMatchObject({ state: 'red', next });
  });
});

describe('ways out of notices', () => {
  const MAIL = { notice_email: 'ses', notice_email_from: 'quality@example.gov' } as const;

  /** What doctor says, where AWS answers each command so. */
  async function found(
    settings: Parameters<typeof fileProcessingSettings>[0],
    answers: Readonly<Record<string, object>>,
  ) {
    const send = async (command: object) => {
      const answer = answers[command.constructor.name];
      if (answer !== undefined) return answer;
      throw Object.assign(new Error('none'), { name: 'NotFoundException' });
    };
    const client = async () => ({ send });
    const target = {
      clients: { sesv2: client, sns: client },
      ...{
        region: 'us-gov-west-1',
        environment: { fileProcessing: fileProcessingSettings(settings) },
      },
    };
    return Promise.all(noticeDiagnoses(target as unknown as Target));
  }

  it('that are off are not looked at', async () => {
    expect(await found({}, {})).toEqual([]);
    expect(
      await found({ ...MAIL, notice_email: 'smtp', notice_smtp_host: 'smtp.example.gov' }, {}),
    ).toEqual([]);
  });

  it('are ok with a verified identity and production access', async () => {
    const answers = {
      GetEmailIdentityCommand: { VerifiedForSendingStatus: true },
      GetAccountCommand: { ProductionAccessEnabled: true, SendQuota: { Max24HourSend: 50_000 } },
    };
    expect(await found(MAIL, answers)).toEqual([
      { name: 'SES identity', state: 'ok', found: 'example.gov is verified' },
      {
        ...{ name: 'SES account', state: 'ok' },
        found: 'out of the sandbox in us-gov-west-1, 50000 mails a day',
      },
    ]);
  });

  it.each([
    ['example.gov', MAIL, 'DKIM records'],
    [
      'quality@example.gov',
      { ...MAIL, notice_ses_identity: 'quality@example.gov' },
      'link in the mail',
    ],
  ])('are red while %s is not verified', async (identity, settings, next) => {
    const answers = { GetEmailIdentityCommand: {}, GetAccountCommand: { SendingEnabled: false } };
    expect(await found(settings, answers)).toMatchObject([
      {
        state: 'red',
        found: expect.stringContaining(`${identity} is not verified`),
        next: expect.stringContaining(next),
      },
      { state: 'red', found: 'SES sends nothing for this account in us-gov-west-1' },
    ]);
  });

  it('name a topic that there is not', async () => {
    const notice_topic_arn = 'arn:aws-us-gov:sns:us-gov-west-1:123456789012:notices';
    expect(await found({ notice_topic_arn }, {})).toMatchObject([
      { name: 'topic of notices', state: 'red', found: `there is no ${notice_topic_arn}` },
    ]);
    const there = { GetTopicAttributesCommand: { Attributes: { SubscriptionsConfirmed: '2' } } };
    expect(await found({ notice_topic_arn }, there)).toMatchObject([
      { state: 'ok', found: `${notice_topic_arn}: 2 subscribed` },
    ]);
  });
});
