import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { DEADLINE, type Kubectl, kubectlIn, TIMEOUT } from './support/kubectl.ts';
import {
  type Deployment,
  type EndpointSlice,
  type KubernetesResource,
  ofKind,
  withValue,
} from './support/kubernetes-resource.ts';
import { type Manifests, manifestsOf } from './support/manifests.ts';

const NAMESPACE = 'console';
const NAME = 'file-processing-console';
const POD = 'spec.template.spec';
const KINDS = ['NetworkPolicy', 'PodDisruptionBudget', 'Service', 'Deployment'] as const;

let kubectl: Kubectl;
let manifests: Manifests;
const own = (kind: string): KubernetesResource => ofKind(manifests.objects, kind, NAME);

beforeAll(async () => {
  kubectl = await kubectlIn(NAMESPACE);
  manifests = await manifestsOf('complete', NAMESPACE);
  for (const kind of ['Namespace', 'ServiceAccount', 'ConfigMap']) {
    const objects = manifests.objects.filter((object) => object.kind === kind);
    const { exitCode, stderr } = await kubectl.apply(...objects);
    if (exitCode !== 0) throw new Error(stderr);
  }
});

afterAll(async () => {
  await kubectl?.succeed('delete', 'namespace', NAMESPACE, '--wait=false');
  await kubectl?.close();
});

test('the objects of the console are accepted, and a second time nothing changes', async () => {
  for (const kind of KINDS) {
    const { exitCode, stderr } = await kubectl.apply(own(kind));
    expect([kind, exitCode, stderr]).toEqual([kind, 0, '']);
  }
  const versions = async () =>
    Promise.all(
      KINDS.map(async (kind) => {
        const { metadata } = JSON.parse(await kubectl.succeed('get', kind, NAME, '--output=json'));
        return metadata.generation ?? metadata.resourceVersion;
      }),
    );
  const before = await versions();
  for (const kind of KINDS) await kubectl.apply(own(kind));
  expect(await versions()).toEqual(before);
});

test('its Service leads to its two pods, and to none of the listener', async () => {
  await kubectl.succeed('rollout', 'status', `deployment/${NAME}`, TIMEOUT);
  await vi.waitFor(async () => {
    const slices = JSON.parse(
      await kubectl.succeed(
        ...['get', 'endpointslices', '--output=json'],
        `--selector=kubernetes.io/service-name=${NAME}`,
      ),
    ).items as EndpointSlice[];
    const ready = slices.flatMap(({ endpoints }) => endpoints ?? []);
    expect(ready.map(({ conditions }) => conditions.ready)).toEqual([true, true]);
  }, DEADLINE);
});

test('its secret is one that somebody puts there, which no later apply takes away', async () => {
  await kubectl.succeed('create', 'secret', 'generic', NAME, '--from-literal=CONSOLE_TOKENS=[]');
  await kubectl.apply(...manifests.objects.filter(({ metadata }) => metadata.name === NAME));
  const { data } = JSON.parse(await kubectl.succeed('get', 'secret', NAME, '--output=json'));
  expect(Object.keys(data)).toEqual(['CONSOLE_TOKENS']);
  const { volumes } = (own('Deployment') as Deployment).spec.template.spec as {
    volumes?: readonly { readonly secret?: { readonly secretName: string } }[];
  };
  expect(volumes?.map(({ secret }) => secret?.secretName)).toContain(NAME);
});

test.each([
  ['Deployment', 'spec.selector.matchLabels.app', 'another', '`selector` does not match'],
  ['Deployment', `${POD}.containers.0.ports.0.name`, 'a-name-that-is-too-long', 'no more than 15'],
  ['Deployment', `${POD}.containers.0.readinessProbe.httpGet.port`, 0, 'between 1 and 65535'],
  ['Service', 'spec.ports.0.port', 0, 'between 1 and 65535'],
  ['NetworkPolicy', 'spec.ingress.0.ports.0.protocol', 'HTTP', 'Unsupported value: "HTTP"'],
])('%s with %s = %j is refused', async (kind, path, value, message) => {
  const { exitCode, stderr } = await kubectl.apply(withValue(own(kind), path, value));
  expect(exitCode).toBe(1);
  expect(stderr).toContain(message);
});
