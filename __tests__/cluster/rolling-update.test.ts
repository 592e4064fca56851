import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { APPLY, type Kubectl, kubectlIn, TIMEOUT } from './support/kubectl.ts';
import { conditionOf, type Deployment } from './support/kubernetes-resource.ts';
import { type Manifests, manifestsOf } from './support/manifests.ts';
import { watchReadyPods } from './support/ready-pods.ts';

const NAMESPACE = 'rolling-update';
const NAME = 'file-processing-sns';
const DEPLOYMENT = `deployment/${NAME}`;
const REPLICAS = 2;
/** test-support/control-plane/stages.yaml knows it. */
const NEVER_READY = 'test.invalid/listener:never-ready';

let kubectl: Kubectl;
let manifests: Manifests;
let image: string | undefined;

beforeAll(async () => {
  kubectl = await kubectlIn(NAMESPACE);
  manifests = await manifestsOf('etl-playground', NAMESPACE);
  await kubectl.succeed(...APPLY, '--kustomize', manifests.folder);
  await untilReplicasReady();
  image = await imageOf();
  // Ten minutes otherwise.
  await patch('{"spec":{"progressDeadlineSeconds":3}}');
});

afterAll(async () => {
  await kubectl?.succeed('delete', 'namespace', NAMESPACE, '--wait=false');
  await kubectl?.close();
});

test('while new pods never turn Ready, the old ones all stay', async () => {
  const pods = await watchReadyPods(inject('controlPlane'), NAMESPACE, NAME);
  try {
    await kubectl.succeed('set', 'image', DEPLOYMENT, `*=${NEVER_READY}`);
    await kubectl.succeed('wait', '--for=condition=Progressing=False', DEPLOYMENT, TIMEOUT);
  } finally {
    await pods.stop();
  }
  expect(pods.seen.has(NEVER_READY)).toBe(true);
  expect(pods.fewest).toBe(REPLICAS);
});

test('the Deployment says that it got stuck', async () => {
  const deployment = await kubectl.get<Deployment>('deployments', NAME);
  expect(conditionOf(deployment, 'Progressing').reason).toBe('ProgressDeadlineExceeded');
  expect(conditionOf(deployment, 'Available').status).toBe('True');
  const status = await kubectl.attempt('rollout', 'status', DEPLOYMENT, TIMEOUT);
  expect(status.exitCode).toBe(1);
  expect(status.stderr).toContain('exceeded its progress deadline');
});

test('rollout undo brings the old image back, and takes no pod that serves', async () => {
  const pods = await watchReadyPods(inject('controlPlane'), NAMESPACE, NAME);
  try {
    await kubectl.succeed('rollout', 'undo', DEPLOYMENT);
    await kubectl.succeed('rollout', 'status', DEPLOYMENT, TIMEOUT);
  } finally {
    await pods.stop();
  }
  expect(await imageOf()).toBe(image);
  expect(pods.fewest).toBe(REPLICAS);
});

test('a strategy that stops pods first is noticed', async () => {
  await patch('{"spec":{"strategy":{"rollingUpdate":{"maxUnavailable":1}}}}');
  const pods = await watchReadyPods(inject('controlPlane'), NAMESPACE, NAME);
  try {
    await kubectl.succeed('set', 'image', DEPLOYMENT, `*=${NEVER_READY}`);
    await kubectl.succeed('wait', '--for=condition=Progressing=False', DEPLOYMENT, TIMEOUT);
  } finally {
    await pods.stop();
  }
  expect(pods.fewest).toBe(REPLICAS - 1);
});

async function untilReplicasReady(): Promise<void> {
  await kubectl.succeed('wait', `--for=jsonpath={.spec.replicas}=${REPLICAS}`, DEPLOYMENT, TIMEOUT);
  await kubectl.succeed('rollout', 'status', DEPLOYMENT, TIMEOUT);
}

async function patch(change: string): Promise<void> {
  await kubectl.succeed('patch', DEPLOYMENT, `--patch=${change}`);
}

async function imageOf(): Promise<string | undefined> {
  const { spec } = await kubectl.get<Deployment>('deployments', NAME);
  return spec.template.spec.containers[0]?.image;
}
