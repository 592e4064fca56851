import { type AgentOptions, get as getHttp } from 'node:http';
import { Agent, get as getHttps } from 'node:https';
import type { Cluster, EKSClient } from '@aws-sdk/client-eks';
import { OperationError } from '../operation-error.ts';
import type { Refusal } from './guards/refusals.ts';
import { clusterIn, type StateJson } from './plan-json.ts';

const TEN_SECONDS = 10_000;

/** The API of a cluster, as its state knows it. */
export interface ClusterEndpoint {
  readonly name: string;
  readonly url: string;
  /** PEM of the authority that signed its certificate. */
  readonly certificateAuthority: string;
}

/** The cluster's endpoint; absent before there is a cluster. */
export function clusterEndpointOf(state: StateJson): ClusterEndpoint | undefined {
  const values = clusterIn(state);
  if (typeof values?.endpoint !== 'string' || values.endpoint === '') return undefined;
  const [authority] = (values.certificate_authority ?? []) as readonly { readonly data?: string }[];
  return {
    name: String(values.name),
    url: values.endpoint,
    certificateAuthority: Buffer.from(authority?.data ?? '', 'base64').toString('utf8'),
  };
}

/** The endpoint of a cluster as EKS describes it. */
export function endpointOf({
  name = '',
  endpoint = '',
  certificateAuthority,
}: Cluster): ClusterEndpoint {
  const authority = Buffer.from(certificateAuthority?.data ?? '', 'base64').toString('utf8');
  return { name, url: endpoint, certificateAuthority: authority };
}

/**
 * The endpoint of a cluster of others, which no state need know yet.
 *
 * @throws OperationError where there is no such cluster
 */
export async function describedEndpoint(eks: EKSClient, name: string): Promise<ClusterEndpoint> {
  const { DescribeClusterCommand } = await import('@aws-sdk/client-eks');
  const answer = await eks.send(new DescribeClusterCommand({ name })).catch((cause) => {
    if (cause.name !== 'ResourceNotFoundException') throw cause;
    throw new OperationError(`there is no cluster ${name} in this account and region`, {
      next: 'correct cluster_name or aws_region, or set create_cluster = true',
      cause,
    });
  });
  return endpointOf(answer.cluster ?? {});
}

/**
 * Whether the cluster's API answers, with the cluster's certificate, from here and through the same
 * proxy as the Kubernetes provider goes through (HTTPS_PROXY, NO_PROXY). Any answer will do, as
 * "unauthorized" too.
 *
 * @param milliseconds - @default ten seconds
 * @returns why it does not; `undefined` when it does
 */
export function unreachableBecause(
  { url, certificateAuthority }: ClusterEndpoint,
  env: Readonly<Record<string, string | undefined>>,
  milliseconds: number = TEN_SECONDS,
): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  // Node 24's agents read the proxy's variables; the type of the option is younger than ours.
  const agentOptions: AgentOptions & { readonly proxyEnv: typeof env } = { proxyEnv: env };
  const options = { signal: AbortSignal.timeout(milliseconds) };
  const request = url.startsWith('http:')
    ? getHttp(url, options)
    : getHttps(url, {
        ...options,
        agent: new Agent(agentOptions),
        ...(certificateAuthority === '' ? {} : { ca: certificateAuthority }),
      });
  request.on('response', (response) => {
    response.destroy();
    resolve(undefined);
  });
  request.on('error', (error: NodeJS.ErrnoException) => {
    const timedOut = error.name === 'AbortError' || error.name === 'TimeoutError';
    resolve(
      timedOut ? `no answer within ${milliseconds / 1000} s` : error.message || `${error.code}`,
    );
  });
  return promise;
}

/**
 * Refuses to go on while the API does not answer.
 *
 * @param isOfStack - whether the settings say who reaches it (`create_cluster`)
 */
export function unreachableCluster(
  { name, url }: ClusterEndpoint,
  reason: string,
  isOfStack: boolean,
): Refusal {
  const ways = isOfStack
    ? 'in cluster_endpoint_private_access_cidrs; or open it to your address by cluster_endpoint_public_access_cidrs'
    : "that the cluster's owner lets in";
  return {
    reason: `the API of cluster ${name} can't be reached from here: ${url}: ${reason}`,
    next: `go on from inside the VPC, or by VPN or bastion from an address ${ways}. If the cluster was deleted by hand, take its Kubernetes objects out of the state (terraform state rm)`,
  };
}
