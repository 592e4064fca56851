import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createQueues } from '../../../../listener/src/queue/create-queues.ts';
import {
  DEAD_LETTER_QUEUE,
  openQueue,
  type Queue,
  RUN_QUEUE,
  type RunJob,
} from '../../../../listener/src/queue/queue.ts';
import { eventually } from '../../../support/eventually.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { enqueueRuns, forgetRuns, leaveOneAttempt } from '../../support/runs.ts';

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

const REQUEST = { runId: 'r', number: 2, jobId: '0b2f6c0e-2f0c-4c55-9f5e-6f1f4f0a8b11' };

async function fetchOne(): Promise<RunJob> {
  const [job] = await queue.fetch(1);
  if (job === undefined) throw new Error('the queue is empty');
  return job;
}

test('a job is there once its transaction is committed', async () => {
  const transaction = await given.database.transaction();
  await queue.enqueue([REQUEST], transaction);
  expect(await queue.fetch(1)).toEqual([]);
  await transaction.commit();
  expect(await queue.fetch(1)).toMatchObject([
    { id: REQUEST.jobId, runId: 'r', number: 2, retryCount: 0, retryLimit: 10 },
  ]);
});

test('a job is gone with its transaction', async () => {
  const transaction = await given.database.transaction();
  await queue.enqueue([REQUEST], transaction);
  await transaction.rollback();
  expect(await queue.fetch(1)).toEqual([]);
});

test('a fetched job is fetched by nobody else', async () => {
  await enqueueRuns(given.database, queue, 'a', 'b', 'c');
  const fetched = await Promise.all([queue.fetch(2), queue.fetch(2), queue.fetch(2)]);
  expect(new Set(fetched.flat().map(({ id }) => id)).size).toBe(3);
});

test('a completed job is not fetched again', async () => {
  await enqueueRuns(given.database, queue, 'a');
  await queue.complete(await fetchOne());
  expect(await queue.fetch(1)).toEqual([]);
});

test('a failed job is tried again, later', async () => {
  await enqueueRuns(given.database, queue, 'a');
  // A second would be over on a busy machine before anybody looks.
  await given.database('file_processing_queue.job').update({ retry_delay: 3_600 });
  expect(await queue.fail(await fetchOne(), new Error('S3 is unavailable'))).toBe('retry');
  expect(await queue.fetch(1)).toEqual([]);
  const [row] = await given
    .database('file_processing_queue.job')
    .select('state', 'output', 'start_after');
  expect(row).toMatchObject({ state: 'retry', output: { message: 'S3 is unavailable' } });
  expect(row.start_after.getTime()).toBeGreaterThan(Date.now());
});

test('a job whose attempts are used up is a dead letter that knows its run and error', async () => {
  const [runId] = await enqueueRuns(given.database, queue, 'a');
  await leaveOneAttempt(given.database, runId ?? '');
  expect(await queue.fail(await fetchOne(), new Error('S3 is unavailable'))).toBe('dead');
  expect(await queue.deadLetters(10)).toStrictEqual([
    {
      id: expect.any(String),
      runId,
      number: 1,
      diedAt: expect.any(Date),
      attempts: 1,
      error: 'S3 is unavailable',
    },
  ]);
});

test('a dead letter that is discarded is no longer listed', async () => {
  const [runId] = await enqueueRuns(given.database, queue, 'a');
  await leaveOneAttempt(given.database, runId ?? '');
  await queue.fail(await fetchOne(), new Error('x'));
  const ids = (await queue.deadLetters(10)).map(({ id }) => id);
  expect(await given.database.transaction((trx) => queue.discard(ids, trx))).toBe(1);
  expect(await queue.deadLetters(10)).toEqual([]);
});

test('a job that is handed back is there at once, with as many attempts left', async () => {
  await enqueueRuns(given.database, queue, 'a');
  const job = await fetchOne();
  await queue.handBack(job);
  const again = await fetchOne();
  expect(again.runId).toBe(job.runId);
  expect(again.retryLimit - again.retryCount).toBe(job.retryLimit - job.retryCount);
});

test('a worker that lost its job cannot settle it', async () => {
  await enqueueRuns(given.database, queue, 'a');
  const lost = await fetchOne();
  await queue.handBack(lost);
  const held = await fetchOne();
  await queue.complete(lost);
  await queue.handBack(lost);
  expect(await queue.fail(lost, new Error('x'))).toBe('lost');
  expect(await queue.heartbeat([lost, held])).toEqual(new Set([held.id]));
});

test('an attempt that is forgiven leaves as many as before it', async () => {
  await enqueueRuns(given.database, queue, 'a');
  const job = await fetchOne();
  await queue.fail(job, new Error('its process was frozen'));
  await queue.forgive(job);
  await given.database('file_processing_queue.job').update({ start_after: new Date(0) });
  const { retryCount, retryLimit } = await fetchOne();
  expect(retryLimit - retryCount).toBe(job.retryLimit - job.retryCount);
});

test('a job that has ended is forgiven nothing', async () => {
  await enqueueRuns(given.database, queue, 'a');
  const job = await fetchOne();
  await queue.complete(job);
  await queue.forgive(job);
  const [row] = await given.database('file_processing_queue.job').select('retry_limit', 'state');
  expect(row).toEqual({ retry_limit: 10, state: 'completed' });
});

test('a heartbeat names the jobs that are still ours', async () => {
  await enqueueRuns(given.database, queue, 'a', 'b');
  const [a, b] = await queue.fetch(2);
  if (!a || !b) throw new Error('two jobs were expected');
  await queue.complete(b);
  expect(await queue.heartbeat([a, b])).toEqual(new Set([a.id]));
  expect(await queue.heartbeat([])).toEqual(new Set());
});

test('the depth counts waiting, active and dead jobs', async () => {
  const [dying] = await enqueueRuns(given.database, queue, 'dying');
  await leaveOneAttempt(given.database, dying ?? '');
  await queue.fail(await fetchOne(), new Error('x'));
  await enqueueRuns(given.database, queue, 'a', 'b', 'c');
  await fetchOne();
  await eventually(async () =>
    expect(await queue.depth()).toStrictEqual({ waiting: 2, active: 1, deadLetters: 1 }),
  );
});

describe('createQueues', () => {
  let given: TestDatabase;
  beforeAll(async () => {
    given = await createTestDatabase('empty');
    await given.database.raw('CREATE SCHEMA file_processing_queue');
  });
  afterAll(() => given.drop());

  const queues = () =>
    given
      .database('file_processing_queue.queue')
      .select('name', 'retry_limit', 'heartbeat_seconds', 'dead_letter')
      .whereIn('name', [RUN_QUEUE, DEAD_LETTER_QUEUE])
      .orderBy('name');

  test('the queue of runs has heartbeats, attempts and a dead-letter queue', async () => {
    await given.database.transaction((transaction) => createQueues(transaction));
    expect(await queues()).toMatchObject([
      { name: RUN_QUEUE, retry_limit: 10, heartbeat_seconds: 10, dead_letter: DEAD_LETTER_QUEUE },
      { name: DEAD_LETTER_QUEUE },
    ]);
  });

  test('options that an older version set are brought up to date', async () => {
    await given.database.transaction((transaction) => createQueues(transaction));
    const before = await queues();
    await given
      .database('file_processing_queue.queue')
      .where({ name: RUN_QUEUE })
      .update({ retry_limit: 1 });
    await given.database.transaction((transaction) => createQueues(transaction));
    expect(await queues()).toEqual(before);
  });
});
