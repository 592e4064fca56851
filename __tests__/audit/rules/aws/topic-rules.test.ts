import { TOPIC_RULES } from '../../../../audit/rules/aws/topic-rules.ts';
import { describePlants } from '../../support/describe-plants.ts';

describePlants(TOPIC_RULES, {
  'messages-encrypted': [
    ['a topic without a key', ({ drop }) => drop('aws_sns_topic', 'kms_master_key_id')],
    [
      'a topic with the key of AWS',
      ({ set }) => set('aws_sns_topic', 'kms_master_key_id', 'alias/aws/sns'),
    ],
    ['a queue without a key', ({ drop }) => drop('aws_sqs_queue', 'kms_master_key_id')],
    [
      'a queue with the key of AWS',
      ({ set }) => set('aws_sqs_queue', 'kms_master_key_id', 'alias/aws/sqs'),
    ],
    ['a queue with an empty key', ({ set }) => set('aws_sqs_queue', 'kms_master_key_id', '')],
    [
      'a data key for a day',
      ({ set }) => set('aws_sqs_queue', 'kms_data_key_reuse_period_seconds', 86400),
    ],
  ],
  'topic-signs-sha256': [
    ['SHA-1', ({ set }) => set('aws_sns_topic', 'signature_version', 1)],
    ['the default', ({ drop }) => drop('aws_sns_topic', 'signature_version')],
  ],
  'topic-has-policy': [
    ['no policy', ({ remove }) => remove('aws_sns_topic_policy')],
    [
      'a policy for another topic',
      ({ set }) =>
        set('aws_sns_topic_policy', 'arn', 'arn:aws-us-gov:sns:us-gov-west-1:123456789012:another'),
    ],
    ['a second policy', ({ copy }) => copy('aws_sns_topic_policy')],
    [
      'nobody who publishes',
      ({ statements }) => statements(/"sns:Publish"/, (list) => list.slice(1)),
    ],
    [
      'another bucket that announces',
      ({ set }) => set('aws_s3_bucket_notification', 'bucket', 'another'),
    ],
    [
      'another action than publishing',
      ({ statement }) =>
        statement(/"sns:Publish","Resource/, (s) => Object.assign(s, { Action: 'sns:Subscribe' })),
    ],
  ],
  'topic-has-subscription': [
    [
      'a second subscription',
      ({ copy }) => copy('aws_sns_topic_subscription', { endpoint: 'https://elsewhere.example/' }),
    ],
    ['a subscription that was lost', ({ remove }) => remove('aws_sns_topic_subscription')],
    [
      'a subscription to another topic',
      ({ set }) =>
        set(
          'aws_sns_topic_subscription',
          'topic_arn',
          'arn:aws-us-gov:sns:us-gov-west-1:123456789012:another',
        ),
    ],
  ],
  'deliveries-are-logged': [
    ['no log of failures', ({ drop }) => drop('aws_sns_topic', 'http_failure_feedback_role_arn')],
    ['no log of successes', ({ drop }) => drop('aws_sns_topic', 'http_success_feedback_role_arn')],
    ['no log of queues', ({ drop }) => drop('aws_sns_topic', 'sqs_failure_feedback_role_arn')],
    [
      'a log of every tenth success',
      ({ set }) => set('aws_sns_topic', 'http_success_feedback_sample_rate', 10),
    ],
    [
      'a log of no success',
      ({ drop }) => drop('aws_sns_topic', 'http_success_feedback_sample_rate'),
    ],
    [
      'a role of somebody else',
      ({ set }) =>
        set(
          'aws_sns_topic',
          'http_failure_feedback_role_arn',
          'arn:aws-us-gov:iam::123456789012:role/x',
        ),
    ],
    [
      'a log group of another name',
      ({ set }) => set('aws_cloudwatch_log_group', 'name', 'sns/failures', /Failure/),
    ],
    ['a log group that was lost', ({ remove }) => remove('aws_cloudwatch_log_group', /Failure/)],
    [
      'a topic of another name than its log groups',
      ({ set }) => set('aws_sns_topic', 'name', 'another'),
    ],
  ],
});
