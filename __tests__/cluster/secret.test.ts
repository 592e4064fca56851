import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { APPLY, type Kubectl, kubectlIn } from './support/kubectl.ts';
import { type KubernetesResource, ofKind } from './support/kubernetes-resource.ts';
import { type Manifests, manifestsOf } from './support/manifests.ts';

interface Secret extends KubernetesResource {
  readonly data?: Readonly<Record<string, string>>;
}

const NAMESPACE = 'secrets';
const SECRET = 'file-processing-secrets';

let kubectl: Kubectl;
let manifests: Manifests;

beforeAll(async () => {
  kubectl = await kubectlIn(NAMESPACE);
  manifests = await manifestsOf('etl-playground', NAMESPACE);
  await kubectl.apply(ofKind(manifests.objects, 'Namespace'));
});

afterAll(async () => {
  await kubectl?.succeed('delete', 'namespace', NAMESPACE, '--wait=false');
  await kubectl?.close();
});

test('the manifests bring no data of a Secret', () => {
  const secrets = manifests.objects.filter(({ kind }) => kind === 'Secret');
  for (const secret of secrets) {
    expect(Object.keys(secret)).not.toContain('data');
    expect(Object.keys(secret)).not.toContain('stringData');
  }
});

// Each leaves other traces of who owns the data, by which the next apply decides what to remove.
const WAYS: Readonly<Record<string, (file: string) => readonly string[]>> = {
  'kubectl create': (file) => ['create', '--filename', file],
  'kubectl apply': (file) => ['apply', '--filename', file],
  'kubectl apply --server-side': (file) => [...APPLY, '--filename', file],
};

test.each(Object.keys(WAYS))(
  'a password put in by %s stays, however often the manifests are applied',
  async (way) => {
    await kubectl.succeed('delete', 'secret', SECRET, '--ignore-not-found');
    await kubectl.succeed(...(WAYS[way]?.(await secretFile('the first')) ?? []));
    await kubectl.succeed(...APPLY, '--kustomize', manifests.folder);
    await kubectl.succeed(...APPLY, '--kustomize', manifests.folder);
    expect(await password()).toBe('the first');
  },
);

test('a password that somebody changes afterwards stays too', async () => {
  await kubectl.succeed('patch', 'secret', SECRET, '--patch={"stringData":{"DB_PASSWORD":"next"}}');
  await kubectl.succeed(...APPLY, '--kustomize', manifests.folder);
  expect(await password()).toBe('next');
});

async function secretFile(value: string): Promise<string> {
  const file = join(manifests.folder, 'password.json');
  const metadata = { name: SECRET, namespace: NAMESPACE };
  const data = { DB_PASSWORD: Buffer.from(value).toString('base64') };
  await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata, data }));
  return file;
}

async function password(): Promise<string | undefined> {
  const { data } = await kubectl.get<Secret>('secrets', SECRET);
  return data?.DB_PASSWORD && Buffer.from(data.DB_PASSWORD, 'base64').toString('utf8');
}
