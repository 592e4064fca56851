import { SubscribeCommand } from '@aws-sdk/client-sns';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { temporaryRoot } from '../../support/manage.ts';
import { ACCOUNT, REGION } from '../support/aws-account.ts';
import { changeSettings } from '../support/change-settings.ts';
import { type EmulatedTopics, startEmulatedTopics } from '../support/emulated-topics.ts';

let aws: EmulatedTopics;

beforeAll(async () => {
  aws = await startEmulatedTopics();
});

afterAll(() => aws?.stop());

const endpoint = 'https://files.example.gov/';

test('ends well when everybody has confirmed and nothing was lost', async () => {
  const topicArn = await aws.createTopic();
  const { url } = await aws.createDeadLetterQueue(topicArn);
  await aws.run(['sns-subscribe', endpoint, '--topic-arn', topicArn]);
  const { code, out } = await aws.run(['sns-probe', '--topic-arn', topicArn]);

  expect(code).toBe(0);
  expect(out).toMatch(/confirmed +https +https:\/\/files\.example\.gov\//);
  expect(out).toMatch(new RegExp(`${url.split('/').at(-1)} +0 +0`));
});

test('fails while the dead-letter queue holds messages, and says how many', async () => {
  const topicArn = await aws.createTopic();
  const { arn, url } = await aws.createDeadLetterQueue(topicArn);
  await aws.run(['sns-subscribe', endpoint, '--topic-arn', topicArn]);
  await aws.sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: 'lost' }));
  const { code, out } = await aws.run(['sns-probe', '--topic-arn', topicArn, '--json']);

  expect(code).toBe(1);
  expect(JSON.parse(out)).toMatchObject({
    queues: [{ arn, messages: 1 }],
    problems: [expect.stringContaining('holds 1 messages')],
  });
});

test('fails when nobody is subscribed', async () => {
  const { code, out } = await aws.run(['sns-probe', '--topic-arn', await aws.createTopic()]);
  expect(code).toBe(1);
  expect(out).toContain('! nobody is subscribed');
});

test('shows no password of an endpoint', async () => {
  const topicArn = await aws.createTopic();
  await aws.sns.send(
    new SubscribeCommand({
      TopicArn: topicArn,
      Protocol: 'https',
      Endpoint: 'https://user:marker@files.example.gov/',
    }),
  );
  const { out } = await aws.run(['sns-probe', '--topic-arn', topicArn]);
  expect(out).toContain('https://files.example.gov/');
  expect(out).not.toContain('marker');
});

test('says so when there is no such topic', async () => {
  const arn = `arn:aws-us-gov:sns:${REGION}:${ACCOUNT}:nobodys-topic`;
  const { code, err } = await aws.run(['sns-probe', '--topic-arn', arn]);
  expect(code).toBe(1);
  expect(err).toContain(`there is no topic ${arn}`);
});

test('looks for the dead-letter queue by the name that the stack gives it, whatever the topic', async () => {
  const topicArn = await aws.createTopic();
  const { arn } = await aws.createQueue('file-processing-topic-dead-letter');
  const root = temporaryRoot();
  changeSettings(root, { existing_topic_arn: topicArn });
  const { out } = await aws.run(['sns-probe', '--json'], {}, root);
  expect(JSON.parse(out)).toMatchObject({ topicArn, queues: [{ arn }] });
});
