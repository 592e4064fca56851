import { readFile } from 'node:fs/promises';
import { expectationProblems } from '@file-processing/quality/expectation.ts';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { SEED_FOLDER } from '../../../../listener/src/database/definitions.ts';
import { findRun, finishRun, openRun } from '../../../../listener/src/database/runs.ts';
import { seedDefinitions } from '../../../../listener/src/database/seed.ts';
import { recordRun } from '../../../../listener/src/jobs/record-run.ts';
import { s3DataQualityJob } from '../../../../listener/src/jobs/s3-data-quality-job.ts';
import {
  type ObjectStore,
  ObjectUnavailableError,
} from '../../../../listener/src/storage/object-store.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
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
beforeEach(() => given.database('runs').delete());

function record(runId: string, store: ObjectStore, again = false, signal?: AbortSignal) {
  return recordRun(runId, {
    database: given.database,
    job: s3DataQualityJob,
    store,
    maxFaults: 100,
    signal: signal ?? new AbortController().signal,
    again,
  });
}

test('a verdict is recorded with counts, report and what it was judged by', async () => {
  const id = await openRun(given.database, officers);
  await record(id, storeOf(await readFile(SAMPLE, 'utf8')));
  const run = await findRun(given.database, id);
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
  const id = await openRun(given.database, officers);
  await record(id, storeOf(new ObjectUnavailableError(code, 'no more')));
  expect(await findRun(given.database, id)).toMatchObject({
    status,
    error: 'no more',
    verdict: null,
  });
});

test('a technical failure is noted on the run and thrown', async () => {
  const id = await openRun(given.database, officers);
  await expect(record(id, storeOf(new Error('access denied')))).rejects.toThrow('access denied');
  expect(await findRun(given.database, id)).toMatchObject({
    status: 'queued',
    error: 'access denied',
  });
});

test('a run that has ended is left alone', async () => {
  const id = await openRun(given.database, officers);
  await record(id, storeOf('a\n1\n'));
  expect(await record(id, storeOf(new Error('must not be opened')))).toBeUndefined();
});

test('a run that has ended is judged anew when asked', async () => {
  const id = await openRun(given.database, { bucket: 'bucket', key: 'a.csv' });
  await record(id, storeOf(''));
  await record(id, storeOf('a\n1\n'), true);
  expect(await findRun(given.database, id)).toMatchObject({ verdict: 'passed', attempts: 2 });
});

test('an attempt that was handed back leaves the run to the next one', async () => {
  const id = await openRun(given.database, officers);
  const controller = new AbortController();
  const store: ObjectStore = {
    async open() {
      controller.abort(new Error('shutdown'));
      throw new Error('read failed');
    },
    write: neverWritten,
    close() {},
  };
  await expect(record(id, store, false, controller.signal)).rejects.toThrow();
  expect(await findRun(given.database, id)).toMatchObject({ status: 'running', error: null });
});

test('a verdict that could not be recorded, as another attempt put the run back, is technical', async () => {
  const id = await openRun(given.database, officers);
  const store: ObjectStore = {
    async open(reference, signal) {
      await given.database('runs').where({ id }).update({ status: 'queued' });
      return storeOf('a\n1\n').open(reference, signal);
    },
    write: neverWritten,
    close() {},
  };
  await expect(record(id, store)).rejects.toThrow('another attempt changed the run');
});

test('an outcome that comes after the run was handed back is not recorded', async () => {
  const id = await openRun(given.database, officers);
  const controller = new AbortController();
  const recording = recordRun(id, {
    database: given.database,
    job: {
      ...s3DataQualityJob,
      run: async () => {
        controller.abort(new Error('claim lost'));
        return { status: 'gone', reason: 'it was removed' };
      },
    },
    store: storeOf(''),
    maxFaults: 100,
    signal: controller.signal,
    again: false,
  });
  await expect(recording).rejects.toThrow('claim lost');
  expect(await findRun(given.database, id)).toMatchObject({ status: 'running', error: null });
});

test('a verdict that another attempt was faster with is not a failure', async () => {
  const id = await openRun(given.database, officers);
  const report = { verdict: 'passed' };
  const store: ObjectStore = {
    async open(reference, signal) {
      const counts = { rowCount: 1, byteCount: 4, faultCount: 0 };
      await finishRun(given.database, id, { verdict: 'passed', ...counts, report });
      return storeOf('').open(reference, signal);
    },
    write: neverWritten,
    close() {},
  };
  await record(id, store);
  expect(await findRun(given.database, id)).toMatchObject({ verdict: 'passed', report });
});
