import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { openQueue, type Queue, type RunJob } from '../../../../listener/src/queue/queue.ts';
import {
  startWorker,
  type Worker,
  type WorkerOptions,
} from '../../../../listener/src/queue/worker.ts';
import { eventually } from '../../../support/eventually.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { enqueueRuns, forgetRuns, leaveOneAttempt } from '../../support/runs.ts';

const WORKER_SCRIPT = fileURLToPath(new URL('../../support/worker-process.ts', import.meta.url));

let given: TestDatabase;
let queue: Queue;
const workers: Worker[] = [];
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
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.stop(0)));
});

function start(options: Partial<WorkerOptions> & Pick<WorkerOptions, 'handle'>): Worker {
  const worker = startWorker({
    queue,
    concurrency: 2,
    onDead: async () => undefined,
    onError: (error) => {
      throw error;
    },
    pollMs: 20,
    ...options,
  });
  workers.push(worker);
  return worker;
}

/** A handler that ends when the test says so. */
function manual() {
  const started: { job: RunJob; signal: AbortSignal; end: (error?: Error) => void }[] = [];
  const handle = (job: RunJob, signal: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      started.push({ job, signal, end: (error) => (error ? reject(error) : resolve()) });
    });
  return { started, handle };
}

const states = () =>
  given.database('file_processing_queue.job').where({ name: 'runs' }).pluck('state');
const jobStates = (expected: string[]) =>
  eventually(async () => expect((await states()).sort()).toEqual(expected));

test('every job is handled once and completed', async () => {
  const handled: string[] = [];
  start({
    async handle(job) {
      handled.push(job.runId);
    },
  });
  const runIds = await enqueueRuns(given.database, queue, ...'abcdefghij');
  await jobStates(Array(10).fill('completed'));
  expect(handled.sort()).toEqual(runIds.sort());
});

test('no more jobs run at once than allowed, and the next starts when one ends', async () => {
  const { started, handle } = manual();
  const worker = start({ handle, concurrency: 2, pollMs: 60_000 });
  await enqueueRuns(given.database, queue, 'a', 'b', 'c');
  worker.wake();
  await eventually(() => expect(started).toHaveLength(2));
  expect(worker.running).toBe(2);
  started[0]?.end();
  await eventually(() => expect(started).toHaveLength(3));
  expect(worker.running).toBe(2);
  for (const { end } of started) end();
  await jobStates(['completed', 'completed', 'completed']);
});

test('a handler that throws leaves its job to the next attempt', async () => {
  const failures: unknown[] = [];
  start({
    handle: () => Promise.reject(new Error('S3 is unavailable')),
    onFailure: (job, error, outcome) => failures.push([job.runId, error, outcome]),
  });
  const [runId] = await enqueueRuns(given.database, queue, 'a');
  await jobStates(['retry']);
  await eventually(() =>
    expect(failures).toEqual([[runId, new Error('S3 is unavailable'), 'retry']]),
  );
});

test('the last attempt that fails is reported as dead', async () => {
  const onDead = vi.fn(async () => undefined);
  const [runId] = await enqueueRuns(given.database, queue, 'a');
  await leaveOneAttempt(given.database, runId ?? '');
  start({ handle: () => Promise.reject(new Error('S3 is unavailable')), onDead });
  await eventually(() =>
    expect(onDead).toHaveBeenCalledWith([{ runId, number: 1, error: 'S3 is unavailable' }]),
  );
});

test('a queue that cannot be asked is asked again', async () => {
  let calls = 0;
  const errors: unknown[] = [];
  const flaky: Queue = {
    ...queue,
    fetch(limit) {
      calls += 1;
      return calls === 1 ? Promise.reject(new Error('away')) : queue.fetch(limit);
    },
  };
  const { started, handle } = manual();
  await enqueueRuns(given.database, queue, 'a');
  start({ queue: flaky, handle, onError: (error) => errors.push(error) });
  await eventually(() => expect(started).toHaveLength(1));
  expect(errors).toEqual([new Error('away')]);
});

test('stop waits for what runs and takes nothing new', async () => {
  const { started, handle } = manual();
  const worker = start({ handle, concurrency: 1 });
  await enqueueRuns(given.database, queue, 'a', 'b');
  await eventually(() => expect(started).toHaveLength(1));
  const stopped = worker.stop(60_000);
  started[0]?.end();
  expect(await stopped).toStrictEqual({ finished: 1, handedBack: 0 });
  expect((await states()).sort()).toEqual(['completed', 'created']);
});

test('what still runs at the deadline is aborted and goes back to the queue', async () => {
  const { started, handle } = manual();
  const worker = start({ handle, concurrency: 1 });
  const [runId] = await enqueueRuns(given.database, queue, 'a');
  await eventually(() => expect(started).toHaveLength(1));
  expect(await worker.stop(1)).toStrictEqual({ finished: 0, handedBack: 1 });
  expect(started[0]?.signal.reason).toEqual(new Error('shutdown'));
  expect(await queue.fetch(1)).toMatchObject([{ runId }]);
});

test('a job that was handed back is not settled by its late handler', async () => {
  const { started, handle } = manual();
  const onFailure = vi.fn();
  const worker = start({ handle, concurrency: 1, onFailure });
  await enqueueRuns(given.database, queue, 'a');
  await eventually(() => expect(started).toHaveLength(1));
  await worker.stop(1);
  started[0]?.end(new Error('aborted'));
  await eventually(() => expect(worker.running).toBe(0));
  expect(await states()).toEqual(['created']);
  expect(onFailure).not.toHaveBeenCalled();
});

test('a job whose row is gone is aborted', async () => {
  const { started, handle } = manual();
  start({ handle, concurrency: 1 });
  await enqueueRuns(given.database, queue, 'a');
  await eventually(() => expect(started).toHaveLength(1));
  await given.database('file_processing_queue.job').delete();
  await eventually(() => expect(started[0]?.signal.reason).toEqual(new Error('claim lost')));
});

test('a job whose process was killed runs again', async () => {
  const child = fork(WORKER_SCRIPT, [given.url], { execPath: process.execPath });
  const [runId] = await enqueueRuns(given.database, queue, 'a');
  expect(await once(child, 'message')).toEqual([runId, undefined]);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const { started, handle } = manual();
  start({ handle });
  await eventually(() => expect(started).toHaveLength(1));
  expect(started[0]?.job).toMatchObject({ runId, retryCount: 1 });
});
