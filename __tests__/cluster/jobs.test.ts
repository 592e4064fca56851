import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  onTestFinished,
  test,
} from 'vitest';
import { EXIT } from '../../contract/listener-interface.ts';
import { requestJudgements } from '../../listener/src/database/judgements.ts';
import { listDeadRuns } from '../../listener/src/queue/dead-letters.ts';
import { openQueue, type Queue } from '../../listener/src/queue/queue.ts';
import type { FileProcessingSettings } from '../../src/settings/file-processing-variables.ts';
import { modelOf } from '../../src/synthesized/model/model.ts';
import { kubernetesObjects } from '../../src/synthesized/views/kubernetes-manifests.ts';
import { startListenerChild } from '../listener/support/listener-process.ts';
import { createTestDatabase, type TestDatabase } from '../listener/support/postgres.ts';
import { forgetRuns, openRun } from '../listener/support/runs.ts';
import { run } from '../support/run-program.ts';
import { synthesizeWorkload } from '../support/synthesized-workload.ts';
import { callApi } from './support/api-client.ts';
import { type ControlPlane, startControlPlane } from './support/control-plane.ts';
import { evict } from './support/evict.ts';
import { fakeNode, readyCondition } from './support/fake-nodes.ts';
import type { ConfigMap, KubernetesResource, Pod } from './support/kubernetes-resource.ts';
import {
  PROCESS_IMAGE,
  type ProcessKubelet,
  startProcessKubelet,
} from './support/process-kubelet.ts';
import { until } from './support/until.ts';

/** In CI few, as each is a transaction with the API server, PostgreSQL and the scheduler: 200 take five minutes beside other tests. */
const FILES = Number(process.env.JOBS_TEST_FILES ?? 40);
const PROCESSES = Math.min(50, Math.ceil(FILES / 20));
const NAMESPACE = 'jobs';
const BUCKET = 'bucket';
const LONG = 100_000 + FILES * 500;

let plane: ControlPlane;
let given: TestDatabase;
let queue: Queue;
let folder: string;
let environment: Record<string, string>;
let kubelet: ProcessKubelet;

// An API server of its own, since it is restarted.
beforeAll(async () => {
  plane = await startControlPlane();
  folder = await mkdtemp(join(tmpdir(), 'jobs-'));
  await mkdir(join(folder, 'data', BUCKET, 'from_client'), { recursive: true });
  await deploy({});
});
afterAll(async () => {
  await plane?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  given = await createTestDatabase();
  queue = await openQueue(given.database, () => undefined);
  await forgetRuns(given.database);
  environment = {
    DATABASE_URL: given.url,
    DB_SSL: 'disable',
    LOCAL_S3_ROOT: join(folder, 'data'),
    S3_BUCKET: BUCKET,
    UNMONITORED: 'judge',
    DB_POOL_SIZE: '4',
  };
});
afterEach(async () => {
  await kubelet?.stop();
  await queue.close();
  await given.drop();
});

