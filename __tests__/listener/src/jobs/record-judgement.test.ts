import { readFile } from 'node:fs/promises';
import { expectationProblems } from '@file-processing/quality/expectation.ts';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  finishJudgement,
  type HeldJudgement,
} from '../../../../listener/src/database/judgements.ts';
import { storeMapping } from '../../../../listener/src/database/mappings.ts';
import { upsertMonitoringFile } from '../../../../listener/src/database/monitoring-files.ts';
import { findRun } from '../../../../listener/src/database/runs.ts';
import { seedDefinitions } from '../../../../listener/src/database/seed.ts';
import { tablesOf } from '../../../../listener/src/database/tables.ts';
import { NODE_PORTS } from '../../../../listener/src/jobs/engine-ports.ts';
import { recordJudgement } from '../../../../listener/src/jobs/record-judgement.ts';
import { s3DataQualityJob } from '../../../../listener/src/jobs/s3-data-quality-job.ts';
import { SEED_FOLDER } from '../../../../listener/src/rules/rule-set.ts';
import {
  type ObjectStore,
  ObjectUnavailableError,
} from '../../../../listener/src/storage/object-store.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { begin, beginOf, forgetRuns, PASSED } from '../../support/runs.ts';
import { neverWritten, storeOf } from '../../support/stores.ts';

const SAMPLE = new URL('../../../../listener/local/samples/Officer_Detail.csv', import.meta.url);
const SCHEMA = new URL('../../../../quality/report.schema.json', import.meta.url);
const officers = {
  bucket: 'etl-ba-research-client-etl',
  key: 'from_client/nm_albuquerque/Officer_Detail.csv',
};

let given: TestDatabase;
beforeAll(async () => {
  given = await createTestDatabase();
  await seedDefinitions(given.database, SEED_FOLDER, expectationProblems);
});
afterAll(() => given.drop());
beforeEach(() => forgetRuns(given.database));

function record(judgement: HeldJudgement, store: ObjectStore, signal?: AbortSignal) {
  return recordJudgement(judgement, {
    database: given.database,
    job: s3DataQualityJob,
    store,
    engine: { ports: NODE_PORTS, maxKeyBytes: 2 ** 20 },
    maxFaults: 100,
    signal: signal ?? new AbortController().signal,
  });
}

