import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  closeRun,
  failRuns,
  findRun,
  finishRun,
  listRuns,
  noteFailure,
  noteReport,
  openRun,
  type RunResult,
  requeueRuns,
  startRun,
} from '../../../../listener/src/database/runs.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';

let given: TestDatabase;
beforeAll(async () => {
  given = await createTestDatabase();
});
afterAll(() => given.drop());
beforeEach(() => given.database('runs').delete());

const OBJECT = {
  bucket: 'b',
  key: 'k',
  eTag: 'e',
  sizeBytes: 7,
  eventTime: '2026-11-24T10:00:00Z',
};
const PASSED: RunResult = {
  verdict: 'passed',
  rowCount: 3,
  byteCount: 7,
  faultCount: 0,
  sha256: 'ab'.repeat(32),
  report: { verdict: 'passed' },
};

async function runningRun(): Promise<string> {
  const id = await openRun(given.database, OBJECT);
  await startRun(given.database, id);
  return id;
}

test('a run knows its object', async () => {
  const id = await openRun(given.database, OBJECT);
  expect(await findRun(given.database, id)).toMatchObject({
    bucket: 'b',
    key: 'k',
    eTag: 'e',
    versionId: null,
    sizeBytes: 7,
    eventTime: new Date('2026-11-24T10:00:00Z'),
    status: 'queued',
    attempts: 0,
    report: null,
  });
});

test('a time that is none is left out', async () => {
  const id = await openRun(given.database, { ...OBJECT, eventTime: 'yesterday' });
  expect((await findRun(given.database, id))?.eventTime).toBeNull();
});

test('opening the same object again gives the same run', async () => {
  const first = await openRun(given.database, OBJECT);
  expect(await openRun(given.database, OBJECT)).toBe(first);
});

test('an attempt is counted, also one after a process that died', async () => {
  const id = await runningRun();
  expect(await startRun(given.database, id)).toMatchObject({ status: 'running', attempts: 2 });
});

test('a verdict is recorded with counts and report', async () => {
  const id = await runningRun();
  expect(await finishRun(given.database, id, PASSED)).toBe(true);
  expect(await findRun(given.database, id)).toMatchObject({
    status: 'finished',
    verdict: 'passed',
    rowCount: 3,
    faultCount: 0,
    report: { verdict: 'passed' },
    finishedAt: expect.any(Date),
  });
});

test('a report may hold what a broken file holds', async () => {
  const id = await runningRun();
  await finishRun(given.database, id, { ...PASSED, report: { value: 'a\0b\ud800' } });
  expect((await findRun(given.database, id))?.report).toStrictEqual({ value: 'a␀b\ufffd' });
});

test('a finished run is not started again by a job that comes twice', async () => {
  const id = await runningRun();
  await finishRun(given.database, id, PASSED);
  expect(await startRun(given.database, id)).toBeUndefined();
});

test('a finished run is judged anew when asked', async () => {
  const id = await runningRun();
  await finishRun(given.database, id, PASSED);
  expect(await startRun(given.database, id, { again: true })).toMatchObject({
    status: 'running',
    verdict: null,
    finishedAt: null,
  });
});

test('the key of a report is noted on the verdict that it is about', async () => {
  const id = await runningRun();
  await finishRun(given.database, id, PASSED);
  expect(await noteReport(given.database, { id, attempts: 1 }, 'reports/k.json')).toBe(true);
  expect(await findRun(given.database, id)).toMatchObject({ reportKey: 'reports/k.json' });
});

test('the key of a report on an earlier verdict is not noted', async () => {
  const id = await runningRun();
  await finishRun(given.database, id, PASSED);
  await startRun(given.database, id, { again: true });
  await finishRun(given.database, id, PASSED);
  expect(await noteReport(given.database, { id, attempts: 1 }, 'reports/k.json')).toBe(false);
  expect(await findRun(given.database, id)).toMatchObject({ reportKey: null });
});

test('a run that is judged anew has no report yet', async () => {
  const id = await runningRun();
  await finishRun(given.database, id, PASSED);
  await noteReport(given.database, { id, attempts: 1 }, 'reports/k.json');
  expect(await startRun(given.database, id, { again: true })).toMatchObject({ reportKey: null });
});

test('a run without a verdict has no report to note', async () => {
  const id = await runningRun();
  await closeRun(given.database, id, 'gone', 'no such key');
  expect(await noteReport(given.database, { id, attempts: 1 }, 'reports/k.json')).toBe(false);
});

test('a verdict on a run that has ended otherwise is not recorded', async () => {
  const id = await runningRun();
  await closeRun(given.database, id, 'gone', 'no such key');
  expect(await finishRun(given.database, id, PASSED)).toBe(false);
});

test('an object that is gone ends its run without a verdict', async () => {
  const id = await runningRun();
  await closeRun(given.database, id, 'gone', 'no such key');
  expect(await findRun(given.database, id)).toMatchObject({
    status: 'gone',
    error: 'no such key',
    verdict: null,
  });
});

test('a failed attempt puts its run back and says why', async () => {
  const id = await runningRun();
  await noteFailure(given.database, id, 'S3 is unavailable');
  expect(await findRun(given.database, id)).toMatchObject({
    status: 'queued',
    error: 'S3 is unavailable',
  });
});

test('only runs that have not ended fail for good', async () => {
  const [first, second] = [
    await runningRun(),
    await openRun(given.database, { ...OBJECT, key: '2' }),
  ];
  await finishRun(given.database, first, PASSED);
  await failRuns(given.database, [
    { runId: first, error: 'x' },
    { runId: second, error: '' },
  ]);
  expect(await findRun(given.database, first)).toMatchObject({ status: 'finished' });
  expect(await findRun(given.database, second)).toMatchObject({
    status: 'error',
    error: 'no reason given',
  });
});

test('a failed run waits again after a redrive', async () => {
  const id = await runningRun();
  await failRuns(given.database, [{ runId: id, error: 'x' }]);
  await requeueRuns(given.database, [id]);
  expect(await findRun(given.database, id)).toMatchObject({ status: 'queued', error: null });
});

test('runs are listed newest first, without their reports', async () => {
  const ids = [];
  for (const key of ['1', '2', '3']) ids.push(await openRun(given.database, { ...OBJECT, key }));
  const runs = await listRuns(given.database);
  expect(runs.map(({ id }) => id)).toEqual(ids.toReversed());
  expect(runs[0]).not.toHaveProperty('report');
});

test('runs are listed by status, verdict, bucket and beginning of the key', async () => {
  const id = await runningRun();
  await finishRun(given.database, id, PASSED);
  await openRun(given.database, { bucket: 'other', key: 'k_%' });
  const keys = async (filter: Parameters<typeof listRuns>[1]) =>
    (await listRuns(given.database, filter)).map(({ key }) => key);
  expect(await keys({ status: 'queued' })).toEqual(['k_%']);
  expect(await keys({ verdict: 'passed' })).toEqual(['k']);
  expect(await keys({ bucket: 'other' })).toEqual(['k_%']);
  expect(await keys({ keyPrefix: 'k_' })).toEqual(['k_%']);
  expect(await keys({ limit: 1 })).toEqual(['k_%']);
});

test.each(['', 'x', '00000000-0000-0000-0000-000000000000'])('%j finds no run', async (id) => {
  expect(await findRun(given.database, id)).toBeUndefined();
});
