import {
  type Cluster,
  DescribeClusterCommand,
  ListPodIdentityAssociationsCommand,
} from '@aws-sdk/client-eks';
import { ListOpenIDConnectProvidersCommand } from '@aws-sdk/client-iam';
import { trustsTokens } from '../../settings/file-processing/cluster.ts';
import type { FileProcessingSettings } from '../../settings/file-processing-variables.ts';
import { minorOf, supportNotice } from '../../settings/kubernetes-versions.ts';
import type { OperationContext } from '../operation.ts';
import type { Target } from '../target.ts';
import {
  endpointOf,
  unreachableBecause,
  unreachableCluster,
} from '../terraform/cluster-endpoint.ts';
import { type Diagnosis, diagnose } from './diagnosis.ts';
import { existingClusterDiagnoses } from './existing-cluster.ts';

/** What is known of the cluster after a look. */
export interface ClusterDiagnosis {
  readonly diagnoses: readonly Diagnosis[];
  /** Whether kubectl can work on it. */
  readonly reachable: boolean;
  /** Its version of Kubernetes; absent where there is no cluster. */
  readonly version?: string;
}

/** Looks at the cluster, whether its API can be reached from here, and at its OIDC provider. */
export async function clusterDiagnosis(
  context: OperationContext,
  target: Target,
): Promise<ClusterDiagnosis> {
  const { clients, environment } = target;
  const name = environment.fileProcessing.cluster_name;
  let cluster: Cluster | undefined;
  const state = await diagnose('cluster', async () => {
    const eks = await clients.eks();
    const answer = await eks.send(new DescribeClusterCommand({ name })).catch((error) => {
      if (error.name === 'ResourceNotFoundException') return undefined;
      throw error;
    });
    cluster = answer?.cluster;
    if (cluster === undefined) {
      const { create_cluster } = environment.fileProcessing;
      return {
        state: 'red',
        found: `there is no cluster ${name}`,
        next: create_cluster
          ? 'npm run manage -- apply'
          : 'correct cluster_name, or set create_cluster = true',
      };
    }
    return judgeCluster(cluster, environment.fileProcessing, context.clock.now());
  });
  if (cluster === undefined) return { diagnoses: [state], reachable: false };
  const settings = environment.fileProcessing;
  const api = await apiDiagnosis(cluster, context, settings.create_cluster);
  const identities = [
    ...(trustsTokens(settings) ? [await providerDiagnosis(cluster, target)] : []),
    ...(settings.identity === 'pod_identity' ? [await associationDiagnosis(target)] : []),
  ];
  const reachable = api.state === 'ok';
  const relied = settings.create_cluster
    ? []
    : await existingClusterDiagnoses(context, target, cluster, reachable);
  const diagnoses = [state, api, ...identities, ...relied];
  return { diagnoses, reachable, version: cluster.version };
}

/** Judges the state of a cluster, and its version: how long EKS supports it, and whether the tfvars are behind it. */
export function judgeCluster(
  { name, status, version = '' }: Cluster,
  settings: Pick<FileProcessingSettings, 'create_cluster' | 'kubernetes_version'>,
  now: Date,
): Omit<Diagnosis, 'name'> {
  const found = `${name}, Kubernetes ${version}, ${status}`;
  if (status !== 'ACTIVE') {
    return { state: 'red', found, next: 'wait, or look at its health issues in the EKS console' };
  }
  const { create_cluster, kubernetes_version: named } = settings;
  if (minorOf(named) < minorOf(version)) {
    const next = `kubernetes_version is ${named}, behind the cluster: set it to ${version} in file_processing.tfvars`;
    return { state: 'warn', found, next };
  }
  const notice = supportNotice(version, now);
  if (notice === undefined) return { state: 'ok', found };
  const next = create_cluster ? notice.message : `${notice.ends}: its owner upgrades it`;
  return { state: 'warn', found, next: `Kubernetes ${version} ${next}` };
}

function apiDiagnosis(
  cluster: Cluster,
  { env }: OperationContext,
  isOfStack: boolean,
): Promise<Diagnosis> {
  return diagnose('cluster API', async () => {
    const endpoint = endpointOf(cluster);
    const reason = await unreachableBecause(endpoint, env);
    if (reason === undefined) return { state: 'ok', found: `${endpoint.url} answers` };
    const { reason: found, next } = unreachableCluster(endpoint, reason, isOfStack);
    return { state: 'red', found, next };
  });
}

function providerDiagnosis(cluster: Cluster, { clients, environment }: Target): Promise<Diagnosis> {
  return diagnose('OIDC provider', async () => {
    const issuer = cluster.identity?.oidc?.issuer ?? '';
    const iam = await clients.iam();
    const { OpenIDConnectProviderList = [] } = await iam.send(
      new ListOpenIDConnectProvidersCommand({}),
    );
    const suffix = `:oidc-provider/${issuer.replace('https://', '')}`;
    const found = OpenIDConnectProviderList.find(({ Arn }) => Arn?.endsWith(suffix))?.Arn;
    const { create_cluster, existing_oidc_provider_arn } = environment.fileProcessing;
    const shared =
      create_cluster || existing_oidc_provider_arn === found
        ? {}
        : { next: `unless this stack has made it, name it in existing_oidc_provider_arn` };
    return found === undefined
      ? { state: 'red', found: `IAM has none for ${issuer}`, next: 'npm run manage -- apply' }
      : { state: 'ok', found, ...shared };
  });
}

function associationDiagnosis({ clients, environment }: Target): Promise<Diagnosis> {
  const { cluster_name, namespace, service_account_name } = environment.fileProcessing;
  return diagnose('pod identity', async () => {
    const eks = await clients.eks();
    const { associations: [found] = [] } = await eks.send(
      new ListPodIdentityAssociationsCommand({
        clusterName: cluster_name,
        namespace,
        serviceAccount: service_account_name,
      }),
    );
    return found === undefined
      ? {
          state: 'red',
          found: `no role is associated with ServiceAccount ${namespace}/${service_account_name}`,
          next: 'npm run manage -- apply',
        }
      : { state: 'ok', found: found.associationArn ?? '' };
  });
}
