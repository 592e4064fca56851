import { ORDER_RULES } from '../../../../audit/rules/terraform/order.ts';
import type { Plant } from '../../support/describe-rules.ts';
import { describeRules } from '../../support/describe-rules.ts';
import {
  AUTOSCALER,
  CONFIG_MAP,
  DEPLOYMENT,
  NAMESPACE,
  POLICY,
  SECRET,
  SERVICE,
  SERVICE_ACCOUNT,
  TEMPLATE,
} from '../../support/kubernetes-paths.ts';
import { all, alter, type Change, drop, set } from '../../support/kubernetes-plants.ts';

const without =
  (type: string, gone: RegExp, where?: RegExp): Plant[1] =>
  ({ change }) =>
    change(
      type,
      'depends_on',
      (list) => (list as string[]).filter((address) => !gone.test(address)),
      where,
    );

const SUBSCRIPTION = 'aws_sns_topic_subscription';

/** Without what begins with a text among what a resource waits for. */
const notFor = (type: string, ...prefixes: readonly string[]): Change =>
  alter(type, 'depends_on', (addresses: readonly string[]) =>
    addresses.filter((address) => !prefixes.some((prefix) => address.startsWith(prefix))),
  );

describeRules(ORDER_RULES, {
  plants: {
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
          for (const address of Object.values(
            Object(Object(stackWith('aws_vpc').resource).aws_eip),
          ))
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
  },
  objects: {
    'object-waits-for-the-cluster': [
      ['a namespace that waits for nothing', drop(NAMESPACE, 'depends_on')],
      ['a namespace that does not wait for nodes', notFor(NAMESPACE, 'aws_eks_')],
      [
        'a namespace that does not wait for its way in',
        notFor(NAMESPACE, 'aws_vpc_security_group'),
      ],
      ['a namespace that does not wait for an add-on', notFor(NAMESPACE, 'aws_eks_addon')],
      ['a Service that waits for nothing', drop(SERVICE, 'depends_on')],
    ],
    'pod-waits-for-what-it-uses': [
      ['an object before its namespace', notFor(POLICY, NAMESPACE)],
      ['an autoscaler before its target', notFor(AUTOSCALER, DEPLOYMENT)],
      ['pods before their account', notFor(DEPLOYMENT, SERVICE_ACCOUNT)],
      ['pods before their Secret', notFor(DEPLOYMENT, SECRET)],
      ['pods before their policy', notFor(DEPLOYMENT, POLICY)],
      [
        'pods before their settings',
        all(
          notFor(DEPLOYMENT, CONFIG_MAP),
          set(DEPLOYMENT, `${TEMPLATE}.metadata.annotations`, {}),
        ),
      ],
    ],
    'subscription-waits-for-the-listener': [
      ['a subscription before the pods', notFor(SUBSCRIPTION, DEPLOYMENT)],
      ['a subscription before the Service', notFor(SUBSCRIPTION, SERVICE)],
      ['a subscription that waits for nothing', drop(SUBSCRIPTION, 'depends_on')],
      ['a subscription before the Ingress', notFor(SUBSCRIPTION, 'kubernetes_ingress'), 'alb'],
    ],
    'load-balancer-is-waited-for': [
      ['no waiting', set(SERVICE, 'wait_for_load_balancer', false)],
      ['a minute', set(SERVICE, 'timeouts.create', '1m')],
    ],
  },
});
