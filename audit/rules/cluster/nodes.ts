import {
  blocksOf,
  type Model,
  type Resource,
  valueAt,
} from '../../../src/synthesized/model/model.ts';
import { parseJson } from '../../policy/policy-document.ts';
import { argumentRule, every, listOf, neighbours, read, referring } from '../readers/resources.ts';
import { type Faults, type Rule, rule } from '../rule.ts';
import instanceTypes from './instance-types.json' with { type: 'json' };
import known from './known.json' with { type: 'json' };

/** Labels that bind a pod to one node or zone. */
export const SINGLE_PLACE: readonly string[] = known.labels.singlePlace;

/** Instance types of a group: its own and that of its launch template, of which EKS takes one or the other. */
export function instanceTypesOf(model: Model, group: Resource): readonly string[] {
  const template = read(model, group).target('launch_template.id')?.attributes.instance_type;
  const given = [group.attributes.instance_types ?? [], template ?? []];
  return [
    ...new Set(
      given.flatMap(listOf).flatMap((value) => {
        const quoted = [...String(value).matchAll(/"([^"]+)"/g)].map(([, type = '']) => type);
        return String(value).includes('${') ? quoted : [String(value)];
      }),
    ),
  ];
}

/** Labels that EKS gives the nodes of a group, and the group's own (Amazon EKS User Guide). */
export function nodeLabels(model: Model, group: Resource): Record<string, readonly string[]> {
  const { attributes } = group;
  const types = instanceTypesOf(model, group);
  const image = String(attributes.ami_type ?? '');
  return {
    'kubernetes.io/os': [/WINDOWS/.test(image) ? 'windows' : 'linux'],
    'kubernetes.io/arch': [/ARM_64/.test(image) || types.some(isGraviton) ? 'arm64' : 'amd64'],
    'node.kubernetes.io/instance-type': types,
    'eks.amazonaws.com/nodegroup': [String(attributes.node_group_name ?? '')],
    'eks.amazonaws.com/capacityType': [String(attributes.capacity_type ?? 'ON_DEMAND')],
    ...Object.fromEntries(
      Object.entries<string>(Object(attributes.labels)).map(([key, value]) => [key, [value]]),
    ),
  };
}

/** Keys of the taints that keep pods off the nodes of a group. */
export function taintsOf(attributes: Readonly<Record<string, unknown>>): readonly string[] {
  return blocksOf(attributes.taint)
    .filter(({ effect }) => effect !== 'PREFER_NO_SCHEDULE')
    .map(({ key }) => String(key));
}

/** What is wrong with the labels and taints that a group gives its nodes: its own, and those of its template's user data. */
function markFaults(model: Model, group: Resource): Faults {
  const { at, target } = read(model, group);
  const template = target('launch_template.id') ?? target('launch_template.name');
  const keys = new Set([
    ...Object.keys(Object(at('labels'))),
    ...blocksOf(group.attributes.taint).map(({ key }) => String(key)),
    ...(userDataOf(template?.attributes ?? {}).match(/[\w./-]+/g) ?? []),
  ]);
  const among = (some: readonly string[]) => some.filter((key) => keys.has(key));
  return [
    ...among(known.labels.excluding).map(
      (key) => `${key} takes its nodes out of load balancers, or off them what runs on every node`,
    ),
    ...among(known.labels.filled).map((key) => `${key} is for kubelet and EKS to fill`),
    ...among(known.taints.going).map(
      (key) => `taint ${key} says that its nodes are not ready, or going`,
    ),
  ];
}

/** What a node of an instance type has. */
interface Capacity {
  readonly cpus: number;
  /** Bytes. */
  readonly memory: number;
  /** Network interfaces. */
  readonly interfaces: number;
  /** IPv4 addresses of each interface. */
  readonly addresses: number;
}

/** What pods may have of a node. */
export interface Room {
  readonly cpus: number;
  /** Bytes. */
  readonly memory: number;
  /** Bytes; without end where nothing says how large the disk is. */
  readonly disk: number;
  readonly pods: number;
}

const MIB = 2 ** 20;
const TYPES: Readonly<Record<string, readonly number[]>> = instanceTypes.types;

