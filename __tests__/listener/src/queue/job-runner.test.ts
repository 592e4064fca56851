import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  closeJudgement,
  failJudgements,
  finishJudgement,
  noteFailure,
} from '../../../../listener/src/database/judgements.ts';
import {
  countKubernetesJobs,
  placeJudgement,
} from '../../../../listener/src/database/kubernetes-jobs.ts';
import { findRun } from '../../../../listener/src/database/runs.ts';
import {
  listDeadRuns,
  repairJudgements,
  retryDeadRuns,
} from '../../../../listener/src/queue/dead-letters.ts';
import {
  jobName,
  jobOf,
  jobRunner,
  returnToPool,
} from '../../../../listener/src/queue/job-runner.ts';
import {
  KubernetesError,
  type KubernetesJob,
  type KubernetesJobs,
} from '../../../../listener/src/queue/kubernetes-api.ts';
import { openQueue, type Queue } from '../../../../listener/src/queue/queue.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { beginOf, forgetRuns, openRun, PASSED } from '../../support/runs.ts';

const TEMPLATE = {
  mostScratchMib: 20_480,
  job: {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { labels: { app: 'judgement' } },
    spec: {
      ttlSecondsAfterFinished: 300,
      template: {
        metadata: { labels: { app: 'judgement' } },
        spec: {
          serviceAccountName: 'sa',
          containers: [{ name: 'judge', image: 'registry/listener@sha256:1' }],
          volumes: [{ name: 'tmp', emptyDir: { sizeLimit: '1Gi' } }, { name: 'secrets' }],
        },
      },
    },
  },
} as const;

/** An API server that holds Jobs and makes none of their pods. */
interface PlayedApi extends KubernetesJobs {
  readonly held: Map<string, KubernetesJob>;
  readonly manifests: Map<string, ReturnType<typeof jobOf>>;
  readonly calls: string[];
  /** Why it makes none, if so. */
  refusal: KubernetesError | undefined;
  isLimited: boolean;
}

function playedApi(): PlayedApi {
  const held = new Map<string, KubernetesJob>();
  const manifests = new Map<string, ReturnType<typeof jobOf>>();
  const api: PlayedApi = {
    ...{ held, manifests, calls: [], refusal: undefined, isLimited: true },
    async create(manifest, dryRun = false) {
      if (dryRun) {
        if (!api.isLimited) return;
        throw new KubernetesError("ValidatingAdmissionPolicy 'p' denied request", 422, 'Invalid');
      }
      const { name } = (manifest as ReturnType<typeof jobOf>).metadata;
      api.calls.push(`create ${name}`);
      if (api.refusal) throw api.refusal;
      if (held.has(name)) throw new KubernetesError('exists', 409, 'AlreadyExists');
      held.set(name, { metadata: { name } });
      manifests.set(name, manifest as ReturnType<typeof jobOf>);
    },
    async list() {
      api.calls.push('list');
      return [...held.values()];
    },
    async delete(name) {
      held.delete(name);
    },
    close: () => undefined,
  };
  return api;
}

let given: TestDatabase;
let queue: Queue;
let api: PlayedApi;
let templateFile: string;
let dead: number;
beforeAll(async () => {
  given = await createTestDatabase();
  queue = await openQueue(given.database, (error) => {
    throw error;
  });
  templateFile = join(mkdtempSync(join(tmpdir(), 'template-')), 'template.json');
  writeFileSync(templateFile, JSON.stringify(TEMPLATE));
});
afterAll(async () => {
  await queue.close();
  await given.drop();
});
beforeEach(async () => {
  await forgetRuns(given.database);
  await given.database('file_processing_queue.job').delete();
  api = playedApi();
  dead = 0;
});

const GIB = 2 ** 30;

/** A replica's look. */
function replica({ limit = 20, log = [] as string[], weights = {} } = {}) {
  const write = (line: string) => void log.push(line);
  return jobRunner({
    ...{ database: given.database, queue, jobs: api, templateFile, limit, listMs: () => 0 },
    clientsOf: async (objects) => objects.map(({ key }) => key.split('/').at(-2) ?? ''),
    weights: new Map<string, number>(Object.entries(weights)),
    logger: pino({ level: 'info' }, { write }),
    onDead: (count) => {
      dead += count;
    },
  });
}

/** Judgements that wait for a Job. @returns the ids of their runs */
const placed = (...sizes: readonly number[]) => placedBelow('', ...sizes);

