import {
  accountsIn,
  isQueueArn,
  isRoleArn,
  parseArn,
  parseTopicArn,
  topicIn,
} from '@file-processing/contract/arn.ts';
import { describe, expect, it, test } from 'vitest';

describe('parseTopicArn', () => {
  it.each([
    ['us-gov-west-1', 'aws-us-gov'],
    ['us-east-1', 'aws'],
    ['ap-southeast-4', 'aws'],
    ['cn-north-1', 'aws-cn'],
  ])('takes the ARN of a topic in %s apart', (region, partition) => {
    const arn = `arn:${partition}:sns:${region}:270022076279:file-processing-topic`;
    const topic = {
      arn,
      partition,
      region,
      account: '270022076279',
      name: 'file-processing-topic',
    };
    expect(parseTopicArn(arn)).toStrictEqual(topic);
    expect(topicIn(region, '270022076279', 'file-processing-topic')).toStrictEqual(topic);
  });

  it.each([
    '',
    'file-processing-topic',
    'arn:aws:sqs:us-east-1:000000000000:queue',
    'arn:aws:sns:us-east-1:000000000000:a.fifo',
    'arn:aws-iso:sns:us-iso-east-1:000000000000:t',
    'arn:toString:sns:us-east-1:000000000000:t',
    'arn:aws:sns:us-gov-west-1:123456789012:t',
    'arn:aws-us-gov:sns:us-east-1:123456789012:t',
    'arn:aws:sns:nowhere-1:123456789012:t',
    // Else the host of its certificates would be an S3 bucket's.
    'arn:aws:sns:s3-us-west-2:000000000000:t',
    'arn:aws:sns:us-east-1.evil.example:000000000000:t',
    'arn:aws:sns:us-east-1:0:t',
    'arn:aws:sns:us-east-1::t',
    'arn:aws:sns:us-east-1:aws:t',
    'arn:aws:sns:us-east-1:000000000000:t:c9135db0-26c4-47ec-8998-413945fb5a96',
    'arn:aws:sns:us-east-1:000000000000:t\n',
    ' arn:aws:sns:us-east-1:000000000000:t',
  ])('does not take %j for a topic', (arn) => {
    expect(parseTopicArn(arn)).toBeUndefined();
  });
});

test.each([
  ['arn:aws-us-gov:sqs:us-gov-west-1:123456789012:queue-dead-letter', true],
  ['arn:aws:sqs:us-east-1:123456789012:queue.fifo', false],
  ['arn:aws:sqs:us-gov-west-1:123456789012:queue', false],
  ['arn:aws:sns:us-east-1:123456789012:topic', false],
  ['arn:aws:sqs:us-east-1:1:queue', false],
])('%s is the ARN of a queue: %s', (arn, expected) => {
  expect(isQueueArn(arn)).toBe(expected);
});

test("the account of IAM's policies of AWS is aws", () => {
  const arn = 'arn:aws-us-gov:iam::aws:policy/PowerUserAccess';
  expect(parseArn(arn)).toMatchObject({ account: 'aws', resource: 'policy/PowerUserAccess' });
  expect(parseArn('arn:aws:kms:us-east-1:aws:key/k')).toBeUndefined();
});

test.each([
  ['arn:aws:iam::123456789012:role/teams/etl', true],
  ['arn:aws:iam::123456789012:user/etl', false],
  ['arn:aws:sts::123456789012:role/etl', false],
  ['arn:other:iam::123456789012:role/etl', false],
  ['arn:aws:iam::123:role/etl', false],
  ['role/etl', false],
])('%s is the ARN of a role: %s', (arn, expected) => {
  expect(isRoleArn(arn)).toBe(expected);
});

test.each([
  ['arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/a', ['123456789012']],
  ['123456789012.dkr.ecr.us-gov-west-1.amazonaws.com/a:1', ['123456789012']],
  ['123456789012.dkr-ecr.us-gov-west-1.on.aws/a:1', ['123456789012']],
  ['arn:aws:iam::210987654321:role/a and arn:aws:iam::210987654321:role/b', ['210987654321']],
  ['arn:aws:iam::aws:policy/ReadOnlyAccess', []],
  ['arn:aws:s3:::123456789012', []],
  ['013241004608.dkr.ecr.us-gov-west-1.amazonaws.com/eks/coredns:v1', []],
  ['arn:aws-us-gov:sns:us-gov-west-1:013241004608:topic', ['013241004608']],
  ['arn:aws:sqs:us-east-1:${data.aws_caller_identity.current.account_id}:queue', []],
])('%s names the accounts %j', (text, accounts) => {
  expect(accountsIn(text)).toStrictEqual(accounts);
});
