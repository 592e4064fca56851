import { expect, test } from 'vitest';
import { senderFaults } from '../../../../listener/src/sqs/queue-policy.ts';

const ACCOUNT = { 'aws:SourceAccount': '123456789012' };
const BUCKET = { 'aws:SourceArn': 'arn:aws-us-gov:s3:::drop-box' };
const RULE = { 'aws:SourceArn': 'arn:aws-us-gov:events:us-gov-west-1:123456789012:rule/files' };
const TOPIC = { 'aws:SourceArn': 'arn:aws-us-gov:sns:us-gov-west-1:123456789012:topic' };

function statement(service: string, Condition: object, changes: object = {}) {
  const Principal = { Service: service };
  return {
    ...{ Sid: 'Sends', Effect: 'Allow', Principal, Action: 'sqs:SendMessage', Resource: '*' },
    ...{ Condition, ...changes },
  };
}

const s3 = (changes: object) =>
  statement('s3.amazonaws.com', { ArnEquals: BUCKET, StringEquals: ACCOUNT }, changes);
const faults = (...Statement: object[]) => senderFaults(JSON.stringify({ Statement }));

test.each([
  ['S3 for a bucket of an account', s3({})],
  [
    'EventBridge for a rule of an account',
    statement('events.amazonaws.com', { ArnLike: RULE, StringEquals: ACCOUNT }),
  ],
  ['SNS for a topic', statement('sns.amazonaws.com', { ArnEquals: TOPIC })],
  ['anybody who may only look', s3({ Principal: '*', Action: 'sqs:Get*', Condition: {} })],
  ['a refusal', s3({ Effect: 'Deny', Principal: '*', Action: 'sqs:*', Condition: {} })],
])('%s is allowed', (_, allowed) => {
  expect(faults(allowed)).toEqual([]);
});

test.each([
  ['everybody', s3({ Principal: '*' }), 'Sends lets * send'],
  ['everybody of AWS', s3({ Principal: { AWS: '*' } }), 'Sends lets AWS * send'],
  ['all but some', s3({ NotPrincipal: { AWS: '1' } }), 'Sends lets all but some send'],
  [
    'a role',
    s3({ Principal: { AWS: 'arn:aws:iam::1:role/r' } }),
    'Sends lets AWS arn:aws:iam::1:role/r send',
  ],
  [
    'another service',
    s3({ Principal: { Service: 'lambda.amazonaws.com' }, Action: 'SQS:*' }),
    'Sends lets lambda.amazonaws.com send',
  ],
  ['by what is not allowed', s3({ Principal: '*', NotAction: 'sqs:Get*' }), 'Sends lets * send'],
  [
    'S3 without an account',
    s3({ Condition: { ArnEquals: BUCKET } }),
    'Sends lets s3.amazonaws.com send without aws:SourceAccount',
  ],
  [
    'S3 without a bucket',
    s3({ Condition: { StringEquals: ACCOUNT } }),
    'Sends lets s3.amazonaws.com send without aws:SourceArn',
  ],
  [
    'S3 for any bucket',
    s3({ Condition: { StringEquals: ACCOUNT, ArnLike: { 'aws:SourceArn': 'arn:aws:s3:::*' } } }),
    'Sends lets s3.amazonaws.com send without aws:SourceArn',
  ],
  [
    'S3 where the account is not said',
    s3({ Condition: { ArnEquals: BUCKET, StringEqualsIfExists: ACCOUNT } }),
    'Sends lets s3.amazonaws.com send without aws:SourceAccount',
  ],
  [
    'EventBridge for the rules of any account',
    statement('events.amazonaws.com', {
      StringEquals: ACCOUNT,
      ArnLike: { 'aws:SourceArn': [RULE['aws:SourceArn'], 'arn:aws:events:*:*:rule/x'] },
    }),
    'Sends lets events.amazonaws.com send without aws:SourceArn',
  ],
])('a policy that lets %s send is told of', (_, bad, fault) => {
  expect(faults(s3({}), bad)).toEqual([fault]);
});

test('a queue without a policy is told of', () => {
  expect(senderFaults(undefined)).toEqual(['it has no policy, so that no service may send to it']);
});
