import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type JobTemplate, jobOf } from '../../listener/src/queue/job-runner.ts';
import { type ControlPlane, startControlPlane } from '../cluster/support/control-plane.ts';
import { type Job, type JobsStage, jobsStage } from '../cluster/support/jobs-stage.ts';
import { type KubernetesResource, withValue } from '../cluster/support/kubernetes-resource.ts';
import { until } from '../cluster/support/until.ts';
import { startKueue } from './support/kueue.ts';

const NAMESPACE = 'jobs';
const QUEUE = 'large-files';
const FLAVOR = 'zone-a';
const POD = 'spec.template.spec';
const DEADLINE = 90_000;
const NODE_LABELS = { 'topology.kubernetes.io/zone': 'zone-a' };
const TOLERATION = { key: 'files', operator: 'Equal', value: 'large', effect: 'NoSchedule' };

let plane: ControlPlane;
let stage: JobsStage;
let stopKueue: () => Promise<void>;

beforeAll(async () => {
  plane = await startControlPlane();
  stopKueue = await startKueue(plane);
  stage = await jobsStage(plane, NAMESPACE);
  await stage.deploy({ job_queue_name: QUEUE });
  await apply(
    {
      kind: 'ResourceFlavor',
      name: FLAVOR,
      spec: { nodeLabels: NODE_LABELS, tolerations: [TOLERATION] },
    },
    { kind: 'LocalQueue', name: QUEUE, namespace: NAMESPACE, spec: { clusterQueue: QUEUE } },
    { kind: 'WorkloadPriorityClass', name: 'urgent', value: 1_000, description: '' },
  );
  await quota(1);
});
afterAll(async () => {
  await stopKueue?.();
  await plane?.stop();
  await stage?.remove();
});
beforeEach(() => stage.open());
afterEach(async () => {
  await stage.close();
  await stage.kubectl('delete', 'jobs', '--all', '--cascade=foreground', '--timeout=60s');
  await until('Kueue has forgotten them', async () => (await workloads()).length === 0, DEADLINE);
});

/** Objects of Kueue's kinds. */
async function apply(
  ...objects: readonly {
    kind: string;
    name: string;
    namespace?: string;
    [field: string]: unknown;
  }[]
): Promise<void> {
  const items = objects.map(({ kind, name, namespace, ...fields }) => ({
    ...{ apiVersion: 'kueue.x-k8s.io/v1beta2', kind, metadata: { name, namespace } },
    ...fields,
  }));
  const file = join(stage.folder, 'queues.json');
  await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  await stage.kubectl('apply', '--server-side', '--validate=strict', '--filename', file);
}

/** As many Jobs of small files may run as there are CPUs: each asks for one. */
function quota(cpus: number): Promise<void> {
  const resources = [
    { name: 'cpu', nominalQuota: `${cpus}` },
    { name: 'memory', nominalQuota: '64Gi' },
    { name: 'ephemeral-storage', nominalQuota: '1Ti' },
  ];
  return apply({
    kind: 'ClusterQueue',
    name: QUEUE,
    spec: {
      namespaceSelector: {},
      preemption: { withinClusterQueue: 'LowerPriority' },
      resourceGroups: [
        {
          coveredResources: resources.map(({ name }) => name),
          flavors: [{ name: FLAVOR, resources }],
        },
      ],
    },
  });
}

async function workloads(): Promise<KubernetesResource[]> {
  return JSON.parse(await stage.kubectl('get', 'workloads', '-o', 'json')).items;
}

const isHeld = ({ spec }: Job) => spec.suspend === true;
const names = (jobs: readonly Job[]) => jobs.map(({ metadata }) => metadata.name).toSorted();
const judgement = (runId: string) =>
  stage.database('judgements').where({ run_id: runId, number: 1 }).first();
const podsOf = async (job: string) =>
  (await stage.pods()).filter(
    ({ metadata }) => metadata.labels?.['batch.kubernetes.io/job-name'] === job,
  );
const isScheduled = async (job: string) => (await podsOf(job))[0]?.spec.nodeName !== undefined;

test('a file whose Job has room is judged once, on the nodes that Kueue chooses', async () => {
  const [runId = ''] = await stage.deliver(1);
  stage.startReplica(5);
  stage.startKubelet(1);
  await until('it is judged', async () => (await stage.verdicts()) === 1, DEADLINE);
  expect(await judgement(runId)).toMatchObject({ attempts: 1, status: 'finished' });
  const [job] = await stage.jobs();
  expect(job).toMatchObject({
    metadata: { name: `judge-${runId}-1-1`, labels: { 'kueue.x-k8s.io/queue-name': QUEUE } },
    spec: {
      template: { spec: { nodeSelector: NODE_LABELS, tolerations: [TOLERATION] } },
    },
  });
});

