import { rm } from 'node:fs/promises';
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
import { callApi } from './support/api-client.ts';
import { type ControlPlane, startControlPlane } from './support/control-plane.ts';
import { evict } from './support/evict.ts';
import { fakeNode, readyCondition } from './support/fake-nodes.ts';
import { type JobsStage, jobsStage } from './support/jobs-stage.ts';
import { DEADLINE, TIMEOUT } from './support/kubectl.ts';
import { until } from './support/until.ts';

/**
 * In CI few, as each is a transaction with the API server, PostgreSQL and the scheduler: 200 take five minutes beside
 * other tests. Of 24, a quarter are judged before the listener is killed, and a half after the API server has restarted.
 */
const FILES = Number(process.env.JOBS_TEST_FILES ?? 24);
const PROCESSES = Math.min(50, Math.ceil(FILES / 20));
const NAMESPACE = 'jobs';
const LONG = 100_000 + FILES * 500;

let plane: ControlPlane;
let stage: JobsStage;

// An API server of its own, since it is restarted.
beforeAll(async () => {
  plane = await startControlPlane();
  stage = await jobsStage(plane, NAMESPACE);
  await stage.deploy({});
});
afterAll(async () => {
  await plane?.stop();
  await stage?.remove();
});
beforeEach(() => stage.open());
afterEach(() => stage.close());