/** The capacity of an instance type; undefined for one that the table lacks. */
export function capacityOf(instanceType: string): Capacity | undefined {
  const [cpus, memory, interfaces, addresses] = TYPES[instanceType] ?? [];
  if (cpus === undefined || memory === undefined || !interfaces || !addresses) return undefined;
  return { cpus, memory: memory * MIB, interfaces, addresses };
}

/** Part of the memory that hypervisor and kernel keep (Karpenter, VM_MEMORY_OVERHEAD_PERCENT). */
const KERNEL = 0.075;
/** MiB below which kubelet evicts pods (its `evictionHard`). */
const EVICTION = 100;
/** Of thousandths of each of the first CPU, the second, the next two and all others, what EKS reserves. */
const RESERVED_CPUS = [
  ...[[1, 0.06] as const, [1, 0.01] as const, [2, 0.005] as const],
  [Number.POSITIVE_INFINITY, 0.0025] as const,
];
/** Pods on a node at most (Amazon EKS User Guide, "Choose an optimal Amazon EC2 node instance type"). */
const MOST_PODS = { small: 110, large: 250, largeFrom: 30 };

/**
 * What pods may have of a node of a type, daemons included: what EKS's images reserve is taken off (awslabs/amazon-eks-ami,
 * nodeadm: 255 MiB, and 11 for each pod that the VPC CNI has an address for).
 *
 * @returns undefined for a type that is not known
 */
export function roomOf(model: Model, group: Resource, type: string): Room | undefined {
  const capacity = capacityOf(type);
  if (capacity === undefined) return undefined;
  const { cpus, memory, interfaces, addresses } = capacity;
  const template = read(model, group).target('launch_template.id');
  const told = /max-?pods["']?\s*[=:]\s*["']?(\d+)/i.exec(
    userDataOf(template?.attributes ?? {}),
  )?.[1];
  // Each address of an interface but its own is one for a pod, or with prefixes sixteen.
  const prefixes = hasPrefixes(model, group);
  const addressed = interfaces * (addresses - 1) * (prefixes ? 16 : 1) + 2;
  const limit = cpus >= MOST_PODS.largeFrom ? MOST_PODS.large : MOST_PODS.small;
  const pods = told === undefined ? Math.min(addressed, limit) : Number(told);
  const reserved = RESERVED_CPUS.reduce(
    ({ left, sum }, [count, part]) => ({
      left: Math.max(0, left - count),
      sum: sum + Math.min(left, count) * part,
    }),
    { left: cpus, sum: 0 },
  ).sum;
  return {
    cpus: cpus - reserved,
    memory: memory * (1 - KERNEL) - (255 + 11 * pods + EVICTION) * MIB,
    disk: diskOf(template, group),
    pods,
  };
}

/** What pods may have of a node's disk: kubelet evicts them below a tenth, and 1 GiB is the system's (nodeadm, `systemReserved`). */
function diskOf(template: Resource | undefined, { attributes }: Resource): number {
  const holds = /BOTTLEROCKET/.test(String(attributes.ami_type)) ? '/dev/xvdb' : '/dev/xvda';
  const disk = blocksOf(template?.attributes.block_device_mappings).find(
    ({ device_name }) => device_name === holds,
  );
  const size = Number(valueAt(disk, 'ebs.volume_size'));
  return size > 0 ? size * 1024 * MIB * 0.9 - 1024 * MIB : Number.POSITIVE_INFINITY;
}

/** Whether the VPC CNI gives an interface prefixes of sixteen addresses. */
export function hasPrefixes(model: Model, near: { readonly stack: string }): boolean {
  return neighbours(model, near, 'aws_eks_addon').some(
    ({ attributes }) =>
      attributes.addon_name === 'vpc-cni' &&
      String(
        valueAt(parseJson(attributes.configuration_values), 'env.ENABLE_PREFIX_DELEGATION'),
      ) === 'true',
  );
}