/** Applies the stack's objects, and gives the listener the identity that its pods would have. */
async function deploy(settings: Partial<FileProcessingSettings>): Promise<void> {
  const { json } = synthesizeWorkload({
    ...{ namespace: NAMESPACE, job_runner: 'auto', image: PROCESS_IMAGE },
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
  await writeFile(join(identity, 'namespace'), NAMESPACE);
}

async function kubectl(...parameters: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await run(
    'kubectl',
    [...parameters, `--namespace=${NAMESPACE}`],
    { environment: { PATH: process.env.PATH, HOME: folder, KUBECONFIG: plane.kubeconfig } },
  );
  if (exitCode !== 0) throw new Error(`kubectl ${parameters.join(' ')}: ${stderr}`);
  return stdout;
}

/** A replica of the listener that judges every file by a Job. */
function startReplica(limit: number) {
  return startListenerChild(['serve', '--role', 'worker'], {
    ...environment,
    METRICS_PORT: '0',
    JOB_RUNNER: 'auto',
    JOB_SIZE_BYTES: '0',
    JOB_LIMIT: `${limit}`,
    JOB_TEMPLATE: join(folder, 'template.json'),
    KUBERNETES_SERVICE_HOST: '127.0.0.1',
    KUBERNETES_SERVICE_PORT: new URL(plane.url).port,
    SERVICE_ACCOUNT_FOLDER: join(folder, 'identity'),
  });
}

function startKubelet(processes: number): ProcessKubelet {
  const options = { server: plane, namespace: NAMESPACE, environment, processes, atOnce: 6 };
  kubelet = startProcessKubelet(options);
  return kubelet;
}

/** Puts files there, each with a verdict of its own, and enqueues them as messages do. */
async function deliver(count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const key = `from_client/${index}.csv`;
    const rows = index % 3 === 0 ? 'a,b\n1\n' : 'a,b\n1,2\n';
    await writeFile(join(folder, 'data', BUCKET, key), rows);
    ids.push(
      await openRun(given.database, { bucket: BUCKET, key, sizeBytes: rows.length }, `m${index}`),
    );
  }
  const jobs = ids.map((runId) => ({ runId, number: 1, jobId: runId }));
  await given.database.transaction((transaction) => queue.enqueue(jobs, transaction));
  return ids;
}

async function verdicts(): Promise<number> {
  const [row] = await given.database('judgements').where({ status: 'finished' }).count();
  return Number(row?.count);
}

const jobs = async () =>
  JSON.parse((await callApi(plane, `/apis/batch/v1/namespaces/${NAMESPACE}/jobs`)).body)
    .items as (KubernetesResource & {
    readonly status: { readonly conditions?: readonly { type: string; reason?: string }[] };
  })[];
const pods = async () =>
  JSON.parse((await callApi(plane, `/api/v1/namespaces/${NAMESPACE}/pods`)).body).items as Pod[];

/** The runner waits for a minute of silence, and for half a minute before another Job, which no test does. */
async function passTime(): Promise<void> {
  await given.database.raw(
    "UPDATE judgements SET heartbeat_at = heartbeat_at - interval '2 minutes' WHERE status = 'running'",
  );
  await given.database.raw('UPDATE kubernetes_jobs SET not_before = now()');
}

describe('one file', () => {
  let runId: string;
  beforeEach(async () => {
    [runId = ''] = await deliver(1);
  });
  afterEach(async () => {
    await kubectl('delete', 'jobs', '--all', '--cascade=foreground', '--timeout=60s');
  });
  const judgement = () => given.database('judgements').where({ run_id: runId, number: 1 }).first();
  /** As the process of a pod does that is cut off after it has begun. */
  const begin = () =>
    given.database('judgements').insert({
      ...{ run_id: runId, number: 1, asked_by: 'message', status: 'running', attempts: 1 },
      ...{ started_at: new Date(), heartbeat_at: new Date() },
    });

  test('waits while a quota refuses its Job, and is judged once there is room', async () => {
    await kubectl('create', 'quota', 'none', '--hard=count/jobs.batch=0');
    onTestFinished(async () => {
      await kubectl('delete', 'resourcequota', '--all');
    });
    const used = async () =>
      (await kubectl('get', 'quota', 'none', '-o', 'jsonpath={.status.hard}')) !== '';
    await until('the quota counts', used, 60_000);
    const replica = startReplica(5);
    await until(
      'the refusal is told',
      async () => replica.lines.some(({ msg }) => String(msg).includes('the file waits')),
      60_000,
    );
    expect(JSON.stringify(replica.lines)).toContain('exceeded quota');
    await kubectl('delete', 'resourcequota', 'none');
    startKubelet(0);
    await until('it is judged', async () => (await verdicts()) === 1, 60_000);
    expect(await judgement()).toMatchObject({ attempts: 1 });
  });

  test('that cannot be begun, since its image is missing, is a dead letter that says so', async () => {
    await deploy({ image: 'test.invalid/listener:missing' });
    onTestFinished(() => deploy({}));
    startReplica(5);
    for (const submission of [1, 2, 3]) {
      const name = `judge-${runId}-1-${submission}`;
      const isThere = async () => (await jobs()).some(({ metadata }) => metadata.name === name);
      await until(`Job ${submission} is there`, isThere, 60_000);
      // The half hour of its deadline.
      await endJob(name, 'DeadlineExceeded');
      await until(
        'it is followed',
        async () => {
          await passTime();
          const row = await given.database('kubernetes_jobs').first('submission');
          return row === undefined || row.submission > submission;
        },
        60_000,
      );
    }
    await until(
      'it is a dead letter',
      async () => (await listDeadRuns(given.database, {}, 1)).length === 1,
      60_000,
    );
    const [dead] = await listDeadRuns(given.database, {}, 1);
    expect(dead?.error).toContain('DeadlineExceeded');
    expect(dead?.error).toContain('none of its pods has begun to judge the file');
  });

  test('whose pod is evicted is judged by the next pod of the same Job, which counts as no failure', async () => {
    startReplica(5);
    const isScheduled = async () => (await pods()).some(({ spec }) => spec.nodeName !== undefined);
    await until('its pod has a node', isScheduled, 60_000);
    const [pod] = await pods();
    expect((await evict(plane, pod)).status).toBe(201);
    const isNext = async () => {
      const [next] = await pods();
      return next !== undefined && next.metadata.name !== pod?.metadata.name;
    };
    await until('the next pod is there', isNext, 60_000);
    startKubelet(1);
    await until('it is judged', async () => (await verdicts()) === 1, 60_000);
    expect((await jobs()).map(({ metadata }) => metadata.name)).toEqual([`judge-${runId}-1-1`]);
  });

  test('whose process died with its node is judged by another Job, once', async () => {
    startReplica(5);
    await until('its Job is there', async () => (await jobs()).length === 1, 60_000);
    await begin();
    await endJob(`judge-${runId}-1-1`, 'BackoffLimitExceeded');
    startKubelet(1);
    await until(
      'it is judged',
      async () => {
        await passTime();
        return (await verdicts()) === 1;
      },
      60_000,
    );
    expect(await judgement()).toMatchObject({ attempts: 2, status: 'finished' });
    expect((await jobs()).map(({ metadata }) => metadata.name).toSorted()).toEqual([
      `judge-${runId}-1-1`,
      `judge-${runId}-1-2`,
    ]);
  });

  test('whose node is lost is judged by the next pod of the same Job, once Kubernetes has given the first one up', async () => {
    const silent = await callApi(plane, '/api/v1/nodes', fakeNode('node-lost', 'zone-a', true));
    expect(silent.status, silent.body).toBe(201);
    const nodes = ['node-a', 'node-b'];
    await kubectl('cordon', ...nodes);
    onTestFinished(async () => {
      await kubectl('uncordon', ...nodes);
      await kubectl('delete', 'node', 'node-lost');
    });
    startReplica(5);
    const isOnNode = async () => (await pods())[0]?.spec.nodeName === 'node-lost';
    await until('its pod is on the node', isOnNode, 60_000);
    await begin();
    // As the node controller does after 50 s of silence; all that follows is its own.
    const status = JSON.stringify({ status: { conditions: [readyCondition('Unknown')] } });
    await kubectl('patch', 'node', 'node-lost', '--subresource=status', '--patch', status);
    const isEvicted = async () =>
      (await pods())[0]?.status.conditions?.some(({ type }) => type === 'DisruptionTarget') ===
      true;
    await until('its pod is evicted', isEvicted, 60_000);
    expect(await pods()).toMatchObject([{ metadata: { deletionTimestamp: expect.any(String) } }]);
    await kubectl('uncordon', ...nodes);
    // As whoever knows that the machine is off; or the node is deleted (Kubernetes manual, "Non-graceful node shutdown").
    const outOfService = 'node.kubernetes.io/out-of-service=nodeshutdown:NoExecute';
    await kubectl('taint', 'nodes', 'node-lost', outOfService);
    startKubelet(1);
    await until('it is judged', async () => (await verdicts()) === 1, 90_000);
    expect(await judgement()).toMatchObject({ attempts: 2, status: 'finished' });
    expect((await jobs()).map(({ metadata }) => metadata.name)).toEqual([`judge-${runId}-1-1`]);
  });

  test('that Kueue holds waits, and is judged once however often it is admitted and evicted', async () => {
    await deploy({ job_queue_name: 'large-files' });
    onTestFinished(() => deploy({}));
    startReplica(5);
    const name = `judge-${runId}-1-1`;
    await until('its Job is there', async () => (await jobs()).length === 1, 60_000);
    expect(await jobs()).toMatchObject([
      {
        metadata: { labels: { 'kueue.x-k8s.io/queue-name': 'large-files' } },
        spec: { suspend: true },
      },
    ]);
    expect(await pods()).toEqual([]);
    // What Kueue does when it admits a Job, and when it evicts one (its concept "Workload").
    const suspend = (isHeld: boolean) =>
      kubectl('patch', 'job', name, '--patch', JSON.stringify({ spec: { suspend: isHeld } }));
    await suspend(false);
    const isScheduled = async () => (await pods())[0]?.spec.nodeName !== undefined;
    await until('its pod has a node', isScheduled, 60_000);
    await begin();
    await suspend(true);
    await until('its pod is gone', async () => (await pods()).length === 0, 60_000);
    await passTime();
    await suspend(false);
    startKubelet(1);
    await until('it is judged', async () => (await verdicts()) === 1, 60_000);
    expect(await judgement()).toMatchObject({ attempts: 2, status: 'finished' });
    expect((await jobs()).map(({ metadata }) => metadata.name)).toEqual([name]);
  });

  test('that is gone fails its Job at once, and is not a dead letter', async () => {
    await rm(join(folder, 'data', BUCKET, 'from_client/0.csv'));
    startReplica(5);
    startKubelet(1);
    await until('it is noted', async () => (await judgement())?.status === 'gone', 60_000);
    await until(
      'its Job has failed',
      async () =>
        (await jobs())[0]?.status.conditions?.some(
          ({ type, reason }) => type === 'Failed' && reason === 'PodFailurePolicy',
        ) === true,
      60_000,
    );
    await until(
      'nothing is left',
      async () => (await given.database('kubernetes_jobs').first('number')) === undefined,
      60_000,
    );
    expect(await listDeadRuns(given.database, {}, 1)).toEqual([]);
  });

  test('waits as long as no policy limits what the listener may make', async () => {
    const policy = `file-processing-jobs.${NAMESPACE}`;
    await kubectl('delete', 'validatingadmissionpolicybinding', policy);
    const other = ['create', 'job', 'other', '--image=test.invalid/other', '--dry-run=server'];
    const as = `--as=system:serviceaccount:${NAMESPACE}:file-processing-sa`;
    await until('no policy is in force', async () => (await kubectl(...other, as)) !== '', 60_000);
    const replica = startReplica(5);
    await until(
      'it is told',
      async () => JSON.stringify(replica.lines).includes('no admission policy limits the Jobs'),
      60_000,
    );
    expect(await jobs()).toEqual([]);
    await deploy({});
    startKubelet(0);
    await until('it is judged', async () => (await verdicts()) === 1, 60_000);
  });

  test('that is judged again gets a Job of its own', async () => {
    startReplica(5);
    startKubelet(0);
    await until('it is judged', async () => (await verdicts()) === 1, 60_000);
    await given.database.transaction(async (transaction) => {
      const asked = await requestJudgements(transaction, [runId], { askedBy: 'operator' });
      await queue.enqueue(asked, transaction);
    });
    await until('it is judged again', async () => (await verdicts()) === 2, 60_000);
    expect((await jobs()).map(({ metadata }) => metadata.name)).toContain(`judge-${runId}-2-1`);
  });
});

// The last one, since a thousand Jobs take minutes to be deleted.
test(
  `of ${FILES} files each gets exactly one verdict by a Job, with the listener killed and the API server restarted on the way`,
  async ({ annotate }) => {
    // Each change of a judgement is recorded: no end may be ended anew.
    await given.database.raw(`
      CREATE TABLE ends (run_id uuid, number integer, status text);
      CREATE FUNCTION note_end() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF NEW.status NOT IN ('queued', 'running') AND NEW.status IS DISTINCT FROM OLD.status THEN
          INSERT INTO file_processing.ends VALUES (NEW.run_id, NEW.number, NEW.status);
        END IF; RETURN NEW;
      END $$;
      CREATE TRIGGER note_end AFTER UPDATE ON judgements FOR EACH ROW EXECUTE FUNCTION note_end();`);
    const ids = await deliver(FILES);
    const first = startReplica(40);
    startReplica(40);
    const { started, ended } = startKubelet(PROCESSES);
    await until('a quarter is judged', async () => (await verdicts()) > FILES / 4, LONG);
    first.kill('SIGKILL');
    await until('half is judged', async () => (await verdicts()) > FILES / 2, LONG);
    await plane.restartApiServer();
    startReplica(40);
    await until('all are judged', async () => (await verdicts()) === FILES, LONG);
    await until(
      'nothing is left to do',
      async () => (await given.database('kubernetes_jobs').first('number')) === undefined,
      LONG,
    );
    const { rows: figures } = await given.database.raw(
      `SELECT round(extract(epoch FROM max(finished_at) - min(started_at)))::integer AS seconds,
         count(*)::integer AS verdicts, sum(attempts)::integer AS attempts FROM judgements`,
    );
    await annotate(JSON.stringify(figures[0]), 'figures');
    const { rows } = await given.database.raw(
      `SELECT runs.verdict, count(*)::integer FROM judgements JOIN runs ON runs.id = run_id
       WHERE number = 1 AND runs.verdict_number = 1 AND runs.status = 'finished' GROUP BY 1 ORDER BY 1`,
    );
    const failed = Math.ceil(FILES / 3);
    expect(rows).toEqual([
      { verdict: 'failed', count: failed },
      { verdict: 'passed', count: FILES - failed },
    ]);
    const ends = await given.database('ends').select('run_id', 'status');
    expect(ends).toHaveLength(FILES);
    expect(new Set(ends.map(({ run_id }) => run_id))).toEqual(new Set(ids));
    expect(started).toHaveLength(PROCESSES);
    // Whatever the verdict: a Job that failed would mean that there is none. Its pods may find a database that is busy.
    expect([EXIT.ok, EXIT.unavailable, EXIT.tryAgain]).toEqual(
      expect.arrayContaining([...ended.keys()]),
    );
    const made = await jobs();
    expect(new Set(made.map(({ metadata }) => metadata.name)).size).toBe(made.length);
    expect(made.every(({ metadata }) => metadata.name.endsWith('-1-1'))).toBe(true);
  },
  LONG * 4,
);

/** What the Job controller says of a Job whose time is up, or whose pods have failed. */
async function endJob(name: string, reason: string): Promise<void> {
  const at = new Date().toISOString();
  const condition = (type: string) => ({ type, status: 'True', reason, lastTransitionTime: at });
  const status = { conditions: [condition('FailureTarget')] };
  await kubectl(
    ...['patch', 'job', name, '--subresource=status', '--type=merge'],
    ...['--patch', JSON.stringify({ status })],
  );
  const hasFailed = async () =>
    (await jobs())
      .find(({ metadata }) => metadata.name === name)
      ?.status.conditions?.some(({ type }) => type === 'Failed') === true;
  await until(`${name} has failed`, hasFailed, 60_000);
}
