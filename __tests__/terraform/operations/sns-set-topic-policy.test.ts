import { GetTopicAttributesCommand, SetTopicAttributesCommand } from '@aws-sdk/client-sns';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { temporaryRoot } from '../../support/manage.ts';
import { ACCOUNT, REGION } from '../support/aws-account.ts';
import { changeSettings } from '../support/change-settings.ts';
import { type EmulatedTopics, startEmulatedTopics } from '../support/emulated-topics.ts';

const BUCKET = 'etl-ba-research-client-etl';

let aws: EmulatedTopics;

beforeAll(async () => {
  aws = await startEmulatedTopics();
});

afterAll(() => aws?.stop());

const theirs = {
  Version: '2012-10-17',
  Id: 'theirs',
  Statement: [
    { Sid: 'Theirs', Effect: 'Deny', Principal: '*', Action: 'sns:Publish', Resource: '*' },
  ],
};

async function topicWithPolicy(): Promise<string> {
  const topicArn = await aws.createTopic();
  await aws.sns.send(
    new SetTopicAttributesCommand({
      TopicArn: topicArn,
      AttributeName: 'Policy',
      AttributeValue: JSON.stringify(theirs),
    }),
  );
  return topicArn;
}

async function policyOf(topicArn: string) {
  const answer = await aws.sns.send(new GetTopicAttributesCommand({ TopicArn: topicArn }));
  return JSON.parse(answer.Attributes?.Policy ?? '');
}

test('lets the bucket publish, and keeps what others have stated', async () => {
  const topicArn = await topicWithPolicy();
  const { code, out } = await aws.run(['sns-set-topic-policy', '--topic-arn', topicArn]);

  expect(code).toBe(0);
  expect(out).toMatch(/^\+ \{"Sid":"BucketPublishes-etl-ba-research-client-etl"/);
  expect(await policyOf(topicArn)).toEqual({
    ...theirs,
    Statement: [
      ...theirs.Statement,
      {
        Sid: `BucketPublishes-${BUCKET}`,
        Effect: 'Allow',
        Principal: { Service: 's3.amazonaws.com' },
        Action: 'sns:Publish',
        Resource: topicArn,
        Condition: {
          StringEquals: { 'aws:SourceAccount': ACCOUNT },
          ArnEquals: { 'aws:SourceArn': `arn:aws-us-gov:s3:::${BUCKET}` },
        },
      },
    ],
  });
});

test('changes nothing in a second run', async () => {
  const topicArn = await topicWithPolicy();
  await aws.run(['sns-set-topic-policy', '--topic-arn', topicArn]);
  const before = await policyOf(topicArn);
  const { out } = await aws.run(['sns-set-topic-policy', '--topic-arn', topicArn]);

  expect(out).toBe(`${topicArn}: policy unchanged\n`);
  expect(await policyOf(topicArn)).toEqual(before);
});

test('changes nothing with --dry-run', async () => {
  const topicArn = await topicWithPolicy();
  const { out } = await aws.run(['sns-set-topic-policy', '--topic-arn', topicArn, '--dry-run']);
  expect(out).toContain('+ {"Sid"');
  expect(await policyOf(topicArn)).toEqual(theirs);
});

test('replaces its own statement when the account is another, and shows both', async () => {
  const topicArn = await topicWithPolicy();
  const env = { SNS_TOPIC_ARN: topicArn };
  await aws.run(['sns-set-topic-policy'], env);
  const { out } = await aws.run(['sns-set-topic-policy'], { ...env, ACCOUNT_ID: '270022076279' });

  expect(out).toMatch(new RegExp(`^- .*"${ACCOUNT}".*\n\\+ .*"270022076279"`));
  const { Statement } = await policyOf(topicArn);
  expect(Statement).toHaveLength(2);
});

test("is refused for the stack's topic", async () => {
  const topicArn = await aws.createTopic('file-processing-topic');
  const before = await policyOf(topicArn);
  const { code, err } = await aws.run(['sns-set-topic-policy']);

  expect(code).toBe(77);
  expect(err).toContain(`the stack owns the policy of ${topicArn}`);
  expect(await policyOf(topicArn)).toEqual(before);
});

test('sets the policy of existing_topic_arn, which the stack leaves to others', async () => {
  const topicArn = await topicWithPolicy();
  const root = temporaryRoot();
  changeSettings(root, { existing_topic_arn: topicArn });
  const { code, out } = await aws.run(['sns-set-topic-policy'], {}, root);
  expect(code).toBe(0);
  expect(out).toContain(`${topicArn}: policy changed`);
});

test('prints what the owner of a topic in another account has to allow, and sets nothing', async () => {
  const topicArn = `arn:aws-us-gov:sns:${REGION}:210987654321:new-files`;
  const root = temporaryRoot();
  changeSettings(root, { existing_topic_arn: topicArn });
  const { code, out, err } = await aws.run(['sns-set-topic-policy'], {}, root);
  expect(code).toBe(0);
  expect(err).toMatch(/^the topic is account 210987654321's: its owner adds these statements/);
  expect(JSON.parse(out)).toStrictEqual({
    Version: '2012-10-17',
    Statement: [
      {
        Sid: `BucketPublishes-${BUCKET}`,
        Effect: 'Allow',
        Principal: { Service: 's3.amazonaws.com' },
        Action: 'sns:Publish',
        Resource: topicArn,
        Condition: {
          StringEquals: { 'aws:SourceAccount': ACCOUNT },
          ArnEquals: { 'aws:SourceArn': `arn:aws-us-gov:s3:::${BUCKET}` },
        },
      },
      {
        Sid: `AccountSubscribes-${ACCOUNT}`,
        Effect: 'Allow',
        Principal: { AWS: `arn:aws-us-gov:iam::${ACCOUNT}:root` },
        Action: ['sns:GetTopicAttributes', 'sns:ListSubscriptionsByTopic', 'sns:Subscribe'],
        Resource: topicArn,
      },
    ],
  });
});