describe('one file', () => {
  let runId: string;
  beforeEach(async () => {
    [runId = ''] = await stage.deliver(1);
  });
  afterEach(async () => {
    await stage.kubectl('delete', 'jobs', '--all', '--cascade=foreground', TIMEOUT);
  });
  const judgement = () => stage.database('judgements').where({ run_id: runId, number: 1 }).first();

  test('waits while a quota refuses its Job, and is judged once there is room', async () => {
    await stage.kubectl('create', 'quota', 'none', '--hard=count/jobs.batch=0');
    onTestFinished(async () => {
      await stage.kubectl('delete', 'resourcequota', '--all');
    });
    const used = async () =>
      (await stage.kubectl('get', 'quota', 'none', '-o', 'jsonpath={.status.hard}')) !== '';
    await until('the quota counts', used, DEADLINE);
    const replica = stage.startReplica(5);
    await until(
      'the refusal is told',
      async () => replica.lines.some(({ msg }) => String(msg).includes('the file waits')),
      DEADLINE,
    );
    expect(JSON.stringify(replica.lines)).toContain('exceeded quota');
    await stage.kubectl('delete', 'resourcequota', 'none');
    stage.startKubelet(0);
    await until('it is judged', async () => (await stage.verdicts()) === 1, DEADLINE);
    expect(await judgement()).toMatchObject({ attempts: 1 });
  });

  test('that cannot be begun, since its image is missing, is a dead letter that says so', async () => {
    await stage.deploy({ image: 'test.invalid/listener:missing' });
    onTestFinished(() => stage.deploy({}));
    stage.startReplica(5);
    for (const submission of [1, 2, 3]) {
      const name = `judge-${runId}-1-${submission}`;
      const isThere = async () =>
        (await stage.jobs()).some(({ metadata }) => metadata.name === name);
      await until(`Job ${submission} is there`, isThere, DEADLINE);
      // The half hour of its deadline.
      await endJob(name, 'DeadlineExceeded');
      await until(
        'it is followed',
        async () => {
          await stage.passTime();
          const row = await stage.database('kubernetes_jobs').first('submission');
          return row === undefined || row.submission > submission;
        },
        DEADLINE,
      );
    }
    await until(
      'it is a dead letter',
      async () => (await listDeadRuns(stage.database, {}, 1)).length === 1,
      DEADLINE,
    );
    const [dead] = await listDeadRuns(stage.database, {}, 1);
    expect(dead?.error).toContain('DeadlineExceeded');
    expect(dead?.error).toContain('none of its pods has begun to judge the file');
  });

  test('whose pod is evicted is judged by the next pod of the same Job, which counts as no failure', async () => {
    stage.startReplica(5);
    const isScheduled = async () =>
      (await stage.pods()).some(({ spec }) => spec.nodeName !== undefined);
    await until('its pod has a node', isScheduled, DEADLINE);
    const [pod] = await stage.pods();
    expect((await evict(plane, pod)).status).toBe(201);
    const isNext = async () => {
      const [next] = await stage.pods();
      return next !== undefined && next.metadata.name !== pod?.metadata.name;
    };
    await until('the next pod is there', isNext, DEADLINE);
    stage.startKubelet(1);
    await until('it is judged', async () => (await stage.verdicts()) === 1, DEADLINE);
    expect((await stage.jobs()).map(({ metadata }) => metadata.name)).toEqual([
      `judge-${runId}-1-1`,
    ]);
  });

  test('whose process died with its node is judged by another Job, once', async () => {
    stage.startReplica(5);
    await until('its Job is there', async () => (await stage.jobs()).length === 1, DEADLINE);
    await stage.begin(runId);
    await endJob(`judge-${runId}-1-1`, 'BackoffLimitExceeded');
    stage.startKubelet(1);
    await until(
      'it is judged',
      async () => {
        await stage.passTime();
        return (await stage.verdicts()) === 1;
      },
      DEADLINE,
    );
    expect(await judgement()).toMatchObject({ attempts: 2, status: 'finished' });
    expect((await stage.jobs()).map(({ metadata }) => metadata.name).toSorted()).toEqual([
      `judge-${runId}-1-1`,
      `judge-${runId}-1-2`,
    ]);
  });

  test('whose node is lost is judged by the next pod of the same Job, once Kubernetes has given the first one up', async () => {
    const silent = await callApi(plane, '/api/v1/nodes', fakeNode('node-lost', 'zone-a', true));
    expect(silent.status, silent.body).toBe(201);
    const nodes = ['node-a', 'node-b'];
    await stage.kubectl('cordon', ...nodes);
    onTestFinished(async () => {
      await stage.kubectl('uncordon', ...nodes);
      await stage.kubectl('delete', 'node', 'node-lost');
    });
    stage.startReplica(5);
    const isOnNode = async () => (await stage.pods())[0]?.spec.nodeName === 'node-lost';
    await until('its pod is on the node', isOnNode, DEADLINE);
    await stage.begin(runId);
    // As the node controller does after 50 s of silence; all that follows is its own.
    const status = JSON.stringify({ status: { conditions: [readyCondition('Unknown')] } });
    await stage.kubectl('patch', 'node', 'node-lost', '--subresource=status', '--patch', status);
    // The pod is told why, and then deleted.
    const isEvicted = async () => {
      const [pod] = await stage.pods();
      const isTold = pod?.status.conditions?.some(({ type }) => type === 'DisruptionTarget');
      return isTold === true && pod?.metadata.deletionTimestamp !== undefined;
    };
    await until('its pod is evicted', isEvicted, DEADLINE);
    await stage.kubectl('uncordon', ...nodes);
    // As whoever knows that the machine is off; or the node is deleted (Kubernetes manual, "Non-graceful node shutdown").
    const outOfService = 'node.kubernetes.io/out-of-service=nodeshutdown:NoExecute';
    await stage.kubectl('taint', 'nodes', 'node-lost', outOfService);
    stage.startKubelet(1);
    await until('it is judged', async () => (await stage.verdicts()) === 1, DEADLINE);
    expect(await judgement()).toMatchObject({ attempts: 2, status: 'finished' });
    expect((await stage.jobs()).map(({ metadata }) => metadata.name)).toEqual([
      `judge-${runId}-1-1`,
    ]);
  });

  test('that Kueue holds waits, and is judged once however often it is admitted and evicted', async () => {
    await stage.deploy({ job_queue_name: 'large-files' });
    onTestFinished(() => stage.deploy({}));
    stage.startReplica(5);
    const name = `judge-${runId}-1-1`;
    await until('its Job is there', async () => (await stage.jobs()).length === 1, DEADLINE);
    expect(await stage.jobs()).toMatchObject([
      {
        metadata: { labels: { 'kueue.x-k8s.io/queue-name': 'large-files' } },
        spec: { suspend: true },
      },
    ]);
    expect(await stage.pods()).toEqual([]);
    // What Kueue does when it admits a Job, and when it evicts one (its concept "Workload").
    const suspend = (isHeld: boolean) =>
      stage.kubectl('patch', 'job', name, '--patch', JSON.stringify({ spec: { suspend: isHeld } }));
    await suspend(false);
    const isScheduled = async () => (await stage.pods())[0]?.spec.nodeName !== undefined;
    await until('its pod has a node', isScheduled, DEADLINE);
    await stage.begin(runId);
    await suspend(true);
    await until('its pod is gone', async () => (await stage.pods()).length === 0, DEADLINE);
    await stage.passTime();
    await suspend(false);
    stage.startKubelet(1);
    await until('it is judged', async () => (await stage.verdicts()) === 1, DEADLINE);
    expect(await judgement()).toMatchObject({ attempts: 2, status: 'finished' });
    expect((await stage.jobs()).map(({ metadata }) => metadata.name)).toEqual([name]);
  });

  test('that is gone fails its Job at once, and is not a dead letter', async () => {
    await rm(join(stage.folder, 'data/bucket/from_client/0.csv'));
    stage.startReplica(5);
    stage.startKubelet(1);
    await until('it is noted', async () => (await judgement())?.status === 'gone', DEADLINE);
    await until(
      'its Job has failed',
      async () =>
        (await stage.jobs())[0]?.status.conditions?.some(
          ({ type, reason }) => type === 'Failed' && reason === 'PodFailurePolicy',
        ) === true,
      DEADLINE,
    );
    await until(
      'nothing is left',
      async () => (await stage.database('kubernetes_jobs').first('number')) === undefined,
      DEADLINE,
    );
    expect(await listDeadRuns(stage.database, {}, 1)).toEqual([]);
  });

  test('waits as long as no policy limits what the listener may make', async () => {
    const policy = `file-processing-jobs.${NAMESPACE}`;
    await stage.kubectl('delete', 'validatingadmissionpolicybinding', policy);
    const other = ['create', 'job', 'other', '--image=test.invalid/other', '--dry-run=server'];
    const as = `--as=${stage.user}`;
    await until(
      'no policy is in force',
      async () => (await stage.kubectl(...other, as)) !== '',
      DEADLINE,
    );
    const replica = stage.startReplica(5);
    await until(
      'it is told',
      async () => JSON.stringify(replica.lines).includes('no admission policy limits the Jobs'),
      DEADLINE,
    );
    expect(await stage.jobs()).toEqual([]);
    await stage.deploy({});
    stage.startKubelet(0);
    await until('it is judged', async () => (await stage.verdicts()) === 1, DEADLINE);
  });

  test('that is judged again gets a Job of its own', async () => {
    stage.startReplica(5);
    stage.startKubelet(0);
    await until('it is judged', async () => (await stage.verdicts()) === 1, DEADLINE);
    await stage.database.transaction(async (transaction) => {
      const asked = await requestJudgements(transaction, [runId], { askedBy: 'operator' });
      await stage.queue.enqueue(asked, transaction);
    });
    await until('it is judged again', async () => (await stage.verdicts()) === 2, DEADLINE);
    expect((await stage.jobs()).map(({ metadata }) => metadata.name)).toContain(
      `judge-${runId}-2-1`,
    );
  });
});

