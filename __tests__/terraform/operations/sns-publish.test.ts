import { SubscribeCommand } from '@aws-sdk/client-sns';
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { REGION } from '../support/aws-account.ts';
import { type EmulatedTopics, startEmulatedTopics } from '../support/emulated-topics.ts';

const BUCKET = 'etl-ba-research-client-etl';

let aws: EmulatedTopics;

beforeAll(async () => {
  aws = await startEmulatedTopics();
  await aws.emulator.createBucket(BUCKET, REGION);
});

afterAll(() => aws?.stop());

const key = 'from_client/nm_albuquerque/2026 Q1/Officer+Detail.csv';

/** What reaches a queue that is subscribed to a new topic. */
async function listeningTopic() {
  const topicArn = await aws.createTopic();
  const queue = await aws.createQueue(`heard-${topicArn.split(':').at(-1)}`);
  await aws.sns.send(
    new SubscribeCommand({ TopicArn: topicArn, Protocol: 'sqs', Endpoint: queue.arn }),
  );
  const messages = async () => {
    const answer = await aws.sqs.send(new ReceiveMessageCommand({ QueueUrl: queue.url }));
    return (answer.Messages ?? []).map(({ Body = '' }) => JSON.parse(Body));
  };
  return { topicArn, messages };
}

test('publishes the event that S3 sends for the object', async () => {
  await aws.emulator.putObject(BUCKET, encodeURI(key).replace('+', '%2B'), REGION, 'id\n1\n');
  const { topicArn, messages } = await listeningTopic();
  const { code, out, err } = await aws.run(['sns-publish', key, '--topic-arn', topicArn]);

  expect([code, err]).toEqual([0, '']);
  const [message] = await messages();
  expect(out).toContain(`published ${message.MessageId}`);
  expect(message.Subject).toBe('Amazon S3 Notification');
  expect(JSON.parse(message.Message).Records).toMatchObject([
    {
      awsRegion: REGION,
      eventTime: '2026-01-02T03:04:05.000Z',
      eventName: 'ObjectCreated:Put',
      s3: {
        bucket: { name: BUCKET, arn: `arn:aws-us-gov:s3:::${BUCKET}` },
        object: {
          key: 'from_client/nm_albuquerque/2026+Q1/Officer%2BDetail.csv',
          size: 5,
          eTag: expect.stringMatching(/^[0-9a-f]{32}$/),
        },
      },
    },
  ]);
});

test('publishes for an object that is not there, with a warning', async () => {
  const { topicArn, messages } = await listeningTopic();
  const { code, err } = await aws.run(['sns-publish', 'missing.csv', '--topic-arn', topicArn]);

  expect(code).toBe(0);
  expect(err).toContain(`warning: s3://${BUCKET}/missing.csv is not there`);
  const [message] = await messages();
  expect(JSON.parse(message.Message).Records[0].s3.object).not.toHaveProperty('size');
});

test('publishes nothing with --dry-run, and prints the event', async () => {
  const { topicArn, messages } = await listeningTopic();
  const { out } = await aws.run(['sns-publish', 'a.csv', '--topic-arn', topicArn, '--dry-run']);
  expect(JSON.parse(out)).toMatchObject({ Records: [{ s3: { object: { key: 'a.csv' } } }] });
  expect(await messages()).toEqual([]);
});
