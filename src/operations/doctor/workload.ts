import { type Kubectl, kubectlFor } from '../kubernetes/kubectl.ts';
import { checkInPod, listenerPod } from '../kubernetes/listener-pod.ts';
import type { OperationContext } from '../operation.ts';
import { OperationError } from '../operation-error.ts';
import type { Target } from '../target.ts';
import { type Diagnosis, diagnose } from './diagnosis.ts';

/** Looks at the Deployments of the namespace, and tries database and bucket from a pod. */
export async function workloadDiagnoses(
  context: OperationContext,
  target: Target,
  reachable: boolean,
): Promise<readonly Diagnosis[]> {
  if (!reachable) {
    return [{ name: 'workload', state: 'skipped', found: "needs the cluster's API" }];
  }
  const { service_account_name } = target.environment.fileProcessing;
  let kubectl: Kubectl | undefined;
  try {
    kubectl = await kubectlFor(context, target);
    const opened = kubectl;
    const deployments = await diagnose('workload', () => deploymentStates(opened));
    if (deployments.state !== 'ok') return [deployments];
    let checks: readonly Diagnosis[] = [];
    const failure = await diagnose('checks in a pod', async () => {
      checks = await checkInPod(opened, await listenerPod(opened, service_account_name), []);
      return { state: 'ok', found: '' };
    });
    return [deployments, ...(checks.length > 0 ? checks : [failure])];
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    const { message: found, next } = error;
    return [{ name: 'workload', state: 'red', found, ...(next === undefined ? {} : { next }) }];
  } finally {
    kubectl?.dispose();
  }
}

async function deploymentStates(kubectl: Kubectl): Promise<Omit<Diagnosis, 'name'>> {
  const { code, stdout, stderr } = await kubectl.inNamespace([
    ...['get', 'deployments', '--output', 'json'],
  ]);
  if (code !== 0) throw new OperationError(`kubectl get deployments: ${stderr.trim()}`);
  return judgeDeployments(JSON.parse(stdout));
}

interface DeploymentList {
  readonly items: readonly {
    readonly metadata: { readonly name: string };
    readonly spec: { readonly replicas?: number };
    readonly status?: { readonly availableReplicas?: number; readonly updatedReplicas?: number };
  }[];
}

/** Judges what `kubectl get deployments` lists. */
export function judgeDeployments({ items }: DeploymentList): Omit<Diagnosis, 'name'> {
  if (items.length === 0) {
    const next = 'set image (npm run manage -- update-image), then apply';
    return { state: 'red', found: 'there is no Deployment', next };
  }
  const states = items.map(({ metadata, spec, status }) => ({
    text: `${metadata.name} ${status?.availableReplicas ?? 0} of ${spec.replicas ?? 1} available`,
    complete:
      (status?.availableReplicas ?? 0) >= (spec.replicas ?? 1) &&
      (status?.updatedReplicas ?? 0) >= (spec.replicas ?? 1),
  }));
  const found = states.map(({ text }) => text).join('; ');
  return states.every(({ complete }) => complete)
    ? { state: 'ok', found }
    : { state: 'red', found, next: 'npm run manage -- rollout status' };
}
