import { copyFile, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, inject, test } from 'vitest';
import type { EndSignal, OperationContext } from '../../../src/operations/operation.ts';
import { processRunner, type Runner, type RunResult } from '../../../src/operations/runner.ts';
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
import { type Manifests, manifestsOf } from '../support/manifests.ts';

const NAMESPACE = 'operations-exec';
const DEPLOYMENT = 'deployment/file-processing-sns';
/** test-support/control-plane/stages.yaml knows them. */
const ALWAYS_FAILS = 'test.invalid/listener:always-fails';
const LISTING = ['exec', '--profile', '', '--', 'runs', 'list'];
const NEVER_ENDS = 'test.invalid/listener:never-ready';

let kubectl: Kubectl;
let manifests: Manifests;
/** A checkout whose environment has the tests' namespace. */
let root: string;

beforeAll(async () => {
  kubectl = await kubectlIn(NAMESPACE);
  manifests = await manifestsOf('etl-playground', NAMESPACE);
  root = await mkdtemp(join(tmpdir(), 'exec-'));
  await cp(join(ROOT, 'environments'), join(root, 'environments'), { recursive: true });
  const tfvars = join(root, 'environments/etl-playground/file_processing.tfvars');
  await writeFile(tfvars, withValues(await readFile(tfvars, 'utf8'), { namespace: NAMESPACE }));
  await cp(join(ROOT, 'listener/seed'), join(root, 'environments/etl-playground/rules'), {
    recursive: true,
  });
  await kubectl.succeed(...APPLY, '--kustomize', manifests.folder);
  await kubectl.succeed('wait', '--for=jsonpath={.spec.replicas}=2', DEPLOYMENT, TIMEOUT);
});

afterEach(async () => {
  await kubectl.succeed('wait', '--for=delete', 'job', '--all', TIMEOUT);
  await kubectl.succeed('wait', '--for=delete', 'pod', '--selector=job-name', TIMEOUT);
});

afterAll(async () => {
  await kubectl?.succeed('delete', 'namespace', NAMESPACE, '--wait=false');
  await kubectl?.close();
  if (root) await rm(root, { recursive: true });
});

test('a command is admitted to the restricted namespace without a warning, ends, and leaves no Job', async () => {
  const { code, applied } = await exec();
  expect(applied).toMatchObject({ code: 0, stderr: '' });
  expect(code).toBe(0);
});

test('a second one takes the same network policy', async () => {
  const before = await kubectl.list('networkpolicies');
  expect((await exec()).code).toBe(0);
  expect(await kubectl.list('networkpolicies')).toEqual(before);
});

test('a command that fails ends with its own exit code', async () => {
  await kubectl.succeed('set', 'image', DEPLOYMENT, `*=${ALWAYS_FAILS}`);
  const { code, err } = await exec();
  expect(err).toContain('The command ended with 1.');
  expect(code).toBe(1);
});

test('a signal ends a command that runs, and its pod', async () => {
  await kubectl.succeed('set', 'image', DEPLOYMENT, `*=${NEVER_ENDS}`);
  const takers: ((signal: EndSignal) => void)[] = [];
  const { code } = await exec(
    {
      onSignal: (take) => {
        takers.push(take);
        return () => takers.splice(0);
      },
    },
    () => {
      for (const take of takers) take('SIGINT');
    },
  );
  expect(code).toBe(130);
});

test('a command that takes too long is ended', async () => {
  const { code, err } = await exec({}, undefined, [
    'exec',
    '--profile',
    '',
    // Long enough for its pod to run by then on a busy machine: kwok can miss the end of one that is just starting.
    '--deadline',
    '30',
    '--',
    'runs',
    'list',
  ]);
  expect(err).toContain('is gone: Job was active longer than specified deadline');
  expect(code).toBe(1);
});

const REHEARSAL = ['rules-rehearse', '--profile', '', '--last', '1'];

