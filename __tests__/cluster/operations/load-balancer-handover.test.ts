import { copyFile, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { processRunner, type Runner } from '../../../src/operations/runner.ts';
import { handOverLoadBalancer } from '../../../src/operations/terraform/load-balancer-handover.ts';
import { eventually } from '../../support/eventually.ts';
import { operationContext } from '../../support/manage.ts';
import { CLASS, HANDOVER, stackWithService } from '../../support/played-handover.ts';
import { ROOT } from '../../support/run-main.ts';
import { withValues } from '../../terraform/support/tfvars.ts';
import {
  APPLY,
  type Kubectl,
  kubectlIn,
  operatorEnvironment,
  TIMEOUT,
} from '../support/kubectl.ts';
import { manifestsOf } from '../support/manifests.ts';

const NAMESPACE = 'operations-handover';

let kubectl: Kubectl;
/** A checkout whose environment has the tests' namespace. */
let root: string;

beforeAll(async () => {
  kubectl = await kubectlIn(NAMESPACE);
  const manifests = await manifestsOf('etl-playground', NAMESPACE);
  root = await mkdtemp(join(tmpdir(), 'handover-'));
  await cp(join(ROOT, 'environments'), join(root, 'environments'), { recursive: true });
  const tfvars = join(root, 'environments/etl-playground/file_processing.tfvars');
  await writeFile(tfvars, withValues(await readFile(tfvars, 'utf8'), { namespace: NAMESPACE }));
  await kubectl.succeed(...APPLY, '--kustomize', manifests.folder);
  await kubectl.succeed(
    ...['wait', '--for=condition=Available', 'deployment/file-processing-sns', TIMEOUT],
  );
});

afterAll(async () => {
  await kubectl?.succeed('delete', 'namespace', NAMESPACE, '--wait=false');
  await kubectl?.close();
  if (root) await rm(root, { recursive: true });
});

test('the class of a Service that exists cannot be changed', async () => {
  const { exitCode, stderr } = await kubectl.attempt(
    ...['patch', 'service', 'sns-listener', '--type=merge'],
    `--patch={"spec":{"loadBalancerClass":"${CLASS}"}}`,
  );
  expect(exitCode).toBe(1);
  expect(stderr).toContain('spec.loadBalancerClass');
});

test('both Services lead to the same ready pods until the old one goes', async () => {
  const { stack, held } = stackWithService(
    { load_balancer_class: CLASS, namespace: NAMESPACE },
    { name: 'sns-listener' },
  );
  const finish = await handOverLoadBalancer({ ...contextOf(), root }, HANDOVER, stack);
  expect(held()).toBe('sns-listener-2');
  const made = JSON.parse(await kubectl.succeed('get', 'service', 'sns-listener-2', '-o', 'json'));
  expect(made.spec).toMatchObject({ type: 'LoadBalancer', loadBalancerClass: CLASS });
  await eventually(async () => {
    expect(await podsBehind('sns-listener-2')).toHaveLength(2);
  });
  expect(await podsBehind('sns-listener')).toEqual(await podsBehind('sns-listener-2'));
  await finish?.();
  expect(await kubectl.succeed('get', 'services', '-o', 'name')).toBe('service/sns-listener-2\n');
});

/** The control plane has no controller of that class: whoever waits for it plays it. */
function contextOf() {
  const { kubeconfig } = inject('controlPlane');
  const nothing = { write: () => undefined };
  const programs = processRunner(operatorEnvironment(root), { stdout: nothing, stderr: nothing });
  const run: Runner = async (program, given, options) => {
    if (program !== 'aws') return programs(program, given, options);
    await copyFile(kubeconfig, given[given.indexOf('--kubeconfig') + 1] ?? '');
    return { code: 0, stdout: '', stderr: '' };
  };
  const sleep = async () => {
    await kubectl.succeed(
      ...['patch', 'service', 'sns-listener-2', '--subresource=status', '--type=merge'],
      '--patch={"status":{"loadBalancer":{"ingress":[{"hostname":"new.elb.test.invalid"}]}}}',
    );
  };
  return operationContext({ run, clock: { now: () => new Date(0), sleep } });
}

async function podsBehind(service: string): Promise<string[]> {
  const listed = await kubectl.succeed(
    ...['get', 'endpointslices', '-o', 'json', '-l', `kubernetes.io/service-name=${service}`],
  );
  const { items } = JSON.parse(listed) as {
    items: { endpoints?: { conditions: { ready?: boolean }; targetRef: { name: string } }[] }[];
  };
  return items
    .flatMap(({ endpoints = [] }) => endpoints)
    .filter(({ conditions }) => conditions.ready)
    .map(({ targetRef }) => targetRef.name)
    .toSorted();
}