/** As {@link placed}, of objects in a folder. */
async function placedBelow(folder: string, ...sizes: readonly number[]): Promise<string[]> {
  const ids: string[] = [];
  for (const [index, sizeBytes] of sizes.entries()) {
    const runId = await openRun(given.database, {
      ...{ bucket: 'b', key: `${folder}${index}`, eTag: `${index}`, sizeBytes },
    });
    await placeJudgement(given.database, { runId, number: 1 }, 0);
    ids.push(runId);
  }
  return ids;
}

const nameOf = (runId: string | undefined, submission = 1, number = 1) =>
  jobName({ runId: runId ?? '', number, submission });
const counts = () => countKubernetesJobs(given.database);
const jobsOfQueue = async () => (await queue.fetch(10)).map(({ runId, number }) => [runId, number]);

/** What the control plane says of a Job that came to its end. */
function end(name: string, reason?: string): void {
  const type = reason === undefined ? 'Complete' : 'Failed';
  const condition = { type, status: 'True', ...(reason && { reason, message: 'as told' }) };
  api.held.set(name, { metadata: { name }, status: { conditions: [condition] } });
}

/** As if nobody had said anything for so long. */
async function fallSilent(seconds: number): Promise<void> {
  await given.database.raw(
    'UPDATE file_processing.judgements SET heartbeat_at = now() - make_interval(secs => ?)',
    [seconds],
  );
}

/** Lets judgements that wait for another Job have it at once. */
async function comeDue(): Promise<void> {
  await given.database('file_processing.kubernetes_jobs').update({ not_before: new Date(0) });
}

describe('a judgement', () => {
  test.each([
    [GIB - 1, false],
    [GIB, true],
    [undefined, false],
  ])('of an object of %s bytes is kept for a Job from 1 GiB on: %s', async (sizeBytes, isKept) => {
    const runId = await openRun(given.database, {
      ...{ bucket: 'b', key: 'k' },
      ...(sizeBytes && { sizeBytes }),
    });
    expect(await placeJudgement(given.database, { runId, number: 1 }, GIB)).toBe(isKept);
    expect((await counts()).waiting).toBe(isKept ? 1 : 0);
  });

  test('that has ended is not for a Job: its report may be left to write', async () => {
    const runId = await openRun(given.database, { bucket: 'b', key: 'k', sizeBytes: GIB });
    await finishJudgement(given.database, await beginOf(given.database, runId), PASSED);
    expect(await placeJudgement(given.database, { runId, number: 1 }, 0)).toBe(false);
  });

  test('whose job of the queue comes twice is kept once', async () => {
    const [runId = ''] = await placed(GIB);
    expect(await placeJudgement(given.database, { runId, number: 1 }, 0)).toBe(true);
    expect((await counts()).waiting).toBe(1);
  });

  test('that waits for a Job is none that nobody works on', async () => {
    await placed(GIB);
    expect((await repairJudgements(given.database, queue)).enqueued).toBe(0);
  });
});

