import { readFile } from 'node:fs/promises';
import { expectationProblems } from '@file-processing/quality/expectation.ts';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { JudgementWithReport } from '../../../../listener/src/database/judgements.ts';
import { findRun } from '../../../../listener/src/database/runs.ts';
import { seedDefinitions } from '../../../../listener/src/database/seed.ts';
import { NODE_PORTS } from '../../../../listener/src/jobs/engine-ports.ts';
import { recordJudgement } from '../../../../listener/src/jobs/record-judgement.ts';
import { s3DataQualityJob } from '../../../../listener/src/jobs/s3-data-quality-job.ts';
import {
  reportDocument,
  reportKey,
  writeReport,
} from '../../../../listener/src/jobs/write-report.ts';
import { SEED_FOLDER } from '../../../../listener/src/rules/rule-set.ts';
import {
  type ObjectStore,
  ObjectUnavailableError,
} from '../../../../listener/src/storage/object-store.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { begin, forgetRuns, openRun } from '../../support/runs.ts';
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
beforeEach(() => forgetRuns(given.database));

/** A run whose judgement has ended. */
async function judged(content: string | Error, object = officers): Promise<string> {
  const held = await begin(given.database, object);
  await recordJudgement(held, {
    database: given.database,
    job: s3DataQualityJob,
    store: storeOf(content),
    engine: { ports: NODE_PORTS, maxKeyBytes: 2 ** 20 },
    maxFaults: 100,
    signal: never,
  });
  return held.runId;
}

const write = (runId: string, store: ObjectStore, signal = never) =>
  writeReport(
    { runId, number: 1 },
    { database: given.database, store, prefix: 'reports/', bySetting: false, signal },
  );

test('the report lies beside its object, below the prefix, and its key is on the run', async () => {
  const id = await judged('officer_id\n1\n');
  const store = writableStoreOf('');
  const reportKey = `reports/${officers.key}.${id}.1.json`;
  expect(await write(id, store)).toStrictEqual({ bucket: officers.bucket, reportKey });
  expect(store.written[0]).toMatchObject({ bucket: officers.bucket, key: reportKey });
  expect(await findRun(given.database, id)).toMatchObject({ reportKey });
});

test('a page for people lies beside the report, under the same name', async () => {
  const id = await judged('officer_id\n1\n');
  const store = writableStoreOf('');
  await write(id, store);
  expect(store.written.map(({ key }) => key)).toEqual([
    `reports/${officers.key}.${id}.1.json`,
    `reports/${officers.key}.${id}.1.html`,
  ]);
  expect(store.written[1]?.body).toMatch(
    /^<!doctype html>[\s\S]*<h1>[^<]*Officer_Detail\.csv<\/h1>/,
  );
});

test('the page shows no value that the report beside it withholds', async () => {
  const id = await judged('officer_id\nS3cretM4rker\n', unmonitored);
  await given.database('reports').update({ withheld: null });
  const store = writableStoreOf('');
  await write(id, store);
  expect(store.written[1]?.body).not.toContain('S3cretM4rker');
});

