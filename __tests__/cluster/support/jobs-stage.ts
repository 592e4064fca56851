import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openQueue, type Queue } from '../../../listener/src/queue/queue.ts';
import type { FileProcessingSettings } from '../../../src/settings/file-processing-variables.ts';
import { modelOf } from '../../../src/synthesized/model/model.ts';
import { kubernetesObjects } from '../../../src/synthesized/views/kubernetes-manifests.ts';
import { type ListenerChild, startListenerChild } from '../../listener/support/listener-process.ts';
import { createTestDatabase, type TestDatabase } from '../../listener/support/postgres.ts';
import { forgetRuns, openRun } from '../../listener/support/runs.ts';
import { GO_MEMORY } from '../../support/go-memory.ts';
import { run } from '../../support/run-program.ts';
import { synthesizeWorkload } from '../../support/synthesized-workload.ts';
import { callApi } from './api-client.ts';
import type { ControlPlane } from './control-plane.ts';
import type { ConfigMap, KubernetesResource, Labels, Pod } from './kubernetes-resource.ts';
import { PROCESS_IMAGE, type ProcessKubelet, startProcessKubelet } from './process-kubelet.ts';

const BUCKET = 'bucket';

/** A Job of batch/v1, as far as the tests look at it. */
export interface Job extends KubernetesResource {
  readonly spec: {
    readonly suspend?: boolean;
    readonly template: {
      readonly spec: { readonly nodeSelector?: Labels; readonly tolerations?: readonly object[] };
    };
  };
  readonly status: {
    readonly conditions?: readonly { readonly type: string; readonly reason?: string }[];
  };
}

/** The listener's stack in a namespace of a control plane of its own, replicas that judge every file by a Job, and their files. */
export interface JobsStage {
  /** The current test's. */
  readonly database: TestDatabase['database'];
  /** The current test's. */
  readonly queue: Queue;
  /** Holds whatever is written; files are below `data/bucket`. */
  readonly folder: string;
  /** Name of the ServiceAccount that the replicas have. */
  readonly user: string;
  /** Begins a test: with a database of its own. */
  open(): Promise<void>;
  /** Ends a test. */
  close(): Promise<void>;
  /** Applies the stack's objects, and gives the listener the identity that its pods would have. */
  deploy(settings: Partial<FileProcessingSettings>): Promise<void>;
  /** @returns what it wrote @throws Error with its message where it fails */
  kubectl(...parameters: string[]): Promise<string>;
  /** @param limit JOB_LIMIT */
  startReplica(limit: number): ListenerChild;
  /** @param processes pods whose command becomes a process of its own */
  startKubelet(processes: number): ProcessKubelet;
  /** Puts files there, each with a verdict of its own, and enqueues them as messages do. @returns their runs */
  deliver(count: number): Promise<string[]>;
  /** How many judgements have one. */
  verdicts(): Promise<number>;
  jobs(): Promise<Job[]>;
  pods(): Promise<Pod[]>;
  /** Notes that a pod works on the judgement, as the process of one does that is cut off after it has begun. */
  begin(runId: string): Promise<void>;
  /** The runner waits for a minute of silence, and for half a minute before another Job, which no test does. */
  passTime(): Promise<void>;
  /** Removes all that it wrote on this machine. */
  remove(): Promise<void>;
}

