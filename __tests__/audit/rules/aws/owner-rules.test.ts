import { OWNER_RULES } from '../../../../audit/rules/aws/owner-rules.ts';
import { describePlants, type Plant } from '../../support/describe-plants.ts';
import { member } from '../../support/planter.ts';

const TYPES = [
  ...['aws_s3_bucket_notification', 'aws_sns_topic', 'aws_sqs_queue', 'aws_cloudwatch_log_group'],
  ...['aws_eks_addon', 'aws_eks_access_entry', 'aws_iam_role', 'aws_iam_policy', 'aws_kms_alias'],
  ...['aws_ecr_repository', 'aws_ecr_lifecycle_policy', 'aws_default_security_group', 'aws_route'],
  ...['aws_iam_role_policy_attachment', 'aws_cloudwatch_metric_alarm', 'aws_vpc_endpoint'],
  ...['aws_launch_template', 'aws_nat_gateway', 'aws_eks_node_group', 'aws_sns_topic_subscription'],
];

describePlants(OWNER_RULES, {
  'one-owner': [
    ...TYPES.map((type): Plant => [`a second ${type}`, ({ copy }) => copy(type)]),
    [
      'one bucket notification in two stacks',
      ({ stackWith }) => {
        const notification = member(
          member(stackWith('aws_sns_topic'), 'resource'),
          'aws_s3_bucket_notification',
        );
        Object.assign(member(stackWith('aws_vpc'), 'resource'), {
          aws_s3_bucket_notification: notification,
        });
      },
    ],
  ],
  'one-owner-inline': [
    [
      'a topic policy as argument and resource',
      ({ set }) => set('aws_sns_topic', 'policy', '{"Version":"2012-10-17","Statement":[]}'),
    ],
    [
      'a queue policy as argument and resource',
      ({ add, address }) =>
        add(
          'aws_sqs_queue_policy',
          { queue_url: `\${${address('aws_sqs_queue')}.url}`, policy: '{}' },
          'aws_sqs_queue',
        ),
    ],
    [
      'a key policy as argument and resource',
      ({ add, address }) =>
        add(
          'aws_kms_key_policy',
          { key_id: `\${${address('aws_kms_key')}.id}`, policy: '{}' },
          'aws_vpc',
        ),
    ],
    [
      'routes inside a table',
      ({ set }) => set('aws_route_table', 'route', [{ cidr_block: '0.0.0.0/0' }]),
    ],
    [
      'rules inside a group',
      ({ set }) => set('aws_security_group', 'ingress', [{ cidr_blocks: ['0.0.0.0/0'] }]),
    ],
  ],
});