test('what is written is the report of the database, unchanged, with what it is about', async () => {
  const id = await judged('officer_id\n1\n');
  const store = writableStoreOf('');
  await write(id, store);
  const run = await findRun(given.database, id);
  const document = JSON.parse(store.written[0]?.body ?? '');
  expect(document).toStrictEqual({
    runId: id,
    judgement: 1,
    ...officers,
    versionId: null,
    eTag: null,
    verdict: 'failed',
    finishedAt: run?.finishedAt?.toISOString(),
    client: expect.stringMatching(/./),
    mapping: { name: 'officer_detail', version: 1 },
    rules: 'officer_detail 1',
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

test('a report that was deleted for its age is not written any more', async () => {
  const id = await judged('n\n1\n', unmonitored);
  await given.database('reports').delete();
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
  expect(store.written).toHaveLength(2);
});

test('an attempt whose key was not noted any more writes over its own report', async () => {
  const id = await judged('n\n1\n', unmonitored);
  const store = writableStoreOf('');
  await write(id, store);
  await given.database('judgements').update({ report_key: null });
  await write(id, store);
  const [report, page, ...again] = store.written;
  expect(again).toEqual([report, page]);
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

test('an aborted signal ends the writing with its reason', async () => {
  const id = await judged('n\n1\n', unmonitored);
  const signal = AbortSignal.abort(new Error('shutdown'));
  await expect(write(id, writableStoreOf(''), signal)).rejects.toThrow('shutdown');
  expect(await findRun(given.database, id)).toMatchObject({ verdict: 'passed', reportKey: null });
});

const run = {
  id: '0b2f6c0e-2f0c-4c55-9f5e-6f1f4f0a8b11',
  bucket: 'drop-box',
  key: 'from_client/a.csv',
  versionId: 'v1',
  eTag: 'e1',
};
const judgement: JudgementWithReport = {
  runId: run.id,
  number: 3,
  askedBy: 'operator',
  reason: null,
  monitoringFileId: 1,
  mappingName: 'officer_detail',
  mappingVersion: 2,
  status: 'finished',
  verdict: 'failed',
  rowCount: 1,
  byteCount: 4,
  faultCount: 1,
  sha256: null,
  reportKey: null,
  error: null,
  attempts: 1,
  createdAt: new Date('2026-11-24T10:00:01Z'),
  startedAt: new Date('2026-11-24T10:00:02Z'),
  finishedAt: new Date('2026-11-24T10:00:03Z'),
  detailsDeletedAt: null,
  routing: null,
  settledAt: null,
  settledReason: null,
  traceparent: null,
  withheld: {},
  report: { verdict: 'failed', rows: 1 },
};

test('a report is written with what it is about, as JSON for readers', () => {
  expect(reportDocument(run, judgement, 'albuquerque')).toBe(`{
  "runId": "0b2f6c0e-2f0c-4c55-9f5e-6f1f4f0a8b11",
  "judgement": 3,
  "bucket": "drop-box",
  "key": "from_client/a.csv",
  "versionId": "v1",
  "eTag": "e1",
  "verdict": "failed",
  "finishedAt": "2026-11-24T10:00:03.000Z",
  "client": "albuquerque",
  "mapping": {
    "name": "officer_detail",
    "version": 2
  },
  "rules": "officer_detail 2",
  "report": {
    "verdict": "failed",
    "rows": 1
  }
}
`);
});

test('a report on a file that nobody monitors has neither client nor mapping', () => {
  const unmonitored = {
    ...judgement,
    monitoringFileId: null,
    mappingName: null,
    mappingVersion: null,
  };
  expect(JSON.parse(reportDocument(run, unmonitored, undefined))).toMatchObject({
    client: null,
    mapping: null,
  });
});

const runId = '0b2f6c0e-2f0c-4c55-9f5e-6f1f4f0a8b11';
const prefix = 'data_quality_reports/';
/** What a report's key has beside the object's key. */
const OWN_BYTES = `${prefix}.${runId}.1.json`.length;

const keyOf = (objectKey: string) =>
  reportKey({ prefix, objectKey, judgement: { runId, number: 1 } });

test("a report's key is the object's below the prefix, with run and judgement", () => {
  expect(keyOf('from_client/Größe 1.csv')).toBe(
    `data_quality_reports/from_client/Größe 1.csv.${runId}.1.json`,
  );
});

test('a key of exactly 1024 bytes is kept', () => {
  const objectKey = 'x'.repeat(1024 - OWN_BYTES);
  expect(keyOf(objectKey)).toBe(`${prefix}${objectKey}.${runId}.1.json`);
});

test('a key of one byte more gives way to its SHA-256', () => {
  expect(keyOf('x'.repeat(1025 - OWN_BYTES))).toMatch(
    new RegExp(`^data_quality_reports/[0-9a-f]{64}\\.${runId}\\.1\\.json$`),
  );
});

test('bytes of UTF-8 count, not characters', () => {
  const objectKey = 'ä'.repeat(500);
  expect(Buffer.byteLength(keyOf(objectKey))).toBeLessThanOrEqual(1024);
  expect(keyOf(objectKey)).not.toContain('ä');
});

test('the SHA-256 is that of the key of the object', () => {
  // printf 'x%.0s' {1..1024} | sha256sum
  expect(keyOf('x'.repeat(1024))).toBe(
    `${prefix}49abd65bbf7f7e40c7055093ed2e3fd75f2f602f2c5fcf955c213e3135eb03f7.${runId}.1.json`,
  );
});

test('another judgement has another key', () => {
  const keys = [1, 2].map((number) =>
    reportKey({ prefix, objectKey: 'a.csv', judgement: { runId, number } }),
  );
  expect(new Set(keys).size).toBe(2);
});

test('two long keys that differ at their end have two reports', () => {
  expect(keyOf(`${'x'.repeat(1023)}1`)).not.toBe(keyOf(`${'x'.repeat(1023)}2`));
});

test('no key of an object makes a key that S3 refuses or that lies outside the prefix', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 1024 }), (objectKey) => {
      const key = keyOf(objectKey);
      expect(Buffer.byteLength(key)).toBeLessThanOrEqual(1024);
      expect(key.startsWith(prefix)).toBe(true);
      expect(keyOf(objectKey)).toBe(key);
    }),
  );
});
