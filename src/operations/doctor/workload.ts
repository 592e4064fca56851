import { deployedTag, hasDeployedTag } from '../image/deployed-tags.ts';
import { ecrRepository, parseImageReference } from '../image/image-reference.ts';
import { type Kubectl, kubectlFor } from '../kubernetes/kubectl.ts';
import { checkInPod, listenerPod } from '../kubernetes/listener-pod.ts';
import type { OperationContext } from '../operation.ts';
import { OperationError } from '../operation-error.ts';
import type { Target } from '../target.ts';
import { type Diagnosis, diagnose } from './diagnosis.ts';

/** Looks at Deployments and CronJobs of the namespace, and tries database and bucket from a pod. */
export async function workloadDiagnoses(
  context: OperationContext,
  target: Target,
  reachable: boolean,
): Promise<readonly Diagnosis[]> {
  if (!reachable) {
    return [{ name: 'workload', state: 'skipped', found: "needs the cluster's API" }];
  }
  const { service_account_name, reconciliation_schedule } = target.environment.fileProcessing;
  let kubectl: Kubectl | undefined;
  try {
    kubectl = await kubectlFor(context, target);
    const opened = kubectl;
    let found: DeploymentList = { items: [] };
    const deployments = await diagnose('workload', async () => {
      found = await listed<DeploymentList>(opened, 'deployments');
      return judgeDeployments(found);
    });
    const images = await imageDiagnoses(target, found);
    if (deployments.state !== 'ok') return [deployments, ...images];
    const reconciliation =
      reconciliation_schedule === ''
        ? []
        : [
            await diagnose('reconciliation', async () =>
              judgeReconciliation(
                await listed<CronJobList>(opened, 'cronjobs'),
                service_account_name,
              ),
            ),
          ];
    let checks: readonly Diagnosis[] = [];
    const failure = await diagnose('checks in a pod', async () => {
      checks = await checkInPod(opened, await listenerPod(opened, service_account_name), []);
      return { state: 'ok', found: '' };
    });
    return [
      ...[deployments, ...images, ...reconciliation],
      ...(checks.length > 0 ? checks : [failure]),
    ];
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    const { message: found, next } = error;
    return [{ name: 'workload', state: 'red', found, ...(next === undefined ? {} : { next }) }];
  } finally {
    kubectl?.dispose();
  }
}

async function listed<List>(kubectl: Kubectl, resource: string): Promise<List> {
  const { code, stdout, stderr } = await kubectl.inNamespace([
    ...['get', resource, '--output', 'json'],
  ]);
  if (code !== 0) throw new OperationError(`kubectl get ${resource}: ${stderr.trim()}`);
  return JSON.parse(stdout) as List;
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

interface CronJobList {
  readonly items: readonly {
    readonly metadata: { readonly name: string };
    readonly spec: {
      readonly schedule: string;
      readonly jobTemplate: {
        readonly spec: {
          readonly template: { readonly spec: { readonly serviceAccountName?: string } };
        };
      };
    };
    readonly status?: {
      readonly active?: readonly object[];
      readonly lastScheduleTime?: string;
      readonly lastSuccessfulTime?: string;
    };
  }[];
}

/** Judges what `kubectl get cronjobs` lists: the one of the listener's ServiceAccount looks for lost objects. */
export function judgeReconciliation(
  { items }: CronJobList,
  serviceAccount: string,
): Omit<Diagnosis, 'name'> {
  const cronJob = items.find(
    ({ spec }) => spec.jobTemplate.spec.template.spec.serviceAccountName === serviceAccount,
  );
  if (cronJob === undefined) {
    const found = 'there is no CronJob: nothing looks for objects whose message was lost';
    return { state: 'warn', found, next: 'npm run manage -- apply, or the manifests' };
  }
  const { metadata, spec, status = {} } = cronJob;
  const { active = [], lastScheduleTime = '', lastSuccessfulTime = '' } = status;
  const name = `${metadata.name} (${spec.schedule})`;
  if (lastScheduleTime === '') return { state: 'ok', found: `${name} was not due yet` };
  if (active.length > 0) return { state: 'ok', found: `${name} runs since ${lastScheduleTime}` };
  // Times of the API are alike, and so compare as texts.
  if (lastSuccessfulTime >= lastScheduleTime) {
    return { state: 'ok', found: `${name} ended well at ${lastSuccessfulTime}` };
  }
  return {
    state: 'warn',
    found: `${name} failed at ${lastScheduleTime}`,
    next: 'npm run manage -- exec -- backfill --since installation --dry-run says why',
  };
}
