import { describe, expect, it } from 'vitest';
import { listedBucket } from '../../support/settings.ts';
import { dependenciesOf, namesOf, resourceAt } from '../../support/synthesized.ts';
import { synthesizeFileProcessing } from '../../support/synthesized-file-processing.ts';

describe('Bucket notifications by default', () => {
  it("leave the bucket's configuration to others", () => {
    expect(namesOf(synthesizeFileProcessing(), 'aws_s3_bucket_notification')).toEqual([]);
  });
});

describe('Bucket notifications switched on', () => {
  const json = synthesizeFileProcessing({ create_s3_notifications: true });

  it('notify the topic of every new object below the prefix', () => {
    expect(resourceAt(json, 'aws_s3_bucket_notification.bucket')).toMatchObject({
      bucket: 'drop-box',
      topic: [
        {
          id: 'file-processing:from_client/',
          topic_arn: '${aws_sns_topic.file_processing.arn}',
          events: ['s3:ObjectCreated:*'],
          filter_prefix: 'from_client/',
        },
      ],
    });
  });

  it('filter by no suffix when none is set', () => {
    expect(resourceAt(json, 'aws_s3_bucket_notification.bucket')).not.toHaveProperty([
      'topic',
      0,
      'filter_suffix',
    ]);
  });

  it('come after the policy of the topic, without which S3 refuses them', () => {
    expect(dependenciesOf(json, 'aws_s3_bucket_notification.bucket')).toEqual([
      'aws_sns_topic_policy.default',
    ]);
  });
});

it('a prefix and a suffix are percent-encoded for S3, and as they are for the listener', () => {
  const json = synthesizeFileProcessing({
    create_s3_notifications: true,
    s3_prefixes: ['in/year=2026/Südwest 1/'],
    s3_suffix: '(1) a.csv',
  });
  expect(resourceAt(json, 'aws_s3_bucket_notification.bucket').topic).toMatchObject([
    { filter_prefix: 'in/year%3D2026/S%C3%BCdwest+1/', filter_suffix: '(1)+a.csv' },
  ]);
  expect(JSON.stringify(json.resource.aws_iam_policy)).toContain('/in/year=2026/Südwest 1/*');
});

describe('Bucket notifications of several prefixes', () => {
  const json = synthesizeFileProcessing({
    create_s3_notifications: true,
    s3_prefixes: ['from_client/nm/', 'from_client/tx/'],
    s3_suffix: '.csv',
  });

  it('are one configuration, since a bucket has no more', () => {
    expect(namesOf(json, 'aws_s3_bucket_notification')).toEqual(['bucket']);
  });

  it('have one filter for each prefix, all with the suffix', () => {
    const { topic } = resourceAt(json, 'aws_s3_bucket_notification.bucket');
    expect(topic).toEqual([
      expect.objectContaining({
        id: 'file-processing:from_client/nm/',
        filter_prefix: 'from_client/nm/',
        filter_suffix: '.csv',
      }),
      expect.objectContaining({
        id: 'file-processing:from_client/tx/',
        filter_prefix: 'from_client/tx/',
        filter_suffix: '.csv',
      }),
    ]);
  });
});

describe('Bucket notifications of several buckets', () => {
  const json = synthesizeFileProcessing({
    buckets: [
      listedBucket('drop-box', { create_notifications: true }),
      listedBucket('letters'),
      listedBucket('files.example', {
        ...{ create_notifications: true, prefixes: ['in/year=2026/'], suffix: '(1) a.csv' },
      }),
    ],
  });

  it('have addresses of the names of those buckets whose notifications the stack owns', () => {
    expect(namesOf(json, 'aws_s3_bucket_notification')).toEqual([
      'bucket_drop-box',
      'bucket_files_example',
    ]);
  });

  it('have the prefixes and the suffix of their own bucket, percent-encoded', () => {
    expect(resourceAt(json, 'aws_s3_bucket_notification.bucket_files_example')).toMatchObject({
      bucket: 'files.example',
      topic: [
        {
          id: 'file-processing:in/year=2026/',
          filter_prefix: 'in/year%3D2026/',
          filter_suffix: '(1)+a.csv',
        },
      ],
    });
    expect(resourceAt(json, 'aws_s3_bucket_notification.bucket_drop-box')).toMatchObject({
      bucket: 'drop-box',
      topic: [{ filter_prefix: 'from_client/' }],
    });
  });

  it('take over what the variables for one bucket made', () => {
    expect(json).toHaveProperty('moved', [
      {
        from: 'aws_s3_bucket_notification.bucket',
        to: 'aws_s3_bucket_notification.bucket_drop-box',
      },
    ]);
  });

  it('take it over for the first whose notifications the stack owns', () => {
    const buckets = [
      listedBucket('letters'),
      listedBucket('files', { create_notifications: true }),
    ];
    expect(synthesizeFileProcessing({ buckets })).toHaveProperty(
      ['moved', 0, 'to'],
      'aws_s3_bucket_notification.bucket_files',
    );
  });

  it('have the same addresses in any order', () => {
    const [one, two] = ['one', 'two'].map((name) =>
      listedBucket(name, { create_notifications: true }),
    );
    const addresses = (...buckets: readonly (typeof one)[]) =>
      namesOf(
        synthesizeFileProcessing({ buckets: buckets.filter((bucket) => bucket !== undefined) }),
        'aws_s3_bucket_notification',
      );
    expect(addresses(one, two)).toEqual(addresses(two, one));
  });
});
