import { describe, expect, it } from 'vitest';
import {
  type BucketAccess,
  bucketAccess,
  confirmSubscriptions,
  connectToDatabase,
  fetchMessages,
} from '../../../src/policies/listener-policies.ts';

const bucket = {
  arn: 'arn:aws-us-gov:s3:::drop-box',
  readPrefixes: ['from_client/a/', 'from_client/b/'],
  keyArn: '',
};
const access: BucketAccess = {
  buckets: [bucket],
  deletesReports: false,
  writePrefix: 'reports/',
  s3Host: 's3.us-gov-west-1.amazonaws.com',
};
const find = (sid: string, overrides: Partial<BucketAccess> = {}) =>
  bucketAccess({ ...access, ...overrides }).find(({ Sid }) => Sid === sid);

describe('the bucket', () => {
  it('can be listed with its versions below the prefixes alone', () => {
    expect(find('ListPrefixes')).toMatchObject({
      Action: ['s3:ListBucket', 's3:ListBucketVersions'],
      Condition: { StringLike: { 's3:prefix': ['from_client/a/*', 'from_client/b/*'] } },
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

  it('keeps its reports unless they may be forgotten', () => {
    expect(JSON.stringify(bucketAccess(access))).not.toContain('Delete');
    const forgetting = { ...access, deletesReports: true, writePrefix: '' };
    expect(JSON.stringify(bucketAccess(forgetting))).not.toContain('Delete');
  });

  it('has reports alone listed and deleted, in all versions, where they may be forgotten', () => {
    expect(find('ForgetReports', { deletesReports: true })).toMatchObject({
      Action: ['s3:DeleteObject', 's3:DeleteObjectVersion'],
      Resource: 'arn:aws-us-gov:s3:::drop-box/reports/*',
    });
    expect(find('ListReports', { deletesReports: true })?.Condition).toEqual({
      StringLike: { 's3:prefix': ['reports/*'] },
    });
  });

  it('needs no key unless it has one', () => {
    expect(find('UseBucketKey')).toBeUndefined();
  });

  it('has its key used through S3 alone, to encrypt only where there are reports', () => {
    const buckets = [{ ...bucket, keyArn: 'arn:key' }];
    expect(find('UseBucketKey', { buckets })).toMatchObject({
      Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
      Condition: { StringEquals: { 'kms:ViaService': 's3.us-gov-west-1.amazonaws.com' } },
    });
    expect(find('UseBucketKey', { buckets, writePrefix: '' })?.Action).toEqual(['kms:Decrypt']);
  });
});

describe('several buckets', () => {
  const one = { ...bucket, keyArn: 'arn:key' };
  const other = { arn: 'arn:aws-us-gov:s3:::letters', readPrefixes: ['in/'], keyArn: 'arn:key' };
  const buckets = [one, other, { ...bucket, arn: 'arn:aws-us-gov:s3:::files' }];

  it('are listed below their own prefixes alone; those with the same share a statement', () => {
    const listed = bucketAccess({ ...access, buckets }).filter(({ Sid }) => /^List/.test(Sid));
    expect(listed.map(({ Sid, Resource, Condition }) => [Sid, Resource, Condition])).toEqual([
      [
        'ListPrefixes',
        ['arn:aws-us-gov:s3:::drop-box', 'arn:aws-us-gov:s3:::files'],
        { StringLike: { 's3:prefix': ['from_client/a/*', 'from_client/b/*'] } },
      ],
      ['ListPrefixes2', 'arn:aws-us-gov:s3:::letters', { StringLike: { 's3:prefix': ['in/*'] } }],
    ]);
  });

  it('are read below their own prefixes alone', () => {
    expect(find('ReadObjects', { buckets: [one, other] })?.Resource).toEqual([
      'arn:aws-us-gov:s3:::drop-box/from_client/a/*',
      'arn:aws-us-gov:s3:::drop-box/from_client/b/*',
      'arn:aws-us-gov:s3:::letters/in/*',
    ]);
  });

  it('are written below the report prefix of each', () => {
    expect(find('WriteReports', { buckets: [one, other] })?.Resource).toEqual([
      'arn:aws-us-gov:s3:::drop-box/reports/*',
      'arn:aws-us-gov:s3:::letters/reports/*',
    ]);
  });

  it('have each of their keys used, once', () => {
    expect(find('UseBucketKey', { buckets })?.Resource).toBe('arn:key');
    expect(
      find('UseBucketKey', { buckets: [one, { ...other, keyArn: 'arn:other' }] })?.Resource,
    ).toEqual(['arn:key', 'arn:other']);
  });
});

describe('files that are routed by their verdicts', () => {
  const target = { arn: 'arn:aws-us-gov:s3:::checked', prefix: 'nm/', keyArn: '' };
  const targets = [target, { ...target, arn: 'arn:aws-us-gov:s3:::others' }];

  it('are neither tagged nor copied unless it is said', () => {
    expect(JSON.stringify(bucketAccess(access))).not.toMatch(/Tagging|Abort/);
  });

  it('are tagged where they are read, with a version and without, and nowhere else', () => {
    expect(find('TagDeliveries', { tags: true })).toMatchObject({
      Action: [
        's3:GetObjectTagging',
        's3:GetObjectVersionTagging',
        's3:PutObjectTagging',
        's3:PutObjectVersionTagging',
      ],
      Resource: find('ReadObjects')?.Resource,
    });
    expect(find('CopyFiles', { tags: true })).toBeUndefined();
  });

  it('are copied below the places alone, and never read or deleted there', () => {
    expect(find('CopyFiles', { targets })?.Resource).toEqual([
      'arn:aws-us-gov:s3:::checked/nm/*',
      'arn:aws-us-gov:s3:::others/nm/*',
    ]);
    expect(find('ReadObjects', { targets })).toEqual(find('ReadObjects'));
    expect(JSON.stringify(bucketAccess({ ...access, targets }))).not.toMatch(/Delete/);
  });

  it('have their copies listed and deleted where they may be forgotten', () => {
    const forgetting = { targets, deletesReports: true, writePrefix: '' };
    expect(find('ForgetCopies', forgetting)?.Resource).toEqual(
      find('CopyFiles', { targets })?.Resource,
    );
    expect(find('ListCopies', forgetting)).toMatchObject({
      Action: 's3:ListBucketVersions',
      Resource: ['arn:aws-us-gov:s3:::checked', 'arn:aws-us-gov:s3:::others'],
      Condition: { StringLike: { 's3:prefix': ['nm/*'] } },
    });
  });

  it('have the key of copies used for copies alone', () => {
    const keyed = [{ ...target, keyArn: 'arn:key' }, targets[1] ?? target];
    expect(find('EncryptCopies', { targets: keyed })).toEqual({
      Sid: 'EncryptCopies',
      Effect: 'Allow',
      Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
      Resource: 'arn:key',
      Condition: {
        StringEquals: { 'kms:ViaService': 's3.us-gov-west-1.amazonaws.com' },
        StringLike: {
          'kms:EncryptionContext:aws:s3:arn': [target.arn, `${target.arn}/nm/*`],
        },
      },
    });
    expect(find('UseBucketKey', { targets: keyed })).toBeUndefined();
  });

  it('need nothing but the place of whoever owns a bucket of copies', () => {
    const sids = bucketAccess({ ...access, buckets: [], tags: true, targets }).map(
      ({ Sid }) => Sid,
    );
    expect(sids).toEqual(['CopyFiles']);
  });
});

it('confirms subscriptions to one topic', () => {
  expect(confirmSubscriptions('arn:topic')).toMatchObject([
    { Action: 'sns:ConfirmSubscription', Resource: 'arn:topic' },
  ]);
});

it('fetches from one queue, and decrypts with its key through SQS alone', () => {
  const sqsHost = 'sqs.us-gov-west-1.amazonaws.com';
  const queues = { queueArns: ['arn:queue'], keyArn: 'arn:key', sqsHost };
  const [fetch, decrypt] = fetchMessages(queues);
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
