import type { CrossFinding } from './check-foundation-network.ts';
import {
  architectureOfImage,
  architectureOfInstance,
  type ImageFamily,
  imageFamilyOf,
  isAccelerated,
} from './file-processing/nodes.ts';
import type { FileProcessingSettings } from './file-processing-variables.ts';

type Name = keyof FileProcessingSettings & string;
type NodeGroupSettings = FileProcessingSettings['node_groups'][number];

/** Between the parts of the MIME document that nodes of Amazon Linux start with. */
export const MIME_BOUNDARY = '==file-processing-node==';

/**
 * What the settings may tell a node at its start, in characters: EC2 takes 16 KiB, and the cluster's certificate, the
 * names of keys and the frame of the parts are in it too.
 */
const LONGEST_TOLD = 12_288;

/** Keys of Bottlerocket's `[settings.network]` that http_proxy and no_proxy fill. */
export const BOTTLEROCKET_PROXY_KEYS = ['https-proxy', 'no-proxy'] as const;

/** Keys of Bottlerocket's table [settings.kubernetes] that say which cluster it is. */
export const BOTTLEROCKET_CLUSTER_KEYS = ['cluster-name', 'api-server', 'cluster-certificate'];

/** Whether the operator's part of the user data for Amazon Linux is a program. */
export function isScript(custom: string): boolean {
  return custom.startsWith('#!');
}

/** A node group as the settings describe it, the first or a further one. */
export interface NodeGroupPlan {
  /** Empty for the first. */
  readonly name: string;
  readonly instanceTypes: readonly string[];
  readonly amiType: string;
  /** Image of the operator's own; `''` for that of EKS. */
  readonly amiId: string;
  readonly capacityType: 'ON_DEMAND' | 'SPOT';
  readonly sizes: { readonly min: number; readonly desired: number; readonly max: number };
  readonly labels: Readonly<Record<string, string>>;
  /** `key=value:effect`, in the terms of Kubernetes. */
  readonly taints: readonly string[];
}

/** All node groups, the first one first. */
export function nodeGroupsOf(
  settings: FileProcessingSettings,
): readonly [NodeGroupPlan, ...NodeGroupPlan[]] {
  return [
    {
      name: '',
      instanceTypes: settings.node_instance_types,
      amiType: settings.ami_type,
      amiId: settings.ami_id,
      capacityType: settings.node_capacity_type,
      sizes: {
        min: settings.node_min_size,
        desired: settings.node_desired_size,
        max: settings.node_max_size,
      },
      labels: {},
      taints: [],
    },
    ...settings.node_groups.map((group) => furtherGroup(settings, group)),
  ];
}

/** An image of your own is for one processor: a group that names another type does not take that of the first. */
function furtherGroup(settings: FileProcessingSettings, group: NodeGroupSettings): NodeGroupPlan {
  const amiType = group.ami_type || settings.ami_type;
  return {
    name: group.name,
    instanceTypes: group.instance_types,
    amiType,
    amiId: group.ami_id || (amiType === settings.ami_type ? settings.ami_id : ''),
    capacityType: group.capacity_type,
    sizes: { min: group.min_size, desired: group.desired_size, max: group.max_size },
    labels: group.labels,
    taints: group.taints,
  };
}

/** Faults between the variables of nodes. */
export function checkNodes(settings: FileProcessingSettings): CrossFinding<Name>[] {
  const groups = nodeGroupsOf(settings);
  const hasLabels = groups.some(
    ({ labels, taints }) => Object.keys(labels).length > 0 || taints.length > 0,
  );
  const family = imageFamilyOf(settings.ami_type);
  return [
    ...groups.flatMap((group, index) => checkGroup(group, index - 1, settings.node_autoscaler)),
    ...checkTold(settings, groups),
    ...checkJobGroup(settings),
    ...userDataFaults(family, settings, hasLabels).map((message) => ({
      variable: 'node_user_data' as const,
      message: `must ${message}, with ami_type ${settings.ami_type}`,
    })),
  ];
}

/**
 * Faults of a group, each where its setting is: those of the first are variables.
 *
 * @param index - of a further group its place in node_groups
 */