/** @param namespace is made by the first {@link JobsStage.deploy} */
export async function jobsStage(plane: ControlPlane, namespace: string): Promise<JobsStage> {
  const folder = await mkdtemp(join(tmpdir(), 'jobs-'));
  await mkdir(join(folder, 'data', BUCKET, 'from_client'), { recursive: true });
  let given: TestDatabase;
  let queue: Queue;
  let kubelet: ProcessKubelet | undefined;

  /** What a process of the listener finds in its environment, wherever it runs. */
  const environment = () => ({
    DATABASE_URL: given.url,
    DB_SSL: 'disable',
    LOCAL_S3_ROOT: join(folder, 'data'),
    S3_BUCKET: BUCKET,
    UNMONITORED: 'judge',
    DB_POOL_SIZE: '4',
  });
  const kubectl = async (...parameters: string[]) => {
    const { exitCode, stdout, stderr } = await run(
      'kubectl',
      [...parameters, `--namespace=${namespace}`],
      {
        environment: {
          ...{ PATH: process.env.PATH, HOME: folder, KUBECONFIG: plane.kubeconfig },
          ...GO_MEMORY,
        },
      },
    );
    if (exitCode !== 0) throw new Error(`kubectl ${parameters.join(' ')}: ${stderr}`);
    return stdout;
  };

  return {
    get database() {
      return given.database;
    },
    get queue() {
      return queue;
    },
    folder,
    user: `system:serviceaccount:${namespace}:file-processing-sa`,
    async open() {
      given = await createTestDatabase();
      queue = await openQueue(given.database, () => undefined);
      await forgetRuns(given.database);
    },
    async close() {
      await kubelet?.stop();
      kubelet = undefined;
      await queue.close();
      await given.drop();
    },
    async deploy(settings) {
      const { json } = synthesizeWorkload({
        ...{ namespace, job_runner: 'auto', image: PROCESS_IMAGE },
        ...settings,
      });
      const objects = kubernetesObjects(modelOf([{ name: 'file-processing', path: '', json }])).map(
        ({ manifest }) => manifest as KubernetesResource,
      );
      const kinds = ['Deployment', 'CronJob', 'HorizontalPodAutoscaler', 'PodDisruptionBudget'];
      const isNamespace = ({ kind }: KubernetesResource) => kind === 'Namespace';
      const others = objects.filter((one) => !isNamespace(one) && !kinds.includes(one.kind));
      for (const items of [objects.filter(isNamespace), others]) {
        const file = join(folder, 'objects.json');
        await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
        await kubectl('apply', '--server-side', '--force-conflicts', '--filename', file);
      }
      const map = objects.find(
        (one): one is ConfigMap =>
          one.kind === 'ConfigMap' && one.metadata.name === 'file-processing-jobs',
      );
      await writeFile(join(folder, 'template.json'), map?.data['template.json'] ?? '');
      const identity = join(folder, 'identity');
      await mkdir(identity, { recursive: true });
      const token = await kubectl('create', 'token', 'file-processing-sa', '--duration=1h');
      await writeFile(join(identity, 'token'), token);
      await writeFile(join(identity, 'ca.crt'), plane.certificateAuthority);
      await writeFile(join(identity, 'namespace'), namespace);
    },
    kubectl,
    startReplica: (limit) =>
      startListenerChild(['serve', '--role', 'worker'], {
        ...environment(),
        METRICS_PORT: '0',
        JOB_RUNNER: 'auto',
        JOB_SIZE_BYTES: '0',
        JOB_LIMIT: `${limit}`,
        JOB_TEMPLATE: join(folder, 'template.json'),
        KUBERNETES_SERVICE_HOST: '127.0.0.1',
        KUBERNETES_SERVICE_PORT: new URL(plane.url).port,
        SERVICE_ACCOUNT_FOLDER: join(folder, 'identity'),
      }),
    startKubelet(processes) {
      kubelet = startProcessKubelet({
        ...{ server: plane, namespace, environment: environment(), processes, atOnce: 6 },
      });
      return kubelet;
    },
    async deliver(count) {
      const ids: string[] = [];
      for (let index = 0; index < count; index += 1) {
        const key = `from_client/${index}.csv`;
        const rows = index % 3 === 0 ? 'a,b\n1\n' : 'a,b\n1,2\n';
        await writeFile(join(folder, 'data', BUCKET, key), rows);
        const object = { bucket: BUCKET, key, sizeBytes: rows.length };
        ids.push(await openRun(given.database, object, `m${index}`));
      }
      const jobs = ids.map((runId) => ({ runId, number: 1, jobId: runId }));
      await given.database.transaction((transaction) => queue.enqueue(jobs, transaction));
      return ids;
    },
    async verdicts() {
      const [row] = await given.database('judgements').where({ status: 'finished' }).count();
      return Number(row?.count);
    },
    async jobs() {
      const { body } = await callApi(plane, `/apis/batch/v1/namespaces/${namespace}/jobs`);
      return (JSON.parse(body) as { items: Job[] }).items;
    },
    async pods() {
      const { body } = await callApi(plane, `/api/v1/namespaces/${namespace}/pods`);
      return (JSON.parse(body) as { items: Pod[] }).items;
    },
    async begin(runId) {
      await given.database('judgements').insert({
        ...{ run_id: runId, number: 1, asked_by: 'message', status: 'running', attempts: 1 },
        ...{ started_at: new Date(), heartbeat_at: new Date() },
      });
    },
    async passTime() {
      await given.database.raw(
        "UPDATE judgements SET heartbeat_at = heartbeat_at - interval '2 minutes' WHERE status = 'running'",
      );
      await given.database.raw('UPDATE kubernetes_jobs SET not_before = now()');
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
