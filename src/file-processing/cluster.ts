import { CloudwatchLogGroup } from '@cdktf/provider-aws/lib/cloudwatch-log-group/index.js';
import { DataAwsEksCluster } from '@cdktf/provider-aws/lib/data-aws-eks-cluster/index.js';
import { DataAwsEksClusters } from '@cdktf/provider-aws/lib/data-aws-eks-clusters/index.js';
import { EksCluster } from '@cdktf/provider-aws/lib/eks-cluster/index.js';
import { IamPolicy } from '@cdktf/provider-aws/lib/iam-policy/index.js';
import { IamRole } from '@cdktf/provider-aws/lib/iam-role/index.js';
import { IamRolePolicyAttachment } from '@cdktf/provider-aws/lib/iam-role-policy-attachment/index.js';
import { TerraformStack } from 'cdktf';
import { Construct } from 'constructs';
import { encryptSecrets } from '../policies/key-policies.ts';
import { policyJson } from '../policies/policy-document.ts';
import { trustServiceFor } from '../policies/trust-policies.ts';
import { findsPrivateSubnetsByTags } from '../settings/existing-network.ts';
import type { FileProcessingSettings } from '../settings/file-processing-variables.ts';
import { DEFAULT_KUBERNETES_VERSION, minorOf } from '../settings/kubernetes-versions.ts';
import { Key } from '../stack/key.ts';
import { pathOf, roleIdentity } from '../stack/role-identity.ts';
import { type Context, managedPolicyArn, regionalArn } from './context.ts';

/** All logs of an EKS control plane (Amazon EKS User Guide, "Send control plane logs to CloudWatch Logs"). */
const CONTROL_PLANE_LOGS = ['api', 'audit', 'authenticator', 'controllerManager', 'scheduler'];

/** What the cluster depends on. */
export interface ClusterProps {
  readonly context: Context;
  readonly subnetIds: string[];
  /** Key of the log group. */
  readonly logsKeyArn: string;
}

/** What the rest of the stack needs of its cluster, whoever made it. */
export interface ClusterAttributes {
  readonly name: string;
  /** URL of its API. */
  readonly endpoint: string;
  /** PEM of the authority that signed the API's certificate, in Base64. */
  readonly certificateAuthority: string;
  /** URL of its OIDC issuer. */
  readonly issuer: string;
  /** Security group that EKS puts control plane and managed nodes into. */
  readonly securityGroupId: string;
}

/** A cluster that others have made: found by its name, so that all of it is known at plan. */
export function existingCluster(scope: Construct, name: string): ClusterAttributes {
  const cluster = new DataAwsEksCluster(new Construct(scope, 'cluster'), 'existing', { name });
  return attributesOf(cluster, cluster.vpcConfig.get(0).clusterSecurityGroupId);
}

function attributesOf(
  cluster: EksCluster | DataAwsEksCluster,
  securityGroupId: string,
): ClusterAttributes {
  return {
    name: cluster.name,
    endpoint: cluster.endpoint,
    certificateAuthority: cluster.certificateAuthority.get(0).data,
    issuer: cluster.identity.get(0).oidc.get(0).issuer,
    securityGroupId,
  };
}

/** Name of the log group that EKS writes a cluster's logs to. */
export function clusterLogGroupName(clusterName: string): string {
  return `/aws/eks/${clusterName}/cluster`;
}

/**
 * The EKS cluster: private endpoint, secrets encrypted with our own key, all control plane logs, and
 * access by access entries alone.
 */
export class Cluster extends Construct {
  readonly resource: EksCluster;
  readonly attributes: ClusterAttributes;

