import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  finishJudgement,
  requestJudgements,
} from '../../../../listener/src/database/judgements.ts';
import { forgetValues } from '../../../../listener/src/database/privacy-events.ts';
import type { RoutingAct } from '../../../../listener/src/database/routing.ts';
import { NODE_PORTS } from '../../../../listener/src/jobs/engine-ports.ts';
import { recordJudgement } from '../../../../listener/src/jobs/record-judgement.ts';
import { routeVerdict } from '../../../../listener/src/jobs/route-verdict.ts';
import { s3DataQualityJob } from '../../../../listener/src/jobs/s3-data-quality-job.ts';
import { ObjectUnavailableError } from '../../../../listener/src/storage/object-store.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { type RoutingStore, routingStoreOf } from '../../support/routing-store.ts';
import { beginOf, forgetRuns, openRun, PASSED } from '../../support/runs.ts';

const OBJECT = { bucket: 'drop-box', key: 'from_client/nm/a.csv', versionId: 'v1', eTag: 'e1' };
const SOURCE = 'drop-box/from_client/nm/a.csv';
const ACCEPTED = 'checked/nm/accepted/from_client/nm/v1.1/a.csv';
const REJECTED = 'checked/nm/rejected/from_client/nm/v1.1/a.csv';
const never = new AbortController().signal;

let given: TestDatabase;
let store: RoutingStore;
beforeAll(async () => {
  given = await createTestDatabase();
  const fields = [
    { name: 'n', type: 'integer', classification: 'public' },
    { name: 'name', classification: 'sensitive' },
    { name: 'town', classification: 'internal' },
  ];
  await given.database('mappings').insert({ name: 'm', version: 1, table_schema: { fields } });
});
afterAll(() => given.drop());
beforeEach(async () => {
  await forgetRuns(given.database);
  await given.database('monitoring_files').delete();
  await given.database('monitoring_files').insert({
    ...{ client: 'nm', bucket: 'drop-box', key_pattern: 'from_client/nm/*' },
    ...{ mapping_name: 'm', mapping_version: 1 },
    on_verdict: { tag: true, copy: { bucket: 'checked', prefix: 'nm/' } },
  });
  store = routingStoreOf('n,name,town\n1,a,b\n');
});

/** A run whose object version holds this, judged. */
async function judged(content = 'n,name,town\n1,a,b\n', object = OBJECT): Promise<string> {
  store = routingStoreOf(content);
  const runId = await openRun(given.database, object);
  await judgeAgain(runId, 1);
  return runId;
}

async function judgeAgain(runId: string, number: number): Promise<void> {
  await recordJudgement(await beginOf(given.database, runId, number), {
    database: given.database,
    job: s3DataQualityJob,
    store,
    engine: { ports: NODE_PORTS, maxKeyBytes: 2 ** 20 },
    maxFaults: 100,
    signal: never,
  });
}

/** Another judgement with another verdict, as after a change of rules. @returns its number */
async function corrected(runId: string, verdict: 'passed' | 'failed'): Promise<number> {
  const number = await given.database.transaction(async (transaction) => {
    const [asked] = await requestJudgements(transaction, [runId], { askedBy: 'rule_change' });
    return asked?.number ?? 0;
  });
  const [{ id }] = await given.database('monitoring_files').select('id');
  await finishJudgement(given.database, await beginOf(given.database, runId, number), {
    ...PASSED,
    verdict,
    report: { verdict, faults: [], diagnoses: [], columns: [] },
    monitored: { monitoringFileId: id, mappingName: 'm', mappingVersion: 1 },
  });
  return number;
}

const route = (runId: string, number = 1, options: { signal?: AbortSignal } = {}) =>
  routeVerdict(
    { runId, number },
    {
      ...{ database: given.database, store, bySetting: false, tags: true, signal: never },
      targets: [{ bucket: 'checked', prefix: 'nm/' }],
      engine: { ports: NODE_PORTS, maxKeyBytes: 2 ** 20 },
      ...options,
    },
  );

const recorded = (runId: string, number = 1) =>
  given.database('judgements').where({ run_id: runId, number }).first('routing', 'routed_at');

const outcomes = (acts: readonly RoutingAct[] | undefined) =>
  acts?.map(({ act, outcome }) => `${act} ${outcome}`);

