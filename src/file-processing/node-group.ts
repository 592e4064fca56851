import type { EksCluster } from '@cdktf/provider-aws/lib/eks-cluster/index.js';
import { EksNodeGroup } from '@cdktf/provider-aws/lib/eks-node-group/index.js';
import { IamRole } from '@cdktf/provider-aws/lib/iam-role/index.js';
import { IamRolePolicyAttachment } from '@cdktf/provider-aws/lib/iam-role-policy-attachment/index.js';
import { LaunchTemplate } from '@cdktf/provider-aws/lib/launch-template/index.js';
import { type ITerraformDependable, TerraformLocal, TerraformResource, Token } from 'cdktf';
import { Construct } from 'constructs';
import { policyJson } from '../policies/policy-document.ts';
import { trustService } from '../policies/trust-policies.ts';
import { findsPrivateSubnetsByTags } from '../settings/existing-network.ts';
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

/** What the node group depends on. */
export interface NodeGroupProps {
  readonly context: Context;
  readonly cluster: EksCluster;
  readonly subnetIds: string[];
  readonly dependsOn: readonly ITerraformDependable[];
}

/**
 * The managed node group in the private subnets: IMDSv2, encrypted volumes, gradual updates. What can't be changed in
 * place makes a new group beside the old one, which goes once the new one is ready.
 */
export class NodeGroup extends Construct {
  readonly resource: EksNodeGroup;

  constructor(scope: Construct, { context, cluster, subnetIds, dependsOn }: NodeGroupProps) {
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
    const types = instanceTypes(this, settings.node_instance_types, role);
    const template = launchTemplate(this, context, types.ofTemplate);
    // Only a change of it replaces the group, not that it comes to be: groups made before stay.
    // Not cdktf's DataResource, which runs Terraform at each synth to look at its version.
    const identity = new TerraformResource(this, 'node_group', {
      terraformResourceType: TERRAFORM_DATA,
    });
    identity.addOverride('triggers_replace', {
      node_group_name: settings.node_group_name,
      instance_types: types.ofGroup ?? [],
    });
    this.resource = new EksNodeGroup(this, 'node-group', {
      clusterName: cluster.name,
      version: cluster.version,
      nodeGroupNamePrefix: `${settings.node_group_name.slice(0, LONGEST_NAME_BEGINNING)}-`,
      nodeRoleArn: role.arn,
      subnetIds,
      amiType: 'AL2023_x86_64_STANDARD',
      capacityType: 'ON_DEMAND',
      ...(types.ofGroup && { instanceTypes: types.ofGroup }),
      launchTemplate: { id: template.id, version: template.latestVersion as unknown as string },
      scalingConfig: {
        minSize: settings.node_min_size,
        desiredSize: settings.node_desired_size,
        maxSize: settings.node_max_size,
      },
      updateConfig: { maxUnavailablePercentage: 33 },
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
      // Nodes could neither join nor be drained without their policies and the network add-ons.
      dependsOn: [...attachments, ...dependsOn],
    });
    this.resource.overrideLogicalId('this');
  }
}

/** Where the instance types are given: EKS takes several of the group alone, and never both. */
interface InstanceTypes {
  readonly ofGroup?: string[];
  readonly ofTemplate?: string;
}

/**
 * A single type is in the launch template, where a change of it is a rolling update; a template holds no more than
 * one, and groups made before this was so keep theirs.
 */
function instanceTypes(scope: Construct, types: readonly string[], role: IamRole): InstanceTypes {
  const [single] = types;
  if (single === undefined || types.length > 1) return { ofGroup: [...types] };
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
  { settings, tags }: Context,
  instanceType: string | undefined,
): LaunchTemplate {
  return new LaunchTemplate(scope, 'nodes', {
    // Unlike the node group's name, this one must be unique in the account and region.
    name: `${settings.cluster_name}-${settings.node_group_name}`,
    updateDefaultVersion: true,
    ...(instanceType !== undefined && { instanceType }),
    metadataOptions: {
      httpEndpoint: 'enabled',
      httpTokens: 'required',
      // A pod is one hop further than its node: only for node_s3_access may it take the node's credentials.
      httpPutResponseHopLimit: settings.node_s3_access ? 2 : 1,
      instanceMetadataTags: 'disabled',
    },
    blockDeviceMappings: [
      {
        deviceName: '/dev/xvda',
        ebs: {
          volumeType: 'gp3',
          volumeSize: settings.node_disk_size_gib,
          encrypted: 'true',
          deleteOnTermination: 'true',
        },
      },
    ],
    monitoring: { enabled: true },
    tagSpecifications: ['instance', 'volume', 'network-interface'].map((resourceType) => ({
      resourceType,
      tags: { ...tags, Name: settings.node_group_name },
    })),
  });
}