test('the nodes that Kueue may choose are not for the listener to choose', async () => {
  const refusal = (job: KubernetesResource) =>
    create(job, '--dry-run=server', `--as=${stage.user}`).then(
      () => '',
      ({ message }: Error) => message,
    );
  const chosen = withValue(await jobOfTemplate('chosen'), `${POD}.nodeSelector`, NODE_LABELS);
  // The API server takes a moment to learn of a policy.
  const isRefused = async () => (await refusal(chosen)).includes('or chooses one');
  await until('the policy is in force', isRefused, DEADLINE);
  const tolerant = withValue(await jobOfTemplate('tolerant'), `${POD}.tolerations`, [TOLERATION]);
  expect(await refusal(tolerant)).toContain('or chooses one');
  expect(await refusal(await jobOfTemplate('plain'))).toBe('');
});

test('a file whose Job has no room waits, keeps its place of job_limit, and is judged once there is room', async () => {
  const ids = await stage.deliver(3);
  stage.startReplica(2);
  const areMade = async () => (await stage.jobs()).length === 2;
  await until('two have a place', areMade, DEADLINE);
  const isWaiting = async () => (await workloads()).length === 2;
  await until('Kueue knows both', isWaiting, DEADLINE);
  await until('one is admitted', async () => (await stage.pods()).length === 1, DEADLINE);
  expect((await stage.jobs()).filter(isHeld)).toHaveLength(1);
  expect(await stage.database('kubernetes_jobs').whereNull('submitted_at')).toHaveLength(1);
  stage.startKubelet(0);
  await until('all are judged', async () => (await stage.verdicts()) === 3, DEADLINE);
  expect(await stage.database('judgements').pluck('attempts')).toEqual([1, 1, 1]);
  expect(names(await stage.jobs())).toEqual(ids.map((id) => `judge-${id}-1-1`).toSorted());
});

test.each([
  ['is taken out of the queue and let in again', (isLetIn: boolean) => setActive(isLetIn)],
  [
    'has to make room for an urgent one, until that has ended',
    (isLetIn: boolean) => (isLetIn ? endUrgent() : makeUrgent()),
  ],
])('a file whose Job %s is judged by the same Job, once', async (_, letIn) => {
  const [runId = ''] = await stage.deliver(1);
  const name = `judge-${runId}-1-1`;
  const job = async () => (await stage.jobs()).filter(({ metadata }) => metadata.name === name);
  stage.startReplica(5);
  await until('it is admitted', () => isScheduled(name), DEADLINE);
  await stage.begin(runId);
  await letIn(false);
  await until('its Job is evicted', async () => (await job()).every(isHeld), DEADLINE);
  await until('its pod is gone', async () => (await podsOf(name)).length === 0, DEADLINE);
  await stage.passTime();
  await letIn(true);
  await until('it is admitted again', () => isScheduled(name), DEADLINE);
  stage.startKubelet(1);
  await until('it is judged', async () => (await stage.verdicts()) === 1, DEADLINE);
  expect(await judgement(runId)).toMatchObject({ attempts: 2, status: 'finished' });
  expect(names(await stage.jobs())).toEqual([name]);
});

async function setActive(active: boolean): Promise<void> {
  const [workload] = await workloads();
  const patch = JSON.stringify({ spec: { active } });
  const name = workload?.metadata.name ?? '';
  await stage.kubectl('patch', 'workload', name, '--type=merge', '--patch', patch);
}

async function makeUrgent(): Promise<void> {
  const job = await jobOfTemplate('urgent');
  const labels = { ...job.metadata.labels, 'kueue.x-k8s.io/priority-class': 'urgent' };
  await create(withValue(job, 'metadata.labels', labels));
}

async function endUrgent(): Promise<void> {
  await stage.kubectl('delete', 'job', 'urgent', '--cascade=foreground', '--timeout=60s');
}

/** A Job as the listener makes them, of another name. */
async function jobOfTemplate(name: string): Promise<KubernetesResource> {
  const template = JSON.parse(await readFile(join(stage.folder, 'template.json'), 'utf8'));
  const judgement = { runId: '0'.repeat(36), number: 1, submission: 1, sizeBytes: 0 };
  const job = jobOf(template as JobTemplate, judgement) as unknown as KubernetesResource;
  return withValue(job, 'metadata.name', name);
}

async function create(job: KubernetesResource, ...parameters: string[]): Promise<void> {
  const file = join(stage.folder, 'job.json');
  await writeFile(file, JSON.stringify(job));
  await stage.kubectl('create', '--filename', file, ...parameters);
}
