import { formatCidr, parseCidr, size } from '../../../src/settings/cidr.ts';
import { type Model, type Resource, valueAt } from '../../../src/synthesized/model/model.ts';
import known from '../cluster/known.json' with { type: 'json' };
import {
  capacityOf,
  hasPrefixes,
  instanceTypesOf,
  nodeLabels,
  type Room,
  roomOf,
  SINGLE_PLACE,
  taintsOf,
} from '../cluster/nodes.ts';
import type { FailurePolicy, LimitRangeItem } from '../readers/kubernetes-api.ts';
import {
  allContainers,
  type Container,
  containersOf,
  endingPods,
  leastReplicas,
  mostReplicas,
  namespaceOf,
  objectNamed,
  objectsOf,
  type Pod,
  podsIn,
  podsOf,
  quantity,
  servingPods,
} from '../readers/pods.ts';
import { isPublic, listOf, neighbours, read } from '../readers/resources.ts';
import { type Audited, type Rule, rule, shown } from '../rule.ts';

/** Names the queue of Kueue, which starts a Job that is made suspended. */
const QUEUE_LABEL = 'kueue.x-k8s.io/queue-name';

/** What a pod requests: its containers together, or the largest of those that run before them. */
function requestOf(pod: Pod, name: string, of: 'requests' | 'limits' = 'requests'): number {
  const amount = ({ spec }: Container) =>
    quantity(spec.resources?.[of]?.[name] ?? spec.resources?.limits?.[name]) ?? 0;
  const containers = containersOf(pod);
  const running = containers.filter(({ init }) => !init).reduce((sum, one) => sum + amount(one), 0);
  return Math.max(running, ...containers.filter(({ init }) => init).map(amount));
}

/** What the pods of an add-on of EKS request, on each node or in the whole cluster. */
interface AddOn extends Room {
  readonly everywhere: boolean;
}

/** The manifests that EKS installs. */
const ADD_ONS: Readonly<Record<string, AddOn>> = Object.fromEntries(
  Object.entries(known.addOns.requests).map(([name, { mebibytes, ...addOn }]) => [
    name,
    { ...addOn, memory: mebibytes * 2 ** 20, disk: 0 },
  ]),
);

/** A room by how much it has of each. */
const roomWith = (amount: (of: keyof Room) => number): Room => ({
  ...{ cpus: amount('cpus'), memory: amount('memory') },
  ...{ disk: amount('disk'), pods: amount('pods') },
});

const plus = (rooms: readonly Room[]) =>
  roomWith((of) => rooms.reduce((sum, room) => sum + room[of], 0));

const times = (room: Room, count: number) => roomWith((of) => room[of] * count);

/** What the add-ons of a stack, and DaemonSets, request. */
function requestOfAddOns(audited: Audited, stack: string, everywhere: boolean): Room {
  const addOns = neighbours(audited.model, { stack }, 'aws_eks_addon')
    .flatMap(({ attributes }) => ADD_ONS[String(attributes.addon_name)] ?? [])
    .filter((addOn) => addOn.everywhere === everywhere);
  const daemons = podsOf(audited).filter((pod) => pod.stack === stack && pod.kind === 'DaemonSet');
  return plus([...addOns, ...(everywhere ? daemons.map(roomForPod) : [])]);
}

const roomForPod = (pod: Pod): Room => ({
  cpus: requestOf(pod, 'cpu'),
  memory: requestOf(pod, 'memory'),
  disk: requestOf(pod, 'ephemeral-storage'),
  pods: 1,
});

/** The nodes that the pods of a stack without tolerations run on. */
interface Nodes {
  /** What the smallest of them has for pods, daemons taken off. */
  readonly free: Room;
  readonly desired: number;
  readonly most: number;
}

/** Node groups that pods of a stack run on: those without taints, where there are some. */
function groupsFor(audited: Audited, stack: string) {
  const all = neighbours(audited.model, { stack }, 'aws_eks_node_group');
  const open = all.filter(({ attributes }) => taintsOf(attributes).length === 0);
  return open.length > 0 ? open : all;
}