test('a rehearsal takes its rule set along, and leaves neither Job nor ConfigMap', async () => {
  const names = async () => (await kubectl.list('configmaps')).map(({ metadata }) => metadata.name);
  await kubectl.succeed('set', 'image', DEPLOYMENT, `*=${ALWAYS_FAILS}`);
  const before = await names();
  const during: string[][] = [];
  const { code, failed } = await exec({}, async () => during.push(await names()), REHEARSAL);
  const [own = '', ...more] = (during[0] ?? []).filter((name) => !before.includes(name));
  expect([failed, code, more]).toEqual([[], 1, []]);
  expect(own).toMatch(/^file-processing-sns-exec-/);
  await kubectl.succeed('wait', '--for=delete', `configmap/${own}`, TIMEOUT);
});

test.each([
  ['a command', LISTING, []],
  [
    'a rehearsal',
    REHEARSAL,
    [{ apiGroups: [''], resources: ['configmaps'], verbs: ['create', 'patch', 'get', 'delete'] }],
  ],
])(
  'who has the rights that the page names for %s, and no others, can run it',
  async (_, command, more) => {
    const name = 'operator';
    const metadata = { name, namespace: NAMESPACE };
    const rules = [
      { apiGroups: ['apps'], resources: ['deployments'], verbs: ['list'] },
      { apiGroups: [''], resources: ['services', 'pods', 'events'], verbs: ['list'] },
      { apiGroups: ['policy'], resources: ['poddisruptionbudgets'], verbs: ['list'] },
      {
        ...{ apiGroups: ['networking.k8s.io'], resources: ['networkpolicies'] },
        verbs: ['list', 'create', 'patch'],
      },
      {
        ...{ apiGroups: ['batch'], resources: ['jobs'] },
        verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'],
      },
      ...more,
    ];
    const apiVersion = 'rbac.authorization.k8s.io/v1';
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name };
    const subjects = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name }];
    const role = { apiVersion, kind: 'Role', metadata, rules };
    const binding = { apiVersion, kind: 'RoleBinding', metadata, roleRef, subjects };
    expect(await kubectl.apply(role, binding)).toMatchObject({ exitCode: 0 });
    await kubectl.succeed('set', 'image', DEPLOYMENT, `*=${ALWAYS_FAILS}`);
    const { code, err, failed } = await exec({}, undefined, command, ['--as', name]);
    expect(err).toContain('The command ended with 1.');
    expect([failed, code]).toEqual([[], 1]);
  },
);

/** Sign-in and log are played: the control plane knows no IAM, and kwok runs no process that could write. */
async function exec(
  context: Partial<OperationContext> = {},
  onLog: () => unknown = () => undefined,
  command: readonly string[] = LISTING,
  identity: readonly string[] = [],
): Promise<
  ManageResult & { readonly applied: RunResult | undefined; readonly failed: readonly string[] }
> {
  const { kubeconfig } = inject('controlPlane');
  const nothing = { write: () => undefined };
  const programs = processRunner(operatorEnvironment(root), { stdout: nothing, stderr: nothing });
  let applied: RunResult | undefined;
  const failed: string[] = [];
  const run: Runner = async (program, given, runOptions) => {
    // What it says of the rule set is not the cluster's.
    if (program === process.execPath) return { code: 0, stdout: '', stderr: '' };
    if (program !== 'aws' && !given.includes('logs')) {
      const result = await programs(program, [...identity, ...given], runOptions);
      if (result.code !== 0) failed.push(`${given.join(' ')}: ${result.stderr}`);
      if (given.includes('apply')) applied = result;
      return result;
    }
    if (program === 'aws')
      await copyFile(kubeconfig, given[given.indexOf('--kubeconfig') + 1] ?? '');
    else await onLog();
    return { code: 0, stdout: '', stderr: '' };
  };
  const clock = { now: () => new Date(), sleep: (milliseconds: number) => sleep(milliseconds) };
  const result = await manage(command, {
    ...{ root, run, clock },
    ...context,
  });
  return { ...result, applied, failed };
}
