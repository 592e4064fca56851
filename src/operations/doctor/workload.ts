import { deployedTag, hasDeployedTag } from '../image/deployed-tags.ts';
import { ecrRepository, parseImageReference } from '../image/image-reference.ts';
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
    let listed: DeploymentList = { items: [] };
    const deployments = await diagnose('workload', async () => {
      listed = await deploymentsIn(opened);
      return judgeDeployments(listed);
    });
    const images = await imageDiagnoses(target, listed);
    if (deployments.state !== 'ok') return [deployments, ...images];
    let checks: readonly Diagnosis[] = [];
    const failure = await diagnose('checks in a pod', async () => {
      checks = await checkInPod(opened, await listenerPod(opened, service_account_name), []);
      return { state: 'ok', found: '' };
    });
    return [deployments, ...images, ...(checks.length > 0 ? checks : [failure])];
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    const { message: found, next } = error;
    return [{ name: 'workload', state: 'red', found, ...(next === undefined ? {} : { next }) }];
  } finally {
    kubectl?.dispose();
  }
}

async function deploymentsIn(kubectl: Kubectl): Promise<DeploymentList> {
  const { code, stdout, stderr } = await kubectl.inNamespace([
    ...['get', 'deployments', '--output', 'json'],
  ]);
  if (code !== 0) throw new OperationError(`kubectl get deployments: ${stderr.trim()}`);
  return JSON.parse(stdout) as DeploymentList;
}

/**
 * Looks whether the image that runs has the tag that keeps it from expiring; only in the stack's own repository,
 * whose lifecycle goes by it.
 */
export async function imageDiagnoses(
  { clients, environment }: Pick<Target, 'clients' | 'environment'>,
  { items }: DeploymentList,
): Promise<readonly Diagnosis[]> {
  const { create_repository, repository_name } = environment.fileProcessing;
  const { service_account_name, manage_kubernetes } = environment.fileProcessing;
  const pods = items.map(({ spec }) => spec.template?.spec);
  const image = pods.find((pod) => pod?.serviceAccountName === service_account_name)?.containers[0]
    ?.image;
  if (image === undefined || !create_repository) return [];
  const { repository: uri, digest } = parseImageReference(image);
  const repository = ecrRepository(uri);
  if (repository?.name !== repository_name || digest === undefined) return [];
  const look = async (): Promise<Omit<Diagnosis, 'name'>> => {
    const ecr = await clients.ecr();
    if (await hasDeployedTag(ecr, repository, environment.name, digest)) {
      return { state: 'ok', found: `${image} is kept by its tag` };
    }
    const next = manage_kubernetes
      ? 'npm run manage -- apply tags it'
      : `tag it ${deployedTag(environment.name, digest)} (aws ecr put-image)`;
    const found = `${image} runs without a tag deployed-*: it expires once ${environment.fileProcessing.repository_keep_images} newer ones are there`;
    return { state: 'warn', found, next };
  };
  return [await diagnose('image', look)];
}

interface DeploymentList {
  readonly items: readonly {
    readonly metadata: { readonly name: string };
    readonly spec: {
      readonly replicas?: number;
      readonly template?: {
        readonly spec: {
          readonly serviceAccountName?: string;
          readonly containers: readonly { readonly image: string }[];
        };
      };
    };
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
