import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

let given: TestDatabase;
beforeAll(async () => {
  given = await createTestDatabase();
});
afterAll(() => given.drop());

const FINISHED = {
  bucket: 'b',
  status: 'finished',
  started_at: new Date(),
  finished_at: new Date(),
  attempts: 1,
  verdict: 'passed',
  report: {},
  row_count: 1,
  byte_count: 1,
  fault_count: 0,
};

async function broken(row: object): Promise<string | undefined> {
  return given
    .database('runs')
    .insert(row)
    .then(
      () => undefined,
      (error: { constraint?: string }) => error.constraint,
    );
}

test.each([
  ['none', null],
  ['one', 'reports/k.json'],
  ['the longest that S3 takes', 'ä'.repeat(512)],
])('a verdict may have %s as the key of its report', async (name, report_key) => {
  expect(await broken({ ...FINISHED, key: name, report_key })).toBeUndefined();
});

test.each([
  ['runs_report_key_comes_with_a_verdict', { bucket: 'b', key: 'k', report_key: 'r.json' }],
  ['runs_report_key_is_a_key', { ...FINISHED, key: 'k', report_key: '' }],
  ['runs_report_key_is_a_key', { ...FINISHED, key: 'k', report_key: 'ä'.repeat(513) }],
])('%s refuses a run', async (constraint, row) => {
  expect(await broken(row)).toBe(constraint);
});
