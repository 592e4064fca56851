import { copyFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import { processRunner, type Runner } from '../../src/operations/runner.ts';
import type { CustomObject } from '../../src/stack/addressed-stack.ts';
import { type ManageResult, manage, temporaryRoot } from '../support/manage.ts';
import { playedTerraform } from '../support/played-terraform.ts';
import { DATABASE, synthesizeWorkload } from '../support/synthesized-workload.ts';
import { APPLY, type Kubectl, kubectlIn } from './support/kubectl.ts';
import type { KubernetesResource } from './support/kubernetes-resource.ts';

const NAMESPACE = 'scaled';
const KINDS = ['scaledobjects.keda.sh', 'triggerauthentications.keda.sh'];

const listed = (max_replicas: number): readonly CustomObject[] =>
  synthesizeWorkload({
    ...{ ...DATABASE, namespace: NAMESPACE, autoscaling: 'backlog', max_replicas },
  }).customObjects ?? [];
const objects = listed(10) as unknown as readonly KubernetesResource[];

let kubectl: Kubectl;

beforeAll(async () => {
  kubectl = await kubectlIn(NAMESPACE);
  await kubectl.succeed('create', 'namespace', NAMESPACE);
});
afterAll(async () => {
  await kubectl?.succeed('delete', 'namespace', NAMESPACE, '--wait=false');
  await kubectl?.close();
});

test('the API takes both objects with the definitions of KEDA, every field of them', async () => {
  expect(objects.map(({ kind }) => kind)).toEqual(['TriggerAuthentication', 'ScaledObject']);
  for (const object of objects) {
    const applied = await kubectl.apply(object);
    expect(applied, applied.stderr).toMatchObject({ exitCode: 0 });
    const { kind, metadata } = object;
    const text = await kubectl.succeed('get', `${kind}.keda.sh`, metadata.name, '--output=json');
    expect(JSON.parse(text)).toMatchObject(object);
  }
});

test('the same once more changes nothing', async () => {
  const versions = () =>
    kubectl.succeed(
      'get',
      KINDS.join(','),
      '--output=jsonpath={.items[*].metadata.resourceVersion}',
    );
  await kubectl.apply(...objects);
  const before = await versions();
  await kubectl.apply(...objects);
  expect(await versions()).toBe(before);
});

test('a field that KEDA does not know is refused', async () => {
  const [, scaledObject] = objects;
  const strange = {
    ...scaledObject,
    spec: { ...(scaledObject as never as { spec: object }).spec, minReplicas: 1 },
  };
  const refused = await kubectl.apply(strange as never);
  expect(refused.exitCode).not.toBe(0);
  expect(refused.stderr).toContain('minReplicas');
  expect(APPLY).toContain('--validate=strict');
});

test('manage apply puts them in place, plans nothing more, changes them with the settings and takes back what others did; destroy deletes them', async () => {
  await kubectl.attempt('delete', KINDS.join(','), '--all');
  const held = async () =>
    (await kubectl.succeed('get', KINDS.join(','), '--output=name')).split('\n').filter(Boolean);
  const most = () =>
    kubectl.succeed(
      ...['get', 'scaledobjects.keda.sh', '--output=jsonpath={.items[*].spec.maxReplicaCount}'],
    );
  const [three, four] = [listed(3), listed(4)];

  expect(await manageOn(['plan'], { custom: three, heldCustom: [] })).toMatchObject({ code: 2 });
  await manageOn(['apply', '--auto-approve'], { custom: three, heldCustom: [] });
  expect(await held()).toHaveLength(2);
  expect(await manageOn(['plan'], { custom: three, heldCustom: three })).toMatchObject({ code: 0 });

  const changed = await manageOn(['plan'], { custom: four, heldCustom: three });
  expect(changed).toMatchObject({ code: 2 });
  expect(changed.out).toMatch(/-\s+maxReplicaCount: 3\n\+\s+maxReplicaCount: 4/);
  await manageOn(['apply', '--auto-approve'], { custom: four, heldCustom: three });
  expect(await most()).toBe('4');

  const patch = '{"spec":{"maxReplicaCount":99}}';
  await kubectl.succeed(
    ...['patch', 'scaledobjects.keda.sh', 'file-processing-sns', '--type=merge', '--patch', patch],
  );
  expect(await manageOn(['plan'], { custom: four, heldCustom: four })).toMatchObject({ code: 2 });
  await manageOn(['apply', '--auto-approve'], { custom: four, heldCustom: four });
  expect(await most()).toBe('4');

  await manageOn(['destroy', '--auto-approve'], { custom: four, heldCustom: four });
  expect(await held()).toEqual([]);
});

/** Runs `manage` with a real kubectl; Terraform, and the sign-in at AWS, are played. */
async function manageOn(
  parameters: readonly string[],
  custom: {
    readonly custom: readonly CustomObject[];
    readonly heldCustom: readonly CustomObject[];
  },
): Promise<ManageResult> {
  // Whoever looks whether the API answers at all.
  const server = createServer((_, response) => void response.writeHead(401).end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const resources = {
    'aws_eks_cluster.this': { name: 'etl', endpoint },
    'kubernetes_namespace_v1.ns': {},
  };
  const terraform = playedTerraform({ resources, held: Object.keys(resources), ...custom });
  const root = temporaryRoot();
  const environment = { PATH: process.env.PATH, HOME: root };
  const nothing = { write: () => undefined };
  const programs = processRunner(environment, { stdout: nothing, stderr: nothing });
  const run: Runner = async (program, given, options) => {
    if (program === 'kubectl') return programs(program, given, options);
    if (program !== 'aws') return terraform.run(program, given, options);
    const { kubeconfig } = inject('controlPlane');
    await copyFile(kubeconfig, given[given.indexOf('--kubeconfig') + 1] ?? '');
    return { code: 0, stdout: '', stderr: '' };
  };
  const env = { CDKTF_OUTPUT: join(root, 'cdktf.out') };
  return await manage([...parameters, '--profile', ''], { root, env, run });
}
