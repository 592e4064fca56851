import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { failRuns, findRun } from '../../../../listener/src/database/runs.ts';
import { allDeadLetters, redriveDeadLetters } from '../../../../listener/src/queue/dead-letters.ts';
import { openQueue, type Queue } from '../../../../listener/src/queue/queue.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { enqueueRuns, leaveOneAttempt } from '../../support/runs.ts';

let given: TestDatabase;
let queue: Queue;
let runIds: string[];
beforeAll(async () => {
  given = await createTestDatabase();
  queue = await openQueue(given.database, (error) => {
    throw error;
  });
});
afterAll(async () => {
  await queue.close();
  await given.drop();
});
beforeEach(async () => {
  await given.database('runs').delete();
  await given.database('file_processing_queue.job').delete();
  runIds = await enqueueRuns(given.database, queue, 'a', 'b');
  for (const runId of runIds) await leaveOneAttempt(given.database, runId);
  for (const job of await queue.fetch(2)) await queue.fail(job, new Error('S3 is unavailable'));
  await failRuns(
    given.database,
    runIds.map((runId) => ({ runId, error: 'S3 is unavailable' })),
  );
});

const statusOf = async (runId: string | undefined) =>
  (await findRun(given.database, runId ?? ''))?.status;

test('all dead letters come back into the queue with their runs', async () => {
  expect([...(await redriveDeadLetters(given.database, queue))].sort()).toEqual(runIds.toSorted());
  expect(await Promise.all(runIds.map(statusOf))).toEqual(['queued', 'queued']);
  expect(await queue.fetch(5)).toHaveLength(2);
  expect(await allDeadLetters(queue)).toEqual([]);
});

test('only the dead letters of the runs that were named come back', async () => {
  const [first, second] = runIds;
  expect(await redriveDeadLetters(given.database, queue, [first ?? ''])).toEqual([first]);
  expect([await statusOf(first), await statusOf(second)]).toEqual(['queued', 'error']);
  expect((await allDeadLetters(queue)).map(({ runId }) => runId)).toEqual([second]);
});

test('a run without a dead letter changes nothing', async () => {
  expect(await redriveDeadLetters(given.database, queue, ['unknown'])).toEqual([]);
  expect(await allDeadLetters(queue)).toHaveLength(2);
});
