import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { APPLY, type Kubectl, kubectlIn, TIMEOUT } from './support/kubectl.ts';
import {
  type Condition,
  conditionOf,
  type KubernetesResource,
  ofKind,
  type Pod,
  withValue,
} from './support/kubernetes-resource.ts';
import { type Manifests, manage, manifestsOf } from './support/manifests.ts';
import { admits, type Connection, type NetworkPolicy } from './support/network-reachability.ts';

interface Job extends KubernetesResource {
  readonly status: { readonly conditions?: readonly Condition[]; readonly failed?: number };
}

const NAMESPACE = 'job';
const RECONCILIATION = 'file-processing-reconciliation';
const INTERNET = { address: '198.51.100.7' };
/** test-support/control-plane/stages.yaml knows it. */
const ALWAYS_FAILS = 'test.invalid/listener:always-fails';

let kubectl: Kubectl;
let manifests: Manifests;
let objects: KubernetesResource[];
let name: string;

beforeAll(async () => {
  kubectl = await kubectlIn(NAMESPACE);
  manifests = await manifestsOf('etl-playground', NAMESPACE);
  await kubectl.succeed(...APPLY, '--kustomize', manifests.folder);
  await kubectl.succeed(
    'wait',
    '--for=jsonpath={.spec.replicas}=2',
    'deployment/file-processing-sns',
    TIMEOUT,
  );
  await kubectl.succeed('rollout', 'status', 'deployment/file-processing-sns', TIMEOUT);
  objects = await jobManifest('--key', 'from_client/nm_albuquerque/Officer Detail.csv');
  name = ofKind(objects, 'Job').metadata.name;
});

afterAll(async () => {
  await kubectl?.succeed('delete', 'namespace', NAMESPACE, '--wait=false');
  await kubectl?.close();
});

test('the Job is accepted in the restricted namespace without a warning, and completes', async () => {
  expect(await kubectl.apply(...objects)).toMatchObject({ exitCode: 0, stderr: '' });
  await kubectl.succeed('wait', '--for=condition=Complete', `job/${name}`, TIMEOUT);
});

test('the same Job again changes nothing', async () => {
  const before = await kubectl.get<Job>('jobs', name);
  expect(await kubectl.apply(...objects)).toMatchObject({ exitCode: 0, stderr: '' });
  expect(await kubectl.get<Job>('jobs', name)).toEqual(before);
});

test.each([
  ['service/sns-listener', '{.spec.selector.app}'],
  ['poddisruptionbudget/file-processing-sns', '{.spec.selector.matchLabels.app}'],
  ['deployment/file-processing-sns', '{.spec.selector.matchLabels.app}'],
])('its pod is none that %s selects', async (object, app) => {
  const selected = await selectedBy(object, app);
  expect(selected).toHaveLength(2);
  expect(selected).not.toContain((await podsOf(name))[0]?.metadata.name);
});

test('a Job whose pods have the label of the listener is noticed', async () => {
  const planted = withValue(
    withValue(ofKind(objects, 'Job'), 'metadata.name', 'planted'),
    'spec.template.metadata.labels.app',
    'file-processing-sns',
  );
  await kubectl.apply(planted);
  await kubectl.succeed('wait', '--for=condition=Complete', 'job/planted', TIMEOUT);
  const [pod] = await podsOf('planted');
  expect(await selectedBy('service/sns-listener', '{.spec.selector.app}')).toContain(
    pod?.metadata.name,
  );
  await kubectl.succeed('delete', 'job', 'planted', '--cascade=foreground', TIMEOUT);
});

test('its pod reaches what the listener reaches, and nobody reaches it', async () => {
  expect(await admittedTo(name)).toEqual(ONLY_WHAT_THE_LISTENER_REACHES);
});

/** AWS and the database; no mail, and no messages. */
const ONLY_WHAT_THE_LISTENER_REACHES = [true, true, false, false];

async function admittedTo(job: string): Promise<boolean[]> {
  const [pod] = await podsOf(job);
  const own = { namespace: NAMESPACE, labels: pod?.metadata.labels ?? {}, ports: [] };
  const policies = await kubectl.list<NetworkPolicy>('networkpolicies');
  const tcp = (direction: Connection['direction'], port: number): Connection => ({
    ...{ direction, port, peer: INTERNET, protocol: 'TCP' },
  });
  const tried = [tcp('Egress', 443), tcp('Egress', 5432), tcp('Egress', 25), tcp('Ingress', 8080)];
  return tried.map((connection) => admits(policies, own, connection));
}

