import { copyFile, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { processRunner, type Runner } from '../../../src/operations/runner.ts';
import { type ManageResult, manage } from '../../support/manage.ts';
import { ROOT } from '../../support/run-main.ts';
import { withValues } from '../../terraform/support/tfvars.ts';
import {
  APPLY,
  type Kubectl,
  kubectlIn,
  operatorEnvironment,
  TIMEOUT,
} from '../support/kubectl.ts';
import type { Pod } from '../support/kubernetes-resource.ts';
import { type Manifests, manifestsOf } from '../support/manifests.ts';

const NAMESPACE = 'operations-rollout';
const DEPLOYMENT = 'deployment/file-processing-sns';

let kubectl: Kubectl;
let manifests: Manifests;
/** A checkout whose environment has the tests' namespace. */
let root: string;

beforeAll(async () => {
  kubectl = await kubectlIn(NAMESPACE);
  manifests = await manifestsOf('etl-playground', NAMESPACE);
  root = await mkdtemp(join(tmpdir(), 'rollout-'));
  await cp(join(ROOT, 'environments'), join(root, 'environments'), { recursive: true });
  const tfvars = join(root, 'environments/etl-playground/file_processing.tfvars');
  await writeFile(tfvars, withValues(await readFile(tfvars, 'utf8'), { namespace: NAMESPACE }));
  await kubectl.succeed(...APPLY, '--kustomize', manifests.folder);
  await kubectl.succeed('wait', '--for=jsonpath={.spec.replicas}=2', DEPLOYMENT, TIMEOUT);
});

afterAll(async () => {
  await kubectl?.succeed('delete', 'namespace', NAMESPACE, '--wait=false');
  await kubectl?.close();
  if (root) await rm(root, { recursive: true });
});

test('a rollout that is done shows its pods', async () => {
  const { code, out } = await rollout('status', '--wait', '60', '--json');
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ done: true, pods: [{ ready: true }, { ready: true }] });
});

test('a restart puts a new pod in the place of each', async () => {
  const before = await podNames();
  expect((await rollout('restart', '--wait', '60')).code).toBe(0);
  const after = await podNames();
  expect(after).toHaveLength(2);
  expect(after.filter((name) => before.includes(name))).toEqual([]);
});

test('a rollout whose new pod never turns Ready is told, and fails', async () => {
  await kubectl.succeed('set', 'image', DEPLOYMENT, '*=test.invalid/listener:never-ready');
  const { code, out, err } = await rollout('status', '--wait', '2', '--json');
  expect(code).toBe(1);
  const { done, pods } = JSON.parse(out) as { done: boolean; pods: { ready: boolean }[] };
  expect(done).toBe(false);
  expect(pods.map(({ ready }) => ready).toSorted()).toEqual([false, true, true]);
  expect(err).toContain('The rollout of file-processing-sns is not done.');
});

/** Only the sign-in is played: the control plane knows no IAM. */
function rollout(...parameters: string[]): Promise<ManageResult> {
  const { kubeconfig } = inject('controlPlane');
  const nothing = { write: () => undefined };
  const programs = processRunner(operatorEnvironment(root), { stdout: nothing, stderr: nothing });
  const run: Runner = async (program, given, options) => {
    if (program !== 'aws') return programs(program, given, options);
    await copyFile(kubeconfig, given[given.indexOf('--kubeconfig') + 1] ?? '');
    return { code: 0, stdout: '', stderr: '' };
  };
  return manage(['rollout', ...parameters, '--profile', ''], { root, run });
}

async function podNames(): Promise<string[]> {
  const pods = await kubectl.list<Pod>('pods', 'app=file-processing-sns');
  return pods
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(({ metadata }) => metadata.name);
}
