import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { callApi } from './support/api-client.ts';
import { evict } from './support/evict.ts';
import { APPLY, DEADLINE, type Kubectl, kubectlIn, TIMEOUT } from './support/kubectl.ts';
import {
  conditionOf,
  type Deployment,
  type EndpointSlice,
  type HorizontalPodAutoscaler,
  isReady,
  type KubernetesResource,
  type ObjectMeta,
  type Pod,
  type PodDisruptionBudget,
} from './support/kubernetes-resource.ts';
import { type Manifests, manifestsOf } from './support/manifests.ts';

interface ManagedResource extends KubernetesResource {
  readonly metadata: ObjectMeta & {
    readonly managedFields: readonly { readonly subresource?: string; readonly time?: string }[];
  };
  readonly status?: object;
}

const NAMESPACE = 'file-processing';
const DEPLOYMENT = 'deployment/file-processing-sns';
const HPA = 'horizontalpodautoscaler/file-processing-sns';
const OF_SERVICE = 'kubernetes.io/service-name=sns-listener';
const PODS = ['pods', 'app=file-processing-sns'] as const;

/** From the first apply to the deletion, with the manifests as they are written: in this order. */
describe.each([
  { environment: 'etl-playground', replicas: 2, port: 'http' },
  { environment: 'complete', replicas: 3, port: 'https' },
])('$environment', ({ environment, replicas, port }) => {
  let kubectl: Kubectl;
  let manifests: Manifests;
  let stdout: string;
  let stderr: string;

  beforeAll(async () => {
    kubectl = await kubectlIn(NAMESPACE);
    manifests = await manifestsOf(environment);
    ({ stdout, stderr } = await kubectl.attempt(...APPLY, '--kustomize', manifests.folder));
  });

  afterAll(async () => {
    await kubectl?.close();
  });

  test('the API server accepts every object, and warns of none', () => {
    const accepted = stdout.split('\n').filter((line) => line.endsWith(' serverside-applied'));
    expect(accepted).toHaveLength(manifests.objects.length);
    expect(stderr).toBe('');
  });

  test('the synthesized folder has the same objects, with placeholders', async () => {
    const folder = join(manifests.synthesized, 'manifests/file-processing');
    const built = await kubectl.succeed(
      'apply',
      '--dry-run=client',
      '--kustomize',
      folder,
      '--output=name',
    );
    const names = manifests.objects.map(({ metadata }) => metadata.name);
    expect(
      built
        .trim()
        .split('\n')
        .map((line) => line.split('/')[1]),
    ).toEqual(names);
  });

  test('the namespace takes only pods of the restricted Pod Security Standard', async () => {
    const { body } = await callApi(inject('controlPlane'), `/api/v1/namespaces/${NAMESPACE}`);
    const namespace = JSON.parse(body) as KubernetesResource;
    const enforced = namespace.metadata.labels?.['pod-security.kubernetes.io/enforce'];
    expect(enforced).toBe('restricted');
  });

  test('the rollout completes, with as many pods as are asked for', async () => {
    await kubectl.succeed('rollout', 'status', DEPLOYMENT, TIMEOUT);
    await kubectl.succeed(
      'wait',
      `--for=jsonpath={.status.readyReplicas}=${replicas}`,
      DEPLOYMENT,
      TIMEOUT,
    );
    const pods = await kubectl.list<Pod>(...PODS);
    expect(pods.filter(isReady)).toHaveLength(replicas);
  });

  test('the pods are spread over the nodes', async () => {
    const pods = await kubectl.list<Pod>(...PODS);
    expect(new Set(pods.map(({ spec }) => spec.nodeName)).size).toBe(2);
  });

  test('the Service has every pod behind it, at the port that the listener listens on', async () => {
    const pods = await kubectl.list<Pod>(...PODS);
    await vi.waitFor(async () => {
      const [slice] = await kubectl.list<EndpointSlice>('endpointslices', OF_SERVICE);
      expect(slice?.ports).toMatchObject([{ name: port, port: 8080 }]);
      const addresses = slice?.endpoints.flatMap((endpoint) => endpoint.addresses);
      expect(addresses?.toSorted()).toEqual(pods.map(({ status }) => status.podIP).toSorted());
    }, DEADLINE);
  });

  test('the autoscaler finds what it scales, and misses nothing but a metrics server', async () => {
    await kubectl.succeed('wait', '--for=condition=AbleToScale', HPA, TIMEOUT);
    await kubectl.succeed('wait', '--for=condition=ScalingActive=False', HPA, TIMEOUT);
    const autoscaler = await getAutoscaler(kubectl);
    expect(conditionOf(autoscaler, 'AbleToScale').reason).toBe('SucceededGetScale');
    expect(conditionOf(autoscaler, 'ScalingActive').reason).toBe('FailedGetResourceMetric');
  });

  test('a second apply changes nothing', async () => {
    const before = await appliedState(kubectl, manifests);
    await kubectl.succeed(...APPLY, '--kustomize', manifests.folder);
    expect(await appliedState(kubectl, manifests)).toEqual(before);
  });

  test('there is no difference between the cluster and the manifests', async () => {
    const diff = await kubectl.attempt('diff', '--server-side', '--kustomize', manifests.folder);
    expect(diff).toEqual({ exitCode: 0, stdout: '', stderr: '' });
  });

  test('the budget lets one pod go, and a second one not until the first is replaced', async () => {
    const server = inject('controlPlane');
    await kubectl.succeed(
      ...['wait', '--for=jsonpath={.status.disruptionsAllowed}=1', TIMEOUT],
      'poddisruptionbudget/file-processing-sns',
    );
    const budget = await kubectl.get<PodDisruptionBudget>(
      'poddisruptionbudgets',
      'file-processing-sns',
    );
    expect(budget.status.expectedPods).toBe(replicas);
    // So that no replacement comes before the second eviction.
    await kubectl.succeed('create', 'quota', 'full', '--hard=pods=0');
    await kubectl.succeed('wait', '--for=jsonpath={.status.hard.pods}=0', 'quota/full', TIMEOUT);
    const [first, second] = await kubectl.list<Pod>(...PODS);
    expect(await evict(server, first)).toMatchObject({ status: 201 });
    expect(await evict(server, second)).toMatchObject({
      status: 429,
      body: expect.stringContaining("violate the pod's disruption budget"),
    });
    await kubectl.succeed('delete', 'quota', 'full');
  });

  test('the autoscaler scales, and the next apply neither conflicts nor scales back', async () => {
    const more = `{"spec":{"minReplicas":${replicas + 1}}}`;
    await kubectl.succeed('patch', HPA, '--type=merge', '--patch', more);
    const scaled = `--for=jsonpath={.spec.replicas}=${replicas + 1}`;
    await kubectl.succeed('wait', scaled, DEPLOYMENT, TIMEOUT);
    await kubectl.succeed('rollout', 'status', DEPLOYMENT, TIMEOUT);
    const less = `{"spec":{"minReplicas":${replicas}}}`;
    await kubectl.succeed('patch', HPA, '--type=merge', '--patch', less);

    await kubectl.succeed(...APPLY, '--kustomize', manifests.folder);
    const deployment = await kubectl.get<Deployment>('deployments', 'file-processing-sns');
    expect(deployment.spec.replicas).toBe(replicas + 1);
  });

  test('deletion leaves nothing', async () => {
    await kubectl.succeed(
      ...['delete', '--kustomize', manifests.folder, '--cascade=foreground', TIMEOUT],
    );
    const namespace = await kubectl.attempt('get', 'namespace', NAMESPACE);
    expect(namespace.stderr).toContain('NotFound');
    const types = await kubectl.succeed(
      ...['api-resources', '--namespaced=false', '--verbs=list', '--output=name'],
    );
    // Other tests have namespaces of their own.
    const others = types
      .trim()
      .split('\n')
      .filter((type) => type !== 'namespaces');
    const ours = '--selector=app.kubernetes.io/name=file-processing';
    const left = await kubectl.succeed('get', others.join(','), ours, '--output=name');
    expect(left).toBe('');
  });
});

function getAutoscaler(kubectl: Kubectl): Promise<HorizontalPodAutoscaler> {
  return kubectl.get('horizontalpodautoscalers', 'file-processing-sns');
}

/** Every object that is applied, without what controllers write by themselves. */
async function appliedState({ succeed }: Kubectl, { folder }: Manifests): Promise<unknown[]> {
  const list = await succeed(
    ...['get', '--kustomize', folder, '--show-managed-fields', '--output=json'],
  );
  const { items } = JSON.parse(list) as { items: ManagedResource[] };
  return items.map(({ metadata: { resourceVersion: _, ...metadata }, status: __, ...object }) => ({
    ...object,
    // Each has the time of its manager's last change.
    metadata: {
      ...metadata,
      managedFields: metadata.managedFields
        .filter(({ subresource }) => subresource !== 'status')
        // The second apply of a new admission policy has another time and nothing else: its generation stays.
        .map(({ time, ...fields }) => ({
          ...fields,
          ...(!object.kind.startsWith('ValidatingAdmissionPolicy') && { time }),
        })),
    },
  }));
}
