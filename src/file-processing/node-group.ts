import type { EksCluster } from '@cdktf/provider-aws/lib/eks-cluster/index.js';
import { EksNodeGroup } from '@cdktf/provider-aws/lib/eks-node-group/index.js';
import { IamRole } from '@cdktf/provider-aws/lib/iam-role/index.js';
import { IamRolePolicyAttachment } from '@cdktf/provider-aws/lib/iam-role-policy-attachment/index.js';
import { LaunchTemplate } from '@cdktf/provider-aws/lib/launch-template/index.js';
import type { ITerraformDependable } from 'cdktf';
import { Construct } from 'constructs';
import { policyJson } from '../policies/policy-document.ts';
import { trustService } from '../policies/trust-policies.ts';
import { roleIdentity } from '../stack/role-identity.ts';
import { type Context, managedPolicyArn } from './context.ts';

/** Policies of every EKS node, by the name of their attachment. */
const NODE_POLICIES = {
  eks_worker: 'AmazonEKSWorkerNodePolicy',
  eks_cni: 'AmazonEKS_CNI_Policy',
  ecr_readonly: 'AmazonEC2ContainerRegistryReadOnly',
} as const;

/** What the node group depends on. */
export interface NodeGroupProps {
  readonly context: Context;
  readonly cluster: EksCluster;
  readonly subnetIds: string[];
  readonly dependsOn: readonly ITerraformDependable[];
}

/** The managed node group in the private subnets: IMDSv2, encrypted volumes, gradual updates. */
export class NodeGroup extends Construct {
  readonly resource: EksNodeGroup;

  constructor(scope: Construct, { context, cluster, subnetIds, dependsOn }: NodeGroupProps) {
    super(scope, 'nodes');
    const { settings, partition } = context;
    const role = new IamRole(this, 'eks_node', {
      ...roleIdentity(settings, `${settings.cluster_name}-node-role`),
      assumeRolePolicy: policyJson(trustService(`ec2.${partition.dnsSuffix}`)),
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
    const template = launchTemplate(this, context);
    this.resource = new EksNodeGroup(this, 'node-group', {
      clusterName: cluster.name,
      version: cluster.version,
      nodeGroupName: settings.node_group_name,
      nodeRoleArn: role.arn,
      subnetIds,
      amiType: 'AL2023_x86_64_STANDARD',
      capacityType: 'ON_DEMAND',
      instanceTypes: [...settings.node_instance_types],
      launchTemplate: { id: template.id, version: template.latestVersion as unknown as string },
      scalingConfig: {
        minSize: settings.node_min_size,
        desiredSize: settings.node_desired_size,
        maxSize: settings.node_max_size,
      },
      updateConfig: { maxUnavailablePercentage: 33 },
      lifecycle: { ignoreChanges: ['scaling_config[0].desired_size'] },
      // Nodes could neither join nor be drained without their policies and the network add-ons.
      dependsOn: [...attachments, ...dependsOn],
    });
    this.resource.overrideLogicalId('this');
  }
}

function launchTemplate(scope: Construct, { settings, tags }: Context): LaunchTemplate {
  return new LaunchTemplate(scope, 'nodes', {
    // Unlike the node group's name, this one must be unique in the account and region.
    name: `${settings.cluster_name}-${settings.node_group_name}`,
    updateDefaultVersion: true,
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