/** Rules on nodes. */
export const NODE_RULES: readonly Rule[] = [
  argumentRule({ id: 'node-metadata-protected' }),
  rule({
    id: 'node-disks-encrypted',
    subjects: every('aws_launch_template'),
    faults: (template, { model }) => {
      const disks = blocksOf(read(model, template).at('block_device_mappings'));
      const isTrue = (value: unknown) => value === true || value === 'true';
      const named = (name: string) => disks.some(({ device_name }) => device_name === name);
      const sizes = disks.map((disk) => valueAt(disk, 'ebs.volume_size'));
      const bottlerocket = referring(
        model,
        template,
        'aws_eks_node_group',
        'launch_template.id',
      ).some(({ attributes }) => String(attributes.ami_type).startsWith('BOTTLEROCKET'));
      return [
        !named('/dev/xvda') && 'block_device_mappings lacks the root disk, /dev/xvda',
        bottlerocket &&
          !named('/dev/xvdb') &&
          'block_device_mappings lacks the data disk of Bottlerocket, /dev/xvdb',
        disks.length > 0 &&
          !sizes.some((size) => Number(size) >= 20) &&
          `disks have ${sizes.join(', ') || 'no size'} GiB, one must have at least 20`,
        ...blocksOf(template.attributes.block_device_mappings)
          .filter((disk) => String(valueAt(disk, 'ebs.kms_key_id')).includes('${'))
          .map(
            ({ device_name }) =>
              `${String(device_name)} has a key of the stack, which Auto Scaling may not use`,
          ),
        ...disks.flatMap((disk) => [
          !isTrue(valueAt(disk, 'ebs.encrypted')) && `${String(disk.device_name)} is not encrypted`,
          !isTrue(valueAt(disk, 'ebs.delete_on_termination')) &&
            `${String(disk.device_name)} stays behind when its node goes`,
          !['gp3', 'io1', 'io2'].includes(String(valueAt(disk, 'ebs.volume_type'))) &&
            `${String(disk.device_name)} is of type ${String(valueAt(disk, 'ebs.volume_type'))}`,
        ]),
      ];
    },
  }),
  rule({
    id: 'nodes-are-private',
    subjects: every('aws_launch_template', 'aws_eks_node_group'),
    faults: ({ attributes }) => [
      ...[
        ...['key_name', 'remote_access', 'iam_instance_profile', 'security_group_names'],
        'vpc_security_group_ids',
      ]
        .filter((argument) => attributes[argument] !== undefined)
        .map((argument) => `has ${argument}`),
      attributes.user_data !== undefined &&
        !isConfiguration(userDataOf(attributes)) &&
        'user_data is more than a NodeConfig or settings of Bottlerocket',
      ...blocksOf(attributes.network_interfaces)
        .filter(
          ({ associate_public_ip_address: address }) => address !== false && address !== 'false',
        )
        .map(() => 'network_interfaces may give a public address'),
    ],
  }),
  argumentRule({ id: 'nodes-are-monitored' }),
  argumentRule({
    id: 'node-group-uses-template',
    faults: (group, { model }) => {
      const { target, text, stack } = read(model, group);
      const types = instanceTypesOf(model, group);
      const image = text('ami_type');
      const template = target('launch_template.id') ?? target('launch_template.name');
      const version = stack.target(valueAt(group.attributes, 'launch_template.version'));
      return [
        template?.type !== 'aws_launch_template' &&
          'launch_template is not a template of the stack',
        template !== undefined &&
          (version !== template ||
            !/\.(latest|default)_version\}$/.test(text('launch_template.version'))) &&
          `launch_template.version is ${text('launch_template.version') || 'missing'}, must be latest_version of the template`,
        ...imageFaults(group, template),
        types.length === 0 && 'instance_types is missing: EKS takes t3.medium',
        ...types
          .filter((type) => isGraviton(type) !== isGraviton(types[0] ?? ''))
          .map((type) => `instance type ${type} is of another processor than ${types[0]}`),
        ...(image === ''
          ? []
          : types
              .filter((type) => isGraviton(type) !== image.includes('ARM_64'))
              .map(
                (type) => `instance type ${type} is of another processor than ami_type ${image}`,
              )),
      ];
    },
  }),
  rule({
    id: 'nodes-take-part',
    subjects: every('aws_eks_node_group'),
    faults: (group, { model }) => markFaults(model, group),
  }),
  argumentRule({
    id: 'nodes-survive-updates',
    faults: (group, { model }) => {
      const { number } = read(model, group);
      const [min, desired, max] = sizesOf(model, group);
      const percent = number('update_config.max_unavailable_percentage');
      const count = number('update_config.max_unavailable');
      const others = neighbours(model, group, 'aws_eks_node_group');
      const carried = others.some((other) => reliabilityFaults(model, other).length === 0);
      return [
        ...(carried ? [] : reliabilityFaults(model, group)),
        !(min >= 0 && min <= desired && desired <= max) &&
          `sizes ${min}, ${desired}, ${max}: must rise`,
        !(percent >= 1 && percent <= 50) &&
          !(count >= 1 && count <= desired / 2) &&
          'update_config must leave at least half of the nodes',
        valueAt(group.attributes, 'lifecycle.create_before_destroy') !== true &&
          'a change that replaces it deletes its nodes first: create_before_destroy must be true',
        !listOf(valueAt(group.attributes, 'lifecycle.ignore_changes')).includes(
          'scaling_config[0].desired_size',
        ) &&
          'every apply sets back the number of nodes: ignore_changes must have scaling_config[0].desired_size',
      ];
    },
  }),
];

