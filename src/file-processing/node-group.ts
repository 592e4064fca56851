import type { EksCluster } from '@cdktf/provider-aws/lib/eks-cluster/index.js';
import type { EksNodeGroupConfig } from '@cdktf/provider-aws/lib/eks-node-group/index.js';
import { IamRole } from '@cdktf/provider-aws/lib/iam-role/index.js';
import { IamRolePolicyAttachment } from '@cdktf/provider-aws/lib/iam-role-policy-attachment/index.js';
import type { LaunchTemplateConfig } from '@cdktf/provider-aws/lib/launch-template/index.js';
import { partitionOf } from '@file-processing/contract/partition.ts';
import { type ITerraformDependable, TerraformLocal, TerraformResource, Token } from 'cdktf';
import { Construct } from 'constructs';
import { type NodeUserData, nodeUserData, type Taint } from '../policies/node-user-data.ts';
import { policyJson } from '../policies/policy-document.ts';
import { trustService } from '../policies/trust-policies.ts';
import { type NodeGroupPlan, nodeGroupsOf } from '../settings/check-nodes.ts';
import { findsPrivateSubnetsByTags } from '../settings/existing-network.ts';
import { imageFamilyOf, TAINT } from '../settings/file-processing/nodes.ts';
import { NEVER_PROXIED } from '../settings/file-processing/workload.ts';
import type { FileProcessingSettings } from '../settings/file-processing-variables.ts';
import { LightResource } from '../stack/light-resource.ts';
import { roleIdentity } from '../stack/role-identity.ts';
import { type Context, managedPolicyArn } from './context.ts';

/** Policies of every EKS node, by the name of their attachment. */
const NODE_POLICIES = {
  eks_worker: 'AmazonEKSWorkerNodePolicy',
  eks_cni: 'AmazonEKS_CNI_Policy',
  ecr_readonly: 'AmazonEC2ContainerRegistryReadOnly',
} as const;

/**
 * Marks the role of nodes whose single instance type is in their launch template. The role of nodes made before has
 * no description, and keeps none: EKS takes the type of a group in one of both places, fixed when the group is made.
 */
const TYPE_IN_TEMPLATE = 'Nodes; a single instance type is in their launch template';

/** EKS's limit for the name of a node group is 63; the provider appends 26 digits and a hyphen is ours. */
const LONGEST_NAME_BEGINNING = 36;

const TERRAFORM_DATA = 'terraform_data';

type NodeGroup = LightResource<EksNodeGroupConfig>;

/** What the nodes depend on. */
export interface NodesProps {
  readonly context: Context;
  readonly cluster: EksCluster;
  readonly subnetIds: string[];
  readonly dependsOn: readonly ITerraformDependable[];
}

/**
 * The managed node groups in the private subnets, and their role: IMDSv2, encrypted volumes, gradual updates. What
 * can't be changed in place makes a new group beside the old one, which goes once the new one is ready.
 */
export class Nodes extends Construct {
  /** The first is there always, and takes pods that tolerate no taint. */
  readonly groups: readonly [NodeGroup, ...NodeGroup[]];

  constructor(scope: Construct, { context, cluster, subnetIds, dependsOn }: NodesProps) {
    super(scope, 'nodes');
    const { settings, partition } = context;
    const role = new IamRole(this, 'eks_node', {
      ...roleIdentity(settings, `${settings.cluster_name}-node-role`),
      description: TYPE_IN_TEMPLATE,
      assumeRolePolicy: policyJson(trustService(`ec2.${partition.dnsSuffix}`)),
      lifecycle: { ignoreChanges: ['description'] },
    });
    const attachments = Object.entries(NODE_POLICIES).map(
      ([id, policy]) =>
        new IamRolePolicyAttachment(this, id, {
          role: role.name,
          policyArn: managedPolicyArn(context, policy),
        }),
    );
    if (settings.node_s3_access) {
      new IamRolePolicyAttachment(this, 's3_access', {
        role: role.name,
        policyArn: managedPolicyArn(context, 'AmazonS3FullAccess'),
      });
    }
    const nodes = {
      context,
      cluster,
      subnetIds,
      role,
      // Nodes could neither join nor be drained without their policies and the network add-ons.
      dependsOn: [...attachments, ...dependsOn],
    };
    const [first, ...others] = nodeGroupsOf(settings);
    this.groups = [
      makeGroup(this, nodes, first),
      // Its name alone could be that of a part of the first group.
      ...others.map((plan) => makeGroup(new Construct(this, `group-${plan.name}`), nodes, plan)),
    ];
  }
}

