import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { evict } from './support/evict.ts';
import { APPLY, type Kubectl, kubectlIn, TIMEOUT } from './support/kubectl.ts';
import {
  conditionOf,
  type Deployment,
  type KubernetesResource,
  ofKind,
  type Pod,
  withValue,
} from './support/kubernetes-resource.ts';
import { type Manifests, manifestsOf } from './support/manifests.ts';

const NAMESPACE = 'contradictions';
const NAME = 'file-processing-sns';
const DEPLOYMENT = `deployment/${NAME}`;

let kubectl: Kubectl;
let manifests: Manifests;

beforeAll(async () => {
  kubectl = await kubectlIn(NAMESPACE);
  manifests = await manifestsOf('etl-playground', NAMESPACE);
  await kubectl.succeed(...APPLY, '--kustomize', manifests.folder);
});

afterAll(async () => {
  await kubectl?.succeed('delete', 'namespace', NAMESPACE, '--wait=false');
  await kubectl?.close();
});

beforeEach(async () => {
  await kubectl.succeed('delete', 'quota,limitrange', '--all');
  await kubectl.succeed(
    'delete',
    DEPLOYMENT,
    '--cascade=foreground',
    '--ignore-not-found',
    TIMEOUT,
  );
});

test('the manifests have no contradiction: a rollout completes', async () => {
  await kubectl.apply(deployment());
  await kubectl.succeed('rollout', 'status', DEPLOYMENT, TIMEOUT);
});

test.each([
  {
    name: 'a quota for fewer pods',
    planted: quota({ pods: '1' }),
    message: 'exceeded quota: planted, requested: pods=1, used: pods=1, limited: pods=1',
  },
  {
    name: 'a quota for less memory',
    planted: quota({ 'requests.memory': '768Mi' }),
    message: 'exceeded quota: planted, requested: requests.memory=512Mi',
  },
  {
    name: 'a quota that wants limits of CPU',
    planted: quota({ 'limits.cpu': '8' }),
    message: 'failed quota: planted: must specify limits.cpu',
  },
  {
    name: 'a limit of memory below that of the container',
    planted: limitRange({ type: 'Container', max: { memory: '256Mi' } }),
    message: 'maximum memory usage per Container is 256Mi, but limit is 512Mi',
  },
])('$name stops the rollout, and the Deployment says why', async ({ planted, message }) => {
  await kubectl.apply({ ...planted });
  if (planted.kind === 'ResourceQuota') {
    // The quota counts only once its controller has seen it.
    await kubectl.succeed('wait', '--for=jsonpath={.status.hard}', 'quota/planted', TIMEOUT);
  }
  await kubectl.apply(deployment());
  await kubectl.succeed('wait', '--for=condition=ReplicaFailure', DEPLOYMENT, TIMEOUT);
  const failure = conditionOf(await kubectl.get<Deployment>('deployments', NAME), 'ReplicaFailure');
  expect(failure).toMatchObject({
    reason: 'FailedCreate',
    message: expect.stringContaining(message),
  });
});

test('a budget that keeps every pod is noticed: none can be evicted', async () => {
  await kubectl.apply(deployment());
  await kubectl.succeed('rollout', 'status', DEPLOYMENT, TIMEOUT);
  const budget = ofKind(manifests.objects, 'PodDisruptionBudget');
  await kubectl.apply(withValue(budget, 'spec', { ...selectorOf(budget), minAvailable: 2 }));
  const kept = '--for=jsonpath={.status.disruptionsAllowed}=0';
  await kubectl.succeed('wait', kept, `poddisruptionbudget/${NAME}`, TIMEOUT);
  const [pod] = await kubectl.list<Pod>('pods');
  expect(await evict(inject('controlPlane'), pod)).toMatchObject({ status: 429 });
});

/** Two pods from the start, without waiting for the autoscaler. */
function deployment(): KubernetesResource {
  return withValue(ofKind(manifests.objects, 'Deployment'), 'spec.replicas', 2);
}

function quota(hard: Readonly<Record<string, string>>) {
  const metadata = { name: 'planted', namespace: NAMESPACE };
  return { apiVersion: 'v1', kind: 'ResourceQuota', metadata, spec: { hard } };
}

function limitRange(limit: object) {
  const metadata = { name: 'planted', namespace: NAMESPACE };
  return { apiVersion: 'v1', kind: 'LimitRange', metadata, spec: { limits: [limit] } };
}

function selectorOf(
  budget: KubernetesResource & { readonly spec?: { readonly selector?: object } },
) {
  return { selector: budget.spec?.selector };
}
