import { readFile } from 'node:fs/promises';
import { expectationProblems } from '@file-processing/quality/expectation.ts';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { SEED_FOLDER } from '../../../../listener/src/cli/seed-folder.ts';
import { findRun, openRun } from '../../../../listener/src/database/runs.ts';
import { seedDefinitions } from '../../../../listener/src/database/seed.ts';
import { recordRun } from '../../../../listener/src/jobs/record-run.ts';
import { s3DataQualityJob } from '../../../../listener/src/jobs/s3-data-quality/s3-data-quality-job.ts';
import { writeReport } from '../../../../listener/src/jobs/write-report.ts';
import {
  type ObjectStore,
  ObjectUnavailableError,
} from '../../../../listener/src/storage/object-store.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { storeOf, writableStoreOf } from '../../support/stores.ts';

const SCHEMA = new URL('../../../../quality/report.schema.json', import.meta.url);
const officers = {
  bucket: 'etl-ba-research-client-etl',
  key: 'from_client/nm_albuquerque/Officer_Detail.csv',
};
/** Nobody monitors it: whatever is well formed passes. */
const unmonitored = { bucket: 'bucket', key: 'a.csv' };
const never = new AbortController().signal;

let given: TestDatabase;
beforeAll(async () => {
  given = await createTestDatabase();
  await seedDefinitions(given.database, SEED_FOLDER, expectationProblems);
});
afterAll(() => given.drop());
beforeEach(() => given.database('runs').delete());

function judge(runId: string, content: string | Error) {
  const context = { store: storeOf(content), maxFaults: 100, signal: never };
  return recordRun(runId, {
    database: given.database,
    job: s3DataQualityJob,
    again: true,
    ...context,
  });
}

/** A run that has ended. */
async function judged(content: string | Error, object = officers): Promise<string> {
  const id = await openRun(given.database, object);
  await judge(id, content);
  return id;
}

const write = (runId: string, store: ObjectStore, signal = never) =>
  writeReport(runId, { database: given.database, store, prefix: 'reports/', signal });

test('the report lies beside its object, below the prefix, and its key is on the run', async () => {
  const id = await judged('officer_id\n1\n');
  const store = writableStoreOf('');
  const reportKey = `reports/${officers.key}.${id}.json`;
  expect(await write(id, store)).toEqual({ bucket: officers.bucket, reportKey });
  expect(store.written).toMatchObject([{ bucket: officers.bucket, key: reportKey }]);
  expect(await findRun(given.database, id)).toMatchObject({ reportKey });
});

test('what is written is the report of the database, unchanged, with what it is about', async () => {
  const id = await judged('officer_id\n1\n');
  const store = writableStoreOf('');
  await write(id, store);
  const run = await findRun(given.database, id);
  const document = JSON.parse(store.written[0]?.body ?? '');
  expect(document).toEqual({
    runId: id,
    ...officers,
    versionId: null,
    eTag: null,
    verdict: 'failed',
    finishedAt: run?.finishedAt?.toISOString(),
    client: expect.stringMatching(/./),
    mapping: { name: 'officer_detail', version: 1 },
    report: run?.report,
  });
  const schema = JSON.parse(await readFile(SCHEMA, 'utf8'));
  expect(new Ajv2020({ strict: false }).compile(schema)(document.report)).toBe(true);
});

test('a report that was written is not written again', async () => {
  const id = await judged('n\n1\n', unmonitored);
  await write(id, writableStoreOf(''));
  const store = writableStoreOf('');
  expect(await write(id, store)).toBeUndefined();
  expect(store.written).toEqual([]);
});

test('a report that was refused leaves the verdict, and the next attempt writes it', async () => {
  const id = await judged('n\n1\n', unmonitored);
  // Must not be opened: the report is made from the database alone.
  const store = writableStoreOf(new Error('must not be opened'));
  store.refuseNext(new Error('SlowDown'));
  await expect(write(id, store)).rejects.toThrow('SlowDown');
  expect(await findRun(given.database, id)).toMatchObject({
    status: 'finished',
    verdict: 'passed',
    reportKey: null,
    error: null,
  });
  await write(id, store);
  expect(store.written).toHaveLength(1);
});

test('an attempt whose key was not noted any more writes over its own report', async () => {
  const id = await judged('n\n1\n', unmonitored);
  const store = writableStoreOf('');
  await write(id, store);
  await given.database('runs').update({ report_key: null });
  await write(id, store);
  const [first, second] = store.written;
  expect(second).toEqual(first);
});

test.each([
  ['is gone', new ObjectUnavailableError('object-gone', 'no more')],
  ['was replaced', new ObjectUnavailableError('object-replaced', 'another one')],
])('a run whose object %s has no report', async (_, error) => {
  expect(await write(await judged(error), storeOf(''))).toBeUndefined();
});

test('a run that has no verdict yet has no report', async () => {
  const id = await openRun(given.database, officers);
  expect(await write(id, storeOf(''))).toBeUndefined();
});

test('a run that is not there has no report', async () => {
  const id = '00000000-0000-0000-0000-000000000000';
  expect(await write(id, storeOf(''))).toBeUndefined();
});

test('a verdict that changed while its report was written is written again', async () => {
  const id = await judged('n\n1,2\n', unmonitored);
  let first = true;
  const store = writableStoreOf('', async () => {
    if (first) await judge(id, 'n\n1\n');
    first = false;
  });
  await write(id, store);
  expect(store.written.map(({ body }) => JSON.parse(body).verdict)).toEqual(['failed', 'passed']);
  expect(await findRun(given.database, id)).toMatchObject({ reportKey: store.written[1]?.key });
});

test('an aborted signal ends the writing with its reason', async () => {
  const id = await judged('n\n1\n', unmonitored);
  const signal = AbortSignal.abort(new Error('shutdown'));
  await expect(write(id, writableStoreOf(''), signal)).rejects.toThrow('shutdown');
  expect(await findRun(given.database, id)).toMatchObject({ verdict: 'passed', reportKey: null });
});
