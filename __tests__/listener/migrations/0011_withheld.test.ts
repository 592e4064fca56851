import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { judgedRun } from '../support/runs.ts';

let given: TestDatabase;
beforeAll(async () => {
  given = await createTestDatabase();
});
afterAll(() => given.drop());

test('nothing is withheld beside a report that was deleted', async () => {
  await judgedRun(given.database, { bucket: 'b', key: 'k' });
  await given.database('judgements').update({ report: {}, withheld: {} });
  const change = given
    .database('judgements')
    .update({ report: null, details_deleted_at: new Date() });
  await expect(change).rejects.toMatchObject({ constraint: 'judgements_withheld_is_of_a_report' });
});
