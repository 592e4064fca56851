import { KEY_RULES } from '../../../../audit/rules/encryption/keys.ts';
import { describeRules } from '../../support/describe-rules.ts';

const S3 = /"s3.amazonaws.com"\},"Action":\["kms/;
const SNS = /"sns.amazonaws.com"\},"Action":\["kms/;
const LOGS = /logs.us-gov-west-1.amazonaws.com/;

describeRules(KEY_RULES, {
  plants: {
    'key-rotates': [
      ['a key that stays the same', ({ set }) => set('aws_kms_key', 'enable_key_rotation', false)],
      ['a key without a word on it', ({ drop }) => drop('aws_kms_key', 'enable_key_rotation')],
      [
        'a key that rotates every seven years',
        ({ set }) => set('aws_kms_key', 'rotation_period_in_days', 2560),
      ],
      [
        'a key that is gone after a week',
        ({ set }) => set('aws_kms_key', 'deletion_window_in_days', 7),
      ],
      ['a key that is off', ({ set }) => set('aws_kms_key', 'is_enabled', false)],
      [
        'a key without the lockout check',
        ({ set }) => set('aws_kms_key', 'bypass_policy_lockout_safety_check', true),
      ],
      ['a key with copies in other regions', ({ set }) => set('aws_kms_key', 'multi_region', true)],
    ],
    'key-is-administered': [
      [
        'a key that nobody administers',
        ({ statements }) => statements(SNS, (list) => list.slice(1)),
      ],
      [
        'a key of another account',
        ({ statement }) =>
          statement(/kms:\*/, (s) =>
            Object.assign(s, { Principal: { AWS: 'arn:aws-us-gov:iam::210987654321:root' } }),
          ),
      ],
      [
        'a key that the account may only use',
        ({ statement }) => statement(/kms:\*/, (s) => Object.assign(s, { Action: 'kms:Decrypt' })),
      ],
      ['a key without a policy', ({ drop }) => drop('aws_kms_key', 'policy')],
    ],
    'key-has-alias': [
      ['a key without a name', ({ remove }) => remove('aws_kms_alias')],
      [
        'a name for nothing',
        ({ set }) => set('aws_kms_alias', 'target_key_id', '0b1e6f4c-8a3d-4c0e-9a55-0f3a5d1b2c4d'),
      ],
      ['a name of AWS', ({ set }) => set('aws_kms_alias', 'name', 'alias/aws/sns')],
    ],
    'key-allows-its-users': [
      [
        'a topic key without S3',
        ({ statements }) =>
          statements(S3, (list) => list.filter((s) => !S3.test(JSON.stringify(s)))),
      ],
      [
        'a queue key without SNS',
        ({ statements }) =>
          statements(SNS, (list) => list.filter((s) => !SNS.test(JSON.stringify(s)))),
      ],
      [
        'a log key without the service',
        ({ statements }) => statements(LOGS, (list) => list.slice(0, 1)),
      ],
      [
        'S3 that may only decrypt',
        ({ statement }) => statement(S3, (s) => Object.assign(s, { Action: ['kms:Decrypt'] })),
      ],
      [
        'SNS that may not decrypt',
        ({ statement }) =>
          statement(SNS, (s) => Object.assign(s, { Action: ['kms:GenerateDataKey*'] })),
      ],
      [
        'logs that may not decrypt',
        ({ statement }) =>
          statement(LOGS, (s) =>
            Object.assign(s, {
              Action: ['kms:Encrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:DescribeKey'],
            }),
          ),
      ],
      [
        'a log group that the key leaves out',
        ({ statement }) =>
          statement(/EncryptionContext.*Failure/, (s) =>
            Object.assign(Object(s.Condition).ArnEquals, {
              'kms:EncryptionContext:aws:logs:arn': (
                Object(s.Condition).ArnEquals['kms:EncryptionContext:aws:logs:arn'] as string[]
              ).slice(0, 2),
            }),
          ),
      ],
      [
        'a topic with the key of the logs',
        ({ set, address }) =>
          set('aws_sns_topic', 'kms_master_key_id', `\${${address('aws_kms_key', /Failure/)}.arn}`),
      ],
      [
        'a queue with the key of the logs',
        ({ set, address }) =>
          set('aws_sqs_queue', 'kms_master_key_id', `\${${address('aws_kms_key', /Failure/)}.arn}`),
      ],
      [
        'a log group with the key of the topic',
        ({ set, address }) =>
          set(
            'aws_cloudwatch_log_group',
            'kms_key_id',
            `\${${address('aws_kms_key', /s3.amazonaws.com/)}.arn}`,
            /Failure/,
          ),
      ],
      ['another bucket', ({ set }) => set('aws_s3_bucket_notification', 'bucket', 'another')],
    ],
    'key-allows-nobody-else': [
      [
        'the logs on the key of the messages',
        ({ statements }) =>
          statements(S3, (list) =>
            list.push({
              Sid: 'X',
              Effect: 'Allow',
              Principal: { Service: 'logs.us-gov-west-1.amazonaws.com' },
              Action: 'kms:Decrypt',
              Resource: '*',
            }),
          ),
      ],
      [
        'SNS on the key of the logs',
        ({ statements }) =>
          statements(LOGS, (list) =>
            list.push({
              Sid: 'X',
              Effect: 'Allow',
              Principal: { Service: 'sns.amazonaws.com' },
              Action: 'kms:Decrypt',
              Resource: '*',
            }),
          ),
      ],
      [
        'a function on the key of the images',
        ({ statements }) =>
          statements(/kms:\*/, (list) =>
            list.push({
              Sid: 'X',
              Effect: 'Allow',
              Principal: { Service: 'lambda.amazonaws.com' },
              Action: 'kms:Decrypt',
              Resource: '*',
            }),
          ),
      ],
    ],
  },
  buckets: {
    'key-allows-its-users': [
      [
        'a bucket of the account that may not use it',
        ({ statement }) =>
          statement(S3, (s) => {
            const { ArnEquals } = Object(s.Condition);
            ArnEquals['aws:SourceArn'] = ArnEquals['aws:SourceArn'][0];
          }),
      ],
      [
        'a bucket of another account that may not use it',
        ({ statements }) =>
          statements(S3, (list) =>
            list.filter(({ Condition }) => !/"[29]10987654321"/.test(JSON.stringify(Condition))),
          ),
      ],
    ],
  },
});
