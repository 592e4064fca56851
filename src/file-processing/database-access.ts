import { VpcSecurityGroupIngressRule } from '@cdktf/provider-aws/lib/vpc-security-group-ingress-rule/index.js';
import type { Construct } from 'constructs';
import type { FileProcessingSettings } from '../settings/file-processing-variables.ts';

/** Lets the nodes, and so the pods on them, in to the database. */
export function letNodesIn(
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
