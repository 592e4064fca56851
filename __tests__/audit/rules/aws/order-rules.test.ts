import { ORDER_RULES } from '../../../../audit/rules/aws/order-rules.ts';
import { describePlants, type Plant } from '../../support/describe-plants.ts';

const without =
  (type: string, gone: RegExp, where?: RegExp): Plant[1] =>
  ({ change }) =>
    change(
      type,
      'depends_on',
      (list) => (list as string[]).filter((address) => !gone.test(address)),
      where,
    );

describePlants(ORDER_RULES, {
  'made-in-order': [
    ['a cluster beside its rights', without('aws_eks_cluster', /attachment/)],
    ['a cluster beside its log group', without('aws_eks_cluster', /log_group/)],
    ['nodes beside their rights', without('aws_eks_node_group', /attachment/)],
    ['nodes beside the network add-on', without('aws_eks_node_group', /addon/)],
    ['names before nodes', ({ drop }) => drop('aws_eks_addon', 'depends_on', /"coredns"/)],
    ['metrics before nodes', ({ drop }) => drop('aws_eks_addon', 'depends_on', /metrics-server/)],
    ['a flow log beside its right', ({ drop }) => drop('aws_flow_log', 'depends_on')],
    [
      'a NAT gateway before the way out',
      ({ drop, stackWith }) => {
        drop('aws_nat_gateway', 'depends_on');
        for (const address of Object.values(Object(Object(stackWith('aws_vpc').resource).aws_eip)))
          delete Object(address).depends_on;
      },
    ],
    ['an address before the gateway', ({ drop }) => drop('aws_eip', 'depends_on')],
    [
      'a notification before the topic admits it',
      ({ drop }) => drop('aws_s3_bucket_notification', 'depends_on'),
    ],
    [
      'a subscription before the right to confirm it',
      without('aws_sns_topic_subscription', /attachment/),
    ],
    [
      'a subscription before the topic refuses plain HTTP',
      without('aws_sns_topic_subscription', /topic_policy/),
    ],
  ],
});
