import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from '../support/run-program.ts';
import { DATABASE, synthesizeWorkload } from '../support/synthesized-workload.ts';
import { APPLY, type Kubectl, kubectlIn, TIMEOUT } from './support/kubectl.ts';
import type { KubernetesResource } from './support/kubernetes-resource.ts';

const NAMESPACE = 'scaled';
const MODULE = 'github.com/kedacore/keda/v2';
const KINDS = ['scaledobjects.keda.sh', 'triggerauthentications.keda.sh'];

const objects = (synthesizeWorkload({
  ...{ ...DATABASE, namespace: NAMESPACE, autoscaling: 'backlog' },
}).customObjects ?? []) as unknown as readonly KubernetesResource[];

let kubectl: Kubectl;

/** The definitions of the kinds, as KEDA's own module has them. */
async function definitions(): Promise<readonly string[]> {
  const directory = join(import.meta.dirname, '../../test-support/keda');
  const { stdout } = await run('go', ['mod', 'download', '-json', MODULE], {
    directory,
    environment: { ...process.env, GOFLAGS: '-mod=readonly', GOTOOLCHAIN: 'local', GOWORK: 'off' },
  });
  const { Dir } = JSON.parse(stdout) as { Dir: string };
  return KINDS.map((kind) => join(Dir, `config/crd/bases/keda.sh_${kind.split('.')[0]}.yaml`));
}

beforeAll(async () => {
  kubectl = await kubectlIn(NAMESPACE);
  await kubectl.succeed('create', 'namespace', NAMESPACE);
  for (const file of await definitions()) {
    await kubectl.succeed('apply', '--server-side', '--filename', file);
  }
  for (const kind of KINDS) {
    await kubectl.succeed('wait', '--for=condition=Established', `crd/${kind}`, TIMEOUT);
  }
});
afterAll(async () => {
  await kubectl?.succeed('delete', 'crd', ...KINDS, '--wait=false', '--ignore-not-found');
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