  constructor(scope: Construct, { context, subnetIds, logsKeyArn }: ClusterProps) {
    super(scope, 'cluster');
    const { settings } = context;
    const role = new IamRole(this, 'eks_cluster', {
      ...roleIdentity(settings, `${settings.cluster_name}-role`),
      assumeRolePolicy: policyJson(
        trustServiceFor(
          'eks.amazonaws.com',
          context.account,
          regionalArn(context, 'eks', `cluster/${settings.cluster_name}`),
        ),
      ),
    });
    const clusterPolicy = new IamRolePolicyAttachment(this, 'eks_cluster_policy', {
      role: role.name,
      policyArn: managedPolicyArn(context, 'AmazonEKSClusterPolicy'),
    });
    const key = new Key(this, {
      context,
      purpose: 'cluster',
      description: `Encrypts the Kubernetes secrets of ${settings.cluster_name}`,
    });
    const encryptionPolicy = new IamPolicy(this, 'eks_cluster_encryption', {
      name: `${settings.cluster_name}-encryption`,
      ...pathOf(settings),
      description: 'Use of the key that encrypts the Kubernetes secrets',
      policy: policyJson(encryptSecrets(key.arn)),
    });
    const encryption = new IamRolePolicyAttachment(role, 'eks_cluster_encryption', {
      role: role.name,
      policyArn: encryptionPolicy.arn,
    });
    const logGroup = new CloudwatchLogGroup(this, 'cluster', {
      name: clusterLogGroupName(settings.cluster_name),
      retentionInDays: settings.log_retention_days,
      kmsKeyId: logsKeyArn,
    });
    const publicCidrs = settings.cluster_endpoint_public_access_cidrs;
    this.resource = new EksCluster(this, 'this', {
      name: settings.cluster_name,
      version: this.#version(settings),
      ...(settings.cluster_support_type && {
        upgradePolicy: { supportType: settings.cluster_support_type },
      }),
      roleArn: role.arn,
      enabledClusterLogTypes: CONTROL_PLANE_LOGS,
      bootstrapSelfManagedAddons: false,
      vpcConfig: {
        subnetIds,
        endpointPrivateAccess: true,
        endpointPublicAccess: publicCidrs.length > 0,
        ...(publicCidrs.length > 0 && { publicAccessCidrs: [...publicCidrs] }),
      },
      encryptionConfig: { resources: ['secrets'], provider: { keyArn: key.arn } },
      accessConfig: {
        authenticationMode: 'API',
        bootstrapClusterCreatorAdminPermissions: settings.cluster_admin_arns.length === 0,
      },
      lifecycle: {
        // Changing them replaces the cluster, and they mean nothing once the cluster is there.
        ignoreChanges: [
          'access_config[0].bootstrap_cluster_creator_admin_permissions',
          'bootstrap_self_managed_addons',
          // The default counts at creation: who named no version is not upgraded by ours.
          ...(settings.kubernetes_version === '' ? ['version'] : []),
          // Anybody's new subnet of the right name must not change the cluster, and EKS takes none of another zone.
          ...(findsPrivateSubnetsByTags(settings) ? ['vpc_config[0].subnet_ids'] : []),
        ],
      },
      // Without the policies EKS could not delete what it made; without the group it would make one unencrypted.
      dependsOn: [clusterPolicy, encryption, logGroup],
    });
    this.attributes = attributesOf(this.resource, this.resource.vpcConfig.clusterSecurityGroupId);
    if (this.#isFollowed(settings)) this.#tellWhatIsBehind(settings);
  }

  /** EKS upgrades such a cluster by itself; a version that it has left behind must not be planned. */
  #isFollowed({ kubernetes_version, cluster_support_type }: FileProcessingSettings): boolean {
    return kubernetes_version !== '' && cluster_support_type === 'STANDARD';
  }

  /** The named version, or what the cluster has by now where EKS upgrades by itself and was faster. */
  #version(settings: FileProcessingSettings): string {
    const named = settings.kubernetes_version || DEFAULT_KUBERNETES_VERSION;
    if (!this.#isFollowed(settings)) return named;
    // A list of names is found without a fault also before there is a cluster.
    const all = new DataAwsEksClusters(this, 'all', {});
    const running = new DataAwsEksCluster(this, 'running', { name: settings.cluster_name });
    running.addOverride(
      'count',
      `\${contains(${all.fqn}.names, "${settings.cluster_name}") ? 1 : 0}`,
    );
    const minor = `try(tonumber(split(".", ${running.fqn}[0].version)[1]), 0)`;
    return `1.\${max(${minorOf(named)}, ${minor})}`;
  }

  #tellWhatIsBehind({ kubernetes_version, cluster_name }: FileProcessingSettings): void {
    const version = `${this.resource.fqn}.version`;
    TerraformStack.of(this).addOverride('check.kubernetes_version', {
      assert: {
        condition: `\${${version} == "${kubernetes_version}"}`,
        error_message: `kubernetes_version is ${kubernetes_version}, but EKS has upgraded ${cluster_name} to \${${version}}: name that version in file_processing.tfvars.`,
      },
    });
  }
}
