import { describe, expect, it } from 'vitest';
import { contextOf } from '../../../src/file-processing/context.ts';
import { deliveryLogGroupNames, topicArn } from '../../../src/file-processing/topic.ts';
import { fileProcessingSettings } from '../../support/settings.ts';
import { addresses, resourceAt, statementsAt } from '../../support/synthesized.ts';
import {
  ACCOUNT,
  IMAGE,
  synthesizeFileProcessing,
} from '../../support/synthesized-file-processing.ts';

describe('The topic', () => {
  const json = synthesizeFileProcessing({ log_retention_days: 90 });
  const topic = resourceAt(json, 'aws_sns_topic.file_processing');

  it('is encrypted with the key of the messages and signs with SHA256', () => {
    expect(topic).toMatchObject({
      name: 'file-processing-topic',
      kms_master_key_id: '${aws_kms_key.events.arn}',
      signature_version: 2,
    });
  });

  it.each(['http', 'sqs'])('logs every delivery over %s, good or bad', (protocol) => {
    expect(topic).toMatchObject({
      [`${protocol}_success_feedback_role_arn`]: '${aws_iam_role.sns_feedback.arn}',
      [`${protocol}_success_feedback_sample_rate`]: 100,
      [`${protocol}_failure_feedback_role_arn`]: '${aws_iam_role.sns_feedback.arn}',
    });
  });

  it('takes messages of the bucket of this account alone, and nothing without TLS', () => {
    expect(resourceAt(json, 'aws_sns_topic_policy.default')).toHaveProperty(
      'arn',
      '${aws_sns_topic.file_processing.arn}',
    );
    expect(statementsAt(json, 'aws_sns_topic_policy.default')).toStrictEqual([
      {
        Sid: 'BucketPublishes',
        Effect: 'Allow',
        Principal: { Service: 's3.amazonaws.com' },
        Action: 'sns:Publish',
        Resource: '${aws_sns_topic.file_processing.arn}',
        Condition: {
          StringEquals: { 'aws:SourceAccount': ACCOUNT },
          ArnEquals: { 'aws:SourceArn': 'arn:aws-us-gov:s3:::drop-box' },
        },
      },
      {
        Sid: 'RefusePlainHttp',
        Effect: 'Deny',
        Principal: '*',
        Action: ['sns:Publish', 'sns:Subscribe'],
        Resource: '${aws_sns_topic.file_processing.arn}',
        Condition: { Bool: { 'aws:SecureTransport': 'false' } },
      },
    ]);
  });

  it.each([
    ['sns_delivered', ''],
    ['sns_failed', '/Failure'],
  ])('logs into %s, encrypted and for a limited time', (name, ending) => {
    expect(resourceAt(json, `aws_cloudwatch_log_group.${name}`)).toStrictEqual({
      name: `sns/us-gov-west-1/${ACCOUNT}/file-processing-topic${ending}`,
      retention_in_days: 90,
      kms_key_id: '${aws_kms_key.logs.arn}',
    });
  });
});

describe('The role that logs deliveries', () => {
  const json = synthesizeFileProcessing();
  const arn = `arn:aws-us-gov:sns:us-gov-west-1:${ACCOUNT}:file-processing-topic`;

  it('can be assumed by SNS for this topic alone', () => {
    expect(statementsAt(json, 'aws_iam_role.sns_feedback', 'assume_role_policy')).toStrictEqual([
      {
        Sid: 'AssumeRole',
        Effect: 'Allow',
        Principal: { Service: 'sns.amazonaws.com' },
        Action: 'sts:AssumeRole',
        Condition: {
          StringEquals: { 'aws:SourceAccount': ACCOUNT },
          ArnLike: { 'aws:SourceArn': arn },
        },
      },
    ]);
  });

  it('writes into the two log groups alone', () => {
    expect(resourceAt(json, 'aws_iam_role_policy.sns_feedback')).toHaveProperty(
      'role',
      '${aws_iam_role.sns_feedback.id}',
    );
    const groups = `arn:aws-us-gov:logs:us-gov-west-1:${ACCOUNT}:log-group:sns/us-gov-west-1/${ACCOUNT}/file-processing-topic`;
    expect(statementsAt(json, 'aws_iam_role_policy.sns_feedback')).toStrictEqual([
      {
        Sid: 'LogDeliveries',
        Effect: 'Allow',
        Action: [
          'logs:CreateLogGroup',
          'logs:CreateLogStream',
          'logs:PutLogEvents',
          'logs:PutMetricFilter',
          'logs:PutRetentionPolicy',
        ],
        Resource: [groups, `${groups}:*`, `${groups}/Failure`, `${groups}/Failure:*`],
      },
    ]);
  });

  it('is named after the cluster, so that a second cluster has its own', () => {
    const other = synthesizeFileProcessing({ cluster_name: 'city' });
    expect(resourceAt(other, 'aws_iam_role.sns_feedback')).toHaveProperty(
      'name',
      'city-sns-feedback',
    );
  });
});

