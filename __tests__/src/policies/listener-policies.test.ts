import { describe, expect, it } from 'vitest';
import {
  bucketAccess,
  confirmSubscriptions,
  connectToDatabase,
  fetchMessages,
} from '../../../src/policies/listener-policies.ts';

const access = {
  bucketArn: 'arn:aws-us-gov:s3:::drop-box',
  readPrefixes: ['from_client/a/', 'from_client/b/'],
  writePrefix: 'reports/',
  keyArn: '',
  s3Host: 's3.us-gov-west-1.amazonaws.com',
};
const find = (sid: string, overrides: Partial<typeof access> = {}) =>
  bucketAccess({ ...access, ...overrides }).find(({ Sid }) => Sid === sid);

describe('the bucket', () => {
  it('can be listed below the prefixes alone', () => {
    expect(find('ListPrefixes')?.Condition).toStrictEqual({
      StringLike: { 's3:prefix': ['from_client/a/*', 'from_client/b/*'] },
    });
  });

  it('can be read below the prefixes alone', () => {
    expect(find('ReadObjects')?.Resource).toEqual([
      'arn:aws-us-gov:s3:::drop-box/from_client/a/*',
      'arn:aws-us-gov:s3:::drop-box/from_client/b/*',
    ]);
  });

  it('can be written below the report prefix alone', () => {
    expect(find('WriteReports')).toMatchObject({
      Action: 's3:PutObject',
      Resource: 'arn:aws-us-gov:s3:::drop-box/reports/*',
    });
  });

  it('cannot be written without a report prefix', () => {
    expect(JSON.stringify(bucketAccess({ ...access, writePrefix: '' }))).not.toContain('Put');
  });

  it('needs no key unless it has one', () => {
    expect(find('UseBucketKey')).toBeUndefined();
  });

  it('has its key used through S3 alone, to encrypt only where there are reports', () => {
    expect(find('UseBucketKey', { keyArn: 'arn:key' })).toMatchObject({
      Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
      Condition: { StringEquals: { 'kms:ViaService': 's3.us-gov-west-1.amazonaws.com' } },
    });
    expect(find('UseBucketKey', { keyArn: 'arn:key', writePrefix: '' })?.Action).toEqual([
      'kms:Decrypt',
    ]);
  });
});

it('confirms subscriptions to one topic', () => {
  expect(confirmSubscriptions('arn:topic')).toMatchObject([
    { Action: 'sns:ConfirmSubscription', Resource: 'arn:topic' },
  ]);
});

it('fetches from one queue, and decrypts with its key through SQS alone', () => {
  const sqsHost = 'sqs.us-gov-west-1.amazonaws.com';
  const [fetch, decrypt] = fetchMessages({ queueArn: 'arn:queue', keyArn: 'arn:key', sqsHost });
  expect(fetch).toMatchObject({ Resource: 'arn:queue' });
  expect(fetch?.Action).not.toContain('sqs:SendMessage');
  expect(decrypt).toMatchObject({
    Action: 'kms:Decrypt',
    Resource: 'arn:key',
    Condition: { StringEquals: { 'kms:ViaService': sqsHost } },
  });
});

it('signs in to one database as one user', () => {
  expect(connectToDatabase('arn:user')).toMatchObject([
    { Action: 'rds-db:connect', Resource: 'arn:user' },
  ]);
});
