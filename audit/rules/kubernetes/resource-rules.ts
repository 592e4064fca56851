import { valueAt } from '../../../src/synthesized/model/model.ts';
import { type Rule, rule } from '../rule.ts';
import { shown, when } from './faults.ts';
import { capacityOf } from './instance-capacity.ts';
import { nodeLabels, SINGLE_PLACE, smallestOf, taintsOf } from './node-groups.ts';
import { type LimitRangeItem, needOf, rangeFaults, requestOf } from './pod-requests.ts';
import {
  allContainers,
  containersOf,
  namespaceOf,
  objectsOf,
  podsIn,
  podsOf,
  servingPods,
} from './pods.ts';
import { quantity } from './quantity.ts';
import { mostReplicas } from './replicas.ts';

const MIB = 2 ** 20;

/** Who has no limit takes what the others need. */
export const containerIsBounded: Rule = rule({
  id: 'container-is-bounded',
  title: 'Every container requests CPU and memory, and is limited in memory and local storage',
  reason:
    'Without requests the scheduler packs a node full; without limits one container takes the memory or the disk of all, and the kernel chooses whom to kill.',
  control: 'SC-6',
  severity: 'medium',
  subjects: allContainers,
  faults: ({ spec }) => {
    const { requests = {}, limits = {} } = spec.resources ?? {};
    const memory = quantity(limits.memory);
    const requested = quantity(requests.memory ?? limits.memory);
    const cpu = quantity(requests.cpu ?? limits.cpu);
    return [
      ...[...Object.entries(requests), ...Object.entries(limits)]
        .filter(([, value]) => quantity(value) === undefined && !value.includes('${'))
        .map(([name, value]) => `${shown(value)} of ${name} is no quantity`),
      ...when(requests.cpu === undefined && limits.cpu === undefined, 'requests no CPU'),
      ...when(requested === undefined, 'requests no memory'),
      ...when(memory === undefined, 'has no limit of memory'),
      ...when(limits['ephemeral-storage'] === undefined, 'has no limit of ephemeral-storage'),
      ...when(
        memory !== undefined && requested !== undefined && requested < memory,
        `requests ${requests.memory} of the ${limits.memory} of memory that it may use: a full node kills it`,
      ),
      ...when(
        memory !== undefined && memory < 64 * MIB,
        `has ${limits.memory} of memory, less than 64Mi`,
      ),
      ...when(cpu !== undefined && cpu < 0.01, `requests ${requests.cpu} CPUs, less than 10m`),
      ...Object.keys(requests).flatMap((name) => {
        const [least, most] = [quantity(requests[name]), quantity(limits[name])];
        return when(
          least !== undefined && most !== undefined && least > most,
          `requests ${requests[name]} of ${name}, above its limit ${limits[name]}`,
        );
      }),
    ];
  },
});

/** A pod that no node can hold stays pending for ever. */
export const podFitsTheNodes: Rule = rule({
  id: 'pod-fits-the-nodes',
  title: 'A pod fits on the smallest of the nodes, and all pods on all nodes together',
  reason:
    'A request above what a node has keeps the pod pending for ever; more pods at most than the nodes can hold is a scale that is never reached.',
  control: 'CP-2(2)',
  severity: 'high',
  subjects: podsOf,
  faults: (pod, audited) => {
    const groups = audited.model
      .ofType('aws_eks_node_group')
      .filter(({ stack }) => stack === pod.stack);
    const capacities = groups.flatMap(({ attributes }) => {
      const types = (attributes.instance_types ?? []) as readonly string[];
      return types.flatMap((type) => capacityOf(type) ?? []);
    });
    if (capacities.length === 0) return [];
    const smallest = smallestOf(capacities);
    const nodes = groups
      .map(({ attributes }) => Number(valueAt(attributes, 'scaling_config.max_size')))
      .reduce((sum, size) => sum + size, 0);
    const pods = servingPods(audited).includes(pod) ? mostReplicas(audited, pod) : 1;
    const cpus = requestOf(pod, 'cpu');
    const memory = requestOf(pod, 'memory');
    return [
      ...when(cpus >= smallest.cpus, `requests ${cpus} CPUs; a node has ${smallest.cpus}`),
      ...when(
        memory >= smallest.memory * 0.9,
        `requests ${memory / MIB}Mi of memory; a node has ${smallest.memory / MIB}Mi`,
      ),
      ...when(
        pods * cpus > nodes * smallest.cpus || pods * memory > nodes * smallest.memory,
        `${pods} pods request ${pods * cpus} CPUs and ${(pods * memory) / MIB}Mi, more than ${nodes} nodes have`,
      ),
    ];
  },
});

/** A volume of the node without a bound fills the node. */
export const emptyDirIsBounded: Rule = rule({
  id: 'empty-dir-is-bounded',
  title: 'Every emptyDir has a size limit that the container may use',
  reason:
    'Without a limit one pod fills the disk of its node and takes the others along; one above the limit of the container evicts the pod first.',
  control: 'SC-6',
  severity: 'medium',
  subjects: podsOf,
  faults: (pod) =>
    (pod.spec.volumes ?? []).flatMap(({ name, emptyDir, ...other }) => {
      // Without any source the API makes an emptyDir.
      if (Object.keys(other).length === 0 && !emptyDir) return [`volume ${name} has no source`];
      if (emptyDir === undefined) return [];
      const size = quantity(emptyDir.sizeLimit);
      const resource = emptyDir.medium === 'Memory' ? 'memory' : 'ephemeral-storage';
      return [
        ...when(size === undefined, `volume ${name} has no sizeLimit`),
        ...containersOf(pod)
          .filter(({ spec }) => spec.volumeMounts?.some((mount) => mount.name === name))
          .filter(({ spec }) => {
            const limit = quantity(spec.resources?.limits?.[resource]);
            return size !== undefined && limit !== undefined && size >= limit;
          })
          .map(
            ({ name: container, spec }) =>
              `volume ${name} may hold ${emptyDir.sizeLimit}, and container ${container} may use ${spec.resources?.limits?.[resource]} of ${resource} in all`,
          ),
      ];
    }),
});

