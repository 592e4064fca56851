import { describe, expect, it } from 'vitest';
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
