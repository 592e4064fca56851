import type { Capacity } from './instance-capacity.ts';

/** Labels that bind a pod to one node or zone. */
export const SINGLE_PLACE = [
  'topology.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/zone',
  'kubernetes.io/hostname',
];

/** Labels that EKS gives the nodes of a group, and the group's own (Amazon EKS User Guide). */
export function nodeLabels(
  attributes: Readonly<Record<string, unknown>>,
): Record<string, readonly string[]> {
  const types = (attributes.instance_types ?? []) as readonly string[];
  const image = String(attributes.ami_type ?? '');
  return {
    'kubernetes.io/os': [/WINDOWS/.test(image) ? 'windows' : 'linux'],
    'kubernetes.io/arch': [/ARM_64/i.test(image) ? 'arm64' : 'amd64'],
    'node.kubernetes.io/instance-type': types,
    'eks.amazonaws.com/nodegroup': [String(attributes.node_group_name ?? '')],
    'eks.amazonaws.com/capacityType': [String(attributes.capacity_type ?? 'ON_DEMAND')],
    ...Object.fromEntries(
      Object.entries((attributes.labels ?? {}) as Record<string, string>).map(([key, value]) => [
        key,
        [value],
      ]),
    ),
  };
}

/** Keys of the taints that keep pods off the nodes of a group. */
export function taintsOf(attributes: Readonly<Record<string, unknown>>): readonly string[] {
  const blocks = Array.isArray(attributes.taint) ? attributes.taint : [attributes.taint];
  return blocks
    .filter((block) => typeof block === 'object' && block !== null)
    .filter(({ effect }) => effect !== 'PREFER_NO_SCHEDULE')
    .map(({ key }) => String(key));
}

/** What the smallest of several nodes has. */
export function smallestOf(capacities: readonly Capacity[]): Capacity {
  return {
    cpus: Math.min(...capacities.map(({ cpus }) => cpus)),
    memory: Math.min(...capacities.map(({ memory }) => memory)),
  };
}
