import { afterAll, beforeAll, expect, test } from 'vitest';
import { modelOf } from '../../src/synthesized/model/model.ts';
import { kubernetesObjects } from '../../src/synthesized/views/kubernetes-manifests.ts';
import { fill } from '../../src/synthesized/views/placeholders.ts';
import type { ProgramResult } from '../support/run-program.ts';
import { synthesizeOnDemand } from '../support/synthesized-file-processing.ts';
import { type Kubectl, kubectlIn, TIMEOUT } from './support/kubectl.ts';
import type { Condition, KubernetesResource } from './support/kubernetes-resource.ts';

interface Job extends KubernetesResource {
  readonly status: { readonly conditions?: readonly Condition[]; readonly failed?: number };
}

const NAMESPACE = 'database-jobs';
/** test-support/control-plane/stages.yaml knows it: its process ends with 1. */
const ALWAYS_FAILS = 'test.invalid/listener:always-fails';

let kubectl: Kubectl;
let applied: ProgramResult;
let objects: readonly KubernetesResource[];

/** The objects of a stack with a database on demand, with something for what only Terraform knows. */
function objectsOf(image: string): readonly KubernetesResource[] {
  const json = synthesizeOnDemand({ namespace: NAMESPACE, delivery: 'sqs', image });
  const model = modelOf([{ name: 'file-processing', path: 'cdk.tf.json', json }]);
  return kubernetesObjects(model).map(
    ({ manifest }) => fill(manifest, () => 'known-to-terraform') as unknown as KubernetesResource,
  );
}

const jobsIn = (all: readonly KubernetesResource[]) => all.filter(({ kind }) => kind === 'Job');

beforeAll(async () => {
  kubectl = await kubectlIn(NAMESPACE);
  objects = objectsOf('registry.example/listener@sha256:'.concat('ab'.repeat(32)));
  await kubectl.apply(...objects.filter(({ kind }) => kind === 'Namespace'));
  applied = await kubectl.apply(...objects);
});

afterAll(async () => {
  await kubectl?.succeed('delete', 'namespace', NAMESPACE, '--wait=false');
  await kubectl?.close();
});

test('the API server accepts both Jobs in the restricted namespace, and warns of nothing', () => {
  expect(applied).toMatchObject({ exitCode: 0, stderr: '' });
  expect(jobsIn(objects)).toHaveLength(2);
});

test('both complete', async () => {
  for (const { metadata } of jobsIn(objects)) {
    await kubectl.succeed('wait', '--for=condition=Complete', `job/${metadata.name}`, TIMEOUT);
  }
});

test('the same again changes nothing, also once they have ended', async () => {
  const read = () =>
    Promise.all(jobsIn(objects).map(({ metadata }) => kubectl.get<Job>('jobs', metadata.name)));
  const before = await read();
  expect(await kubectl.apply(...objects)).toMatchObject({ exitCode: 0, stderr: '' });
  expect(await read()).toEqual(before);
});

test('another image has a migration of its own beside the old one', async () => {
  const others = jobsIn(objectsOf(ALWAYS_FAILS)).filter(({ metadata }) =>
    /migrate/.test(metadata.name),
  );
  expect(await kubectl.apply(...others)).toMatchObject({ exitCode: 0, stderr: '' });
  const [other] = others;
  const name = other?.metadata.name ?? '';
  // Its pods end with 1, which is worth another try: it is not failed at the first.
  await kubectl.succeed('wait', '--for=jsonpath={.status.failed}=1', `job/${name}`, TIMEOUT);
  const { status } = await kubectl.get<Job>('jobs', name);
  expect((status.conditions ?? []).map(({ type }) => type)).not.toContain('Failed');
});
