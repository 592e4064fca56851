import type { Audited } from '../rule.ts';
import { shown, when } from './faults.ts';
import { type Container, containersOf, type Pod, servingPods } from './pods.ts';
import { quantity } from './quantity.ts';
import { mostReplicas } from './replicas.ts';

/** One item of a LimitRange. */
export interface LimitRangeItem {
  readonly type?: string;
  readonly min?: Readonly<Record<string, string>>;
  readonly max?: Readonly<Record<string, string>>;
}

/** What a pod requests: its containers together, or the largest of those that run before them. */
export function requestOf(pod: Pod, name: string, of: 'requests' | 'limits' = 'requests'): number {
  const amount = ({ spec }: Container) =>
    quantity(spec.resources?.[of]?.[name] ?? spec.resources?.limits?.[name]) ?? 0;
  const containers = containersOf(pod);
  const running = containers.filter(({ init }) => !init).reduce((sum, one) => sum + amount(one), 0);
  return Math.max(running, ...containers.filter(({ init }) => init).map(amount));
}

/** What all pods of a namespace need of what a quota names; undefined for what is not counted here. */
export function needOf(name: string, pods: readonly Pod[], audited: Audited): number | undefined {
  // A rollout needs one pod more.
  const counts = pods.map((pod) =>
    servingPods(audited).includes(pod) ? mostReplicas(audited, pod) + 1 : 1,
  );
  const sum = (amount: (pod: Pod) => number) =>
    pods.reduce((total, pod, index) => total + amount(pod) * (counts[index] ?? 1), 0);
  if (name === 'pods' || name === 'count/pods') return sum(() => 1);
  const [, of = 'requests', resource = name] = /^(requests|limits)\.(.+)$/.exec(name) ?? [];
  if (!['cpu', 'memory', 'ephemeral-storage'].includes(resource)) return undefined;
  return sum((pod) => requestOf(pod, resource, of as 'requests' | 'limits'));
}

/** What a LimitRange has against a container. */
export function rangeFaults({ min = {}, max = {} }: LimitRangeItem, { address, spec }: Container) {
  const { requests = {}, limits = {} } = spec.resources ?? {};
  return [
    ...Object.entries(max).flatMap(([name, value]) =>
      when(
        (quantity(limits[name]) ?? 0) > (quantity(value) ?? Number.POSITIVE_INFINITY),
        `allows ${value} of ${name}; ${address} is limited to ${limits[name]}`,
      ),
    ),
    ...Object.entries(min).flatMap(([name, value]) =>
      when(
        (quantity(requests[name] ?? limits[name]) ?? Number.POSITIVE_INFINITY) <
          (quantity(value) ?? 0),
        `wants at least ${value} of ${name}; ${address} requests ${shown(requests[name])}`,
      ),
    ),
  ];
}
