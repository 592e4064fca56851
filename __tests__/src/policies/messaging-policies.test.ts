import { expect, it } from 'vitest';
import {
  logDeliveries,
  queuePolicy,
  topicPolicy,
} from '../../../src/policies/messaging-policies.ts';

it('a topic lets one bucket of one account publish, and nobody without TLS', () => {
  const [allow, deny, ...others] = topicPolicy('arn:topic', [
    { account: '123456789012', bucketArns: ['arn:bucket'], sid: '' },
  ]);
  expect(others).toEqual([]);
  expect(allow).toMatchObject({
    Effect: 'Allow',
    Principal: { Service: 's3.amazonaws.com' },
    Action: 'sns:Publish',
    Condition: {
      StringEquals: { 'aws:SourceAccount': '123456789012' },
      ArnEquals: { 'aws:SourceArn': 'arn:bucket' },
    },
  });
  expect(deny).toMatchObject({
    Effect: 'Deny',
    Principal: '*',
    Condition: { Bool: { 'aws:SecureTransport': 'false' } },
  });
});

it('a topic lets each account publish from its own buckets alone', () => {
  const statements = topicPolicy('arn:topic', [
    { account: '123456789012', bucketArns: ['arn:a', 'arn:b'], sid: '' },
    { account: '210987654321', bucketArns: ['arn:c'], sid: '210987654321' },
  ]);
  expect(statements.map(({ Sid, Condition }) => [Sid, Condition])).toMatchObject([
    [
      'BucketPublishes',
      {
        StringEquals: { 'aws:SourceAccount': '123456789012' },
        ArnEquals: { 'aws:SourceArn': ['arn:a', 'arn:b'] },
      },
    ],
    [
      'BucketPublishes210987654321',
      {
        StringEquals: { 'aws:SourceAccount': '210987654321' },
        ArnEquals: { 'aws:SourceArn': 'arn:c' },
      },
    ],
    ['RefusePlainHttp', {}],
  ]);
});

it('SNS logs deliveries into the named groups alone', () => {
  expect(logDeliveries(['arn:a', 'arn:b'])[0]?.Resource).toEqual([
    'arn:a',
    'arn:a:*',
    'arn:b',
    'arn:b:*',
  ]);
});

it('a queue lets one topic send, and nobody without TLS', () => {
  const [allow, deny] = queuePolicy('arn:queue', { topicArn: 'arn:topic' });
  expect(allow).toMatchObject({
    Effect: 'Allow',
    Principal: { Service: 'sns.amazonaws.com' },
    Action: 'sqs:SendMessage',
    Condition: { ArnEquals: { 'aws:SourceArn': 'arn:topic' } },
  });
  expect(deny).toMatchObject({ Effect: 'Deny', Action: 'sqs:*' });
});