/** What all node groups have in common. */
interface GroupProps extends NodesProps {
  readonly role: IamRole;
  readonly dependsOn: ITerraformDependable[];
}

/** Names of a group: those of the first one are as they were when it was the only one. */
function namesOf(settings: FileProcessingSettings, { name }: NodeGroupPlan) {
  const id = name.replaceAll('-', '_');
  const end = name === '' ? '' : `-${name}`;
  return {
    groupName: `${settings.node_group_name}${end}`,
    // The end tells the groups apart, so it is the beginning that is cut.
    beginning: `${settings.node_group_name.slice(0, LONGEST_NAME_BEGINNING - end.length)}${end}`,
    group: name === '' ? 'this' : `nodes_${id}`,
    template: name === '' ? 'nodes' : `nodes_${id}`,
    identity: name === '' ? 'node_group' : `node_group_${id}`,
  };
}

function makeGroup(scope: Construct, props: GroupProps, plan: NodeGroupPlan): NodeGroup {
  const { settings } = props.context;
  const names = namesOf(settings, plan);
  const types = instanceTypes(scope, plan, props.role);
  const template = launchTemplate(scope, props, plan, types.ofTemplate);
  // Only a change of it replaces the group, not that it comes to be: groups made before stay.
  // Not cdktf's DataResource, which runs Terraform at each synth to look at its version.
  const identity = new TerraformResource(scope, names.identity, {
    terraformResourceType: TERRAFORM_DATA,
  });
  identity.addOverride('triggers_replace', {
    node_group_name: names.groupName,
    instance_types: types.ofGroup ?? [],
    image: plan.amiId === '' ? plan.amiType : 'ami_id',
  });
  const group = new LightResource<EksNodeGroupConfig>(scope, 'node-group', 'aws_eks_node_group', {
    ...groupArguments(props, plan),
    nodeGroupNamePrefix: `${names.beginning}-`,
    ...(types.ofGroup && { instanceTypes: types.ofGroup }),
    launchTemplate: {
      id: template.getStringAttribute('id'),
      version: template.getStringAttribute('latest_version'),
    },
    lifecycle: {
      createBeforeDestroy: true,
      replaceTriggeredBy: [`${TERRAFORM_DATA}.${identity.friendlyUniqueId}`],
      ignoreChanges: [
        'scaling_config[0].desired_size',
        // A name that was given stays.
        'node_group_name_prefix',
        ...(findsPrivateSubnetsByTags(settings) ? ['subnet_ids'] : []),
      ],
    },
    dependsOn: props.dependsOn,
  });
  group.overrideLogicalId(names.group);
  return group;
}

/** What EKS is told of a group beside its template; of an image of your own it wants neither type nor version. */
function groupArguments({ cluster, role, subnetIds }: GroupProps, plan: NodeGroupPlan) {
  const taints = plan.taints.map(taintOf);
  return {
    clusterName: cluster.name,
    ...(plan.amiId === '' && { version: cluster.version, amiType: plan.amiType }),
    nodeRoleArn: role.arn,
    subnetIds,
    capacityType: plan.capacityType,
    ...(Object.keys(plan.labels).length > 0 && { labels: { ...plan.labels } }),
    ...(taints.length > 0 && {
      taint: taints.map(({ key, value, effect }) => ({
        key,
        ...(value !== '' && { value }),
        effect: EFFECTS[effect] ?? effect,
      })),
    }),
    scalingConfig: {
      minSize: plan.sizes.min,
      desiredSize: plan.sizes.desired,
      maxSize: plan.sizes.max,
    },
    updateConfig: { maxUnavailablePercentage: 33 },
  };
}

/** The effects of taints as EKS spells them, by Kubernetes' names. */
const EFFECTS: Readonly<Record<string, string>> = {
  NoSchedule: 'NO_SCHEDULE',
  PreferNoSchedule: 'PREFER_NO_SCHEDULE',
  NoExecute: 'NO_EXECUTE',
};

function taintOf(text: string): Taint {
  const [, key = '', value = '', effect = ''] = TAINT.exec(text) ?? [];
  return { key, value, effect };
}

/** Where the instance types are given: EKS takes several of the group alone, and never both. */
interface InstanceTypes {
  readonly ofGroup?: string[];
  readonly ofTemplate?: string;
}

