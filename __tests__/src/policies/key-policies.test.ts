import { partitionOf } from '@file-processing/contract/partition.ts';
import { describe, expect, it } from 'vitest';
import {
  accountAdministersKey,
  bucketPublishesWithKey,
  logsUseKey,
  topicSendsWithKey,
} from '../../../src/policies/key-policies.ts';

const scope = (region: string) => ({
  partition: partitionOf(region),
  region,
  account: '123456789012',
});

describe.each([
  ['us-gov-west-1', 'aws-us-gov', 'logs.us-gov-west-1.amazonaws.com'],
  ['us-east-1', 'aws', 'logs.us-east-1.amazonaws.com'],
  ['cn-north-1', 'aws-cn', 'logs.cn-north-1.amazonaws.com.cn'],
])('in %s', (region, partition, logsService) => {
  it('the account administers a key', () => {
    expect(accountAdministersKey(scope(region)).Principal).toStrictEqual({
      AWS: `arn:${partition}:iam::123456789012:root`,
    });
  });

  it('logs use a key for the named groups alone', () => {
    const statement = logsUseKey(scope(region), ['/a', '/b']);
    expect(statement.Principal).toStrictEqual({ Service: logsService });
    expect(statement.Condition).toStrictEqual({
      ArnEquals: {
        'kms:EncryptionContext:aws:logs:arn': [
          `arn:${partition}:logs:${region}:123456789012:log-group:/a`,
          `arn:${partition}:logs:${region}:123456789012:log-group:/b`,
        ],
      },
    });
  });
});

it('S3 uses a key for the buckets of one account alone', () => {
  const owner = { account: '210987654321', bucketArns: ['arn:a', 'arn:b'], sid: '210987654321' };
  expect(bucketPublishesWithKey(owner)).toMatchObject({
    Sid: 'BucketPublishesWithKey210987654321',
    Condition: {
      StringEquals: { 'aws:SourceAccount': '210987654321' },
      ArnEquals: { 'aws:SourceArn': ['arn:a', 'arn:b'] },
    },
  });
});

it('SNS uses a key for one topic alone', () => {
  const statement = topicSendsWithKey('arn:aws:sns:us-east-1:123456789012:topic');
  expect(statement.Action).toEqual(['kms:Decrypt', 'kms:GenerateDataKey*']);
  expect(statement.Condition).toStrictEqual({
    ArnEquals: { 'aws:SourceArn': 'arn:aws:sns:us-east-1:123456789012:topic' },
  });
});