describe.each([
  ['us-east-1', 'aws'],
  ['us-gov-west-1', 'aws-us-gov'],
  ['cn-north-1', 'aws-cn'],
])('A topic of others in %s', (region, partition) => {
  const arn = `arn:${partition}:sns:${region}:210987654321:new-files`;
  const json = synthesizeFileProcessing({
    aws_region: region,
    existing_topic_arn: arn,
    delivery: 'sqs',
    create_s3_notifications: true,
  });
  const topic = '${local.existing_topic_arn}';

  it('is named once, and makes no topic, policy, delivery log, role or alarm of it', () => {
    expect(Object(json).locals).toMatchObject({ existing_topic_arn: arn });
    expect(
      addresses(json).filter((one) => /^aws_(sns_topic\.|sns_topic_policy|.*\.sns_)/.test(one)),
    ).toEqual([]);
    expect(addresses(json).filter((one) => one.startsWith('aws_cloudwatch_metric'))).toEqual([
      'aws_cloudwatch_metric_alarm.dead_letters',
      'aws_cloudwatch_metric_alarm.stuck_messages',
    ]);
  });

  it('is what the queue subscribes to, the bucket notifies and the listener trusts', () => {
    expect(resourceAt(json, 'aws_sns_topic_subscription.queue')).toMatchObject({
      topic_arn: topic,
    });
    expect(resourceAt(json, 'aws_s3_bucket_notification.bucket')).toMatchObject({
      topic: [{ topic_arn: topic }],
    });
    expect(resourceAt(json, 'kubernetes_config_map_v1.config')).toMatchObject({
      data: { SNS_TOPIC_ARNS: topic },
    });
    expect(json.output).toMatchObject({ sns_topic_arn: { value: topic } });
  });

  it('alone may send to the queues and use their key, which S3 may not', () => {
    for (const queue of ['aws_sqs_queue.deliveries', 'aws_sqs_queue.dead_letter']) {
      expect(statementsAt(json, queue)[0]).toMatchObject({
        Sid: 'TopicSends',
        Condition: { ArnEquals: { 'aws:SourceArn': topic } },
      });
    }
    expect(statementsAt(json, 'aws_kms_key.events').slice(1)).toStrictEqual([
      {
        Sid: 'TopicSendsWithKey',
        Effect: 'Allow',
        Principal: { Service: 'sns.amazonaws.com' },
        Action: ['kms:Decrypt', 'kms:GenerateDataKey*'],
        Resource: '*',
        Condition: { ArnEquals: { 'aws:SourceArn': arn } },
      },
    ]);
  });

  it('leaves the names of the queues to sns_topic_name', () => {
    expect(resourceAt(json, 'aws_sqs_queue.deliveries')).toMatchObject({
      name: 'file-processing-topic-deliveries',
    });
  });
});

describe('A subscription by HTTP to a topic of others', () => {
  const json = synthesizeFileProcessing({
    existing_topic_arn: 'arn:aws-us-gov:sns:us-gov-west-1:210987654321:new-files',
    sns_endpoint_url: 'https://files.example.gov/',
    image: IMAGE,
  });

  it('waits for no policy of the topic, but for the right to confirm it', () => {
    const { depends_on } = resourceAt(json, 'aws_sns_topic_subscription.http');
    expect(depends_on).toContain('aws_iam_role_policy_attachment.file_processing_delivery');
    expect(depends_on).not.toContain('aws_sns_topic_policy.default');
    expect(statementsAt(json, 'aws_iam_policy.file_processing_delivery')[0]).toMatchObject({
      Action: 'sns:ConfirmSubscription',
      Resource: '${local.existing_topic_arn}',
    });
  });
});

describe('Names of the topic', () => {
  const settings = fileProcessingSettings({ aws_region: 'cn-north-1', sns_topic_name: 'drops' });
  const context = contextOf(settings, '123456789012', {});

  it('make an ARN in the partition of the region', () => {
    expect(topicArn(context)).toBe('arn:aws-cn:sns:cn-north-1:123456789012:drops');
  });

  it('make the names of the log groups that SNS writes to', () => {
    expect(deliveryLogGroupNames(context)).toEqual([
      'sns/cn-north-1/123456789012/drops',
      'sns/cn-north-1/123456789012/drops/Failure',
    ]);
  });
});