test('a verdict is recorded with counts, report and what it was judged by', async () => {
  const held = await begin(given.database, officers);
  await record(held, storeOf(await readFile(SAMPLE, 'utf8')));
  const run = await findRun(given.database, held.runId);
  expect(run).toMatchObject({
    status: 'finished',
    verdict: 'failed',
    rowCount: 12,
    faultCount: 9,
    mappingName: 'officer_detail',
    mappingVersion: 1,
    attempts: 1,
    sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  const validate = new Ajv2020({ strict: false }).compile(
    JSON.parse(await readFile(SCHEMA, 'utf8')),
  );
  expect(validate(run?.report), JSON.stringify(validate.errors)).toBe(true);
});

test.each([
  ['gone', 'object-gone'],
  ['replaced', 'object-replaced'],
] as const)('an object that is %s ends its run', async (status, code) => {
  const held = await begin(given.database, officers);
  await record(held, storeOf(new ObjectUnavailableError(code, 'no more')));
  expect(await findRun(given.database, held.runId)).toMatchObject({
    status,
    error: 'no more',
    verdict: null,
  });
});

test('the store is asked for the object as its event stated it, size included', async () => {
  const stated = { ...officers, versionId: 'v1', eTag: 'e1', sizeBytes: 4 };
  const asked: unknown[] = [];
  const store: ObjectStore = {
    ...storeOf(''),
    async open(reference, signal) {
      asked.push(reference);
      return storeOf('a\n1\n').open(reference, signal);
    },
  };
  await record(await begin(given.database, stated), store);
  expect(asked).toStrictEqual([stated]);
});

test('a technical failure is thrown, and whoever holds the judgement notes it', async () => {
  const held = await begin(given.database, officers);
  await expect(record(held, storeOf(new Error('access denied')))).rejects.toThrow('access denied');
  expect(await findRun(given.database, held.runId)).toMatchObject({ status: 'running' });
});

test('an attempt that was handed back leaves the run to the next one', async () => {
  const held = await begin(given.database, officers);
  const controller = new AbortController();
  const store: ObjectStore = {
    async open() {
      controller.abort(new Error('shutdown'));
      throw new Error('read failed');
    },
    write: neverWritten,
    copy: neverWritten,

    deleteVersions: async () => 0,
    close() {},
  };
  await expect(record(held, store, controller.signal)).rejects.toThrow();
  expect(await findRun(given.database, held.runId)).toMatchObject({
    status: 'running',
    error: null,
  });
});

test('a judgement that another attempt has begun meanwhile is lost, and its end not recorded', async () => {
  const held = await begin(given.database, officers);
  const store: ObjectStore = {
    async open(reference, signal) {
      await beginOf(given.database, held.runId);
      return storeOf('a\n1\n').open(reference, signal);
    },
    write: neverWritten,
    copy: neverWritten,

    deleteVersions: async () => 0,
    close() {},
  };
  await expect(record(held, store)).rejects.toThrow('another attempt at judgement 1');
  expect(await findRun(given.database, held.runId)).toMatchObject({ status: 'running' });
});

test('an outcome that comes after the run was handed back is not recorded', async () => {
  const held = await begin(given.database, officers);
  const controller = new AbortController();
  const recording = recordJudgement(held, {
    database: given.database,
    job: {
      ...s3DataQualityJob,
      run: async () => {
        controller.abort(new Error('claim lost'));
        return { status: 'gone', reason: 'it was removed' };
      },
    },
    store: storeOf(''),
    engine: { ports: NODE_PORTS, maxKeyBytes: 2 ** 20 },
    maxFaults: 100,
    signal: controller.signal,
  });
  await expect(recording).rejects.toThrow('claim lost');
  expect(await findRun(given.database, held.runId)).toMatchObject({
    status: 'running',
    error: null,
  });
});

test('a verdict that is there already is not written over', async () => {
  const held = await begin(given.database, officers);
  const store: ObjectStore = {
    async open(reference, signal) {
      await finishJudgement(given.database, held, PASSED);
      return storeOf('').open(reference, signal);
    },
    write: neverWritten,
    copy: neverWritten,

    deleteVersions: async () => 0,
    close() {},
  };
  await expect(record(held, store)).rejects.toThrow('another attempt');
  expect(await findRun(given.database, held.runId)).toMatchObject({ verdict: 'passed' });
});

test('a delivery is compared with those that were accepted before it, also when judged again', async () => {
  const { database } = given;
  const visits = { bucket: 'b-visits', key: 'visits.csv' };
  await storeMapping(database, {
    name: 'visits',
    version: 1,
    tableSchema: { fields: [{ name: 'id' }], fieldsMatch: 'subset' },
    dialect: {},
    thresholds: {},
    rules: [{ rule: 'SchemaMatch', warn: ['lost'] }, { rule: 'FileUniqueness' }],
  });
  await upsertMonitoringFile(database, {
    client: 'county',
    bucket: visits.bucket,
    keyPattern: visits.key,
    mappingName: 'visits',
    mappingVersion: 1,
    active: true,
    description: '',
  });
  const deliver = async (day: number, content: string) => {
    const eventTime = `2026-11-0${day}T06:00:00Z`;
    const held = await begin(database, { ...visits, versionId: `v${day}`, eventTime });
    await record(held, storeOf(content));
    return findRun(database, held.runId);
  };
  const outcomes = (run: Awaited<ReturnType<typeof findRun>>) =>
    ((run?.report?.deliveryRules ?? []) as { outcome: string }[]).map(({ outcome }) => outcome);

  const first = await deliver(2, 'id,secret\n1,2\n');
  expect(first?.verdict).toBe('passed');
  expect(outcomes(first)).toEqual(['not judged', 'not judged']);
  const second = await deliver(3, 'id\n1\n');
  expect(second?.verdict).toBe('warned');
  expect(outcomes(second)).toEqual(['warned', 'passed']);
  const third = await deliver(4, 'id\n1\n');
  expect(third?.verdict).toBe('failed');
  expect(outcomes(third)).toEqual(['passed', 'failed']);
  const backfilled = await deliver(1, 'id\n1\n');
  expect(outcomes(backfilled)).toEqual(['not judged', 'not judged']);
  const kept = await database(tablesOf(database).judgements).pluck('accepted_columns');
  expect(JSON.stringify(kept)).not.toContain('secret');
});

test('how fresh a delivery is hangs on when it came, whenever it is judged', async () => {
  const { database } = given;
  const visits = { bucket: 'b-fresh', key: 'visits.csv' };
  await storeMapping(database, {
    ...{ name: 'fresh', version: 1, dialect: {}, thresholds: {} },
    tableSchema: { fields: [{ name: 'day', type: 'date' }] },
    rules: [
      { rule: 'DataFreshness', column: 'day', hours: 24, fail: { min: 1 } },
      { rule: 'FileFreshness', warn: { maxHours: 24 } },
    ],
  });
  await upsertMonitoringFile(database, {
    ...{ client: 'county', bucket: visits.bucket, keyPattern: visits.key },
    ...{ mappingName: 'fresh', mappingVersion: 1, active: true, description: '' },
  });
  const outcomesOn = async (eventTime: string) => {
    const held = await begin(database, { ...visits, versionId: eventTime, eventTime });
    await record(held, storeOf('day\n2026-11-01\n2026-11-02\n'));
    const run = await findRun(database, held.runId);
    const rules = (run?.report?.deliveryRules ?? []) as { outcome: string }[];
    return rules.map(({ outcome }) => outcome);
  };
  expect(await outcomesOn('2026-11-02T06:00:00Z')).toEqual(['passed', 'not judged']);
  expect(await outcomesOn('2026-11-02T23:00:00Z')).toEqual(['passed', 'passed']);
  expect(await outcomesOn('2026-11-04T06:00:00Z')).toEqual(['failed', 'warned']);
});