function sizesOf(model: Model, group: Resource): readonly [number, number, number] {
  const { number } = read(model, group);
  const size = (name: string) => number(`scaling_config.${name}`);
  return [size('min_size'), size('desired_size'), size('max_size')];
}

/** Why a group alone can't carry the listener; that another one can is enough. */
function reliabilityFaults(model: Model, group: Resource): readonly string[] {
  const [min, desired, max] = sizesOf(model, group);
  const capacity = read(model, group).text('capacity_type');
  return [
    ...(capacity === 'ON_DEMAND' ? [] : [`capacity_type is ${capacity || 'missing'}`]),
    ...taintsOf(group.attributes).map((key) => `taint ${key} keeps pods off`),
    ...(min >= 1 ? [] : [`min_size is ${min}, must be at least 1`]),
    ...(desired >= 2 ? [] : [`desired_size is ${desired}, must be at least 2`]),
    ...(max > min ? [] : [`max_size is ${max} as min_size: no room for another node`]),
  ];
}

function isGraviton(instanceType: string): boolean {
  return /^(a1|[a-z]+\d+g[a-z0-9-]*)\./.test(instanceType);
}

/** EKS takes the type of its own image, or an image in the template, which then has to be told its cluster. */
function imageFaults(
  { attributes }: Resource,
  template: Resource | undefined,
): readonly (string | false)[] {
  const image = template?.attributes.image_id;
  if (image === undefined) {
    return [
      !/^(AL2023_(x86_64|ARM_64)_STANDARD|BOTTLEROCKET_(x86_64|ARM_64)(_FIPS)?)$/.test(
        String(attributes.ami_type),
      ) &&
        `ami_type is ${String(attributes.ami_type ?? 'missing')}: must be Amazon Linux 2023 or Bottlerocket`,
    ];
  }
  return [
    !/^ami-[0-9a-f]+$/.test(String(image)) && `image_id is ${String(image)}, which may change`,
    ...['ami_type', 'version', 'release_version'].map(
      (name) => attributes[name] !== undefined && `has ${name} beside an image of its own`,
    ),
    !/aws_eks_cluster\.\w+\.endpoint/.test(userDataOf(template?.attributes ?? {})) &&
      'its image cannot find the cluster: user_data lacks its endpoint',
  ];
}

/** The user data of a template as text; empty where the JSON alone does not tell. */
function userDataOf({ user_data: data }: Resource['attributes']): string {
  const written = /^\$\{base64encode\((".*")\)\}$/s.exec(String(data))?.[1];
  if (written !== undefined) return String(parseJson(written) ?? '');
  return String(data).includes('${') ? '' : Buffer.from(String(data), 'base64').toString();
}

/** Whether user data only configures: no script, and no container with the rights of the host. */
function isConfiguration(text: string): boolean {
  const types = [...text.matchAll(/^content-type:\s*([^;\s]+)/gim)].map(([, type = '']) => type);
  return text.startsWith('MIME-Version')
    ? types.every((type) => ['multipart/mixed', 'application/node.eks.aws'].includes(type))
    : /^\s*(#.*\s+)*\[settings\./.test(text) &&
        !/^\[settings\.(bootstrap-c|host-c|bootstrap-commands)/m.test(text);
}
