import { join } from 'node:path';
import { configMapKey, MAX_CONFIG_MAP_BYTES } from '@file-processing/contract/rule-set.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ruleFilesIn } from '../../listener/src/rules/rule-set.ts';
import { mountedFolder } from '../listener/support/rule-sets.ts';
import { ROOT } from '../support/run-main.ts';
import { APPLY, type Kubectl, kubectlIn } from './support/kubectl.ts';
import type { KubernetesResource } from './support/kubernetes-resource.ts';
import { type Manifests, manifestsOf } from './support/manifests.ts';

interface ConfigMap extends KubernetesResource {
  readonly data: Readonly<Record<string, string>>;
}

interface Deployment extends KubernetesResource {
  readonly spec: { readonly template: object };
}

const NAMESPACE = 'rules';
const RULES = 'file-processing-rules';

let kubectl: Kubectl;
let manifests: Manifests;

beforeAll(async () => {
  kubectl = await kubectlIn(NAMESPACE);
  manifests = await manifestsOf('complete', NAMESPACE);
  await kubectl.succeed(...APPLY, '--kustomize', manifests.folder);
});

afterAll(async () => {
  await kubectl?.succeed('delete', 'namespace', NAMESPACE, '--wait=false');
  await kubectl?.close();
});

const configMap = (name: string, data: ConfigMap['data']): ConfigMap => ({
  ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: NAMESPACE }, data },
});

test('the rule set of an environment arrives in a pod as the files that it was', async () => {
  const { data } = await kubectl.get<ConfigMap>('configmaps', RULES);
  expect(await ruleFilesIn(await mountedFolder(data))).toEqual(
    await ruleFilesIn(join(ROOT, 'environments/complete/rules')),
  );
});

test('another rule, and another file, start no pod anew', async () => {
  // The template decides whether pods are replaced; the generation also counts the autoscaler's
  // changes of the replicas.
  const podTemplate = async () =>
    (await kubectl.get<Deployment>('deployments', 'file-processing-sns')).spec.template;
  const before = await podTemplate();
  const { data } = await kubectl.get<ConfigMap>('configmaps', RULES);
  const changed = { ...data, 'mappings..other.yaml': 'name: other\ntableSchema: {}\n' };
  const objects = manifests.objects.map((object) =>
    object.metadata.name === RULES ? { ...object, data: changed } : object,
  );
  expect(await kubectl.apply(...objects)).toMatchObject({ exitCode: 0 });
  expect((await kubectl.get<ConfigMap>('configmaps', RULES)).data).toEqual(changed);
  expect(await podTemplate()).toEqual(before);
});

test('as much as a synthesis lets through is taken by the API, under the longest key, and a mebibyte is not', async () => {
  const key = configMapKey(`mappings/${'a'.repeat(238)}.yaml`) ?? '';
  expect(key).toHaveLength(253);
  const applied = (bytes: number) =>
    kubectl.apply(configMap('longest', { [key]: 'x'.repeat(bytes) }));
  expect(await applied(MAX_CONFIG_MAP_BYTES)).toMatchObject({ exitCode: 0 });
  expect(await applied(1024 * 1024 + 1)).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('1048576'),
  });
});