/**
 * A single type is in the launch template, where a change of it is a rolling update; a template holds no more than
 * one, and a first group that was made before this was so keeps its own.
 */
function instanceTypes(
  scope: Construct,
  { name, instanceTypes: types }: NodeGroupPlan,
  role: IamRole,
): InstanceTypes {
  const [single] = types;
  if (single === undefined || types.length > 1) return { ofGroup: [...types] };
  if (name !== '') return { ofTemplate: single };
  const inTemplate = new TerraformLocal(
    scope,
    'node_type_in_template',
    `\${${role.fqn}.description == ${JSON.stringify(TYPE_IN_TEMPLATE)}}`,
  );
  return {
    ofGroup: Token.asList(`\${${inTemplate.fqn} ? null : [${JSON.stringify(single)}]}`),
    ofTemplate: `\${${inTemplate.fqn} ? ${JSON.stringify(single)} : null}`,
  };
}

function launchTemplate(
  scope: Construct,
  { context: { settings, tags }, cluster }: GroupProps,
  plan: NodeGroupPlan,
  instanceType: string | undefined,
): LightResource<LaunchTemplateConfig> {
  const { groupName, template } = namesOf(settings, plan);
  const userData = nodeUserData(userDataOf(settings, cluster, plan));
  return new LightResource<LaunchTemplateConfig>(scope, template, 'aws_launch_template', {
    // Unlike the node group's name, this one must be unique in the account and region.
    name: `${settings.cluster_name}-${groupName}`,
    updateDefaultVersion: true,
    ...(instanceType !== undefined && { instanceType }),
    ...(plan.amiId !== '' && { imageId: plan.amiId }),
    // A text in an expression needs the escapes of HCL, which are those of JSON for what the settings allow.
    ...(userData !== undefined && {
      userData: `\${base64encode(${JSON.stringify(userData)})}`,
    }),
    metadataOptions: {
      httpEndpoint: 'enabled',
      httpTokens: 'required',
      // A pod is one hop further than its node: only for node_s3_access may it take the node's credentials.
      httpPutResponseHopLimit: settings.node_s3_access ? 2 : 1,
      instanceMetadataTags: 'disabled',
    },
    blockDeviceMappings: disksOf(settings, plan),
    monitoring: { enabled: true },
    tagSpecifications: ['instance', 'volume', 'network-interface'].map((resourceType) => ({
      resourceType,
      tags: { ...tags, Name: groupName },
    })),
  });
}

/** The operator's part is for images of the family of ami_type: another would not understand it. */
function userDataOf(
  settings: FileProcessingSettings,
  cluster: EksCluster,
  { amiType, amiId, labels, taints }: NodeGroupPlan,
): NodeUserData {
  const family = imageFamilyOf(amiType);
  return {
    family,
    custom: family === imageFamilyOf(settings.ami_type) ? settings.node_user_data : '',
    ...(settings.http_proxy !== '' && { proxy: proxyOf(settings) }),
    ...(amiId !== '' && {
      own: {
        cluster: {
          name: cluster.name,
          endpoint: cluster.endpoint,
          certificateAuthority: cluster.certificateAuthority.get(0).data,
          serviceCidr: cluster.kubernetesNetworkConfig.serviceIpv4Cidr,
        },
        labels,
        taints: taints.map(taintOf),
      },
    }),
  };
}

/** The cluster's own API is in the network. */
function proxyOf({ aws_region, http_proxy, no_proxy }: FileProcessingSettings) {
  const api = `.${aws_region}.eks.${partitionOf(aws_region).dnsSuffix}`;
  return { url: http_proxy, exempt: [...NEVER_PROXIED, api, ...no_proxy] };
}

/** Bottlerocket has its system on the first disk, and images, logs and files on a second one. */
function disksOf(settings: FileProcessingSettings, { amiType }: NodeGroupPlan) {
  const disk = (deviceName: string, size: { readonly volumeSize?: number }) => ({
    deviceName,
    ebs: {
      volumeType: 'gp3',
      ...size,
      encrypted: 'true',
      ...(settings.volume_kms_key_arn !== '' && { kmsKeyId: settings.volume_kms_key_arn }),
      deleteOnTermination: 'true',
    },
  });
  const data = { volumeSize: settings.node_disk_size_gib };
  return imageFamilyOf(amiType) === 'BOTTLEROCKET'
    ? [disk('/dev/xvda', {}), disk('/dev/xvdb', data)]
    : [disk('/dev/xvda', data)];
}
