import {
  GetBucketNotificationConfigurationCommand,
  type NotificationConfiguration,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AttachedAws, emptyAttachedAws } from './support/attached-provider.ts';
import { ACCOUNT, REGION } from './support/aws-account.ts';
import { emulatedAws } from './support/emulated-aws.ts';
import { type ManagedCheckout, managedCheckout } from './support/managed-checkout.ts';
import { openStacks, type Stacks } from './support/stacks.ts';
import type { Plan } from './support/terraform.ts';

const ENVIRONMENT = 'etl-playground';
const FIRST = 'etl-ba-research-client-etl';
const OTHER_ACCOUNT = '210987654321';
const TOPIC = `arn:aws-us-gov:sns:${REGION}:${ACCOUNT}:file-processing-topic`;
const ROLE = `arn:aws-us-gov:iam::${ACCOUNT}:role/file-processing-cluster-file-processing-sa`;

const first = { name: FIRST, create_notifications: true };
const letters = {
  ...{ name: 'etl-letters', create_notifications: true },
  ...{ prefixes: ['in/year=2026/Südwest 1 + 100%/'], suffix: '(1) a.csv' },
};
const theirs = { name: 'their-box', account_id: OTHER_ACCOUNT };

let emulator: AttachedAws;
let checkout: ManagedCheckout;
let stacks: Stacks;

beforeAll(async () => {
  emulator = await emptyAttachedAws();
  for (const name of [FIRST, letters.name]) await emulator.createBucket(name, REGION);
  checkout = managedCheckout(emulator);
  configure({});
  stacks = await openStacks(checkout, ENVIRONMENT, emulator);
  await stacks.network.apply();
  await stacks.processing.apply();
});

afterAll(async () => {
  await stacks?.close();
  await emulator?.stop();
  await checkout?.close();
});

function configure(fileProcessing: Readonly<Record<string, unknown>>): void {
  checkout.addEnvironment(ENVIRONMENT, {
    foundationNetwork: { flow_logs: false },
    fileProcessing: { create_repository: false, ...fileProcessing },
  });
}

/** Plans the stack with a list of buckets in the place of the one. */
async function planFor(...buckets: readonly object[]): Promise<Plan> {
  configure({ bucket_name: null, create_s3_notifications: null, buckets });
  await checkout.synthesize(ENVIRONMENT);
  return await stacks.processing.plan();
}

const touched = ({ changes }: Plan) =>
  changes.map(({ address, actions }) => `${actions.join()} ${address}`).sort();

async function notificationsOf(Bucket: string): Promise<NotificationConfiguration> {
  const s3 = await emulatedAws(emulator)({ region: REGION, profile: '' }).s3();
  return await s3.send(new GetBucketNotificationConfigurationCommand({ Bucket }));
}

describe('a stack of one bucket that gets two more, one of another account', () => {
  let planned: Plan;
  let again: Plan;

  beforeAll(async () => {
    planned = await planFor(first, letters, theirs);
    await stacks.processing.applyPlan();
    again = await stacks.processing.plan();
  });

  test('keeps the notifications of the first under their new address, and changes the rest in place', () => {
    expect(touched(planned)).toEqual([
      'create aws_s3_bucket_notification.bucket_etl-letters',
      'update aws_iam_policy.file_processing_s3',
      'update aws_kms_key.events',
      'update aws_sns_topic_policy.default',
    ]);
  });

  test('has nothing left to do in a second plan', () => {
    expect(again).toMatchObject({ exitCode: 0, changes: [] });
  });

  test.each([
    [FIRST, 'from_client/', ''],
    [letters.name, 'in/year%3D2026/S%C3%BCdwest+1+%2B+100%25/', '(1)+a.csv'],
  ])('has %s notify the topic of its own keys, percent-encoded', async (name, prefix, suffix) => {
    const { TopicConfigurations = [] } = await notificationsOf(name);
    expect(TopicConfigurations.map(({ TopicArn }) => TopicArn)).toEqual([TOPIC]);
    const rules = TopicConfigurations[0]?.Filter?.Key?.FilterRules ?? [];
    const value = (wanted: string) =>
      rules.find(({ Name }) => Name?.toLowerCase() === wanted)?.Value ?? '';
    expect([value('prefix'), value('suffix')]).toEqual([prefix, suffix]);
  });

  test('lets each account publish from its own buckets', async () => {
    const attributes = await emulator.query('sns', REGION, {
      Action: 'GetTopicAttributes',
      Version: '2010-03-31',
      TopicArn: TOPIC,
    });
    const policy = attributes.replaceAll('&quot;', '"').replaceAll(/\s/g, '');
    expect(policy).toContain(
      '"aws:SourceArn":["arn:aws-us-gov:s3:::etl-ba-research-client-etl","arn:aws-us-gov:s3:::etl-letters"]',
    );
    expect(policy).toContain(`"aws:SourceAccount":"${OTHER_ACCOUNT}"`);
  });

  test('tells the owner of the third what to allow and to send', async () => {
    const command = ['s3-configure-notifications', '--print', '--json'];
    const { code, stdout, stderr } = await checkout.manage(command);
    expect(code, stderr).toBe(0);
    const printed = JSON.parse(stdout);
    expect(printed).toMatchObject({
      'their-box': {
        account: OTHER_ACCOUNT,
        bucketPolicy: { Statement: [{ Principal: { AWS: ROLE } }, {}, {}] },
        notifications: { TopicConfigurations: [{ TopicArn: TOPIC }] },
      },
    });
    expect(Object.keys(printed)).toEqual(['their-box']);
  });

  test('leaves the notifications alone when the order changes', async () => {
    const plan = await planFor(theirs, letters, first);
    expect(touched(plan).filter((line) => line.includes('notification'))).toEqual([]);
  });

  test('keeps the notifications of a bucket that the settings still name: manage refuses to remove them', async () => {
    await planFor({ ...first, create_notifications: false }, letters, theirs);
    const { code, stderr } = await checkout.manage(['plan']);
    expect(code, stderr).toBe(77);
    expect(stderr).toContain(`would remove the event notifications of bucket ${FIRST}`);
    expect(stderr).toContain('terraform state rm aws_s3_bucket_notification.bucket_');
  });

  test('goes back to one bucket only by a way that manage refuses to take', async () => {
    configure({ create_s3_notifications: true });
    const { code, stdout, stderr } = await checkout.manage(['plan']);
    expect(`${code}\n${stdout}${stderr}`).toContain(
      `the plan would remove the event notifications of bucket ${FIRST} as aws_s3_bucket_notification.bucket_etl-ba-research-client-etl and put them as aws_s3_bucket_notification.bucket at the same time`,
    );
  });
});