/** A quota below the need stops a rollout or a scale. */
export const quotaLeavesRoom: Rule = rule({
  id: 'quota-leaves-room',
  title: 'A quota or limit range leaves room for what the workloads of its namespace need',
  reason:
    'Pods above a quota are refused one by one: the Deployment stays below its number, and a rollout never ends.',
  control: 'SC-6',
  severity: 'high',
  subjects: (audited) => objectsOf(audited, 'ResourceQuota', 'LimitRange'),
  faults: (object, audited) => {
    const pods = podsIn(audited, namespaceOf(object));
    if (object.manifest.kind === 'LimitRange') {
      const limits = (object.manifest.spec?.limits ?? []) as readonly LimitRangeItem[];
      return limits
        .filter(({ type }) => type === 'Container')
        .flatMap((item) => pods.flatMap(containersOf).flatMap((one) => rangeFaults(item, one)));
    }
    const hard = (object.manifest.spec?.hard ?? {}) as Readonly<Record<string, string>>;
    return Object.entries(hard).flatMap(([name, value]) => {
      const needed = needOf(name, pods, audited);
      const allowed = quantity(value);
      return when(
        needed !== undefined && allowed !== undefined && needed > allowed,
        `allows ${value} of ${name}; the workloads need ${needed}`,
      );
    });
  },
});

/** Where a pod may not run, it does not. */
export const podCanBeScheduled: Rule = rule({
  id: 'pod-can-be-scheduled',
  title: 'Every pod may run on the nodes that the stack makes, and is bound to none',
  reason:
    'A label that no node has, a taint that the pod does not tolerate, or another scheduler keeps it pending for ever; a single node or zone takes it along when it fails.',
  control: 'CP-10',
  severity: 'high',
  subjects: podsOf,
  faults: (pod, audited) => {
    const groups = audited.model
      .ofType('aws_eks_node_group')
      .filter(({ stack }) => stack === pod.stack);
    const { spec } = pod;
    const terms =
      spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
        ?.nodeSelectorTerms ?? [];
    const wanted = [
      ...Object.entries(spec.nodeSelector ?? {}).map(([key, value]) => ({ key, values: [value] })),
      ...terms
        .flatMap(({ matchExpressions = [] }) => matchExpressions)
        .filter(({ operator }) => operator === 'In')
        .map(({ key, values = [] }) => ({ key, values })),
    ];
    const possible = groups.map(({ attributes }) => nodeLabels(attributes));
    const tolerations = spec.tolerations ?? [];
    return [
      ...when(spec.nodeName !== undefined, `is bound to node ${spec.nodeName}`),
      ...when(
        ![undefined, 'default-scheduler'].includes(spec.schedulerName),
        `waits for the scheduler ${spec.schedulerName}`,
      ),
      ...when(spec.runtimeClassName !== undefined, `wants the runtime ${spec.runtimeClassName}`),
      ...when(
        ![undefined, 'ClusterFirst'].includes(spec.dnsPolicy),
        `dnsPolicy ${spec.dnsPolicy} does not ask the cluster's DNS`,
      ),
      ...when((spec.hostAliases ?? []).length > 0, 'hostAliases answer for names instead of DNS'),
      ...when(
        spec.priorityClassName !== undefined &&
          !objectsOf(audited, 'PriorityClass').some(
            ({ manifest }) => manifest.metadata.name === spec.priorityClassName,
          ),
        `its priority class ${spec.priorityClassName} is not one of this stack`,
      ),
      ...tolerations
        .filter(({ key, operator }) => key === undefined && operator === 'Exists')
        .map(() => 'tolerates every taint, and so stays on nodes that fail'),
      ...wanted
        .filter(({ key }) => SINGLE_PLACE.includes(key))
        .map(({ key, values }) => `is bound to ${key} ${values.join(' or ')}`),
      ...wanted
        .filter(({ key }) => !SINGLE_PLACE.includes(key) && groups.length > 0)
        .filter(
          ({ key, values }) =>
            !possible.some((labels) => labels[key]?.some((one) => values.includes(one))),
        )
        .map(
          ({ key, values }) =>
            `wants a node with ${key}=${values.join('|')}, and no node group has it`,
        ),
      ...groups.flatMap(({ address, attributes }) =>
        taintsOf(attributes)
          .filter(
            (taint) =>
              !tolerations.some(({ key, operator }) => key === taint || operator === 'Exists'),
          )
          .map((taint) => `does not tolerate the taint ${taint} of ${address}`),
      ),
    ];
  },
});

/** Rules on what pods need, and what there is. */
export const RESOURCE_RULES: readonly Rule[] = [
  containerIsBounded,
  podFitsTheNodes,
  emptyDirIsBounded,
  quotaLeavesRoom,
  podCanBeScheduled,
];
