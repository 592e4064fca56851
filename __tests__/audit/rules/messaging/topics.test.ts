import { TOPIC_RULES } from '../../../../audit/rules/messaging/topics.ts';
import type { Plant } from '../../support/describe-rules.ts';
import { describeRules } from '../../support/describe-rules.ts';
import { member } from '../../support/planter.ts';

const TYPE = 'aws_sns_topic_subscription';
const retry =
  (changes: Record<string, unknown>): Plant[1] =>
  ({ json }) =>
    json(TYPE, 'delivery_policy', (policy) =>
      Object.assign(member(policy, 'healthyRetryPolicy'), changes),
    );

describeRules(TOPIC_RULES, {
  plants: {
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
          set(
            'aws_sns_topic_policy',
            'arn',
            'arn:aws-us-gov:sns:us-gov-west-1:123456789012:another',
          ),
      ],
      ['a second policy', ({ copy }) => copy('aws_sns_topic_policy')],
      [
        'nobody who publishes',
        ({ statements }) => statements(/"sns:Publish"/, (list) => list.slice(1)),
      ],
      [
        'another bucket that notifies',
        ({ set }) => set('aws_s3_bucket_notification', 'bucket', 'another'),
      ],
      [
        'another action than publishing',
        ({ statement }) =>
          statement(/"sns:Publish","Resource/, (s) =>
            Object.assign(s, { Action: 'sns:Subscribe' }),
          ),
      ],
    ],
    'topic-has-subscription': [
      [
        'a second subscription',
        ({ copy }) =>
          copy('aws_sns_topic_subscription', { endpoint: 'https://elsewhere.example/' }),
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
      [
        'no log of successes',
        ({ drop }) => drop('aws_sns_topic', 'http_success_feedback_role_arn'),
      ],
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
    'delivery-is-encrypted': [
      ...['https://198.51.100.7/', 'https://localhost/', 'https://files.internal/'].map(
        (endpoint): Plant => [
          `the endpoint ${endpoint}`,
          ({ set }) => set('aws_sns_topic_subscription', 'endpoint', endpoint),
        ],
      ),
      [
        'a token in the endpoint',
        ({ set }) =>
          set('aws_sns_topic_subscription', 'endpoint', 'https://files.example.gov/?token=abc'),
      ],

      ['the protocol http', ({ set }) => set(TYPE, 'protocol', 'http')],
      [
        'an endpoint over http',
        ({ change }) => change(TYPE, 'endpoint', (url) => String(url).replace('https', 'http')),
      ],
      ['mail', ({ set }) => set(TYPE, 'protocol', 'email')],
      [
        'a queue of somebody else',
        ({ set }) => {
          set(TYPE, 'protocol', 'sqs');
          set(TYPE, 'endpoint', 'arn:aws-us-gov:sqs:us-gov-west-1:210987654321:x');
        },
      ],
      [
        'a topic of somebody else',
        ({ set }) => set(TYPE, 'topic_arn', 'arn:aws-us-gov:sns:us-gov-west-1:210987654321:x'),
      ],
    ],
    'delivery-is-signed': [
      ['raw delivery', ({ set }) => set(TYPE, 'raw_message_delivery', true)],
      ['a filter policy', ({ set }) => set(TYPE, 'filter_policy', '{"a":["b"]}')],
      ['a filter on the body', ({ set }) => set(TYPE, 'filter_policy_scope', 'MessageBody')],
    ],
    'delivery-has-redrive': [
      ['no redrive policy', ({ drop }) => drop(TYPE, 'redrive_policy')],
      ['an empty redrive policy', ({ set }) => set(TYPE, 'redrive_policy', '{}')],
      [
        'a queue that is not there',
        ({ set }) =>
          set(
            TYPE,
            'redrive_policy',
            '{"deadLetterTargetArn":"arn:aws-us-gov:sqs:us-gov-west-1:123456789012:x"}',
          ),
      ],
      [
        'a queue that refuses the topic',
        ({ statements }) => statements(/sqs:SendMessage/, (list) => list.slice(1)),
      ],
      [
        'a queue that admits another topic',
        ({ statement }) =>
          statement(/sqs:SendMessage/, (s) =>
            Object.assign(s, {
              Condition: {
                ArnEquals: { 'aws:SourceArn': 'arn:aws-us-gov:sns:us-gov-west-1:123456789012:x' },
              },
            }),
          ),
      ],
      ['a queue without a policy', ({ drop }) => drop('aws_sqs_queue', 'policy')],
      [
        'a queue that S3 may send to',
        ({ statement }) =>
          statement(/sqs:SendMessage/, (s) =>
            Object.assign(s, { Principal: { Service: 's3.amazonaws.com' } }),
          ),
      ],
    ],
    'delivery-is-retried': [
      ['the default', ({ drop }) => drop(TYPE, 'delivery_policy')],
      ['no retry', retry({ numRetries: 0, numMinDelayRetries: 0, numMaxDelayRetries: 0 })],
      ['three retries', retry({ numRetries: 3, numMinDelayRetries: 3, numMaxDelayRetries: 0 })],
      ['more retries than SNS takes', retry({ numRetries: 101 })],
      ['waits beyond an hour', retry({ maxDelayTarget: 4000 })],
      ['the shorter wait last', retry({ minDelayTarget: 90 })],
      ['more retries in the phases than in all', retry({ numRetries: 20 })],
      ['an unknown way to wait longer', retry({ backoffFunction: 'cubic' })],
      [
        'no receives',
        ({ json }) =>
          json(TYPE, 'delivery_policy', (policy) =>
            Object.assign(policy, { throttlePolicy: { maxReceivesPerSecond: 0 } }),
          ),
      ],
      [
        'a misspelt policy',
        ({ json }) =>
          json(TYPE, 'delivery_policy', (policy) => Object.assign(policy, { sickRetryPolicy: {} })),
      ],
    ],
    'subscription-is-confirmed': [
      ['nobody waits', ({ set }) => set(TYPE, 'endpoint_auto_confirms', false)],
      ['nothing said', ({ drop }) => drop(TYPE, 'endpoint_auto_confirms')],
      ['a minute', ({ set }) => set(TYPE, 'confirmation_timeout_in_minutes', 1)],
    ],
  },
  queue: {
    'subscribed-queue-allows-topic': [
      [
        'a queue that refuses the topic',
        ({ drop }) => drop('aws_sqs_queue', 'policy', /maxReceiveCount/),
      ],
      ['a queue that nothing delivers to', ({ remove }) => remove(TYPE)],
    ],
    'delivery-has-redrive': [
      [
        'the queue itself for its dead letters',
        ({ set, address }) =>
          set(
            TYPE,
            'redrive_policy',
            `{"deadLetterTargetArn":"\${${address('aws_sqs_queue', /maxReceiveCount/)}.arn}"}`,
          ),
      ],
    ],
    'delivery-is-signed': [
      ['raw delivery to the queue', ({ set }) => set(TYPE, 'raw_message_delivery', true)],
    ],
  },
  buckets: {
    'topic-has-policy': [
      [
        'a bucket that may not publish, and is notified of',
        ({ statement }) =>
          statement(/sns:Publish.*aws:SourceArn/, (s) => {
            const { ArnEquals } = Object(s.Condition);
            ArnEquals['aws:SourceArn'] = ArnEquals['aws:SourceArn'][0];
          }),
      ],
      [
        'a bucket of another account that may not publish',
        ({ statements }) =>
          statements(/sns:Publish.*aws:SourceArn/, (list) =>
            list.filter(({ Condition }) => !/"[29]10987654321"/.test(JSON.stringify(Condition))),
          ),
      ],
    ],
  },
});
