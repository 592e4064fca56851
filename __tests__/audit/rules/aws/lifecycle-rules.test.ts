import { LIFECYCLE_RULES } from '../../../../audit/rules/aws/lifecycle-rules.ts';
import { describePlants } from '../../support/describe-plants.ts';

describePlants(LIFECYCLE_RULES, {
  'drift-is-seen': [
    [
      'everything of a queue',
      ({ set }) => set('aws_sqs_queue', 'lifecycle', { ignore_changes: 'all' }),
    ],
    [
      'the policy of a topic',
      ({ set }) => set('aws_sns_topic_policy', 'lifecycle', { ignore_changes: ['policy'] }),
    ],
    [
      'what a security group lets in',
      ({ set }) => set('aws_default_security_group', 'lifecycle', { ignore_changes: ['ingress'] }),
    ],
    [
      'the addresses of the API',
      ({ set }) =>
        set('aws_eks_cluster', 'lifecycle.ignore_changes', ['vpc_config[0].public_access_cidrs']),
    ],
    [
      'all sizes of a node group',
      ({ set }) => set('aws_eks_node_group', 'lifecycle.ignore_changes', ['scaling_config']),
    ],
  ],
  'plain-resource': [
    [
      'a second for what takes minutes',
      ({ set }) => set('aws_eks_cluster', 'timeouts', { create: '1s' }),
    ],

    ['count 0', ({ set }) => set('aws_cloudwatch_metric_alarm', 'count', 0)],
    ['an empty for_each', ({ set }) => set('aws_flow_log', 'for_each', {})],
    ['prevent_destroy', ({ set }) => set('aws_sqs_queue', 'lifecycle', { prevent_destroy: true })],
    [
      'create_before_destroy with a fixed name',
      ({ set }) => set('aws_sns_topic', 'lifecycle', { create_before_destroy: true }),
    ],
    [
      'a provisioner',
      ({ set }) => set('aws_eks_cluster', 'provisioner', [{ 'local-exec': { command: 'true' } }]),
    ],
    ['another provider', ({ set }) => set('aws_sns_topic', 'provider', 'aws.other')],
  ],
  'lookup-is-checked': [
    [
      'a network of another name',
      ({ set }) => set('aws_vpcs', 'filter', [{ name: 'tag:Name', values: ['another-network'] }]),
    ],
    ['a network that was renamed', ({ set }) => set('aws_vpc', 'tags.Name', 'another-network')],

    [
      'subnets of any network',
      ({ change }) =>
        change('aws_subnets', 'filter', (filters) =>
          (filters as { name: string }[]).filter(({ name }) => name !== 'vpc-id'),
        ),
    ],
    [
      'subnets of any name',
      ({ change }) =>
        change('aws_subnets', 'filter', (filters) =>
          (filters as { name: string }[]).filter(({ name }) => name === 'vpc-id'),
        ),
    ],
    [
      'a single subnet',
      ({ set }) =>
        set('aws_subnets', 'lifecycle.postcondition.condition', '${length(self.ids) >= 1}'),
    ],
    ['subnets without a count', ({ drop }) => drop('aws_subnets', 'lifecycle')],
    ['a network without a count', ({ drop }) => drop('aws_vpcs', 'lifecycle')],
    ['any network', ({ drop }) => drop('aws_vpcs', 'filter')],
  ],
});
