import { valueAt } from '../../../src/synthesized/model/model.ts';
import { parseJson } from '../../policy/policy-document.ts';
import { type Rule, rule } from '../rule.ts';
import { every, faultsOf, neighbours, read } from './attributes.ts';

/** Without these no pod gets an address, a name or a route (Amazon EKS User Guide, "Amazon EKS add-ons"). */
const NEEDED = ['coredns', 'kube-proxy', 'vpc-cni'];

/** Add-ons of a cluster. */
export const clusterHasAddOns: Rule = rule({
  id: 'cluster-has-add-ons',
  title: 'A cluster has the add-ons that its pods, autoscalers and nodes need',
  reason:
    'A cluster without self-managed add-ons has only these; an autoscaler without metrics-server never scales.',
  control: 'CM-2',
  severity: 'high',
  subjects: every('aws_eks_cluster'),
  faults: (cluster, { model }) => {
    const stack = model.stackOf(cluster);
    const has = neighbours(model, cluster, 'aws_eks_addon')
      .filter(({ attributes }) => stack.target(attributes.cluster_name) === cluster)
      .map((addOn) => read(model, addOn).text('addon_name'));
    const autoscalers = stack.resources.filter(({ type }) =>
      type.startsWith('kubernetes_horizontal_pod_autoscaler'),
    );
    return [
      ...NEEDED.filter((name) => !has.includes(name)).map((name) => `lacks the add-on ${name}`),
      ...faultsOf([
        autoscalers.length > 0 && !has.includes('metrics-server'),
        'lacks the add-on metrics-server, by which its autoscaler measures',
      ]),
    ];
  },
});

const KNOWN = [...NEEDED, 'metrics-server', 'eks-pod-identity-agent'];

/** Settings of add-ons that were thought about, and whether a value of each is a good one. */
const SETTINGS: Readonly<Record<string, Readonly<Record<string, (value: unknown) => boolean>>>> = {
  'vpc-cni': { enableNetworkPolicy: (value) => String(value) === 'true' },
  coredns: { replicaCount: (value) => Number(value) >= 2 },
  'metrics-server': { replicas: (value) => Number(value) >= 1 },
};

/** What is wrong with the settings of an add-on; a good value of an unknown one is not known either. */
function settingsFaults(name: string, values: string): readonly (readonly [boolean, string])[] {
  if (values === '') return [];
  const settings = parseJson(values);
  if (typeof settings !== 'object' || settings === null) {
    return [[true, 'configuration_values is no JSON object']];
  }
  return Object.entries(settings).map(([key, value]) => [
    !(SETTINGS[name]?.[key]?.(value) ?? false),
    `configuration_values has ${key} ${JSON.stringify(value)}: not reviewed`,
  ]);
}

/** An add-on's own settings. */
export const addOnsAreManaged: Rule = rule({
  id: 'add-ons-are-managed',
  title: 'Add-ons are known ones of a cluster of the stack, and settled by Terraform',
  reason:
    'An add-on runs with the rights of the system on every node; left to conflicts, an update stops half way.',
  control: 'CM-7(5)',
  severity: 'medium',
  subjects: every('aws_eks_addon'),
  faults: (addOn, { model }) => {
    const { text, target } = read(model, addOn);
    const name = text('addon_name');
    return faultsOf(
      [
        target('cluster_name')?.type !== 'aws_eks_cluster',
        'cluster_name is no cluster of the stack',
      ],
      [!KNOWN.includes(name), `addon_name is ${name}: not reviewed`],
      ...['create', 'update'].map(
        (when) =>
          [
            text(`resolve_conflicts_on_${when}`) !== 'OVERWRITE',
            `resolve_conflicts_on_${when} must be OVERWRITE`,
          ] as const,
      ),
      [
        text('service_account_role_arn') !== '',
        'service_account_role_arn gives the add-on a role of its own',
      ],
      ...settingsFaults(name, text('configuration_values')),
    );
  },
});

/** The VPC CNI enforces NetworkPolicies only when told to. */
export const networkPoliciesEnforced: Rule = rule({
  id: 'network-policies-enforced',
  title: 'The VPC CNI enforces NetworkPolicies',
  reason: 'EKS takes every NetworkPolicy and enforces none, unless enableNetworkPolicy is true.',
  control: 'SC-7(5)',
  severity: 'high',
  subjects: ({ model }) =>
    model.ofType('aws_eks_addon').filter(({ attributes }) => attributes.addon_name === 'vpc-cni'),
  faults: ({ attributes }) => {
    const values = parseJson(attributes.configuration_values);
    return String(valueAt(values, 'enableNetworkPolicy')) === 'true'
      ? []
      : ['configuration_values must have enableNetworkPolicy "true"'];
  },
});

/** Rules on add-ons. */
export const ADD_ON_RULES: readonly Rule[] = [
  clusterHasAddOns,
  addOnsAreManaged,
  networkPoliciesEnforced,
];