// The last one, since a thousand Jobs take minutes to be deleted.
test(
  `of ${FILES} files each gets exactly one verdict by a Job, with the listener killed and the API server restarted on the way`,
  async ({ annotate }) => {
    // Each change of a judgement is recorded: no end may be ended anew.
    await stage.database.raw(`
      CREATE TABLE ends (run_id uuid, number integer, status text);
      CREATE FUNCTION note_end() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF NEW.status NOT IN ('queued', 'running') AND NEW.status IS DISTINCT FROM OLD.status THEN
          INSERT INTO file_processing.ends VALUES (NEW.run_id, NEW.number, NEW.status);
        END IF; RETURN NEW;
      END $$;
      CREATE TRIGGER note_end AFTER UPDATE ON judgements FOR EACH ROW EXECUTE FUNCTION note_end();`);
    const ids = await stage.deliver(FILES);
    const first = stage.startReplica(40);
    stage.startReplica(40);
    const { started, ended } = stage.startKubelet(PROCESSES);
    await until('a quarter is judged', async () => (await stage.verdicts()) > FILES / 4, LONG);
    first.kill('SIGKILL');
    await until('half is judged', async () => (await stage.verdicts()) > FILES / 2, LONG);
    await plane.restartApiServer();
    stage.startReplica(40);
    await until('all are judged', async () => (await stage.verdicts()) === FILES, LONG);
    await until(
      'nothing is left to do',
      async () => (await stage.database('kubernetes_jobs').first('number')) === undefined,
      LONG,
    );
    const { rows: figures } = await stage.database.raw(
      `SELECT round(extract(epoch FROM max(finished_at) - min(started_at)))::integer AS seconds,
         count(*)::integer AS verdicts, sum(attempts)::integer AS attempts FROM judgements`,
    );
    await annotate(JSON.stringify(figures[0]), 'figures');
    const { rows } = await stage.database.raw(
      `SELECT runs.verdict, count(*)::integer FROM judgements JOIN runs ON runs.id = run_id
       WHERE number = 1 AND runs.verdict_number = 1 AND runs.status = 'finished' GROUP BY 1 ORDER BY 1`,
    );
    const failed = Math.ceil(FILES / 3);
    expect(rows).toEqual([
      { verdict: 'failed', count: failed },
      { verdict: 'passed', count: FILES - failed },
    ]);
    const ends = await stage.database('ends').select('run_id', 'status');
    expect(ends).toHaveLength(FILES);
    expect(new Set(ends.map(({ run_id }) => run_id))).toEqual(new Set(ids));
    expect(started).toHaveLength(PROCESSES);
    // Whatever the verdict: a Job that failed would mean that there is none. Its pods may find a database that is busy.
    expect([EXIT.ok, EXIT.unavailable, EXIT.tryAgain]).toEqual(
      expect.arrayContaining([...ended.keys()]),
    );
    const made = await stage.jobs();
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
  await stage.kubectl(
    ...['patch', 'job', name, '--subresource=status', '--type=merge'],
    ...['--patch', JSON.stringify({ status })],
  );
  const hasFailed = async () =>
    (await stage.jobs())
      .find(({ metadata }) => metadata.name === name)
      ?.status.conditions?.some(({ type }) => type === 'Failed') === true;
  await until(`${name} has failed`, hasFailed, DEADLINE);
}