test('a file that passed is tagged and copied, and the judgement says so', async () => {
  const runId = await judged();
  const acts = await route(runId);
  expect(outcomes(acts)).toEqual(['tag done', 'copy done']);
  expect([...store.objects]).toEqual([[ACCEPTED, `${OBJECT.key}@v1`]]);
  expect(store.tags.get(SOURCE)).toEqual({ 'dq-verdict': 'passed' });
  expect(await recorded(runId)).toEqual({ routing: acts, routed_at: expect.any(Date) });
});

test('a file that was routed is not routed again', async () => {
  const runId = await judged();
  await route(runId);
  const before = store.begun.length;
  expect(await route(runId)).toBeUndefined();
  expect(store.begun).toHaveLength(before);
});

test('a file that nobody monitors is not routed', async () => {
  const runId = await judged('n\n1\n', { ...OBJECT, key: 'from_client/other/a.csv' });
  expect(await route(runId)).toBeUndefined();
  expect(await recorded(runId)).toEqual({ routing: null, routed_at: null });
});

test('beside a rejected copy lies what was wrong, without a value that is not public', async () => {
  const runId = await judged('n,name,town\n1,MARKER-a,MARKER-b\nx,MARKER-c,MARKER-d\n');
  expect(outcomes(await route(runId))).toEqual(['tag done', 'copy done', 'rejects done']);
  expect(store.objects.get(`${REJECTED}.rejects.csv`)).toBe(
    '"row","line","kind","field","row_content"\r\n' +
      '"3","3","type-error","n","x,[withheld],[withheld]"\r\n',
  );
  const everything = JSON.stringify([[...store.objects], [...store.tags], await recorded(runId)]);
  expect(everything).not.toContain('MARKER');
});

test('of internal columns rejects show the values where reports do', async () => {
  const runId = await judged('n,name,town\nx,MARKER-c,Taos\n');
  await routeVerdict(
    { runId, number: 1 },
    {
      ...{ database: given.database, store, bySetting: true, tags: true, signal: never },
      targets: [{ bucket: 'checked', prefix: 'nm/' }],
      engine: { ports: NODE_PORTS, maxKeyBytes: 2 ** 20 },
    },
  );
  expect(store.objects.get(`${REJECTED}.rejects.csv`)).toContain('"x,[withheld],Taos"');
});

test.each(['tag', 'copy', 'write'])(
  'a process that is killed after a %s leaves the rest to the next attempt, and nothing is there twice',
  async (killedAfter) => {
    const runId = await judged('n,name,town\nx,a,b\n');
    store.after = async (act) => {
      if (act === killedAfter) throw new Error('killed');
    };
    await expect(route(runId)).rejects.toThrow('killed');
    expect(await recorded(runId)).toMatchObject({ routed_at: null, routing: expect.any(Array) });
    store.after = async () => undefined;
    expect(outcomes(await route(runId))).toEqual(['tag done', 'copy done', 'rejects done']);
    expect([...store.objects.keys()].sort()).toEqual([REJECTED, `${REJECTED}.rejects.csv`]);
  },
);

test('a copy that was made is not made again for an act after it that failed', async () => {
  const runId = await judged('n,name,town\nx,a,b\n');
  store.after = async (act) => {
    if (act === 'write') throw new Error('SlowDown');
  };
  await expect(route(runId)).rejects.toThrow('SlowDown');
  store.after = async () => undefined;
  await route(runId);
  expect(store.begun.filter((act) => act.startsWith('copy'))).toHaveLength(1);
});

test('two replicas that route one judgement put one copy there', async () => {
  const runId = await judged();
  await Promise.all([route(runId), route(runId)]);
  expect([...store.objects.keys()]).toEqual([ACCEPTED]);
  expect((await recorded(runId)).routed_at).not.toBeNull();
});

test('a correction copies to the right folder and tags the wrong copy', async () => {
  const runId = await judged();
  await route(runId);
  const number = await corrected(runId, 'failed');
  expect(outcomes(await route(runId, number))).toEqual([
    'tag done',
    'supersede done',
    'copy done',
    'rejects done',
  ]);
  expect(store.tags.get(ACCEPTED)).toEqual({ 'dq-verdict': 'superseded' });
  expect(store.objects.has('checked/nm/rejected/from_client/nm/v1.2/a.csv')).toBe(true);
  expect(store.tags.get(SOURCE)).toEqual({ 'dq-verdict': 'failed' });
});

