import { createHash } from 'node:crypto';
import { EksAccessEntry } from '@cdktf/provider-aws/lib/eks-access-entry/index.js';
import { EksAccessPolicyAssociation } from '@cdktf/provider-aws/lib/eks-access-policy-association/index.js';
import type { EksCluster } from '@cdktf/provider-aws/lib/eks-cluster/index.js';
import { Construct } from 'constructs';
import type { Context } from './context.ts';

/** Makes each of `cluster_admin_arns` an administrator of the cluster. */
export class ClusterAccess extends Construct {
  /** Whoever needs to reach the cluster's API depends on these, and is destroyed before them. */
  readonly associations: readonly EksAccessPolicyAssociation[];

  constructor(scope: Construct, context: Context, cluster: EksCluster) {
    super(scope, 'access');
    const { settings, partition } = context;
    this.associations = settings.cluster_admin_arns.map((principalArn) => {
      const name = terraformName(principalArn);
      const entry = new EksAccessEntry(this, name, { clusterName: cluster.name, principalArn });
      return new EksAccessPolicyAssociation(entry, name, {
        clusterName: cluster.name,
        principalArn: entry.principalArn,
        policyArn: `arn:${partition.name}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy`,
        accessScope: { type: 'cluster' },
      });
    });
  }
}

/**
 * A name that stays the same when others are added: account and role, `123456789012_etl-admin`. Where
 * Terraform does not take a character of the role, a checksum keeps apart what would look the same.
 */
function terraformName(roleArn: string): string {
  const [, , , , account, resource = ''] = roleArn.split(':');
  const role = resource.replace(/^role\//, '');
  const name = role.replaceAll(/[^\w-]/g, '_');
  return `admin_${account}_${name === role ? name : `${name}_${checksumOf(roleArn)}`}`;
}

function checksumOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}
