import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  failJudgements,
  finishJudgement,
  startOwnJudgement,
} from '../../../../listener/src/database/judgements.ts';
import { findRun } from '../../../../listener/src/database/runs.ts';
import {
  allDeadLetters,
  repairJudgements,
  retryRuns,
} from '../../../../listener/src/queue/dead-letters.ts';
import { openQueue, type Queue } from '../../../../listener/src/queue/queue.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import {
  begin,
  beginOf,
  enqueueRuns,
  forgetRuns,
  judgedRun,
  leaveOneAttempt,
  openRun,
  PASSED,
} from '../../support/runs.ts';

let given: TestDatabase;
let queue: Queue;
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
  await forgetRuns(given.database);
  await given.database('file_processing_queue.job').delete();
});

const runOf = (runId: string | undefined) => findRun(given.database, runId ?? '');

describe('a retry', () => {
  let runIds: string[];
  beforeEach(async () => {
    runIds = await enqueueRuns(given.database, queue, 'a', 'b');
    for (const runId of runIds) await leaveOneAttempt(given.database, runId);
    for (const job of await queue.fetch(2)) await queue.fail(job, new Error('S3 is unavailable'));
    await failJudgements(
      given.database,
      runIds.map((runId) => ({ runId, number: 1, error: 'S3 is unavailable' })),
    );
  });

  const retry = (ids: readonly string[]) =>
    retryRuns(given.database, queue, ids, { askedBy: 'operator', reason: 'S3 is back' });

  test('asks for another judgement and settles the dead letter', async () => {
    const [first, second] = runIds;
    expect(await retry([first ?? ''])).toEqual([first]);
    expect(await queue.fetch(5)).toMatchObject([{ runId: first, number: 2 }]);
    expect((await allDeadLetters(queue)).map(({ runId }) => runId)).toEqual([second]);
  });

  test('a second time changes nothing', async () => {
    await retry(runIds);
    expect(await retry(runIds)).toEqual([]);
    expect(await queue.fetch(5)).toHaveLength(2);
  });

  test('of a run that is not there changes nothing', async () => {
    expect(await retry(['00000000-0000-0000-0000-000000000000'])).toEqual([]);
    expect(await allDeadLetters(queue)).toHaveLength(2);
  });

  test('of a run with a verdict leaves it standing', async () => {
    const runId = await judgedRun(given.database, { bucket: 'b', key: 'judged' });
    await retry([runId]);
    expect(await runOf(runId)).toMatchObject({ status: 'queued', verdict: 'passed', number: 2 });
  });
});

describe('a repair', () => {
  const OBJECT = { bucket: 'b', key: 'k', eTag: 'e' };
  const repair = () => repairJudgements(given.database, queue);
  /** As if its process had died a minute ago. */
  const lapse = () =>
    given.database('judgements').update({ heartbeat_at: new Date(Date.now() - 60_000) });

  test('gives a run that waits without a job one', async () => {
    const runId = await openRun(given.database, OBJECT);
    expect(await repair()).toStrictEqual({ enqueued: 1, failed: 0 });
    const [job] = await queue.fetch(1);
    expect(job).toMatchObject({ runId, number: 1 });
    expect(await beginOf(given.database, runId)).toMatchObject({ number: 1 });
  });

  test('gives a judgement in hand whose process and job are gone a job', async () => {
    const { runId } = await begin(given.database, OBJECT);
    await lapse();
    expect(await repair()).toStrictEqual({ enqueued: 1, failed: 0 });
    expect(await queue.fetch(1)).toMatchObject([{ runId, number: 1 }]);
    expect(await runOf(runId)).toMatchObject({ status: 'queued' });
  });

  test('is done once, by however many processes', async () => {
    await openRun(given.database, OBJECT);
    const repaired = await Promise.all([repair(), repair(), repair()]);
    expect(repaired.reduce((sum, { enqueued }) => sum + enqueued, 0)).toBe(1);
    expect(await repair()).toStrictEqual({ enqueued: 0, failed: 0 });
  });

  test('ends what a killed command began, and leaves the verdict that stands', async () => {
    const runId = await judgedRun(given.database, OBJECT);
    await startOwnJudgement(given.database, { object: OBJECT, invocation: 'cli' });
    await lapse();
    expect(await repair()).toStrictEqual({ enqueued: 0, failed: 1 });
    expect(await runOf(runId)).toMatchObject({
      status: 'error',
      error: 'the process that judged it has died',
      verdict: 'passed',
    });
  });

  test('ends what a killed command began also where a later judgement has ended', async () => {
    await startOwnJudgement(given.database, { object: OBJECT, invocation: 'killed' });
    const later = await startOwnJudgement(given.database, { object: OBJECT, invocation: 'later' });
    if ('held' in later) await finishJudgement(given.database, later.held, PASSED);
    await lapse();
    expect(await repair()).toStrictEqual({ enqueued: 0, failed: 1 });
  });

  test.each([
    ['waits in the queue', async () => undefined],
    ['is in the hands of a worker', async () => void (await queue.fetch(1))],
    [
      'waits for its next attempt',
      async () => {
        for (const job of await queue.fetch(1)) await queue.fail(job, new Error('x'));
      },
    ],
    [
      'has a dead letter that the worker has not seen yet',
      async (runId: string) => {
        await leaveOneAttempt(given.database, runId);
        for (const job of await queue.fetch(1)) await queue.fail(job, new Error('x'));
      },
    ],
  ])('leaves a judgement alone whose job %s', async (_state, arrange) => {
    const [runId = ''] = await enqueueRuns(given.database, queue, 'k');
    await arrange(runId);
    expect(await repair()).toStrictEqual({ enqueued: 0, failed: 0 });
  });

  test('leaves a command alone that is at work', async () => {
    await startOwnJudgement(given.database, { object: OBJECT, invocation: 'cli' });
    expect(await repair()).toStrictEqual({ enqueued: 0, failed: 0 });
  });
});
