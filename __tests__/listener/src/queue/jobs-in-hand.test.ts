import { expect, test, vi } from 'vitest';
import {
  type JobHandler,
  jobsInHand,
  PostponedError,
} from '../../../../listener/src/queue/jobs-in-hand.ts';
import type { RunJob } from '../../../../listener/src/queue/queue.ts';
import { eventually } from '../../../support/eventually.ts';

const job = (id: string): RunJob => ({
  id,
  runId: `run-${id}`,
  number: 1,
  retryCount: 0,
  retryLimit: 1,
});

function given(handle: JobHandler, ours: readonly string[] = []) {
  const queue = {
    complete: vi.fn(async () => undefined),
    fail: vi.fn(async () => 'dead' as const),
    handBack: vi.fn(async () => undefined),
    heartbeat: async () => new Set(ours),
  };
  const onDead = vi.fn(async () => undefined);
  const onError = vi.fn();
  return {
    queue,
    onDead,
    onError,
    inHand: jobsInHand({ queue, handle, onDead, onError }, vi.fn()),
  };
}

/** Ends when its signal is aborted. */
const untilAborted: JobHandler = (_, signal) =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });

test('a job that was worked on is completed and leaves', async () => {
  const { inHand, queue } = given(async () => undefined);
  inHand.take(job('a'));
  expect(inHand.size).toBe(1);
  await inHand.ended();
  expect(queue.complete).toHaveBeenCalledExactlyOnceWith(job('a'));
  expect([inHand.size, inHand.completed]).toEqual([0, 1]);
});

test('the last attempt that fails is told with its run', async () => {
  const { inHand, onDead } = given(() => Promise.reject(new Error('broken')));
  inHand.take(job('a'));
  await inHand.ended();
  expect(onDead).toHaveBeenCalledWith([{ runId: 'run-a', number: 1, error: 'broken' }]);
  expect(inHand.completed).toBe(0);
});

test('a heartbeat aborts what is another worker’s by now, which is not settled', async () => {
  const { inHand, queue } = given(untilAborted, ['kept']);
  inHand.take(job('kept'));
  inHand.take(job('lost'));
  await inHand.heartbeat();
  await eventually(() => expect(inHand.size).toBe(1));
  expect(queue.fail).not.toHaveBeenCalled();
  await inHand.handBackAll();
});

test('what is handed back is aborted and not settled', async () => {
  const { inHand, queue } = given(untilAborted);
  inHand.take(job('a'));
  expect(await inHand.handBackAll()).toBe(1);
  await inHand.ended();
  expect(queue.handBack).toHaveBeenCalledExactlyOnceWith(job('a'));
  expect(queue.fail).not.toHaveBeenCalled();
});

test('a queue that can not be asked is told and loses no other job', async () => {
  const { inHand, queue, onError } = given(async () => undefined);
  queue.complete.mockRejectedValueOnce(new Error('away'));
  inHand.take(job('a'));
  inHand.take(job('b'));
  await inHand.ended();
  expect(onError).toHaveBeenCalledWith(expect.objectContaining({ message: 'away' }));
  expect(inHand.completed).toBe(1);
});

test('a job that is postponed goes back for a while and has not failed', async () => {
  const { inHand, queue, onDead } = given(() => Promise.reject(new PostponedError('later', 30)));
  inHand.take(job('a'));
  await inHand.ended();
  expect(queue.handBack).toHaveBeenCalledExactlyOnceWith(job('a'), 30);
  expect(queue.fail).not.toHaveBeenCalled();
  expect(onDead).not.toHaveBeenCalled();
});

test('a job that has made room takes no place and is still in hand', async () => {
  const end = Promise.withResolvers<void>();
  const { inHand } = given(async (_job, _signal, makeRoom) => {
    makeRoom();
    await end.promise;
  });
  inHand.take(job('a'));
  await eventually(() => expect(inHand.places).toBe(0));
  expect(inHand.size).toBe(1);
  end.resolve();
  await inHand.ended();
});