test('a verdict that was corrected before it was routed is not routed', async () => {
  const runId = await judged();
  await corrected(runId, 'failed');
  expect(await route(runId, 1)).toBeUndefined();
  expect(store.begun).toEqual([]);
});

test('a copy that is made while a correction comes is superseded by who made it', async () => {
  const runId = await judged();
  let number = 0;
  store.after = async (act) => {
    if (act !== 'copy' || number !== 0) return;
    number = await corrected(runId, 'failed');
    // Before this copy is there, as far as the other process can see.
    store.objects.delete(ACCEPTED);
    await route(runId, number);
    store.objects.set(ACCEPTED, 'late');
  };
  await route(runId, 1);
  expect(store.tags.get(ACCEPTED)).toEqual({ 'dq-verdict': 'superseded' });
  expect(store.tags.get(SOURCE)).toEqual({ 'dq-verdict': 'failed' });
  expect(await recorded(runId, 1)).toMatchObject({ routed_at: expect.any(Date) });
});

test('a copy of a killed process is superseded by the next attempt, if a correction came meanwhile', async () => {
  const runId = await judged();
  store.after = async (act) => {
    if (act === 'copy') throw new Error('killed');
  };
  await expect(route(runId)).rejects.toThrow('killed');
  store.after = async () => undefined;
  await corrected(runId, 'failed');
  expect(outcomes(await route(runId, 1))).toEqual(['tag done', 'copy overtaken', 'supersede done']);
  expect(store.tags.get(ACCEPTED)).toEqual({ 'dq-verdict': 'superseded' });
});

test('a full set of tags is reported, not changed, and no reason to try again', async () => {
  const runId = await judged();
  const ten = Object.fromEntries(Array.from({ length: 10 }, (_, at) => [`t${at}`, 'x']));
  store.tags.set(SOURCE, ten);
  expect(outcomes(await route(runId))).toEqual(['tag full', 'copy done']);
  expect(store.tags.get(SOURCE)).toEqual(ten);
  expect(await recorded(runId)).toMatchObject({ routed_at: expect.any(Date) });
});

test('of an object that was replaced meanwhile nothing is copied, and nothing written beside', async () => {
  const runId = await judged('n,name,town\nx,a,b\n');
  store.copy = async () => {
    throw new ObjectUnavailableError('object-replaced', 'another one');
  };
  expect(outcomes(await route(runId))).toEqual(['tag done', 'copy replaced', 'rejects replaced']);
  expect(store.objects.size).toBe(0);
});

test('an upload in parts that was left is told to the next attempt', async () => {
  const runId = await judged();
  store.copy = async (_source, _target, { onUpload }) => {
    await onUpload('upload-1');
    throw new Error('killed');
  };
  await expect(route(runId)).rejects.toThrow('killed');
  let left: string | undefined;
  store.copy = async (_source, _target, { leftUpload }) => {
    left = leftUpload;
    return { status: 'compared', algorithm: 'CRC64NVME', reason: null };
  };
  await route(runId);
  expect(left).toBe('upload-1');
  expect(JSON.stringify(await recorded(runId))).not.toContain('upload-1');
});

test('an aborted signal ends the routing with its reason', async () => {
  const runId = await judged();
  const signal = AbortSignal.abort(new Error('shutdown'));
  await expect(route(runId, 1, { signal })).rejects.toThrow('shutdown');
});

test('forgetting finds copies and what lies beside them, done or begun', async () => {
  const runId = await judged('n,name,town\nx,a,b\n');
  store.after = async () => {
    throw new Error('killed');
  };
  await expect(route(runId)).rejects.toThrow('killed');
  const expected = [REJECTED, `${REJECTED}.rejects.csv`].map((name) => ({
    bucket: 'checked',
    key: name.slice('checked/'.length),
  }));
  const begun = await forgetValues(given.database, [runId]);
  expect(begun.reports).toEqual(expected);
  expect(begun.waiting).toBe(1);
});

test('of a file whose values are forgotten while it is copied, the copy is superseded and no row is written', async () => {
  const runId = await judged('n,name,town\nx,a,b\n');
  store.after = async (act) => {
    if (act === 'copy') await forgetValues(given.database, [runId]);
  };
  const acts = await route(runId);
  expect(outcomes(acts)).toContain('supersede done');
  expect([...store.objects.keys()]).toEqual([REJECTED]);
  expect((await forgetValues(given.database, [runId])).waiting).toBe(0);
});
