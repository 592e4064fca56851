import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { failJudgements } from '../../../../listener/src/database/judgements.ts';
import { findRun } from '../../../../listener/src/database/runs.ts';
import { createMetrics } from '../../../../listener/src/http/metrics.ts';
import { NODE_PORTS } from '../../../../listener/src/jobs/engine-ports.ts';
import { s3DataQualityJob } from '../../../../listener/src/jobs/s3-data-quality-job.ts';
import { retryDeadRuns } from '../../../../listener/src/queue/dead-letters.ts';
import { openQueue, type Queue } from '../../../../listener/src/queue/queue.ts';
import { startWorker, type Worker } from '../../../../listener/src/queue/worker.ts';
import { jobHandler } from '../../../../listener/src/serve/job-handler.ts';
import { createBreakers } from '../../../../listener/src/storage/breaker.ts';
import type { ObjectStore } from '../../../../listener/src/storage/object-store.ts';
import { eventually } from '../../../support/eventually.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { enqueueRuns, forgetRuns, leaveOneAttempt } from '../../support/runs.ts';
import { collectingLogger } from '../../support/sns-listener.ts';
import { writableStoreOf } from '../../support/stores.ts';

let given: TestDatabase;
let queue: Queue;
let worker: Worker | undefined;
beforeAll(async () => {
  given = await createTestDatabase();
  queue = await openQueue(given.database, () => undefined);
});
afterAll(async () => {
  await queue.close();
  await given.drop();
});
beforeEach(async () => {
  await forgetRuns(given.database);
  await given.database('file_processing_queue.job').delete();
});
afterEach(() => worker?.stop(0));

/** One run in the queue, without a wait between its attempts. */
async function enqueued(): Promise<string> {
  const [runId = ''] = await enqueueRuns(given.database, queue, 'a.csv');
  await given
    .database('file_processing_queue.job')
    .update({ retry_delay: 0, retry_backoff: false });
  return runId;
}

/** A worker that does what the listener's does. @returns the lines of its log */
function work(store: ObjectStore): readonly Record<string, unknown>[] {
  const { logger, lines } = collectingLogger();
  const metrics = createMetrics();
  const { database } = given;
  const job = s3DataQualityJob;
  worker = startWorker({
    queue,
    concurrency: 1,
    handle: jobHandler({
      ...{ database, store, job, logger, metrics },
      breakers: { read: createBreakers(), write: createBreakers() },
      engine: { ports: NODE_PORTS, maxKeyBytes: 2 ** 20 },
      maxFaults: 10,
      reports: { prefix: 'reports/', bySetting: false },
    }),
    onDead: async (dead) => {
      await failJudgements(database, dead);
    },
    onError: (error) => {
      throw error;
    },
    pollMs: 20,
  });
  return lines;
}

const states = () =>
  given.database('file_processing_queue.job').where({ name: 'runs' }).pluck('state');

test('a report that was refused is written by a later attempt, which reads no file', async () => {
  const store = writableStoreOf('n\n1\n');
  const open = vi.spyOn(store, 'open');
  store.refuseNext(new Error('SlowDown'));
  store.refuseNext(new Error('SlowDown'));
  const runId = await enqueued();
  const lines = work(store);
  await eventually(async () => expect(await states()).toEqual(['completed']));
  expect(store.written).toHaveLength(2);
  expect(open).toHaveBeenCalledTimes(1);
  expect(await findRun(given.database, runId)).toMatchObject({
    status: 'finished',
    attempts: 1,
    reportKey: store.written[0]?.key,
  });
  expect(lines.filter(({ msg }) => msg === 'run finished')).toHaveLength(1);
});

test('a report that is refused to the end is a dead letter of a run that stays finished', async () => {
  const store = writableStoreOf('n\n1\n');
  store.refuseNext(new Error('AccessDenied'));
  const runId = await enqueued();
  await leaveOneAttempt(given.database, runId);
  const lines = work(store);
  await eventually(async () => expect(await states()).toEqual(['failed']));
  // Ends once the worker has told of the dead job.
  await worker?.stop(60_000);
  expect(await queue.deadLetters(10)).toMatchObject([{ runId, error: 'AccessDenied' }]);
  expect(await findRun(given.database, runId)).toMatchObject({
    status: 'finished',
    verdict: 'passed',
    error: null,
    reportKey: null,
  });
  expect(lines.filter(({ level }) => level === 50)).toMatchObject([
    { msg: 'the verdict stands, its report was not written', runId },
  ]);
});

test('a report that was refused to the end is written once somebody retries it, without a judgement', async () => {
  const store = writableStoreOf('n\n1\n');
  const open = vi.spyOn(store, 'open');
  store.refuseNext(new Error('AccessDenied'));
  const runId = await enqueued();
  await leaveOneAttempt(given.database, runId);
  work(store);
  await eventually(async () => expect(await queue.deadLetters(10)).toHaveLength(1));
  await retryDeadRuns(given.database, queue, [runId], 'the role may write now');
  await eventually(async () => expect(await states()).toEqual(['failed', 'completed']));
  expect(open).toHaveBeenCalledTimes(1);
  expect(await findRun(given.database, runId)).toMatchObject({
    number: 1,
    verdict: 'passed',
    reportKey: store.written[0]?.key,
  });
});

test('a report that a stopping worker hands back is written by the next one', async () => {
  const held = Promise.withResolvers<void>();
  const store = writableStoreOf('n\n1\n', () => held.promise);
  const write = vi.spyOn(store, 'write');
  const runId = await enqueued();
  const lines = work(store);
  await eventually(() => expect(write).toHaveBeenCalled());
  expect(await worker?.stop(0)).toStrictEqual({ finished: 0, handedBack: 1 });
  held.resolve();
  const next = writableStoreOf(new Error('must not be opened'));
  work(next);
  await eventually(async () => expect(await states()).toEqual(['completed']));
  expect([store.written.length, next.written.length]).toEqual([0, 2]);
  expect(await findRun(given.database, runId)).toMatchObject({ reportKey: next.written[0]?.key });
  expect(lines.filter(({ level }) => Number(level) > 30)).toEqual([]);
});
