import { OBJECT_RULES } from '../../../../audit/rules/workload/objects.ts';
import { describeRules } from '../../support/describe-rules.ts';
import {
  AUTOSCALER,
  BUDGET,
  CONFIG_MAP,
  DEPLOYMENT,
  MAIN,
  NAMESPACE,
  POD,
  POLICY,
  SECRET,
  SERVICE,
  TEMPLATE,
} from '../../support/kubernetes-paths.ts';
import {
  add,
  addObject,
  all,
  alter,
  type Change,
  drop,
  set,
} from '../../support/kubernetes-plants.ts';

const CLASS = 'kubernetes_storage_class_v1';
const CLAIM = 'kubernetes_persistent_volume_claim_v1';
function storageClass(parameters: Readonly<Record<string, string>>): Change {
  return add(CLASS, 'disks', {
    metadata: { name: 'disks' },
    storage_provisioner: 'ebs.csi.aws.com',
    parameters,
  });
}

function other(labels: Readonly<Record<string, string>>): unknown {
  return Object.fromEntries(Object.keys(labels).map((key) => [key, 'other']));
}

function first(labels: Readonly<Record<string, string>>): unknown {
  return Object.fromEntries(Object.entries(labels).slice(0, 1));
}

function sameName(ports: readonly { readonly name: string }[]): unknown {
  return ports.map((port) => ({ ...port, name: ports[0]?.name }));
}

function twice(containers: readonly object[]): unknown {
  return [...containers, ...containers];
}

describeRules(OBJECT_RULES, {
  objects: {
    'object-is-in-its-namespace': [
      ['another namespace', set(POLICY, 'metadata.namespace', 'elsewhere')],
      ['no namespace', drop(SECRET, 'metadata.namespace')],
      ['an empty namespace', set(SECRET, 'metadata.namespace', '')],
      ["Kubernetes' own", set(BUDGET, 'metadata.namespace', 'kube-system')],
      ['a renamed namespace', set(NAMESPACE, 'metadata.name', 'renamed')],
      [
        'another namespace than the others',
        set(POLICY, 'metadata.namespace', 'x'),
        'namespaceOfOthers',
      ],
    ],
    'object-is-labelled': [
      ['no labels', drop(CONFIG_MAP, 'metadata.labels')],
      ['another label', alter(SERVICE, 'metadata.labels', other)],
      ['no labels of the pods', alter(DEPLOYMENT, `${TEMPLATE}.metadata.labels`, first)],
    ],
    'names-are-valid': [
      ['a name in capitals', set(CONFIG_MAP, 'metadata.name', 'Config_Map')],
      ['a long name of a port', set(DEPLOYMENT, `${MAIN}.port.1.name`, 'prometheus-metrics')],
      ['two ports of one name', alter(DEPLOYMENT, `${MAIN}.port`, sameName)],
      ['two containers of one name', alter(DEPLOYMENT, `${POD}.container`, twice)],
      ['a label with a space', set(SERVICE, ['metadata', 'labels', 'owner'], 'the team')],
    ],
    'environment-is-its-own': [
      ["the provider's default", drop(DEPLOYMENT, `${POD}.enable_service_links`)],
      ['links', set(DEPLOYMENT, `${POD}.enable_service_links`, true)],
    ],
    'storage-is-encrypted': [
      ['a class that does not say', storageClass({})],
      ['a class in clear text', storageClass({ encrypted: 'false' })],
      ['a claim of no class', addObject(CLAIM, 'disk', { spec: {} })],
      [
        'a claim of a class of others',
        addObject(CLAIM, 'disk', { spec: { storage_class_name: 'gp2' } }),
      ],
      [
        'a claim of another class',
        all(
          storageClass({ encrypted: 'true' }),
          addObject(CLAIM, 'disk', { spec: { storage_class_name: 'x' } }),
        ),
      ],
    ],
    'values-are-valid': [
      ['a policy of pulling', set(DEPLOYMENT, `${MAIN}.image_pull_policy`, 'always')],
      [
        'a way to spread',
        set(DEPLOYMENT, `${POD}.topology_spread_constraint.0.when_unsatisfiable`, 'Ignore'),
      ],
      ['a port above all', set(SERVICE, 'spec.port.0.port', 70_000)],
      ['a port of none', set(SERVICE, 'spec.port.0.port', 0)],
      ['a type of Service', set(SERVICE, 'spec.type', 'Loadbalancer')],
      ['a direction', set(POLICY, 'spec.policy_types', ['ingress', 'egress'])],
      ['a policy of scaling', set(AUTOSCALER, 'spec.behavior.scale_up.0.select_policy', 'Fast')],
      ['a type of metric', set(AUTOSCALER, 'spec.metric.0.type', 'Cpu')],
    ],
  },
});