describe('a Job', () => {
  test('is made for each judgement, once, however many replicas look', async () => {
    const ids = await placed(1, 2, 3);
    const looks = [replica(), replica(), replica()];
    await Promise.all(looks.map((look) => look()));
    await Promise.all(looks.map((look) => look()));
    expect([...api.held.keys()].toSorted()).toEqual(ids.map((id) => nameOf(id)).toSorted());
  });

  test('is one of at most JOB_LIMIT, oldest first, and the others wait in the database', async () => {
    const ids = await placed(1, 2, 3, 4, 5);
    const looks = [replica({ limit: 2 }), replica({ limit: 2 })];
    await Promise.all(looks.map((look) => look()));
    expect([...api.held.keys()].toSorted()).toEqual(
      ids
        .slice(0, 2)
        .map((id) => nameOf(id))
        .toSorted(),
    );
    expect(await counts()).toEqual({ waiting: 3, submitted: 2 });
    await finishJudgement(given.database, await beginOf(given.database, ids[0] ?? ''), PASSED);
    await looks[0]?.();
    await looks[0]?.();
    expect([...api.held.keys()]).toContain(nameOf(ids[2]));
  });

  /** Has the only place given again and again. @returns the clients of the Jobs that were made, in their order */
  async function turns(
    count: number,
    folderOf: ReadonlyMap<string, string>,
    weights?: object,
  ): Promise<string> {
    const look = replica({ limit: 1, ...(weights && { weights }) });
    let order = '';
    for (let turn = 0; turn < count; turn += 1) {
      await look();
      const [row] = await given.database('kubernetes_jobs').whereNotNull('submitted_at');
      order += folderOf.get(row.run_id);
      await finishJudgement(given.database, await beginOf(given.database, row.run_id), PASSED);
      // Takes it out.
      await look();
    }
    return order;
  }

  test.each([
    [undefined, 'aabababaaa'],
    [{ a: 2 }, 'aabaabaaba'],
  ])(
    'is made in turns of the clients that wait, whoever came first: weights %j',
    async (weights, order) => {
      const folderOf = new Map<string, string>();
      const bring = async (client: string, count: number) => {
        const ids = await placedBelow(`${client}/`, ...Array(count).fill(1));
        for (const id of ids) folderOf.set(id, client);
      };
      await bring('a', 7);
      const first = await turns(1, folderOf, weights);
      await bring('b', 3);
      expect(first + (await turns(9, folderOf, weights))).toBe(order);
    },
  );

  test("that died takes its client's next turn", async () => {
    const [died = ''] = await placedBelow('a/', 1, 1, 1);
    await replica({ limit: 1 })();
    end(nameOf(died), 'BackoffLimitExceeded');
    await replica({ limit: 1 })();
    await comeDue();
    await replica({ limit: 2 })();
    const rows = await given.database('kubernetes_jobs').orderBy('round').pluck('run_id');
    expect(rows.at(-1)).toBe(died);
  });

  test('of a listing waits until those of messages have places', async () => {
    const [listed = '', fresh = ''] = await placed(1, 2);
    await given.database('file_processing.judgements').insert({
      ...{ run_id: listed, number: 1, asked_by: 'backfill' },
    });
    await replica({ limit: 1 })();
    expect([...api.held.keys()]).toEqual([nameOf(fresh)]);
  });

  test('asks for more, and may take longer, the larger the object is', () => {
    const asked = (sizeBytes: number) => {
      const judgement = { ...{ runId: 'r', number: 1, submission: 1, sizeBytes } } as never;
      const { spec } = jobOf(TEMPLATE, judgement) as never as {
        spec: {
          activeDeadlineSeconds: number;
          template: {
            spec: { containers: [{ resources: { requests: object } }]; volumes: object[] };
          };
        };
      };
      const [{ resources }] = spec.template.spec.containers;
      const [temporary] = spec.template.spec.volumes;
      return { ...resources.requests, deadline: spec.activeDeadlineSeconds, temporary };
    };
    expect(asked(GIB)).toEqual({
      ...{ cpu: '1', memory: '1024Mi', 'ephemeral-storage': '2048Mi', deadline: 1971 },
      temporary: { name: 'tmp', emptyDir: { sizeLimit: '1280Mi' } },
    });
    expect(asked(50 * GIB)).toMatchObject({
      ...{ cpu: '2', memory: '2048Mi', 'ephemeral-storage': '7424Mi', deadline: 10334 },
    });
    expect(asked(200 * GIB)).toMatchObject({
      ...{ cpu: '4', memory: '4096Mi', 'ephemeral-storage': '21504Mi', deadline: 35934 },
    });
  });

  test('tries no code again that is final, and does not count disruptions', () => {
    const judgement = { runId: 'r', number: 2, submission: 3, sizeBytes: 1 } as never;
    expect(jobOf(TEMPLATE, judgement)).toMatchObject({
      metadata: { name: 'judge-r-2-3', labels: { app: 'judgement' } },
      spec: {
        backoffLimit: 3,
        ttlSecondsAfterFinished: 300,
        podFailurePolicy: {
          rules: [
            { action: 'FailJob', onExitCodes: { operator: 'In', values: [2, 66] } },
            { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
          ],
        },
        template: { spec: { restartPolicy: 'Never', containers: [{ args: ['judge', 'r', '2'] }] } },
      },
    });
  });

  test('has a name that a label can hold, whatever the numbers', () => {
    const runId = '01234567-89ab-cdef-0123-456789abcdef';
    expect(jobName({ runId, number: 9_999_999, submission: 3 }).length).toBeLessThanOrEqual(63);
  });
});

describe('a verdict', () => {
  test('of a Job is taken out by one replica, and the pool is asked once for what is left to do', async () => {
    const [runId = ''] = await placed(GIB);
    const looks = [replica(), replica(), replica()];
    await looks[0]?.();
    await finishJudgement(given.database, await beginOf(given.database, runId), PASSED);
    await Promise.all(looks.map((look) => look()));
    expect(await counts()).toEqual({ waiting: 0, submitted: 0 });
    expect(await jobsOfQueue()).toEqual([[runId, 1]]);
  });

  test.each(['gone', 'replaced'] as const)(
    'that cannot be, since the object is %s, leaves nothing to do',
    async (status) => {
      const [runId = ''] = await placed(GIB);
      const look = replica();
      await look();
      await closeJudgement(given.database, await beginOf(given.database, runId), status, 'r');
      end(nameOf(runId), 'PodFailurePolicy');
      await look();
      expect(await counts()).toEqual({ waiting: 0, submitted: 0 });
      expect(await jobsOfQueue()).toEqual([]);
      expect(await findRun(given.database, runId)).toMatchObject({ status });
    },
  );

  test('asks nothing of the API server where no Job is left', async () => {
    await replica()();
    expect(api.calls).toEqual([]);
  });
});

describe('a Job that died', () => {
  test.each(['BackoffLimitExceeded', 'DeadlineExceeded'])(
    'by %s is followed by another one, after a while',
    async (reason) => {
      const [runId = ''] = await placed(GIB);
      const look = replica();
      await look();
      end(nameOf(runId), reason);
      await look();
      expect(await counts()).toEqual({ waiting: 1, submitted: 0 });
      await look();
      expect(api.held.has(nameOf(runId, 2))).toBe(false);
      await comeDue();
      await look();
      expect(api.held.has(nameOf(runId, 2))).toBe(true);
    },
  );

  test('is another one also while its pod, on a node that is lost, never ends', async () => {
    const [runId] = await placed(GIB);
    const look = replica();
    await look();
    const condition = { type: 'FailureTarget', status: 'True', reason: 'DeadlineExceeded' };
    const name = nameOf(runId);
    api.held.set(name, { metadata: { name }, status: { conditions: [condition] } });
    await look();
    await comeDue();
    await look();
    expect([...api.held.keys()]).toContain(nameOf(runId, 2));
  });

  test('for the third time is a dead letter that says why, which a retry settles', async () => {
    const [runId = ''] = await placed(GIB);
    const look = replica();
    for (const submission of [1, 2, 3]) {
      await comeDue();
      await look();
      const held = await beginOf(given.database, runId);
      await noteFailure(given.database, held, 'S3 is unavailable');
      end(nameOf(runId, submission), 'BackoffLimitExceeded');
      await look();
    }
    expect(dead).toBe(1);
    const [letter] = await listDeadRuns(given.database, {}, 10);
    expect(letter).toMatchObject({ id: runId, status: 'error', attempts: 3 });
    expect(letter?.error).toContain(
      `Job ${nameOf(runId, 3)}: BackoffLimitExceeded: as told; S3 is unavailable`,
    );
    expect(await queue.deadLetters(10)).toMatchObject([{ runId, number: 1, attempts: 3 }]);
    await retryDeadRuns(given.database, queue, [runId], 'again');
    expect(await jobsOfQueue()).toEqual([[runId, 2]]);
    await placeJudgement(given.database, { runId, number: 2 }, 0);
    await look();
    expect(api.held.has(nameOf(runId, 1, 2))).toBe(true);
  });

  test('of a setting is a dead letter at once', async () => {
    const [runId = ''] = await placed(GIB);
    const look = replica();
    await look();
    end(nameOf(runId), 'PodFailurePolicy');
    await look();
    expect(dead).toBe(1);
    expect((await listDeadRuns(given.database, {}, 10))[0]?.error).toContain(
      'none of its pods has begun to judge the file',
    );
  });

  test('is made out to be dead by one replica alone', async () => {
    const [runId = ''] = await placed(GIB);
    const looks = [replica(), replica(), replica()];
    await looks[0]?.();
    end(nameOf(runId), 'PodFailurePolicy');
    await Promise.all(looks.map((look) => look()));
    expect(dead).toBe(1);
    expect(await queue.deadLetters(10)).toHaveLength(1);
  });

  test('is waited for as long as a process says that it works on the judgement', async () => {
    const [runId = ''] = await placed(GIB);
    const look = replica();
    await look();
    const held = await beginOf(given.database, runId);
    end(nameOf(runId), 'BackoffLimitExceeded');
    await look();
    expect((await counts()).submitted).toBe(1);
    expect(await finishJudgement(given.database, held, PASSED)).toBe(true);
    await look();
    expect(await counts()).toEqual({ waiting: 0, submitted: 0 });
  });

  test('of a process that fell silent is followed by another, and that process ends nothing any more', async () => {
    const [runId = ''] = await placed(GIB);
    const look = replica();
    await look();
    const lost = await beginOf(given.database, runId);
    await fallSilent(61);
    api.held.delete(nameOf(runId));
    await look();
    await comeDue();
    await look();
    const next = await beginOf(given.database, runId);
    expect(await finishJudgement(given.database, lost, PASSED)).toBe(false);
    expect(await finishJudgement(given.database, next, PASSED)).toBe(true);
  });

  test('that somebody deleted is followed by another one', async () => {
    const [runId = ''] = await placed(GIB);
    const look = replica();
    await look();
    api.held.clear();
    await look();
    await comeDue();
    await look();
    expect([...api.held.keys()]).toEqual([nameOf(runId, 2)]);
  });

  test('and that ended well without a verdict is followed by another one', async () => {
    const [runId = ''] = await placed(GIB);
    const look = replica();
    await look();
    end(nameOf(runId));
    await look();
    expect((await counts()).waiting).toBe(1);
  });
});

describe('a refusal', () => {
  const QUOTA = new KubernetesError(
    'exceeded quota: jobs, used: count/jobs.batch=3',
    403,
    'Forbidden',
  );

  test('lets files wait, is told once, and uses up nothing', async () => {
    const [runId = ''] = await placed(GIB);
    const log: string[] = [];
    const look = replica({ log });
    api.refusal = QUOTA;
    for (let round = 0; round < 5; round += 1) await look();
    expect(log.filter((line) => line.includes('exceeded quota'))).toHaveLength(1);
    api.refusal = undefined;
    await look();
    expect([...api.held.keys()]).toEqual([nameOf(runId)]);
  });

  test('of one is not asked for all the others', async () => {
    await placed(...Array.from({ length: 30 }, (_, index) => index));
    api.refusal = QUOTA;
    await replica({ limit: 30 })();
    expect(api.calls.filter((call) => call.startsWith('create'))).toHaveLength(10);
  });

  test('no Job is made where no policy limits what may be made', async () => {
    await placed(GIB);
    const log: string[] = [];
    api.isLimited = false;
    await replica({ log })();
    expect(api.held.size).toBe(0);
    expect(log.join('')).toContain('no admission policy limits the Jobs');
  });

  test('an API server that is away, or was restarted, loses nothing', async () => {
    const [runId = ''] = await placed(GIB);
    const look = replica();
    api.refusal = new KubernetesError("the API server can't be asked: ECONNREFUSED");
    await look();
    api.refusal = undefined;
    await look();
    expect([...api.held.keys()]).toEqual([nameOf(runId)]);
  });

  test('a Job that was made by a process which died before it could say so is taken for made', async () => {
    const [runId = ''] = await placed(GIB);
    api.held.set(nameOf(runId), { metadata: { name: nameOf(runId) } });
    const look = replica();
    await look();
    await look();
    expect(await counts()).toEqual({ waiting: 0, submitted: 1 });
    expect(api.held.size).toBe(1);
  });
});

describe('with JOB_RUNNER=pool again', () => {
  test('what waits for a Job goes to the pool, once', async () => {
    const [runId = ''] = await placed(GIB);
    await Promise.all([returnToPool(given.database, queue), returnToPool(given.database, queue)]);
    expect(await jobsOfQueue()).toEqual([[runId, 1]]);
  });

  test('a Job that works is waited for', async () => {
    const [runId = ''] = await placed(GIB);
    await replica()();
    await beginOf(given.database, runId);
    expect(await returnToPool(given.database, queue)).toBe(0);
    await fallSilent(61);
    await given.database('file_processing.kubernetes_jobs').update({
      made_at: new Date(Date.now() - 120_000),
    });
    expect(await returnToPool(given.database, queue)).toBe(1);
  });
});

test('a judgement that somebody gave up takes its Job with it', async () => {
  const [runId = ''] = await placed(GIB);
  const look = replica();
  await look();
  await failJudgements(given.database, [{ runId, number: 1, error: 'given up' }]);
  await look();
  expect(api.held.size).toBe(0);
  expect(await counts()).toEqual({ waiting: 0, submitted: 0 });
});

test('a run that was forgotten leaves nothing behind', async () => {
  await placed(GIB);
  const look = replica();
  await look();
  await given.database('file_processing.runs').delete();
  await look();
  expect(await counts()).toEqual({ waiting: 0, submitted: 0 });
});
