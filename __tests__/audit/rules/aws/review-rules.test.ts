import { REVIEW_RULES } from '../../../../audit/rules/aws/review-rules.ts';
import { describePlants } from '../../support/describe-plants.ts';

describePlants(REVIEW_RULES, {
  'type-is-reviewed': [
    ['a user', ({ add }) => add('aws_iam_user', { name: 'somebody' }, 'aws_sns_topic')],
    [
      'an access key',
      ({ add }) => add('aws_iam_access_key', { user: 'somebody' }, 'aws_sns_topic'),
    ],
    ['a public bucket', ({ add }) => add('aws_s3_bucket', { bucket: 'public' }, 'aws_sns_topic')],
    ['a peering of networks', ({ add }) => add('aws_vpc_peering_connection', {}, 'aws_vpc')],
    [
      'a rule of the old kind',
      ({ add }) =>
        add('aws_security_group_rule', { type: 'ingress', cidr_blocks: ['0.0.0.0/0'] }, 'aws_vpc'),
    ],
    ['a program', ({ add }) => add('null_resource', {}, 'aws_vpc')],
    [
      'a data source that runs a program',
      ({ stackWith }) =>
        Object.assign(stackWith('aws_vpc'), { data: { external: { x: { program: ['sh'] } } } }),
    ],
  ],
  'argument-is-reviewed': [
    [
      'a disk with a key that Auto Scaling may not use',
      ({ change }) =>
        change('aws_launch_template', 'block_device_mappings', (blocks) =>
          (blocks as { ebs: object }[]).map((block) => ({
            ...block,
            ebs: {
              ...block.ebs,
              kms_key_id: 'arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/x',
            },
          })),
        ),
    ],

    [
      'a FIFO topic, which S3 cannot announce to',
      ({ set }) => set('aws_sns_topic', 'fifo_topic', true),
    ],
    [
      'a queue encrypted by SQS',
      ({ set }) => set('aws_sqs_queue', 'sqs_managed_sse_enabled', true),
    ],
    [
      'a cluster with a service network of its own',
      ({ set }) => set('aws_eks_cluster', 'kubernetes_network_config', { ip_family: 'ipv6' }),
    ],
    [
      'a cluster with further security groups',
      ({ set }) => set('aws_eks_cluster', 'vpc_config.security_group_ids', ['sg-1']),
    ],
    [
      'a role with inline policies',
      ({ set }) => set('aws_iam_role', 'inline_policy', [{ name: 'x' }]),
    ],
    [
      'a role with policies of others',
      ({ set }) =>
        set('aws_iam_role', 'managed_policy_arns', [
          'arn:aws-us-gov:iam::aws:policy/AdministratorAccess',
        ]),
    ],
    [
      'a security group with rules inside',
      ({ set }) => set('aws_security_group', 'ingress', [{ cidr_blocks: ['0.0.0.0/0'] }]),
    ],
    [
      'a notification to a function',
      ({ set }) =>
        set('aws_s3_bucket_notification', 'lambda_function', [{ lambda_function_arn: 'x' }]),
    ],
    ['a subnet with IPv6', ({ set }) => set('aws_subnet', 'assign_ipv6_address_on_creation', true)],
    ['an endpoint for other networks', ({ set }) => set('aws_vpc_endpoint', 'auto_accept', true)],
    [
      'a launch template with other networks',
      ({ set }) =>
        set('aws_launch_template', 'network_interfaces', [{ security_groups: ['sg-1'] }]),
    ],
    [
      'an alarm by an expression',
      ({ set }) => set('aws_cloudwatch_metric_alarm', 'metric_query', [{ id: 'x' }]),
    ],
  ],
  'nothing-beside': [
    [
      'a module',
      ({ stackWith }) => Object.assign(stackWith('aws_vpc'), { module: { x: { source: 'x' } } }),
    ],
    [
      'an import',
      ({ stackWith }) =>
        Object.assign(stackWith('aws_vpc'), { import: [{ to: 'aws_vpc.main', id: 'vpc-1' }] }),
    ],
    [
      'another provider',
      ({ stackWith }) => Object.assign(Object(stackWith('aws_vpc').provider), { http: [{}] }),
    ],
    [
      'a cloud backend',
      ({ stackWith }) => Object.assign(Object(stackWith('aws_vpc').terraform), { cloud: {} }),
    ],
  ],
});