/** Undefined where there are none, or none of a known type. */
function nodesFor(audited: Audited, stack: string): Nodes | undefined {
  const groups = groupsFor(audited, stack);
  const rooms = groups.flatMap((group) =>
    instanceTypesOf(audited.model, group).flatMap(
      (type) => roomOf(audited.model, group, type) ?? [],
    ),
  );
  if (rooms.length === 0) return undefined;
  const daemons = requestOfAddOns(audited, stack, true);
  const nodes = (which: string) =>
    groups
      .map(({ attributes }) => Number(valueAt(attributes, `scaling_config.${which}`)))
      .reduce((sum, one) => sum + one, 0);
  return {
    free: roomWith((of) => Math.min(...rooms.map((room) => room[of])) - daemons[of]),
    desired: nodes('desired_size'),
    most: nodes('max_size'),
  };
}

/** What there is too little of; how much is said in the units of Kubernetes. */
function lackOf(need: Room, have: Room): readonly string[] {
  const amounts: Readonly<Record<keyof Room, (amount: number) => string>> = {
    cpus: (amount) => `${Math.round(amount * 1000)}m of CPU`,
    memory: (amount) => `${Math.floor(amount / MIB)}Mi of memory`,
    disk: (amount) => `${Math.floor(amount / MIB)}Mi of ephemeral storage`,
    pods: (amount) => `${amount} pods`,
  };
  return (['cpus', 'memory', 'disk', 'pods'] as const)
    .filter((of) => need[of] > have[of])
    .map((of) => {
      const [needed, there] = [amounts[of](need[of]), amounts[of](have[of])];
      return of === 'pods'
        ? `room for ${needed}, and there is one for ${there}`
        : `${needed}, and there are ${there}`;
    });
}

/** Addresses of a subnet that a VPC keeps, and those that a control plane wants (Amazon EKS User Guide, "Amazon EKS networking requirements"). */
const TAKEN_BY_VPC = 5;
const CONTROL_PLANE = 6;

/** Private subnets that a node group lies in: its own ones, or those of other stacks that its lookup is for. */
function subnetsOf(model: Model, group: Resource): readonly Resource[] {
  const stack = model.stackOf(group);
  const named = listOf(group.attributes.subnet_ids).map((id) => stack.target(id));
  const own = named.filter((one) => one?.type === 'aws_subnet');
  if (own.length > 0) return own.filter((one) => one !== undefined);
  return named.some((one) => one?.type === 'aws_subnets')
    ? model.ofType('aws_subnet').filter((one) => !isPublic(model, one))
    : [];
}

/**
 * Addresses that nodes of a group and their pods take of one of several subnets: the nodes are spread over them, one more is
 * there while others are replaced, and each holds the interfaces of its pods and one in reserve (VPC CNI, `WARM_ENI_TARGET`).
 */
function addressesOf(audited: Audited, group: Resource, subnets: number): number {
  const { model } = audited;
  const most = Number(valueAt(group.attributes, 'scaling_config.max_size'));
  const nodes = Math.ceil(most / subnets) + 1;
  const own = podsOf(audited).filter((pod) => pod.stack === group.stack);
  // A rollout may have both versions of all pods.
  const pods = own.reduce((sum, pod) => sum + 2 * mostReplicas(audited, pod), 0);
  const system = requestOfAddOns(audited, group.stack, false).pods;
  const each = Math.ceil((pods + system) / Math.max(1, most));
  const perNode = instanceTypesOf(model, group).flatMap((type) => {
    const capacity = capacityOf(type);
    if (capacity === undefined) return [];
    const { interfaces, addresses } = capacity;
    const forPods = hasPrefixes(model, group) ? 16 * (addresses - 1) : addresses - 1;
    const held = Math.min(interfaces, Math.ceil(each / forPods) + 1);
    return [hasPrefixes(model, group) ? held * (1 + 16) : held * addresses];
  });
  return nodes * Math.max(0, ...perNode);
}

