import type { Instance } from '@aws-sdk/client-ec2';
import { type Cluster, DescribeAddonCommand } from '@aws-sdk/client-eks';
import { parse } from 'yaml';
import { type Kubectl, kubectlFor } from '../kubernetes/kubectl.ts';
import type { OperationContext } from '../operation.ts';
import type { Target } from '../target.ts';
import { judgePlace } from './account.ts';
import { type Diagnosis, diagnose } from './diagnosis.ts';

/**
 * Looks at what the stack relies on in a cluster of others (`create_cluster = false`): that NetworkPolicies are
 * enforced, that the autoscaler can measure, that pods get their identity, and that the nodes have the security group
 * that the database lets in, and that the load balancer finds public subnets.
 *
 * @param reachable - whether kubectl can work on it
 */
export async function existingClusterDiagnoses(
  context: OperationContext,
  target: Target,
  cluster: Cluster,
  reachable: boolean,
): Promise<readonly Diagnosis[]> {
  let kubectl: Promise<Kubectl> | undefined;
  const look: Look = async (parameters) => {
    if (!reachable) return undefined;
    kubectl ??= kubectlFor(context, target);
    const { code, stdout } = await (await kubectl).run(parameters);
    return code === 0 ? stdout : undefined;
  };
  try {
    return [
      await policiesDiagnosis(target, look),
      await metricsDiagnosis(target, look),
      ...(target.environment.fileProcessing.identity === 'pod_identity'
        ? [await agentDiagnosis(target)]
        : []),
      await nodesDiagnosis(target, cluster),
      await placeDiagnosis(target, cluster),
    ];
  } finally {
    (await kubectl?.catch(() => undefined))?.dispose();
  }
}

/** What kubectl prints; undefined where it has no answer. */
type Look = (parameters: readonly string[]) => Promise<string | undefined>;

function policiesDiagnosis(target: Target, look: Look): Promise<Diagnosis> {
  return diagnose('NetworkPolicies', async () => {
    const addOn = await addOnOf(target, 'vpc-cni');
    if (addOn !== undefined) return judgePolicies(isSwitchedOn(addOn.configurationValues));
    // Not EKS's add-on: what EKS puts into a new cluster by itself, or another network.
    const parameters = ['--namespace', 'kube-system', 'get', 'daemonset', 'aws-node', '-o', 'json'];
    const daemonSet = await look(parameters);
    return judgePolicies(daemonSet?.includes('--enable-network-policy=true') ?? false);
  });
}

/** Judges whether the VPC CNI enforces NetworkPolicies. */
export function judgePolicies(enforced: boolean): Omit<Diagnosis, 'name'> {
  if (enforced) return { state: 'ok', found: 'the VPC CNI enforces them' };
  return {
    state: 'warn',
    found: 'the VPC CNI does not seem to enforce them: those of the listener may have no effect',
    next: 'set enableNetworkPolicy = "true" in the configuration of the add-on vpc-cni, unless Calico or Cilium enforces them',
  };
}

/** Whether the add-on's configuration, JSON or YAML, switches it on. */
export function isSwitchedOn(configurationValues: string = ''): boolean {
  try {
    return String(Object(parse(configurationValues)).enableNetworkPolicy) === 'true';
  } catch {
    return false;
  }
}

function metricsDiagnosis(target: Target, look: Look): Promise<Diagnosis> {
  const { replicas, max_replicas, autoscaling } = target.environment.fileProcessing;
  return diagnose('metrics-server', async () => {
    if (autoscaling === 'backlog')
      return { state: 'skipped', found: 'the number of pods follows the backlog' };
    if (max_replicas <= replicas) return { state: 'skipped', found: 'there is no autoscaler' };
    if ((await addOnOf(target, 'metrics-server')) !== undefined) {
      return { state: 'ok', found: 'is an add-on of the cluster' };
    }
    const answer = await look(['get', '--raw', '/apis/metrics.k8s.io/v1beta1']);
    return answer === undefined
      ? {
          state: 'warn',
          found: 'was not found: without it, the autoscaler stays at its lowest number',
          next: 'have the add-on metrics-server installed, or set max_replicas to replicas',
        }
      : { state: 'ok', found: 'answers' };
  });
}

function agentDiagnosis(target: Target): Promise<Diagnosis> {
  return diagnose('pod identity agent', async () =>
    (await addOnOf(target, 'eks-pod-identity-agent')) === undefined
      ? {
          state: 'warn',
          found: 'is not an add-on of the cluster: without an agent pods get no credentials',
          next: 'have the add-on eks-pod-identity-agent installed, unless the cluster is in EKS Auto Mode, or set identity = "irsa"',
        }
      : { state: 'ok', found: 'is an add-on of the cluster' },
  );
}

async function addOnOf({ clients, environment }: Target, addonName: string) {
  const { cluster_name: clusterName } = environment.fileProcessing;
  const eks = await clients.eks();
  const answer = await eks
    .send(new DescribeAddonCommand({ clusterName, addonName }))
    .catch((error) => {
      if (error.name === 'ResourceNotFoundException') return undefined;
      throw error;
    });
  return answer?.addon;
}

function placeDiagnosis(
  { clients, environment }: Target,
  { resourcesVpcConfig }: Cluster,
): Promise<Diagnosis> {
  const vpcId = resourcesVpcConfig?.vpcId ?? '';
  return diagnose('network of the cluster', async () =>
    judgePlace(await clients.ec2(), environment.fileProcessing, vpcId, vpcId),
  );
}

function nodesDiagnosis({ clients, environment }: Target, cluster: Cluster): Promise<Diagnosis> {
  const { cluster_name, node_security_group_id, db_security_group_id } = environment.fileProcessing;
  const group = node_security_group_id || cluster.resourcesVpcConfig?.clusterSecurityGroupId || '';
  return diagnose('nodes', async () => {
    const { paginateDescribeInstances } = await import('@aws-sdk/client-ec2');
    const pages = paginateDescribeInstances(
      { client: await clients.ec2() },
      {
        Filters: [
          { Name: 'tag-key', Values: [`kubernetes.io/cluster/${cluster_name}`] },
          { Name: 'instance-state-name', Values: ['pending', 'running'] },
        ],
      },
    );
    const instances: Instance[] = [];
    for await (const { Reservations = [] } of pages) {
      instances.push(...Reservations.flatMap(({ Instances = [] }) => Instances));
    }
    return judgeNodes(instances, group, db_security_group_id !== '');
  });
}

/**
 * Judges whether every node has a security group.
 *
 * @param needed - whether a rule of the stack relies on it
 */
export function judgeNodes(
  instances: readonly Instance[],
  group: string,
  needed: boolean,
): Omit<Diagnosis, 'name'> {
  const without = instances.filter(
    ({ SecurityGroups = [] }) => !SecurityGroups.some(({ GroupId }) => GroupId === group),
  );
  if (instances.length === 0) {
    const found = 'no instance has the tag kubernetes.io/cluster/<name> of its nodes';
    return { state: 'warn', found, next: 'check the nodes; on Fargate there are none' };
  }
  if (without.length === 0) {
    return { state: 'ok', found: `all ${instances.length} have the security group ${group}` };
  }
  const ids = without.map(({ InstanceId }) => InstanceId).join(', ');
  return {
    state: needed ? 'red' : 'warn',
    found: `${without.length} of ${instances.length} lack the security group ${group}: ${ids}`,
    next: 'name the one that all nodes have in node_security_group_id: the database lets that one in',
  };
}
