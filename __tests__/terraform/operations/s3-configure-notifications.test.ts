import {
  GetBucketNotificationConfigurationCommand,
  type NotificationConfiguration,
  PutBucketNotificationConfigurationCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { CreateTopicCommand } from '@aws-sdk/client-sns';
import { CreateQueueCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { manage, temporaryRoot } from '../../support/manage.ts';
import { REGION } from '../support/aws-account.ts';
import { type AwsEmulator, emptyAwsEmulator } from '../support/aws-emulator.ts';
import { changeSettings } from '../support/change-settings.ts';
import { emulatedAws } from '../support/emulated-aws.ts';

const COMMAND = 's3-configure-notifications';

let emulator: AwsEmulator;
let s3: S3Client;
let ours: string;
let theirs: string;
let theirQueue: string;
let buckets = 0;

beforeAll(async () => {
  emulator = await emptyAwsEmulator();
  const clients = emulatedAws(emulator)({ region: REGION, profile: '' });
  s3 = await clients.s3();
  const sns = await clients.sns();
  ours = await topic('file-processing-topic');
  theirs = await topic('their-topic');
  const sqs = await clients.sqs();
  await sqs.send(new CreateQueueCommand({ QueueName: 'their-queue' }));
  theirQueue = theirs.replace(':sns:', ':sqs:').replace('their-topic', 'their-queue');

  async function topic(name: string): Promise<string> {
    const { TopicArn = '' } = await sns.send(new CreateTopicCommand({ Name: name }));
    return TopicArn;
  }
});

afterAll(() => emulator?.stop());

/** A new bucket with a notification configuration. */
async function bucketWith(configuration: NotificationConfiguration = {}): Promise<string> {
  buckets += 1;
  const bucket = `client-${buckets}`;
  await emulator.createBucket(bucket, REGION);
  await put(bucket, configuration);
  return bucket;
}

async function put(bucket: string, NotificationConfiguration: NotificationConfiguration) {
  await s3.send(
    new PutBucketNotificationConfigurationCommand({ Bucket: bucket, NotificationConfiguration }),
  );
}

async function configurationOf(bucket: string): Promise<NotificationConfiguration> {
  const { $metadata, ...configuration } = await s3.send(
    new GetBucketNotificationConfigurationCommand({ Bucket: bucket }),
  );
  return configuration;
}

function configure(parameters: readonly string[], env: Record<string, string> = {}) {
  return manage([COMMAND, ...parameters], { aws: emulatedAws(emulator), env });
}

const ofOthers = (): NotificationConfiguration => ({
  TopicConfigurations: [
    {
      Id: 'their-removals',
      TopicArn: theirs,
      Events: ['s3:ObjectRemoved:*'],
      Filter: { Key: { FilterRules: [{ Name: 'prefix', Value: 'from_client/' }] } },
    },
  ],
  QueueConfigurations: [
    {
      Id: 'their-exports',
      QueueArn: theirQueue,
      Events: ['s3:ObjectCreated:Put'],
      Filter: { Key: { FilterRules: [{ Name: 'prefix', Value: 'exports/' }] } },
    },
  ],
});

describe('a bucket that notifies others already', () => {
  test('notifies the topic of the stack of new objects as well', async () => {
    const bucket = await bucketWith(ofOthers());
    const { code, out } = await configure(['--bucket', bucket]);

    expect(code).toBe(0);
    expect(out).toContain(
      `+ file-processing:from_client/: s3:ObjectCreated:* of from_client/* -> topic ${ours}`,
    );
    expect(await configurationOf(bucket)).toMatchObject({
      TopicConfigurations: [
        { Id: 'their-removals' },
        { Id: 'file-processing:from_client/', TopicArn: ours, Events: ['s3:ObjectCreated:*'] },
      ],
    });
  });

  test('keeps every entry of theirs as it was', async () => {
    const bucket = await bucketWith(ofOthers());
    const before = await configurationOf(bucket);
    await configure(['--bucket', bucket]);
    const after = await configurationOf(bucket);

    expect(before.QueueConfigurations).toHaveLength(1);
    expect(after).toEqual({
      ...before,
      TopicConfigurations: [
        ...(before.TopicConfigurations ?? []),
        expect.objectContaining({ TopicArn: ours }),
      ],
    });
  });

  test('is left as it is by a second run', async () => {
    const bucket = await bucketWith(ofOthers());
    await configure(['--bucket', bucket]);
    const before = await configurationOf(bucket);
    const { code, out } = await configure(['--bucket', bucket]);

    expect(code).toBe(0);
    expect(out).toMatch(/unchanged\n$/);
    expect(await configurationOf(bucket)).toEqual(before);
  });

  test('is left as it is by --dry-run, which shows the difference', async () => {
    const bucket = await bucketWith(ofOthers());
    const before = await configurationOf(bucket);
    const { code, out } = await configure(['--bucket', bucket, '--dry-run']);

    expect(code).toBe(0);
    expect(out).toContain('+ file-processing:from_client/');
    expect(await configurationOf(bucket)).toEqual(before);
  });

  test('is left as it is when an entry of theirs would overlap, which is named', async () => {
    const bucket = await bucketWith(ofOthers());
    const before = await configurationOf(bucket);
    const { code, err } = await configure(['--bucket', bucket, '--prefix', 'exports/2026/']);

    expect(code).toBe(77);
    expect(err).toContain(
      `their-exports: s3:ObjectCreated:Put of exports/* -> queue ${theirQueue}`,
    );
    expect(await configurationOf(bucket)).toEqual(before);
  });

  test('gives way where --replace names the entry', async () => {
    const bucket = await bucketWith(ofOthers());
    const parameters = ['--bucket', bucket, '--prefix', 'exports/', '--replace', 'their-exports'];
    expect((await configure(parameters)).code).toBe(0);

    const { QueueConfigurations, TopicConfigurations } = await configurationOf(bucket);
    expect(QueueConfigurations ?? []).toEqual([]);
    expect(TopicConfigurations?.map(({ Id }) => Id)).toEqual([
      'their-removals',
      'file-processing:exports/',
    ]);
  });
});

test('entries of an earlier run that are no longer wanted go', async () => {
  const bucket = await bucketWith();
  await configure(['--bucket', bucket, '--prefix', 'a/', '--prefix', 'b/']);
  const { out } = await configure(['--bucket', bucket, '--prefix', 'b/', '--prefix', 'c/']);

  expect(out).toContain('- file-processing:a/');
  const { TopicConfigurations } = await configurationOf(bucket);
  expect(TopicConfigurations?.map(({ Id }) => Id)).toEqual([
    'file-processing:b/',
    'file-processing:c/',
  ]);
});

test('--json tells what changed', async () => {
  const bucket = await bucketWith();
  const { out } = await configure(['--bucket', bucket, '--suffix', '.csv', '--json']);

  expect(JSON.parse(out)).toMatchObject({
    bucket,
    changed: true,
    dryRun: false,
    added: [{ id: 'file-processing:from_client/', prefix: 'from_client/', suffix: '.csv' }],
    removed: [],
    kept: [],
    eventBridge: false,
  });
});

test('the variables of the script still name bucket, topic and region', async () => {
  const bucket = await bucketWith();
  const env = { BUCKET: bucket, SNS_TOPIC_ARN: theirs, AWS_REGION: REGION, AWS_PROFILE: 'x' };
  expect((await configure([], env)).code).toBe(0);

  const { TopicConfigurations } = await configurationOf(bucket);
  expect(TopicConfigurations).toMatchObject([{ TopicArn: theirs }]);
});

describe('the bucket of the stack', () => {
  const bucket = 'etl-ba-research-client-etl';

  beforeAll(async () => {
    await emulator.createBucket(bucket, REGION);
  });

  test('is refused while the stack owns its notifications', async () => {
    const { code, err } = await configure([]);

    expect(code).toBe(77);
    expect(err).toContain('create_s3_notifications = true');
    expect(err).toContain('next: npm run manage -- apply');
    expect(await configurationOf(bucket)).toEqual({});
  });

  test('is configured where the stack leaves its notifications to others', async () => {
    const root = temporaryRoot();
    changeSettings(root, { create_s3_notifications: false });
    const { code } = await manage([COMMAND], { aws: emulatedAws(emulator), root });

    expect(code).toBe(0);
    expect(await configurationOf(bucket)).toMatchObject({
      TopicConfigurations: [{ TopicArn: ours }],
    });
  });
});

describe('with events by EventBridge', () => {
  const BRIDGE = { notification: 'eventbridge', delivery: 'sqs', account_id: '123456789012' };

  function run(settings: object, ...parameters: readonly string[]) {
    const root = temporaryRoot();
    changeSettings(root, { ...BRIDGE, ...settings });
    return manage([COMMAND, ...parameters], { aws: emulatedAws(emulator), root });
  }

  test('--eventbridge switches it on, in the place of our entries and beside those of others', async () => {
    const bucket = await bucketWith(ofOthers());
    await configure(['--bucket', bucket]);
    const parameters = ['--bucket', bucket, '--prefix', 'from_client/'];
    expect((await run({}, ...parameters, '--eventbridge')).code).toBe(64);
    const { code, out } = await run({}, '--bucket', bucket, '--eventbridge');
    expect(code).toBe(0);
    expect(out).toContain('+ every event -> Amazon EventBridge\n- file-processing:from_client/');
    expect(await configurationOf(bucket)).toMatchObject({
      EventBridgeConfiguration: {},
      TopicConfigurations: [{ Id: 'their-removals' }],
      QueueConfigurations: [{ Id: 'their-exports' }],
    });
    expect((await run({}, '--bucket', bucket, '--eventbridge')).out).toMatch(/unchanged\n$/);
  });

  test('our entries come back during a switch, and EventBridge stays on', async () => {
    const bucket = await bucketWith({ EventBridgeConfiguration: {} });
    const settings = { both_notifications: true };
    const parameters = ['--bucket', bucket, '--prefix', 'from_client/'];
    expect((await run(settings, ...parameters)).code).toBe(0);
    expect(await configurationOf(bucket)).toMatchObject({
      EventBridgeConfiguration: {},
      TopicConfigurations: [{ Id: 'file-processing:from_client/' }],
    });
  });

  test('the way that nothing of the stack takes is refused', async () => {
    const bucket = await bucketWith();
    const bridge = await run({ notification: 'sns' }, '--bucket', bucket, '--eventbridge');
    expect([bridge.code, bridge.err]).toEqual([77, expect.stringContaining('no rule of')]);
    const topic = await run({}, '--bucket', bucket, '--prefix', 'a/');
    expect([topic.code, topic.err]).toEqual([77, expect.stringContaining('both_notifications')]);
    expect(await configurationOf(bucket)).toEqual({});
  });
});

describe('several buckets', () => {
  let root: string;

  /** The environment with two buckets of its own, and what is said of others beside them. */
  async function withBuckets(...others: readonly object[]): Promise<readonly [string, string]> {
    const names = [await bucketWith(), await bucketWith()] as const;
    root = temporaryRoot();
    const [one, two] = names;
    changeSettings(root, {
      ...{ bucket_name: null, create_s3_notifications: null },
      buckets: [{ name: one }, { name: two, prefixes: ['in/a=1/'], suffix: '.csv' }, ...others],
    });
    return names;
  }

  const run = (...parameters: readonly string[]) =>
    manage([COMMAND, ...parameters], { aws: emulatedAws(emulator), root });

  const filtersOf = async (bucket: string) => {
    const { TopicConfigurations = [] } = await configurationOf(bucket);
    return TopicConfigurations.map(({ Filter }) =>
      Filter?.Key?.FilterRules?.map(({ Value }) => Value),
    );
  };

  test('are configured each with its own prefixes and suffix', async () => {
    const [one, two] = await withBuckets();
    const { code, out } = await run();
    expect(code).toBe(0);
    expect(out).toContain(`${one}: changed\n`);
    expect(out).toContain(`${two}: changed\n`);
    expect(await filtersOf(one)).toEqual([['from_client/']]);
    expect(await filtersOf(two)).toEqual([['in/a%3D1/', '.csv']]);
  });

  test('are told of one by one in --json', async () => {
    const [one, two] = await withBuckets();
    expect(JSON.parse((await run('--json')).out)).toMatchObject([
      { bucket: one, changed: true },
      { bucket: two, changed: true },
    ]);
  });

  test('may be named one by one', async () => {
    const [one, two] = await withBuckets();
    expect((await run('--bucket', two)).code).toBe(0);
    expect(await filtersOf(one)).toEqual([]);
    expect(await filtersOf(two)).toEqual([['in/a%3D1/', '.csv']]);
  });

  test('stay as they are where one has an entry of others in the way', async () => {
    const [one, two] = await withBuckets();
    await put(two, {
      QueueConfigurations: [
        { Id: 'their-exports', QueueArn: theirQueue, Events: ['s3:ObjectCreated:Put'] },
      ],
    });
    const { code, err } = await run();
    expect([code, await filtersOf(one)]).toEqual([77, []]);
    expect(err).toContain('their-exports');
  });

  test('are skipped where the stack or another account configures them', async () => {
    const [one] = await withBuckets(
      { name: 'of-the-stack', create_notifications: true },
      { name: 'their-box', account_id: '210987654321' },
    );
    const { code, err } = await run();
    expect(code).toBe(0);
    expect(err).toContain(
      'skipped: the stack owns the notifications of of-the-stack (buckets[2].create_notifications = true',
    );
    expect(err).toContain('skipped: their-box is a bucket of account 210987654321');
    expect(await filtersOf(one)).toEqual([['from_client/']]);
  });

  test('of another account are refused by name, with the way', async () => {
    await withBuckets({ name: 'their-box', account_id: '210987654321' });
    const { code, err } = await run('--bucket', 'their-box');
    expect(code).toBe(77);
    expect(err).toContain('give its owner what --print writes');
  });

  test.each([['--prefix'], ['--suffix'], ['--replace']])(
    'need one to be named with %s, which is about one alone',
    async (option) => {
      const [one, two] = await withBuckets();
      const { code, err } = await run(option, 'a/');
      expect([code, await filtersOf(one)]).toEqual([64, []]);
      expect(err).toContain(`say which by --bucket: ${one}, ${two}`);
    },
  );

  test('that the tfvars do not know need a prefix', async () => {
    await withBuckets();
    const { code, err } = await run('--bucket', await bucketWith());
    expect(code).toBe(64);
    expect(err).toContain("say by --prefix which keys are meant, '' for all");
  });
});

test('a bucket that is not there is an error that names it', async () => {
  const { code, err } = await configure(['--bucket', 'nobodys']);
  expect(code).toBe(1);
  expect(err).toContain('NoSuchBucket');
  expect(err).not.toContain('at ');
});
