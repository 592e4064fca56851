import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { finishJudgement } from '../../../../listener/src/database/judgements.ts';
import { type PeriodChange, recordNotices } from '../../../../listener/src/notices/outbox.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { begin, forgetRuns, PASSED } from '../../support/runs.ts';

const object = { bucket: 'bucket', key: 'a.csv' };
const LATE: PeriodChange = {
  ...{ state: 'late', client: 'nm_albuquerque', subject: 'from_client/*.csv', period: '2026-11' },
  dueAt: new Date('2026-11-30T17:00:00Z'),
};

let given: TestDatabase;
beforeAll(async () => {
  given = await createTestDatabase();
});
afterAll(() => given?.drop());
beforeEach(async () => {
  await forgetRuns(given.database);
  await given.database('notices').delete();
});

const outbox = () => given.database('notices').orderBy('id');

test('a verdict that is to be told of comes with its row', async () => {
  const held = await begin(given.database, object);
  await finishJudgement(given.database, held, { ...PASSED, tells: true });
  expect(await outbox()).toMatchObject([{ run_id: held.runId, number: 1, planned_at: null }]);
});

test('a verdict writes nothing where notices have no way out', async () => {
  await finishJudgement(given.database, await begin(given.database, object), PASSED);
  expect(await outbox()).toEqual([]);
});

test('of verdicts that share a statement those have rows that are to be told of', async () => {
  const told = await begin(given.database, object);
  const other = await begin(given.database, { ...object, key: 'b.csv' });
  await Promise.all([
    finishJudgement(given.database, told, { ...PASSED, tells: true }),
    finishJudgement(given.database, other, PASSED),
  ]);
  expect(await outbox()).toMatchObject([{ run_id: told.runId }]);
});

test('a quiet judgement has no row', async () => {
  const held = await begin(given.database, object);
  await given.database('judgements').update({ quiet: true });
  expect(await finishJudgement(given.database, held, { ...PASSED, tells: true })).toBe(true);
  expect(await outbox()).toEqual([]);
});

test('an attempt that is no longer held leaves no row', async () => {
  const held = await begin(given.database, object);
  const lost = { ...held, attempts: held.attempts + 1 };
  expect(await finishJudgement(given.database, lost, { ...PASSED, tells: true })).toBe(false);
  expect(await outbox()).toEqual([]);
});

test('a row goes with the transaction of its verdict', async () => {
  const held = await begin(given.database, object);
  const rolledBack = given.database.transaction(async (transaction) => {
    await finishJudgement(transaction, held, { ...PASSED, tells: true });
    throw new Error('rolled back');
  });
  await expect(rolledBack).rejects.toThrow('rolled back');
  expect(await outbox()).toEqual([]);
});

test('a change of a period is recorded once, whoever records it again', async () => {
  const record = (changes: readonly PeriodChange[]) =>
    given.database.transaction((transaction) => recordNotices(transaction, changes));
  await record([LATE]);
  await record([LATE, { ...LATE, state: 'missing' }]);
  await record([]);
  expect((await outbox()).map(({ state }) => state)).toEqual(['late', 'missing']);
});

test('a period is corrected as often as it is, and by a run only in the words of its judgement', async () => {
  const corrected: PeriodChange = { ...LATE, state: 'corrected' };
  const runId = '0b6c0f1e-58a1-4b0b-9a53-6a4dcb1b7a10';
  for (const change of [corrected, corrected, { ...corrected, runId }]) {
    await given.database.transaction((transaction) => recordNotices(transaction, [change]));
  }
  expect(await outbox()).toHaveLength(2);
});
