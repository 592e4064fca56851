import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Transaction } from '../../../listener/src/database/connection.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { judgedRun } from '../support/runs.ts';

let given: TestDatabase;
let transaction: Transaction;
beforeAll(async () => {
  given = await createTestDatabase();
  await judgedRun(given.database, { bucket: 'b', key: 'k' });
  await given.database('judgements').update({ report: {}, withheld: {} });
});
afterAll(() => given.drop());
beforeEach(async () => {
  transaction = await given.database.transaction();
});
afterEach(() => transaction.rollback());

/** @returns the name of the constraint that refuses the change */
const broken = (change: object): Promise<string | undefined> =>
  transaction('judgements')
    .update(change)
    .then(
      () => undefined,
      (error: { constraint?: string }) => error.constraint,
    );

const details_deleted_at = new Date();
const ended = {
  verdict: null,
  row_count: null,
  byte_count: null,
  fault_count: null,
  report: null,
  withheld: null,
  reported_at: null,
};

test('a verdict may lose its report', async () => {
  expect(await broken({ report: null, withheld: null, details_deleted_at })).toBeUndefined();
});

test('an end without a verdict may lose its reason', async () => {
  expect(await broken({ ...ended, status: 'gone', details_deleted_at })).toBeUndefined();
});

test.each([
  ['judgements_end_without_verdict_says_why', { ...ended, status: 'gone' }],
  ['judgements_details_are_deleted_together', { details_deleted_at }],
  [
    'judgements_details_are_deleted_together',
    { ...ended, status: 'error', error: 'x', details_deleted_at },
  ],
  [
    'judgements_details_are_deleted_together',
    { ...ended, status: 'queued', finished_at: null, details_deleted_at },
  ],
])('%s refuses a judgement', async (constraint, change) => {
  expect(await broken(change)).toBe(constraint);
});