/** What all pods of a namespace need of what a quota names; undefined for what is not counted here. */
function needOf(name: string, pods: readonly Pod[], audited: Audited): number | undefined {
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
function rangeFaults({ min = {}, max = {} }: LimitRangeItem, { address, spec }: Container) {
  const { requests = {}, limits = {} } = spec.resources ?? {};
  return [
    ...Object.entries(max).flatMap(([name, value]) => [
      (quantity(limits[name]) ?? 0) > (quantity(value) ?? Number.POSITIVE_INFINITY) &&
        `allows ${value} of ${name}; ${address} is limited to ${limits[name]}`,
    ]),
    ...Object.entries(min).flatMap(([name, value]) => [
      (quantity(requests[name] ?? limits[name]) ?? Number.POSITIVE_INFINITY) <
        (quantity(value) ?? 0) &&
        `wants at least ${value} of ${name}; ${address} requests ${shown(requests[name])}`,
    ]),
  ];
}

const MIB = 2 ** 20;

const DAY = 86_400;

const CRON = /^(@(hourly|daily|midnight|weekly|monthly|yearly|annually)|(\S+\s+){4}\S+)$/;

/** Days of the months; a schedule of five fields may name one that no month has. */
const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Why a schedule is none that anybody wants: it never comes, or the next run is due while the last one starts. */
function scheduleFault(schedule: string): string | false {
  const [minute = '', , day = '*', months = '*', weekday = '*'] = schedule.split(/\s+/);
  const named = [...months.matchAll(/\d+/g)].map(([month]) => DAYS[Number(month) - 1] ?? 31);
  const longest = /^[\d,]+$/.test(months) ? Math.max(...named) : 31;
  const [first] = /^\d+/.exec(day) ?? ['1'];
  if (/^\d+$/.test(day) && weekday === '*' && Number(first) > longest) {
    return `its schedule ${shown(schedule)} never comes: those months have no day ${first}`;
  }
  return (
    /^\*(\/[1-4])?$/.test(minute) && `its schedule ${shown(schedule)} is due every few minutes`
  );
}

/** Rules on what pods need, what there is, and what is meant to end. */
export const RESOURCE_RULES: readonly Rule[] = [
  rule({
    id: 'container-has-limits',
    subjects: allContainers,
    faults: ({ spec }) => {
      const { requests = {}, limits = {} } = spec.resources ?? {};
      const memory = quantity(limits.memory);
      const requested = quantity(requests.memory ?? limits.memory);
      const cpu = quantity(requests.cpu ?? limits.cpu);
      return [
        ...[...Object.entries(requests), ...Object.entries(limits)]
          .filter(([, value]) => quantity(value) === undefined && !value.includes('${'))
          .map(([name, value]) => `${shown(value)} of ${name} is not a quantity`),
        requests.cpu === undefined && limits.cpu === undefined && 'requests no CPU',
        requested === undefined && 'requests no memory',
        memory === undefined && 'has no limit of memory',
        limits['ephemeral-storage'] === undefined && 'has no limit of ephemeral-storage',
        memory !== undefined &&
          requested !== undefined &&
          requested < memory &&
          `requests ${requests.memory} of the ${limits.memory} of memory that it may use: a full node kills it`,
        memory !== undefined &&
          memory < 64 * MIB &&
          `has ${limits.memory} of memory, less than 64Mi`,
        cpu !== undefined && cpu < 0.01 && `requests ${requests.cpu} CPUs, less than 10m`,
        ...Object.keys(requests).flatMap((name) => {
          const [least, most] = [quantity(requests[name]), quantity(limits[name])];
          return [
            least !== undefined &&
              most !== undefined &&
              least > most &&
              `requests ${requests[name]} of ${name}, above its limit ${limits[name]}`,
          ];
        }),
      ];
    },
  }),
  rule({
    id: 'pod-fits-the-nodes',
    subjects: (audited) => podsOf(audited).filter(({ kind }) => kind !== 'DaemonSet'),
    faults: (pod, audited) => {
      const nodes = nodesFor(audited, pod.stack);
      if (nodes === undefined) return [];
      const one = roomForPod(pod);
      const lacks = lackOf(one, nodes.free).map((lack) => `on a node it needs ${lack}`);
      if (lacks.length > 0) return lacks;
      const each = Math.min(
        Math.floor(nodes.free.cpus / one.cpus),
        Math.floor(nodes.free.memory / one.memory),
        Math.floor(nodes.free.disk / (one.disk || 1)),
        nodes.free.pods,
      );
      const serves = servingPods(audited).includes(pod);
      const [least, most] = serves
        ? [leastReplicas(audited, pod), mostReplicas(audited, pod)]
        : [1, 1];
      return [
        most > nodes.most * each &&
          `${most} pods at most, and ${nodes.most} nodes hold ${nodes.most * each} of them`,
        least > nodes.desired * each &&
          `${least} pods at least, and ${nodes.desired} nodes to begin with hold ${nodes.desired * each} of them`,
      ];
    },
  }),
  rule({
    id: 'nodes-hold-all-pods',
    subjects: ({ model }) =>
      model
        .ofType('aws_eks_cluster')
        .filter((cluster) => neighbours(model, cluster, 'aws_eks_node_group').length > 0),
    faults: ({ stack }, audited) => {
      const unknown = neighbours(audited.model, { stack }, 'aws_eks_node_group').flatMap((group) =>
        instanceTypesOf(audited.model, group)
          .filter((type) => roomOf(audited.model, group, type) === undefined)
          .map(
            (type) =>
              `${group.address} has nodes of the type ${type}, whose size is not known here: whether the pods fit can't be said`,
          ),
      );
      const nodes = nodesFor(audited, stack);
      if (nodes === undefined) return unknown;
      const system = requestOfAddOns(audited, stack, false);
      const pods = podsOf(audited).filter((pod) => pod.stack === stack && pod.kind !== 'DaemonSet');
      const all = (replicas: (audited: Audited, pod: Pod) => number) =>
        plus([
          system,
          ...pods.map((pod) =>
            times(roomForPod(pod), servingPods(audited).includes(pod) ? replicas(audited, pod) : 1),
          ),
        ]);
      return [
        ...unknown,
        ...lackOf(all(mostReplicas), times(nodes.free, nodes.most)).map(
          (lack) => `all pods on ${nodes.most} nodes need ${lack}`,
        ),
        ...lackOf(all(leastReplicas), times(nodes.free, nodes.desired)).map(
          (lack) => `the fewest pods on ${nodes.desired} nodes need ${lack}`,
        ),
      ];
    },
  }),
  rule({
    id: 'subnets-have-addresses',
    subjects: ({ model }) =>
      model.ofType('aws_subnet').filter((subnet) => !isPublic(model, subnet)),
    faults: (subnet, audited) => {
      const { model } = audited;
      const block = parseCidr(read(model, subnet).text('cidr_block'));
      if (block === undefined) return [];
      const used = model
        .ofType('aws_eks_node_group')
        .map((group) => ({ group, subnets: subnetsOf(model, group) }))
        .filter(({ subnets }) => subnets.includes(subnet))
        .map(({ group, subnets }) => addressesOf(audited, group, subnets.length));
      if (used.length === 0) return [];
      const endpoints = model
        .ofType('aws_vpc_endpoint')
        .filter((endpoint) =>
          listOf(endpoint.attributes.subnet_ids).some(
            (id) => model.stackOf(endpoint).target(id) === subnet,
          ),
        ).length;
      const needed = used.reduce((sum, one) => sum + one, CONTROL_PLANE + endpoints);
      const there = size(block) - TAKEN_BY_VPC;
      return [
        needed > there &&
          `cidr_block ${formatCidr(block)} has ${there} addresses; nodes with their pods, the control plane and ${endpoints} endpoints may need ${needed}`,
      ];
    },
  }),
  rule({
    id: 'empty-dir-has-a-limit',
    subjects: podsOf,
    faults: (pod) =>
      (pod.spec.volumes ?? []).flatMap(({ name, emptyDir, ...other }) => {
        // Without any source the API makes an emptyDir.
        if (Object.keys(other).length === 0 && !emptyDir) return [`volume ${name} has no source`];
        if (emptyDir === undefined) return [];
        const size = quantity(emptyDir.sizeLimit);
        const resource = emptyDir.medium === 'Memory' ? 'memory' : 'ephemeral-storage';
        return [
          size === undefined && `volume ${name} has no sizeLimit`,
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
  }),
  rule({
    id: 'quota-leaves-room',
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
        return [
          needed !== undefined &&
            allowed !== undefined &&
            needed > allowed &&
            `allows ${value} of ${name}; the workloads need ${needed}`,
        ];
      });
    },
  }),
  rule({
    id: 'pod-can-be-scheduled',
    subjects: podsOf,
    faults: (pod, audited) => {
      const groups = neighbours(audited.model, pod, 'aws_eks_node_group');
      const { spec } = pod;
      const terms =
        spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
          ?.nodeSelectorTerms ?? [];
      const wanted = [
        ...Object.entries(spec.nodeSelector ?? {}).map(([key, value]) => ({
          key,
          values: [value],
        })),
        ...terms
          .flatMap(({ matchExpressions = [] }) => matchExpressions)
          .filter(({ operator }) => operator === 'In')
          .map(({ key = '', values = [] }) => ({ key, values })),
      ];
      const possible = groups.map((group) => nodeLabels(audited.model, group));
      const tolerations = spec.tolerations ?? [];
      return [
        spec.nodeName !== undefined && `is bound to node ${spec.nodeName}`,
        ![undefined, 'default-scheduler'].includes(spec.schedulerName) &&
          `waits for the scheduler ${spec.schedulerName}`,
        spec.runtimeClassName !== undefined && `wants the runtime ${spec.runtimeClassName}`,
        ![undefined, 'ClusterFirst'].includes(spec.dnsPolicy) &&
          `dnsPolicy ${spec.dnsPolicy} does not ask the cluster's DNS`,
        (spec.hostAliases ?? []).length > 0 && 'hostAliases answer for names instead of DNS',
        spec.priorityClassName !== undefined &&
          objectNamed(audited, '', 'PriorityClass', spec.priorityClassName) === undefined &&
          `its priority class ${spec.priorityClassName} is not one of this stack`,
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
          (groups.some((group) => taintsOf(group.attributes).length === 0)
            ? []
            : taintsOf(attributes)
          )
            .filter(
              (taint) =>
                !tolerations.some(({ key, operator }) => key === taint || operator === 'Exists'),
            )
            .map((taint) => `does not tolerate the taint ${taint} of ${address}`),
        ),
      ];
    },
  }),
  rule({
    id: 'job-ends',
    subjects: endingPods,
    faults: ({ kind, manifest, spec }) => {
      const job =
        kind === 'CronJob' ? (manifest.spec?.jobTemplate?.spec ?? {}) : (manifest.spec ?? {});
      const { backoffLimit = 6, activeDeadlineSeconds, podFailurePolicy } = job;
      const names = (spec.containers ?? []).map(({ name }) => name);
      const policies: NonNullable<FailurePolicy['rules']> = podFailurePolicy?.rules ?? [];
      // Whichever ends first.
      const deadline = [activeDeadlineSeconds, spec.activeDeadlineSeconds]
        .filter((seconds) => seconds !== undefined)
        .reduce<number | undefined>((least, one) => Math.min(least ?? one, one), undefined);
      return [
        !['Never', 'OnFailure'].includes(spec.restartPolicy ?? '') &&
          `restartPolicy is ${shown(spec.restartPolicy)}; the API takes Never or OnFailure for a Job`,
        backoffLimit > 10 && `tries ${backoffLimit} times again`,
        deadline === undefined && 'has no activeDeadlineSeconds, so it may run for ever',
        deadline !== undefined &&
          (deadline > DAY || deadline < 30) &&
          `activeDeadlineSeconds is ${deadline}; that is half a minute to a day`,
        job.suspend === true &&
          manifest.metadata.labels?.[QUEUE_LABEL] === undefined &&
          `is suspended, and has no label ${QUEUE_LABEL}: nobody starts it`,
        podFailurePolicy !== undefined &&
          spec.restartPolicy !== 'Never' &&
          'its podFailurePolicy is for restartPolicy Never alone',
        ...policies
          .map(({ onExitCodes }) => onExitCodes?.containerName)
          .filter((name) => name !== undefined && !names.includes(name))
          .map((name) => `its podFailurePolicy names container ${name}, which does not exist`),
        policies.some(({ action, onExitCodes }) => action === 'Ignore' && onExitCodes) &&
          'its podFailurePolicy ignores a failure of the program, and so tries for ever',
      ];
    },
  }),
  rule({
    id: 'job-is-cleaned-up',
    subjects: (audited) => objectsOf(audited, 'Job'),
    faults: (object, audited) => {
      const seconds = object.manifest.spec?.ttlSecondsAfterFinished;
      const resource = audited.model.stackOf(object).at(object.address);
      const waits = resource?.attributes.wait_for_completion === true;
      if (waits && seconds === undefined) return [];
      return [
        waits &&
          'has ttlSecondsAfterFinished: Terraform finds it gone, and runs it again at each apply',
        seconds === undefined && 'has no ttlSecondsAfterFinished, so it stays for ever',
        seconds !== undefined &&
          (seconds < 60 || seconds > 7 * DAY) &&
          `ttlSecondsAfterFinished is ${seconds}; that is a minute to a week`,
      ];
    },
  }),
  rule({
    id: 'cron-job-keeps-up',
    subjects: (audited) => objectsOf(audited, 'CronJob'),
    faults: ({ manifest }) => {
      const spec = manifest.spec ?? {};
      const { concurrencyPolicy = 'Allow', schedule = '', startingDeadlineSeconds: late } = spec;
      const histories = ['successfulJobsHistoryLimit', 'failedJobsHistoryLimit'] as const;
      return [
        !CRON.test(schedule) &&
          `its schedule is ${shown(schedule)}; that is five fields, or a macro`,
        !['Forbid', 'Replace'].includes(concurrencyPolicy) &&
          `concurrencyPolicy ${concurrencyPolicy} lets runs overlap`,
        spec.suspend === true && 'is suspended: it never starts',
        CRON.test(schedule) && scheduleFault(schedule),
        spec.jobTemplate?.spec?.ttlSecondsAfterFinished < 60 &&
          'ttlSecondsAfterFinished takes a failed run away before anybody reads why',
        late !== undefined && late < 10 && `startingDeadlineSeconds ${late} misses every run`,
        ...histories
          .filter((name) => Number(spec[name] ?? 3) > 10)
          .map((name) => `${name} keeps ${spec[name]} runs`),
        spec.failedJobsHistoryLimit === 0 && 'failedJobsHistoryLimit 0 hides why a run failed',
      ];
    },
  }),
  rule({
    id: 'pod-has-an-owner',
    subjects: (audited) => podsOf(audited).filter((pod) => !endingPods(audited).includes(pod)),
    faults: (pod, audited) => [
      pod.kind === 'Pod' && 'is a bare pod: nothing makes it again',
      servingPods(audited).includes(pod) &&
        ![undefined, 'Always'].includes(pod.spec.restartPolicy) &&
        `restartPolicy is ${pod.spec.restartPolicy}; the API takes Always for a ${pod.kind}`,
      pod.spec.activeDeadlineSeconds !== undefined &&
        `is killed after ${pod.spec.activeDeadlineSeconds} s (activeDeadlineSeconds)`,
    ],
  }),
];
