import { DescribeClusterCommand, type EKSClient } from '@aws-sdk/client-eks';
import { EXIT } from '../exit-codes.ts';
import { OperationError } from '../operation-error.ts';

/**
 * URL of a cluster's OIDC issuer.
 *
 * @throws OperationError when there is no such cluster, or it has no issuer
 */
export async function clusterIssuer(eks: EKSClient, cluster: string): Promise<string> {
  const answer = await eks.send(new DescribeClusterCommand({ name: cluster })).catch((cause) => {
    if (cause.name !== 'ResourceNotFoundException') throw cause;
    throw new OperationError(`there is no cluster ${cluster} in this account and region`, {
      next: 'deploy it by npm run manage -- apply, or name its issuer by --issuer',
      code: EXIT.failed,
      cause,
    });
  });
  const issuer = answer.cluster?.identity?.oidc?.issuer;
  if (issuer === undefined) throw new OperationError(`cluster ${cluster} has no OIDC issuer`);
  return issuer;
}
