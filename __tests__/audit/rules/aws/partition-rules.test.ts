import { PARTITION_RULES } from '../../../../audit/rules/aws/partition-rules.ts';
import { describePlants } from '../../support/describe-plants.ts';
import { member } from '../../support/planter.ts';

const provider = (json: Record<string, unknown>) =>
  (member(json, 'provider').aws as unknown as Record<string, unknown>[])[0] ?? {};

describePlants(PARTITION_RULES, {
  'arn-of-own-partition': [
    [
      'a policy of AWS of another partition',
      ({ set }) =>
        set(
          'aws_iam_role_policy_attachment',
          'policy_arn',
          'arn:aws:iam::aws:policy/AmazonEKSClusterPolicy',
        ),
    ],
    [
      'a bucket of another partition',
      ({ change }) =>
        change('aws_sns_topic_policy', 'policy', (text) =>
          String(text).replace('arn:aws-us-gov:s3', 'arn:aws:s3'),
        ),
    ],
    [
      'a source in another region',
      ({ change }) =>
        change(
          'aws_iam_role',
          'assume_role_policy',
          (text) => String(text).replace(':eks:us-gov-west-1:', ':eks:us-gov-east-1:'),
          /"name".*eks.amazonaws.com|eks.amazonaws.com/,
        ),
    ],
    [
      'an alarm to another region',
      ({ set }) =>
        set('aws_cloudwatch_metric_alarm', 'alarm_actions', [
          'arn:aws-us-gov:sns:us-gov-east-1:123456789012:on-call',
        ]),
    ],
    [
      'an output of another partition',
      ({ stackWith }) =>
        Object.assign(member(stackWith('aws_vpc'), 'output'), { x: { value: 'arn:aws:s3:::x' } }),
    ],
  ],
  'host-of-own-partition': [
    [
      'S3 in a region of another partition',
      ({ change }) =>
        change(
          'aws_iam_policy',
          'policy',
          (text) => String(text).replace('s3.us-gov-west-1', 's3.us-east-1'),
          /kms:ViaService/,
        ),
    ],
    [
      'logs of another region',
      ({ change }) =>
        change(
          'aws_kms_key',
          'policy',
          (text) => String(text).replace('logs.us-gov-west-1', 'logs.us-gov-east-1'),
          /logs.us-gov/,
        ),
    ],
    [
      'the suffix of China',
      ({ change }) =>
        change(
          'aws_kms_key',
          'policy',
          (text) => String(text).replace('west-1.amazonaws.com', 'west-1.amazonaws.com.cn'),
          /logs.us-gov/,
        ),
    ],
    [
      'an endpoint of another region',
      ({ set }) => set('aws_vpc_endpoint', 'service_name', 'com.amazonaws.us-east-1.s3'),
    ],
    [
      'an image of another partition',
      ({ stackWith }) =>
        Object.assign(member(stackWith('aws_sns_topic'), 'locals'), {
          x: '123456789012.dkr.ecr.us-east-1.amazonaws.com/x',
        }),
    ],
  ],
  'one-region': [
    [
      'the profile of somebody',
      ({ stackWith }) => Object.assign(provider(stackWith('aws_vpc')), { profile: 'somebody' }),
    ],

    [
      'another region in one stack',
      ({ stackWith }) => Object.assign(provider(stackWith('aws_vpc')), { region: 'us-gov-east-1' }),
    ],
    [
      'keys in the provider',
      ({ stackWith }) => Object.assign(provider(stackWith('aws_vpc')), { access_key: 'x' }),
    ],
    [
      'an endpoint of somebody else',
      ({ stackWith }) =>
        Object.assign(provider(stackWith('aws_vpc')), { endpoints: [{ s3: 'https://x' }] }),
    ],
    [
      'a second provider',
      ({ stackWith }) => {
        (member(stackWith('aws_vpc'), 'provider').aws as unknown as unknown[]).push({
          alias: 'x',
          region: 'us-east-1',
        });
      },
    ],
    [
      'one resource in another region',
      ({ set }) => set('aws_sns_topic', 'region', 'us-gov-east-1'),
    ],
  ],
});
