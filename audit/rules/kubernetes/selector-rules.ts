import { valueAt } from '../../../src/synthesized/model/model.ts';
import { type Rule, rule } from '../rule.ts';
import type { PodAffinity, Selector } from './api-types.ts';
import { when } from './faults.ts';
import { isEmpty, selectorText, selects } from './label-selector.ts';
import { namespaceOf, objectsOf, type Pod, podsIn, podsOf, servingPods } from './pods.ts';
import { mostReplicas } from './replicas.ts';

/** The API refuses such an object, but only in the middle of an apply. */
export const workloadSelectsItsPods: Rule = rule({
  id: 'workload-selects-its-pods',
  title: 'A workload selects the pods that it makes, and no others',
  reason:
    "A selector that does not fit the template is refused in the middle of an apply; one that fits another workload's pods makes two controllers fight over them.",
  control: 'CM-6',
  severity: 'high',
  subjects: servingPods,
  faults: (pod, audited) => {
    const selector = selectorOf(pod);
    const foreign = podsIn(audited, pod.namespace).filter(
      (other) => other !== pod && selects(selector, other.labels),
    );
    return [
      ...when(isEmpty(selector), 'its selector names no label'),
      ...when(
        !selects(selector, pod.labels),
        `its selector (${selectorText(selector)}) does not fit the labels of its own pod template`,
      ),
      ...foreign.map(({ address }) => `its selector takes the pods of ${address} too`),
    ];
  },
});

/** A Service that selects nothing has no endpoints: every connection is refused. */
export const serviceSelectsPods: Rule = rule({
  id: 'service-selects-pods',
  title: 'A Service selects the pods of exactly one workload of its namespace',
  reason:
    'A selector that no pod template satisfies leaves the Service without endpoints, and everything still deploys; one that also fits other pods sends messages to the wrong program.',
  control: 'CM-6',
  severity: 'high',
  subjects: (audited) => objectsOf(audited, 'Service'),
  faults: (object, audited) => {
    const matchLabels = object.manifest.spec?.selector as Selector['matchLabels'];
    if (isEmpty({ matchLabels })) return ['selects no pods at all'];
    return selectedOnce({ matchLabels }, namespaceOf(object), audited);
  },
});

/** A budget that selects nothing protects nothing. */
export const budgetSelectsPods: Rule = rule({
  id: 'budget-selects-pods',
  title: 'A disruption budget selects the pods of exactly one workload',
  reason:
    'A budget whose selector fits no pods protects none: a drain takes them all at once. One over two workloads counts them together.',
  control: 'CP-10',
  severity: 'high',
  subjects: (audited) => objectsOf(audited, 'PodDisruptionBudget'),
  faults: (object, audited) => {
    const selector = object.manifest.spec?.selector as Selector | undefined;
    if (isEmpty(selector)) return ['its selector names no label'];
    return selectedOnce(selector, namespaceOf(object), audited);
  },
});

/** A policy that selects nothing restricts nothing. */
export const policySelectsPods: Rule = rule({
  id: 'network-policy-selects-pods',
  title: 'A network policy selects pods, and opens nothing for all of them at once',
  reason:
    'A policy whose selector fits no pods restricts none. An empty selector is right to close a namespace, and wrong to open a port in it for every pod.',
  control: 'SC-7',
  severity: 'high',
  subjects: (audited) => objectsOf(audited, 'NetworkPolicy'),
  faults: (object, audited) => {
    const { podSelector, ingress = [], egress = [] } = object.manifest.spec ?? {};
    const namespace = namespaceOf(object);
    const taken = podsIn(audited, namespace).filter(({ labels }) => selects(podSelector, labels));
    if (isEmpty(podSelector)) {
      return when(
        ingress.length + egress.length > 0,
        'its rules hold for every pod of the namespace: it selects none in particular',
      );
    }
    return when(
      taken.length === 0 && podsOf(audited).length > 0,
      `selects no pods of namespace ${namespace} (${selectorText(podSelector)})`,
    );
  },
});

/** Constraints over other pods' labels do nothing for one's own. */
export const placementCountsOwnPods: Rule = rule({
  id: 'placement-counts-own-pods',
  title: "Spread and anti-affinity count the workload's own pods",
  reason:
    'A constraint whose selector fits other labels always holds: all pods may land on one node, and nothing says so.',
  control: 'CP-10',
  severity: 'medium',
  subjects: servingPods,
  faults: (pod, audited) => {
    const { spec, labels } = pod;
    const nodes = audited.model
      .ofType('aws_eks_node_group')
      .filter(({ stack }) => stack === pod.stack)
      .map(({ attributes }) => Number(valueAt(attributes, 'scaling_config.max_size')))
      .reduce((sum, size) => sum + size, 0);
    const apart = spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
    return [
      ...(spec.topologySpreadConstraints ?? []).flatMap(({ topologyKey, labelSelector }) =>
        when(
          isEmpty(labelSelector) || !selects(labelSelector, labels),
          `the spread over ${topologyKey} counts other pods (${selectorText(labelSelector)})`,
        ),
      ),
      ...termsOf(spec.affinity?.podAntiAffinity).flatMap(({ topologyKey, labelSelector }) =>
        when(
          isEmpty(labelSelector) || !selects(labelSelector, labels),
          `the anti-affinity over ${topologyKey} avoids other pods (${selectorText(labelSelector)})`,
        ),
      ),
      ...(spec.affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).flatMap(
        ({ topologyKey, labelSelector }) =>
          when(
            selects(labelSelector, labels),
            `the affinity over ${topologyKey} keeps all pods together`,
          ),
      ),
      ...(apart ?? []).flatMap(({ topologyKey, labelSelector }) =>
        when(
          nodes > 0 && selects(labelSelector, labels) && mostReplicas(audited, pod) + 1 > nodes,
          `the required anti-affinity over ${topologyKey} leaves no place for all its pods and one of a rollout on ${nodes} nodes`,
        ),
      ),
    ];
  },
});

/** Selector of a workload. */
export function selectorOf({ manifest }: Pod): Selector | undefined {
  return manifest.spec?.selector as Selector | undefined;
}

/** Terms of an affinity, required and preferred. */
export function termsOf(affinity: PodAffinity | undefined) {
  const required = affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  const preferred = affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  return [...required, ...preferred.flatMap(({ podAffinityTerm }) => podAffinityTerm ?? [])];
}

function selectedOnce(
  selector: Selector | undefined,
  namespace: string,
  audited: Parameters<typeof podsIn>[0],
): readonly string[] {
  const taken = podsIn(audited, namespace).filter(({ labels }) => selects(selector, labels));
  // Without an image there is no workload yet, and so nothing to select.
  if (podsOf(audited).length === 0) return [];
  return [
    ...when(
      taken.length === 0,
      `selects no pods of namespace ${namespace} (${selectorText(selector)})`,
    ),
    ...when(
      taken.length > 1,
      `selects the pods of several workloads: ${taken.map(({ address }) => address).join(', ')}`,
    ),
  ];
}

/** Rules on what selects what. */
export const SELECTOR_RULES: readonly Rule[] = [
  workloadSelectsItsPods,
  serviceSelectsPods,
  budgetSelectsPods,
  policySelectsPods,
  placementCountsOwnPods,
];
