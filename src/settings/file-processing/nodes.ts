import { isArnOf } from '@file-processing/contract/arn.ts';
import { choice, flag, integer, objectList, text, textList, textMap } from '../variable.ts';
import { isLabelKey } from './forms.ts';

/**
 * Images of EKS for nodes without a GPU (Amazon EKS API, "Nodegroup", `amiType`); Amazon Linux 2 has had its last one.
 */
const AMI_TYPES = [
  'AL2023_x86_64_STANDARD',
  'AL2023_ARM_64_STANDARD',
  'BOTTLEROCKET_x86_64',
  'BOTTLEROCKET_x86_64_FIPS',
  'BOTTLEROCKET_ARM_64',
  'BOTTLEROCKET_ARM_64_FIPS',
] as const;

/** How a node of an image is told what to do. */
export type ImageFamily = 'AL2023' | 'BOTTLEROCKET';

/** The family of a type of image, also where an image of your own was made from it. */
export function imageFamilyOf(amiType: string): ImageFamily {
  return amiType.startsWith('BOTTLEROCKET') ? 'BOTTLEROCKET' : 'AL2023';
}

/** The processor that an image is for, as Kubernetes and container images call it. */
export function architectureOfImage(amiType: string): 'amd64' | 'arm64' {
  return amiType.includes('ARM_64') ? 'arm64' : 'amd64';
}

/** The processor of an instance type: a `g` after the generation is Graviton (Amazon EC2, "Naming conventions"). */
export function architectureOfInstance(instanceType: string): 'amd64' | 'arm64' {
  return /^(a1|[a-z]+\d+g[a-z0-9-]*)\./.test(instanceType) ? 'arm64' : 'amd64';
}

/** Whether an instance type has accelerators, which the images here have no drivers for; `g5g` is one, `m6g` none. */
export function isAccelerated(instanceType: string): boolean {
  return /^(g|p|inf|trn|dl|vt|f)\d/.test(instanceType);
}

/** What a node starts with at most: EC2 takes 16 KiB, of which EKS and we need some. */
const LONGEST_USER_DATA = 8192;

/** A taint as `kubectl taint` takes it. */
export const TAINT =
  /^([A-Za-z0-9][\w./-]{0,62})=([\w.-]{0,63}):(NoSchedule|PreferNoSchedule|NoExecute)$/;

