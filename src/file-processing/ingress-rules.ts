import { VpcSecurityGroupIngressRule } from '@cdktf/provider-aws/lib/vpc-security-group-ingress-rule/index.js';
import type { ITerraformDependable } from 'cdktf';
import type { Construct } from 'constructs';
import type { FileProcessingSettings } from '../settings/file-processing-variables.ts';

/** Allows `cluster_endpoint_private_access_cidrs` to reach the cluster's private API. */
export function allowOperators(
  scope: Construct,
  settings: FileProcessingSettings,
  clusterSecurityGroupId: string,
): readonly ITerraformDependable[] {
  return settings.cluster_endpoint_private_access_cidrs.map(
    (cidr) =>
      new VpcSecurityGroupIngressRule(scope, `api_${cidr.replaceAll(/[./]/g, '_')}`, {
        description: `API of ${settings.cluster_name} from ${cidr}`,
        securityGroupId: clusterSecurityGroupId,
        cidrIpv4: cidr,
        ipProtocol: 'tcp',
        fromPort: 443,
        toPort: 443,
      }),
  );
}

/** Allows the nodes, and so the pods on them, to reach the database. */
export function allowNodes(
  scope: Construct,
  settings: FileProcessingSettings,
  nodeSecurityGroupId: string,
): VpcSecurityGroupIngressRule {
  return new VpcSecurityGroupIngressRule(scope, 'database', {
    description: `PostgreSQL from the nodes of ${settings.cluster_name}`,
    securityGroupId: settings.db_security_group_id,
    referencedSecurityGroupId: nodeSecurityGroupId,
    ipProtocol: 'tcp',
    fromPort: settings.db_port,
    toPort: settings.db_port,
  });
}