function checkGroup(group: NodeGroupPlan, index: number, autoscaler: string): CrossFinding<Name>[] {
  const { name, sizes, instanceTypes, amiType } = group;
  const finding = (
    setting: 'min_size' | 'max_size' | 'instance_types',
    message: string,
  ): CrossFinding<Name> => ({
    variable: name === '' ? `node_${setting}` : `node_groups[${index}].${setting}`,
    message,
  });
  const label = (setting: string) => (name === '' ? `node_${setting}` : setting);
  const architecture = architectureOfImage(amiType);
  return [
    ...(sizes.min > sizes.desired
      ? [
          finding(
            'min_size',
            `${sizes.min} must not be more than ${label('desired_size')} ${sizes.desired}`,
          ),
        ]
      : []),
    ...(sizes.desired > sizes.max
      ? [
          finding(
            'max_size',
            `${sizes.max} must not be less than ${label('desired_size')} ${sizes.desired}`,
          ),
        ]
      : []),
    ...(sizes.min < 1 && autoscaler === 'none'
      ? [
          finding(
            'min_size',
            `${sizes.min} must be at least 1 with node_autoscaler = "none": nothing would add nodes`,
          ),
        ]
      : []),
    ...instanceTypes
      .filter((type) => architectureOfInstance(type) !== architecture)
      .map((type) =>
        finding(
          'instance_types',
          `${type} has ${architectureOfInstance(type)} processors, but ami_type ${amiType} is for ${architecture}`,
        ),
      ),
    ...instanceTypes
      .filter(isAccelerated)
      .map((type) =>
        finding(
          'instance_types',
          `${type} has accelerators, which no image of ami_type has drivers for`,
        ),
      ),
  ];
}

/** Jobs find their nodes by labels. */
function checkJobGroup({ job_node_group, node_groups }: FileProcessingSettings) {
  if (job_node_group === '') return [];
  const group = node_groups.find(({ name }) => name === job_node_group);
  const variable = 'job_node_group' as const;
  if (group === undefined) {
    const names = node_groups.map(({ name }) => name).join(', ') || 'none';
    return [{ variable, message: `must be one of node_groups, which are: ${names}` }];
  }
  if (Object.keys(group.labels).length > 0) return [];
  return [{ variable, message: 'must be a group with labels, by which Jobs find its nodes' }];
}

/** EC2 refuses longer user data, at the apply. */
function checkTold(
  { node_user_data, http_proxy, no_proxy }: FileProcessingSettings,
  groups: readonly NodeGroupPlan[],
): CrossFinding<Name>[] {
  const proxy = http_proxy === '' ? 0 : 2 * http_proxy.length + no_proxy.join('", "').length;
  // To nodes of EKS's own images EKS says labels and taints itself.
  const ofGroup = groups.map(({ amiId, labels, taints }) =>
    amiId === '' ? 0 : [...Object.entries(labels).flat(), ...taints].join('" = "').length,
  );
  const told = node_user_data.length + proxy + Math.max(...ofGroup);
  if (told <= LONGEST_TOLD) return [];
  return [
    {
      variable: 'node_user_data',
      message: `with http_proxy, no_proxy, and labels and taints of node_groups nodes would be told ${told} characters at their start; must be at most ${LONGEST_TOLD}`,
    },
  ];
}

/** As our keys find it: a table that came twice is a fault to Bottlerocket, and such a node never joins. */
const PLAIN_TABLE = /^\[settings(\.([\w-]+|"[^"]*"))*\]$/;

/**
 * Why the operator's part can't be what a family of images reads.
 *
 * @param hasLabels - whether we write tables of labels and taints too
 * @returns words that complete "must ...", each a reason
 */
function userDataFaults(
  family: ImageFamily,
  { node_user_data: custom, http_proxy }: FileProcessingSettings,
  hasLabels: boolean,
): readonly string[] {
  if (custom === '') return [];
  if (family === 'AL2023') {
    const isNodeConfig = /^(---\n)?apiVersion: node\.eks\.aws\//.test(custom);
    return [
      ...(isScript(custom) || isNodeConfig
        ? []
        : ['begin with "#!" (a script) or "apiVersion: node.eks.aws/" (a NodeConfig)']),
      ...(custom.includes(MIME_BOUNDARY) ? [`be without ${MIME_BOUNDARY}, which ends a part`] : []),
    ];
  }
  const lines = custom.split('\n').map((line) => line.trim());
  const [first] = lines.filter((line) => line !== '' && !line.startsWith('#'));
  const keys = lines.flatMap((line) => /^"?([\w-]+)"?\s*=/.exec(line)?.[1] ?? []);
  return [
    ...(first?.startsWith('[') ? [] : ['begin with a table, such as [settings.kernel]']),
    ...lines
      .filter((line) => /^\[\s*"?settings/.test(line) && !PLAIN_TABLE.test(line))
      .map((line) => `have a table as [settings.name], with nothing else on the line, not ${line}`),
    ...(lines.includes('[settings]') ? ['have tables below [settings] alone, not it itself'] : []),
    ...BOTTLEROCKET_CLUSTER_KEYS.filter((key) => keys.includes(key)).map(
      (key) => `be without ${key}, which the stack sets`,
    ),
    ...BOTTLEROCKET_PROXY_KEYS.filter((key) => http_proxy !== '' && keys.includes(key)).map(
      (key) => `be without ${key}, which http_proxy and no_proxy fill`,
    ),
    ...['node-labels', 'node-taints']
      .map((name) => `[settings.kubernetes.${name}]`)
      .filter((table) => hasLabels && lines.includes(table))
      .map((table) => `be without ${table}: labels and taints are given in node_groups`),
  ];
}