const LABEL_VALUE = /^([A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?)?$/;
/** Labels that only the control plane may give, or that EKS gives itself. */
const OWNED_LABEL = /^([a-z0-9.-]*\.)?(kubernetes\.io|k8s\.io|eks\.amazonaws\.com)\//;

const INSTANCE_TYPE = /^[a-z][a-z0-9-]*\.[a-z0-9-]+$/;

const instanceTypes = {
  example: ['m6i.large', 'm5.large'],
  allowed: 'a list of 1 to 20 instance types, such as t3.medium',
  accepts: (types: readonly string[]) => types.length >= 1 && types.length <= 20,
  acceptsItem: (value: string) => INSTANCE_TYPE.test(value),
};
const amiId = {
  default: '',
  example: 'ami-0a1b2c3d4e5f67890',
  allowed: 'the id of an image, such as ami-0a1b2c3d4e5f67890',
  accepts: (value: string) => /^ami-[0-9a-f]{8}([0-9a-f]{9})?$/.test(value),
};

/** What a further node group is made of. */
const nodeGroupAttributes = {
  name: text({
    description: 'End of its name, and of its address in Terraform.',
    example: 'spot',
    allowed: '1 to 20 lower-case letters, digits and hyphens, starting with a letter',
    accepts: (value) => /^[a-z][a-z0-9-]{0,19}$/.test(value),
  }),
  instance_types: textList({
    description: 'Instance types, in order of preference.',
    ...instanceTypes,
  }),
  ami_type: text({
    description: 'Image of the nodes. Empty takes ami_type, with ami_id.',
    default: '',
    example: 'AL2023_ARM_64_STANDARD',
    allowed: `one of ${AMI_TYPES.join(', ')}`,
    accepts: (value) => (AMI_TYPES as readonly string[]).includes(value),
  }),
  ami_id: text({ description: 'Custom image, built from one of ami_type.', ...amiId }),
  capacity_type: choice(['ON_DEMAND', 'SPOT'], {
    description: "SPOT is cheaper, but AWS reclaims the nodes at two minutes' notice.",
    default: 'ON_DEMAND',
    example: 'SPOT',
  }),
  min_size: integer(0, 450, { description: 'Fewest nodes.', default: 1, example: 0 }),
  desired_size: integer(0, 450, {
    description: 'Nodes at the first deploy; afterwards the number is left alone.',
    default: 1,
    example: 0,
  }),
  max_size: integer(1, 450, { description: 'Most nodes.', default: 3, example: 10 }),
  labels: textMap({
    description: 'Labels of the nodes.',
    default: {},
    example: { workload: 'batch' },
    allowed:
      'a map of at most 50 Kubernetes labels, none of kubernetes.io, k8s.io or eks.amazonaws.com',
    accepts: (labels) =>
      Object.keys(labels).length <= 50 &&
      Object.keys(labels).every((key) => isLabelKey(key) && !OWNED_LABEL.test(key)),
    acceptsItem: (value) => LABEL_VALUE.test(value),
  }),
  taints: textList({
    description:
      'Taints that keep pods off that do not tolerate them; the listener tolerates none.',
    default: [],
    example: ['batch=true:NoSchedule'],
    allowed:
      'a list of at most 50 taints, key=value:effect with NoSchedule, PreferNoSchedule or NoExecute',
    accepts: (taints) => taints.length <= 50 && new Set(taints).size === taints.length,
    acceptsItem: (value) => isLabelKey(TAINT.exec(value)?.[1] ?? ''),
  }),
};

/** The nodes of the cluster. */
export const nodeVariables = {
  node_group_name: text({
    description: 'Beginning of the name of the managed node group.',
    default: 'file-processing-nodes',
    example: 'file-processing-nodes',
    allowed: '1 to 63 letters, digits, hyphens and underscores, starting with a letter or digit',
    accepts: (value) => /^[A-Za-z0-9][\w-]{0,62}$/.test(value),
  }),
  node_instance_types: textList({
    description: 'Instance types of the nodes, in order of preference.',
    default: ['t3.medium'],
    ...instanceTypes,
  }),
  ami_type: choice(AMI_TYPES, {
    description:
      'Image of the nodes, which EKS provides and patches; with ami_id, what yours was built from. ARM_64 is for Graviton instances.',
    default: 'AL2023_x86_64_STANDARD',
    example: 'BOTTLEROCKET_x86_64_FIPS',
  }),
  ami_id: text({
    description:
      'Custom image for the nodes, such as a hardened one (STIG, FIPS), built from an EKS image of ami_type. EKS neither patches nor upgrades it: a new Kubernetes version needs a new image.',
    ...amiId,
  }),
  node_user_data: text({
    description:
      'Additional user data of the nodes: for Amazon Linux 2023 a NodeConfig or a script, which is a finding of the audit; for Bottlerocket its settings as TOML. No secrets: every pod that reaches the metadata and the state can read it.',
    default: '',
    example:
      'apiVersion: node.eks.aws/v1alpha1\nkind: NodeConfig\nspec:\n  kubelet:\n    config:\n      maxPods: 50\n',
    allowed: `printable text of at most ${LONGEST_USER_DATA} characters`,
    accepts: (value) =>
      value.length <= LONGEST_USER_DATA && /^[\t\n\x20-\x7e]*$/.test(value) && value.trim() !== '',
    unwise: (value) =>
      value.startsWith('#!')
        ? 'is a script, which runs as root on every node; a NodeConfig or an image of your own does without'
        : undefined,
  }),
  node_capacity_type: choice(['ON_DEMAND', 'SPOT'], {
    description:
      "How the nodes are bought. SPOT, where AWS reclaims nodes at two minutes' notice, is a finding of the audit unless another group without taints is on demand.",
    default: 'ON_DEMAND',
    example: 'ON_DEMAND',
    unwise: (value) =>
      value === 'SPOT'
        ? 'AWS takes all nodes of one type back at once; have a group on demand among node_groups, and several types'
        : undefined,
  }),
  node_groups: objectList(nodeGroupAttributes, {
    description:
      'Further managed node groups. A group that is renamed or left out is drained, and its pods need room elsewhere.',
    default: [],
    example: [
      {
        ...{ name: 'spot', instance_types: ['m6i.large', 'm5.large'], capacity_type: 'SPOT' },
        ...{ min_size: 1, desired_size: 1, max_size: 6, labels: { workload: 'batch' } },
        ...{ ami_type: '', ami_id: '', taints: [] },
      },
    ],
    allowed: 'a list of at most 20 node groups, each name once',
    accepts: (groups) =>
      groups.length <= 20 && new Set(groups.map(({ name }) => name)).size === groups.length,
  }),
  node_autoscaler: choice(['none', 'cluster-autoscaler'], {
    description:
      'What adds and removes nodes. cluster-autoscaler makes the IAM role of its ServiceAccount cluster-autoscaler in kube-system; its chart is yours to install. EKS itself gives the groups the tags by which it finds them.',
    default: 'none',
    example: 'cluster-autoscaler',
  }),
  node_min_size: integer(0, 450, {
    description:
      'Fewest nodes. 0 needs node_autoscaler, since nothing else adds nodes, and is a finding of the audit.',
    default: 1,
    example: 2,
  }),
  node_desired_size: integer(0, 450, {
    description: 'Nodes at the first deploy; afterwards the number is left alone.',
    default: 2,
    example: 2,
  }),
  node_max_size: integer(1, 450, {
    description: 'Most nodes.',
    default: 3,
    example: 6,
  }),
  node_disk_size_gib: integer(20, 16384, {
    description: 'Size of the encrypted gp3 volume of a node.',
    unit: 'GiB',
    default: 50,
    example: 100,
  }),
  volume_kms_key_arn: text({
    description:
      'Key that encrypts the volumes of the nodes. Its policy must let the service-linked role AWSServiceRoleForAutoScaling use it and create grants. Empty takes the key that the account has set for EBS.',
    default: '',
    example:
      'arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/0b1e6f4c-8a3d-4c0e-9a55-0f3a5d1b2c4d',
    allowed: 'the ARN of a KMS key',
    accepts: isArnOf('kms', /^key\/[\w-]+$/),
  }),
  node_s3_access: flag({
    description:
      'Attaches AmazonS3FullAccess to the nodes, for debugging until the role of the ServiceAccount works. Turn it off again afterwards: it is a finding of the audit.',
    default: false,
    example: false,
    unwise: (on) =>
      on
        ? 'every pod on the nodes can read and write every bucket of the account; remove it once the role of the ServiceAccount is verified'
        : undefined,
  }),
};
