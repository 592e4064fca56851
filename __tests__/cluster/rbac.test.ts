import { afterAll, beforeAll, expect, test } from 'vitest';
import { APPLY, type Kubectl, kubectlIn, TIMEOUT } from './support/kubectl.ts';
import type { Pod } from './support/kubernetes-resource.ts';
import { type Manifests, manifestsOf } from './support/manifests.ts';

const NAMESPACE = 'rbac';

let kubectl: Kubectl;
let manifests: Manifests;

beforeAll(async () => {
  kubectl = await kubectlIn(NAMESPACE);
  manifests = await manifestsOf('complete', NAMESPACE);
  await kubectl.succeed(...APPLY, '--kustomize', manifests.folder);
  await kubectl.succeed('create', 'serviceaccount', 'nobody');
});

afterAll(async () => {
  await kubectl?.succeed('delete', 'namespace', NAMESPACE, '--wait=false');
  await kubectl?.close();
});

test('the listener may do what every account may, and make and look at Jobs, and nothing else', async () => {
  const rights = await rightsOf('file-processing-sa');
  const own = rights.filter((right) =>
    /^jobs\.batch +\[\] +\[\] +\[create get list watch delete\]$/.test(right),
  );
  expect(own).toHaveLength(1);
  expect(rights.filter((right) => !own.includes(right))).toEqual(await rightsOf('nobody'));
});

test('what every account may is to ask about itself and what the API has', async () => {
  const rights = await rightsOf('nobody');
  for (const right of rights) {
    expect(right).toMatch(
      /^(self\w+reviews\.auth\S+ +\[\] +\[\] +\[create\]| +\[\/\S*\] +\[\] +\[get\])$/,
    );
  }
});

test.each([
  ['get', 'secrets'],
  ['list', 'configmaps'],
  ['create', 'pods'],
  ['patch', 'deployments.apps'],
  ['impersonate', 'serviceaccounts'],
])('the listener may not %s %s', async (verb, resource) => {
  const { stdout } = await kubectl.attempt(
    'auth',
    'can-i',
    verb,
    resource,
    as('file-processing-sa'),
  );
  expect(stdout.trim()).toBe('no');
});

test('a right that somebody gives to the listener is noticed', async () => {
  await kubectl.succeed(
    ...['create', 'rolebinding', 'planted', '--clusterrole=view'],
    `--serviceaccount=${NAMESPACE}:file-processing-sa`,
  );
  expect((await rightsOf('file-processing-sa')).join()).toMatch(/secrets|configmaps/);
  await kubectl.succeed('delete', 'rolebinding', 'planted');
});

test("a listener that makes Jobs has a token for the Kubernetes API, the console's pods have none", async () => {
  for (const [app, volumes] of [
    ['file-processing-sns', ['tmp', 'secrets', 'notices', 'rules', 'jobs', 'token']],
    ['file-processing-console', ['tmp', 'secrets', 'notices', 'console']],
  ] as const) {
    await kubectl.succeed('rollout', 'status', `deployment/${app}`, TIMEOUT);
    const [pod] = await kubectl.list<Pod>('pods', `app=${app}`);
    const names = pod?.spec.volumes?.map(({ name }) =>
      name.replace(/^kube-api-access-.*/, 'token'),
    );
    expect(names, app).toEqual(volumes);
  }
});

/** Lines of `kubectl auth can-i --list` without its heading, sorted. */
async function rightsOf(account: string): Promise<string[]> {
  const list = await kubectl.succeed('auth', 'can-i', '--list', '--no-headers', as(account));
  return list.trimEnd().split('\n').toSorted();
}

function as(account: string): string {
  return `--as=system:serviceaccount:${NAMESPACE}:${account}`;
}
