import { describe, expect, it } from 'vitest';
import { namesOf, resourceAt, statementsAt } from '../../support/synthesized.ts';
import { ACCOUNT, synthesizeFileProcessing } from '../../support/synthesized-file-processing.ts';

const KEYS = ['cluster', 'events', 'logs', 'repository'];

const ADMINISTRATION = {
  Sid: 'AccountAdministersKey',
  Effect: 'Allow',
  Principal: { AWS: `arn:aws-us-gov:iam::${ACCOUNT}:root` },
  Action: 'kms:*',
  Resource: '*',
};

describe('Keys', () => {
  const json = synthesizeFileProcessing({ cluster_name: 'city', kms_deletion_window_days: 14 });

  it('are one for each purpose', () => {
    expect(namesOf(json, 'aws_kms_key')).toEqual(KEYS);
  });

  it.each(KEYS)('rotate, and can be restored for a while, as %s can', (name) => {
    expect(resourceAt(json, `aws_kms_key.${name}`)).toMatchObject({
      enable_key_rotation: true,
      deletion_window_in_days: 14,
      tags: { Name: `city-${name}` },
    });
  });

  it.each(KEYS)('have an alias of the cluster, as %s has', (name) => {
    expect(resourceAt(json, `aws_kms_alias.${name}`)).toStrictEqual({
      name: `alias/city-${name}`,
      target_key_id: `\${aws_kms_key.${name}.key_id}`,
    });
  });

  it.each(['cluster', 'repository'])('leave %s to those whom IAM policies let', (name) => {
    expect(statementsAt(json, `aws_kms_key.${name}`)).toEqual([ADMINISTRATION]);
  });
});

describe('The key of the log groups', () => {
  it('is for CloudWatch Logs, for the log groups of this stack alone', () => {
    const json = synthesizeFileProcessing();
    const groups = `arn:aws-us-gov:logs:us-gov-west-1:${ACCOUNT}:log-group`;
    const deliveries = `sns/us-gov-west-1/${ACCOUNT}/file-processing-topic`;
    expect(statementsAt(json, 'aws_kms_key.logs')).toStrictEqual([
      ADMINISTRATION,
      {
        Sid: 'LogsUseKey',
        Effect: 'Allow',
        Principal: { Service: 'logs.us-gov-west-1.amazonaws.com' },
        Action: [
          'kms:Encrypt',
          'kms:Decrypt',
          'kms:ReEncrypt*',
          'kms:GenerateDataKey*',
          'kms:DescribeKey',
        ],
        Resource: '*',
        Condition: {
          ArnEquals: {
            'kms:EncryptionContext:aws:logs:arn': [
              `${groups}:/aws/eks/file-processing-cluster/cluster`,
              `${groups}:${deliveries}`,
              `${groups}:${deliveries}/Failure`,
            ],
          },
        },
      },
    ]);
  });

  it('covers every log group that is encrypted with it', () => {
    const json = synthesizeFileProcessing({ cluster_name: 'city', sns_topic_name: 'drops' });
    const [, use] = statementsAt(json, 'aws_kms_key.logs');
    const allowed = JSON.stringify(use?.Condition);
    for (const name of namesOf(json, 'aws_cloudwatch_log_group')) {
      const group = resourceAt(json, `aws_cloudwatch_log_group.${name}`);
      expect(group.kms_key_id, name).toBe('${aws_kms_key.logs.arn}');
      expect(allowed, name).toContain(`:log-group:${group.name}"`);
    }
  });

  it('is for CloudWatch Logs as it is called in China', () => {
    const json = synthesizeFileProcessing({ aws_region: 'cn-north-1' });
    expect(statementsAt(json, 'aws_kms_key.logs')[1]).toHaveProperty('Principal', {
      Service: 'logs.cn-north-1.amazonaws.com.cn',
    });
  });
});

describe('The key of the messages', () => {
  it.each(['http', 'sqs'] as const)(
    'is for the bucket that publishes and the topic that sends, with delivery %s',
    (delivery) => {
      const json = synthesizeFileProcessing({ delivery });
      expect(statementsAt(json, 'aws_kms_key.events')).toStrictEqual([
        ADMINISTRATION,
        {
          Sid: 'BucketPublishesWithKey',
          Effect: 'Allow',
          Principal: { Service: 's3.amazonaws.com' },
          Action: ['kms:Decrypt', 'kms:GenerateDataKey*'],
          Resource: '*',
          Condition: {
            StringEquals: { 'aws:SourceAccount': ACCOUNT },
            ArnEquals: { 'aws:SourceArn': 'arn:aws-us-gov:s3:::drop-box' },
          },
        },
        {
          Sid: 'TopicSendsWithKey',
          Effect: 'Allow',
          Principal: { Service: 'sns.amazonaws.com' },
          Action: ['kms:Decrypt', 'kms:GenerateDataKey*'],
          Resource: '*',
          Condition: {
            ArnEquals: {
              'aws:SourceArn': `arn:aws-us-gov:sns:us-gov-west-1:${ACCOUNT}:file-processing-topic`,
            },
          },
        },
      ]);
    },
  );
});
