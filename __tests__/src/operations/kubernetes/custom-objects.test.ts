import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import type { CustomObject } from '../../../../src/stack/addressed-stack.ts';
import { manage, temporaryRoot } from '../../../support/manage.ts';
import { type PlayedTerraformProps, playedTerraform } from '../../../support/played-terraform.ts';

const FIRST: CustomObject = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingAdmissionPolicy',
  metadata: { name: 'limits' },
  spec: { failurePolicy: 'Fail' },
};
const SECOND: CustomObject = {
  apiVersion: 'keda.sh/v1alpha1',
  kind: 'ScaledObject',
  metadata: { name: 'listener', namespace: 'etl' },
  spec: { maxReplicaCount: 3 },
};
const KEY_OF = ({ kind, metadata }: CustomObject) => `${kind} ${metadata.name}`;

/** A cluster as kubectl shows it: what it holds, by kind and name, and kinds that it knows. */
interface PlayedCluster {
  readonly holds: Map<string, string>;
  readonly lacksKind?: string;
}

let clusterUrl = '';
beforeEach(async () => {
  const server = createServer((_, response) => void response.writeHead(401).end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  clusterUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});

/** Runs `manage` over a played Terraform and a played kubectl. */
async function run(
  parameters: readonly string[],
  { lacksKind, holds }: PlayedCluster,
  props: Pick<PlayedTerraformProps, 'custom' | 'heldCustom'> & { readonly isNew?: boolean },
) {
  const resources = {
    'aws_eks_cluster.this': { name: 'etl', endpoint: clusterUrl },
    'kubernetes_namespace_v1.ns': {},
  };
  const held = props.isNew ? [] : Object.keys(resources);
  const terraform = playedTerraform({ resources, held, ...props });
  const steps: string[] = [];
  const root = temporaryRoot();
  const result = await manage([...parameters, '--profile', ''], {
    root,
    env: { CDKTF_OUTPUT: join(root, 'cdktf.out') },
    run: async (program, given, options = {}) => {
      if (program === 'aws') return { code: 0, stdout: '', stderr: '' };
      if (program !== 'kubectl') {
        if (given[1] === 'apply') steps.push('terraform apply');
        return terraform.run(program, given, options);
      }
      const object = JSON.parse(options.input ?? '') as CustomObject;
      const key = KEY_OF(object);
      if (object.kind === lacksKind) {
        const stderr = `error: no matches for kind "${object.kind}" in version "${object.apiVersion}"`;
        return { code: 1, stdout: '', stderr };
      }
      const spec = JSON.stringify(object.spec);
      if (given[0] === 'get')
        return { code: 0, stdout: holds.has(key) ? `${key}\n` : '', stderr: '' };
      if (given[0] === 'diff') {
        const differs = holds.get(key) !== spec;
        return { code: differs ? 1 : 0, stdout: differs ? '-old\n+new\n' : '', stderr: '' };
      }
      steps.push(`${given[0]} ${key}`);
      if (given[0] === 'apply') holds.set(key, spec);
      if (given[0] === 'delete') holds.delete(key);
      return { code: 0, stdout: '', stderr: '' };
    },
  });
  return { ...result, steps };
}

const clusterWith = (...objects: readonly CustomObject[]): PlayedCluster => ({
  holds: new Map(objects.map((object) => [KEY_OF(object), JSON.stringify(object.spec)])),
});
const APPLY = ['apply', '--auto-approve'];

test('a first apply puts them in place after all that Terraform makes, in their order', async () => {
  const cluster = clusterWith();
  const { steps, code, err } = await run(APPLY, cluster, { custom: [FIRST, SECOND], isNew: true });
  expect(steps).toEqual([
    'terraform apply',
    'terraform apply',
    'apply ValidatingAdmissionPolicy limits',
    'apply ScaledObject listener',
  ]);
  expect(err).toContain('3. Kubernetes objects that Terraform does not make');
  expect(code).toBe(0);
});

test('a second apply changes nothing', async () => {
  const props = { custom: [FIRST, SECOND], heldCustom: [FIRST, SECOND] };
  const { steps, err } = await run(APPLY, clusterWith(FIRST, SECOND), props);
  expect(steps).toEqual([]);
  expect(err).toContain('Nothing to do');
});

test('one that was changed by hand is drift: plan shows it and ends with 2, and an apply takes it back', async () => {
  const props = { custom: [FIRST], heldCustom: [FIRST] };
  const cluster = clusterWith({ ...FIRST, spec: { failurePolicy: 'Ignore' } });
  const { code, out } = await run(['plan'], cluster, props);
  expect(out).toContain('ValidatingAdmissionPolicy limits will be changed\n-old\n+new');
  expect(code).toBe(2);
  expect((await run(APPLY, cluster, props)).steps).toEqual([
    'apply ValidatingAdmissionPolicy limits',
  ]);
  expect((await run(['plan'], cluster, props)).code).toBe(0);
});

test('plan tells in JSON what is missing', async () => {
  const props = { custom: [SECOND], heldCustom: [SECOND] };
  const { out } = await run(['plan', '--json'], clusterWith(), props);
  expect(JSON.parse(out)).toStrictEqual({
    stack: 'file-processing',
    empty: false,
    changes: [{ address: 'ScaledObject etl/listener', actions: ['create'] }],
  });
});

test('one that is listed no more is deleted, and what others made is left alone', async () => {
  const foreign = { ...SECOND, metadata: { ...SECOND.metadata, name: 'foreign' } };
  const cluster = clusterWith(FIRST, SECOND, foreign);
  const { steps } = await run(APPLY, cluster, { custom: [FIRST], heldCustom: [FIRST, SECOND] });
  expect(steps).toEqual(['delete ScaledObject listener']);
  expect([...cluster.holds.keys()]).toContain('ScaledObject foreign');
});

test('a kind that the cluster does not know is one line that names its chart', async () => {
  const cluster = { ...clusterWith(), lacksKind: 'ScaledObject' };
  const props = { custom: [FIRST, SECOND], heldCustom: [FIRST, SECOND] };
  const { code, err } = await run(APPLY, cluster, props);
  expect(err).toContain(
    'the cluster knows no ScaledObject of keda.sh/v1alpha1, which the Helm chart kedacore/keda brings',
  );
  expect(code).toBe(77);
});

test('one whose kind went before it is gone as well', async () => {
  const cluster = { ...clusterWith(FIRST), lacksKind: 'ScaledObject' };
  const { code } = await run(APPLY, cluster, { custom: [FIRST], heldCustom: [FIRST, SECOND] });
  expect(code).toBe(0);
});

test('destroy deletes them first, the last one first', async () => {
  const cluster = clusterWith(FIRST, SECOND);
  const props = { custom: [FIRST, SECOND], heldCustom: [FIRST, SECOND] };
  const { steps, code } = await run(['destroy', '--auto-approve'], cluster, props);
  expect(steps).toEqual([
    'delete ScaledObject listener',
    'delete ValidatingAdmissionPolicy limits',
    'terraform apply',
  ]);
  expect(code).toBe(0);
});

test('without a yes nothing of them is changed', async () => {
  const props = { custom: [FIRST], heldCustom: [FIRST] };
  const { steps, code, err } = await run(['apply'], clusterWith(), props);
  expect(steps).toEqual([]);
  expect(err).toContain('these objects were not changed');
  expect(code).toBe(77);
});

test('a dry run tells what would change, and changes nothing', async () => {
  const props = { custom: [FIRST], heldCustom: [FIRST] };
  const { steps, out } = await run(['apply', '--dry-run', '--json'], clusterWith(), props);
  expect(JSON.parse(out).changes).toContainEqual({
    address: 'ValidatingAdmissionPolicy limits',
    actions: ['create'],
  });
  expect(steps).toEqual([]);
});

test('a stack without any asks no cluster', async () => {
  const { steps, code } = await run(APPLY, { ...clusterWith(), lacksKind: 'ScaledObject' }, {});
  expect(steps).toEqual([]);
  expect(code).toBe(0);
});