describe('the reconciliation', () => {
  beforeAll(async () => {
    await kubectl.succeed('create', 'job', 'by-hand', `--from=cronjob/${RECONCILIATION}`);
  });

  test('is accepted as a Job in the restricted namespace, and completes', async () => {
    await kubectl.succeed('wait', '--for=condition=Complete', 'job/by-hand', TIMEOUT);
  });

  test('has a pod that neither the Service nor the disruption budget selects', async () => {
    const [pod] = await podsOf('by-hand');
    expect(pod?.metadata.labels?.app).toBe(RECONCILIATION);
    for (const object of ['service/sns-listener', 'poddisruptionbudget/file-processing-sns']) {
      const app = object.startsWith('service')
        ? '{.spec.selector.app}'
        : '{.spec.selector.matchLabels.app}';
      expect(await selectedBy(object, app)).not.toContain(pod?.metadata.name);
    }
  });

  test('reaches AWS and the database, and nobody reaches it', async () => {
    expect(await admittedTo('by-hand')).toEqual(ONLY_WHAT_THE_LISTENER_REACHES);
  });
});

test('it is removed when its time is over, and its pod with it', async () => {
  // A day otherwise.
  await kubectl.succeed('patch', 'job', name, '--patch={"spec":{"ttlSecondsAfterFinished":1}}');
  await kubectl.succeed('wait', '--for=delete', `job/${name}`, TIMEOUT);
  await kubectl.succeed('wait', '--for=delete', 'pod', `--selector=job-name=${name}`, TIMEOUT);
  expect(await podsOf(name)).toEqual([]);
});

test('a Job whose events are a mounted file completes too', async () => {
  const file = join(manifests.folder, 'events.json');
  const record = {
    s3: { bucket: { name: 'etl-ba-research-client-etl' }, object: { key: 'from_client/a.csv' } },
  };
  await writeFile(file, JSON.stringify({ Records: [record] }));
  const mounted = await jobManifest('--events-file', file);
  expect(await kubectl.apply(...mounted)).toMatchObject({ exitCode: 0, stderr: '' });
  const job = ofKind(mounted, 'Job').metadata.name;
  await kubectl.succeed('wait', '--for=condition=Complete', `job/${job}`, TIMEOUT);
});

test('a Job that says the file is bad fails at once, without another try', async () => {
  const job = withValue(
    withValue(ofKind(objects, 'Job'), 'spec.template.spec.containers.0.image', ALWAYS_FAILS),
    'metadata.name',
    'bad-file',
  );
  expect(await kubectl.apply(job)).toMatchObject({ exitCode: 0, stderr: '' });
  await kubectl.succeed('wait', '--for=condition=Failed', 'job/bad-file', TIMEOUT);
  const failed = await kubectl.get<Job>('jobs', 'bad-file');
  expect(conditionOf(failed, 'Failed').reason).toBe('PodFailurePolicy');
  expect(failed.status.failed).toBe(1);
});

/** What `manage job-manifest` writes, moved to the tests' namespace. */
async function jobManifest(...parameters: string[]): Promise<KubernetesResource[]> {
  const list = await manage('job-manifest', [
    ...['--environment', 'etl-playground', '--from', manifests.synthesized, '--json'],
    ...parameters,
  ]);
  const { items } = JSON.parse(list) as { items: KubernetesResource[] };
  return items.map((object) => withValue(object, 'metadata.namespace', NAMESPACE));
}

/** Names of the pods that another object selects by their label `app`. */
async function selectedBy(object: string, app: string): Promise<string[]> {
  const value = await kubectl.succeed('get', object, `--output=jsonpath=${app}`);
  const pods = await kubectl.list<Pod>('pods', `app=${value}`);
  return pods.map(({ metadata }) => metadata.name);
}

function podsOf(job: string): Promise<Pod[]> {
  return kubectl.list<Pod>('pods', `job-name=${job}`);
}
