import { SubscribeCommand } from '@aws-sdk/client-sns';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { manage, temporaryRoot } from '../../support/manage.ts';
import { changeSettings } from '../support/change-settings.ts';
import { emulatedAws } from '../support/emulated-aws.ts';
import { type EmulatedTopics, startEmulatedTopics } from '../support/emulated-topics.ts';

let aws: EmulatedTopics;

beforeAll(async () => {
  aws = await startEmulatedTopics();
});

afterAll(() => aws?.stop());

const endpoint = 'https://files.example.gov/';

test("subscribes an endpoint, with the topic's dead-letter queue and no raw delivery", async () => {
  const topicArn = await aws.createTopic();
  const queue = await aws.createDeadLetterQueue(topicArn);
  const { code, out } = await aws.run(['sns-subscribe', endpoint, '--topic-arn', topicArn]);

  expect(code).toBe(0);
  expect(out).toContain(`${endpoint}: confirmed (arn:aws-us-gov:sns:`);
  expect(await aws.subscriptionsOf(topicArn)).toMatchObject([
    {
      Endpoint: endpoint,
      Protocol: 'https',
      attributes: {
        RawMessageDelivery: 'false',
        RedrivePolicy: JSON.stringify({ deadLetterTargetArn: queue.arn }),
      },
    },
  ]);
});

test('says that messages that SNS gives up on are lost where there is no dead-letter queue', async () => {
  const topicArn = await aws.createTopic();
  const { code, err } = await aws.run(['sns-subscribe', endpoint, '--topic-arn', topicArn]);
  expect(code).toBe(0);
  expect(err).toContain('messages that SNS gives up on are lost');
});

test('finds the subscription that is there, and a second run changes nothing', async () => {
  const topicArn = await aws.createTopic();
  await aws.run(['sns-subscribe', endpoint, '--topic-arn', topicArn, '--no-dead-letter']);
  const before = await aws.subscriptionsOf(topicArn);
  const { code, out } = await aws.run([
    ...['sns-subscribe', endpoint, '--topic-arn', topicArn, '--no-dead-letter', '--json'],
  ]);

  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ state: 'confirmed', changed: false });
  expect(await aws.subscriptionsOf(topicArn)).toEqual(before);
});

test('turns raw delivery off, and leaves the filter that others have set', async () => {
  const topicArn = await aws.createTopic();
  const FilterPolicy = '{"kind":["csv"]}';
  await aws.sns.send(
    new SubscribeCommand({
      TopicArn: topicArn,
      Protocol: 'https',
      Endpoint: endpoint,
      Attributes: { RawMessageDelivery: 'true', FilterPolicy },
    }),
  );
  const { out } = await aws.run(['sns-subscribe', endpoint, '--topic-arn', topicArn]);

  expect(out).toContain('+ RawMessageDelivery = false');
  const [subscription] = await aws.subscriptionsOf(topicArn);
  expect(subscription?.attributes).toMatchObject({ RawMessageDelivery: 'false', FilterPolicy });
});

test('sets filter and dead-letter queue that were asked for', async () => {
  const topicArn = await aws.createTopic();
  const { arn } = await aws.createQueue('lost-messages');
  const filter = '{"Records":{"s3":{"object":{"key":[{"prefix":"a/"}]}}}}';
  await aws.run([
    ...['sns-subscribe', endpoint, '--topic-arn', topicArn],
    ...['--filter-policy', filter, '--dead-letter-arn', arn],
  ]);

  const [subscription] = await aws.subscriptionsOf(topicArn);
  expect(subscription?.attributes).toMatchObject({
    FilterPolicy: filter,
    FilterPolicyScope: 'MessageBody',
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: arn }),
  });
});

test('does nothing with --dry-run', async () => {
  const topicArn = await aws.createTopic();
  const { code, out } = await aws.run([
    ...['sns-subscribe', endpoint, '--topic-arn', topicArn, '--dry-run'],
  ]);
  expect(code).toBe(0);
  expect(out).toContain(`would be subscribed to ${topicArn}`);
  expect(await aws.subscriptionsOf(topicArn)).toEqual([]);
});

test('warns of an endpoint without TLS', async () => {
  const topicArn = await aws.createTopic();
  const { err } = await aws.run(['sns-subscribe', 'http://1.2.3.4/', '--topic-arn', topicArn]);
  expect(err).toContain('warning: over http');
});

test('takes topic and endpoint from the variables of the script', async () => {
  const topicArn = await aws.createTopic();
  await aws.run(['sns-subscribe'], { SNS_TOPIC_ARN: topicArn, ENDPOINT: endpoint });
  expect(await aws.subscriptionsOf(topicArn)).toMatchObject([{ Endpoint: endpoint }]);
});

test('is refused where the stack owns the subscription', async () => {
  const topicArn = await aws.createTopic('file-processing-topic');
  const root = temporaryRoot();
  changeSettings(root, { sns_endpoint_url: endpoint });
  const { code, err } = await manage(['sns-subscribe', endpoint], {
    aws: emulatedAws(aws.emulator),
    root,
  });

  expect(code).toBe(77);
  expect(err).toContain(`the stack owns the subscription of ${endpoint}`);
  expect(await aws.subscriptionsOf(topicArn)).toEqual([]);
});
