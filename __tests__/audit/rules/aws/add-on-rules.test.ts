import { ADD_ON_RULES } from '../../../../audit/rules/aws/add-on-rules.ts';
import { describePlants } from '../../support/describe-plants.ts';

const TYPE = 'aws_eks_addon';

describePlants(ADD_ON_RULES, {
  'cluster-has-add-ons': [
    ['no names', ({ remove }) => remove(TYPE, /"coredns"/)],
    ['no addresses', ({ remove }) => remove(TYPE, /"vpc-cni"/)],
    ['no routes', ({ remove }) => remove(TYPE, /"kube-proxy"/)],
    ['no metrics for the autoscaler', ({ remove }) => remove(TYPE, /"metrics-server"/)],
    [
      'an add-on of another cluster',
      ({ set }) => set(TYPE, 'cluster_name', 'another', /"coredns"/),
    ],
  ],
  'add-ons-are-managed': [
    [
      'no name server',
      ({ set }) => set(TYPE, 'configuration_values', '{"replicaCount":0}', /"coredns"/),
    ],
    [
      'a name server of others',
      ({ set }) => set(TYPE, 'configuration_values', '{"corefile":". { }"}', /"coredns"/),
    ],
    [
      'settings that are no JSON',
      ({ set }) => set(TYPE, 'configuration_values', 'replicaCount: 2', /"coredns"/),
    ],

    [
      'an add-on that nobody knows',
      ({ set }) => set(TYPE, 'addon_name', 'somebody_agent', /pod-identity/),
    ],
    ['conflicts that stop the creation', ({ drop }) => drop(TYPE, 'resolve_conflicts_on_create')],
    [
      'conflicts that stop an update',
      ({ set }) => set(TYPE, 'resolve_conflicts_on_update', 'NONE'),
    ],
    [
      'changes by hand that stay',
      ({ set }) => set(TYPE, 'resolve_conflicts_on_update', 'PRESERVE'),
    ],
    [
      'a role of its own',
      ({ set }) => set(TYPE, 'service_account_role_arn', 'arn:aws-us-gov:iam::123456789012:role/x'),
    ],
    ['another cluster', ({ set }) => set(TYPE, 'cluster_name', 'another')],
  ],
  'network-policies-enforced': [
    ['nothing said', ({ drop }) => drop(TYPE, 'configuration_values', /"vpc-cni"/)],
    [
      'no enforcement',
      ({ set }) =>
        set(TYPE, 'configuration_values', '{"enableNetworkPolicy":"false"}', /"vpc-cni"/),
    ],
    [
      'a slip',
      ({ set }) =>
        set(TYPE, 'configuration_values', '{"enableNetworkPolicies":"true"}', /"vpc-cni"/),
    ],
  ],
});
