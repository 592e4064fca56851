import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { noteFailure } from '../../../../listener/src/database/judgements.ts';
import { findRun, listRuns } from '../../../../listener/src/database/runs.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { begin, forgetRuns, judgedRun, openRun } from '../../support/runs.ts';

let given: TestDatabase;
beforeAll(async () => {
  given = await createTestDatabase();
});
afterAll(() => given.drop());
beforeEach(() => forgetRuns(given.database));

const OBJECT = {
  bucket: 'b',
  key: 'k',
  eTag: 'e',
  sizeBytes: 7,
  eventTime: '2026-11-24T10:00:00Z',
};
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

test('runs are listed newest first, without their reports', async () => {
  const ids = [];
  for (const key of ['1', '2', '3']) ids.push(await openRun(given.database, { ...OBJECT, key }));
  const runs = await listRuns(given.database);
  expect(runs.map(({ id }) => id)).toEqual(ids.toReversed());
  expect(runs[0]).not.toHaveProperty('report');
});

test('runs are listed by status, verdict, bucket and beginning of the key', async () => {
  await judgedRun(given.database, OBJECT);
  await openRun(given.database, { bucket: 'other', key: 'k_%' });
  const keys = async (filter: Parameters<typeof listRuns>[1]) =>
    (await listRuns(given.database, filter)).map(({ key }) => key);
  expect(await keys({ status: 'queued' })).toEqual(['k_%']);
  expect(await keys({ verdict: 'passed' })).toEqual(['k']);
  expect(await keys({ bucket: 'other' })).toEqual(['k_%']);
  expect(await keys({ keyPrefix: 'k_' })).toEqual(['k_%']);
  expect(await keys({ limit: 1 })).toEqual(['k_%']);
});

test('runs that wait and runs in hand are told apart', async () => {
  await openRun(given.database, { ...OBJECT, key: 'untouched' });
  const held = await begin(given.database, { ...OBJECT, key: 'put back' });
  await noteFailure(given.database, held, 'S3 is unavailable');
  await begin(given.database, { ...OBJECT, key: 'in hand' });
  const keys = async (status: 'queued' | 'running') =>
    (await listRuns(given.database, { status })).map(({ key }) => key);
  expect(await keys('queued')).toEqual(['put back', 'untouched']);
  expect(await keys('running')).toEqual(['in hand']);
});

test.each(['', 'x', '00000000-0000-0000-0000-000000000000'])('%j finds no run', async (id) => {
  expect(await findRun(given.database, id)).toBeUndefined();
});
