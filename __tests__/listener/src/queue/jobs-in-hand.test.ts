import { describe, expect, test, vi } from 'vitest';
import {
  type JobHandler,
  jobsInHand,
  PostponedError,
  type Usage,
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
    fail: vi.fn(async (): Promise<'dead' | 'lost'> => 'dead'),
    forgive: vi.fn(async () => undefined),
    handBack: vi.fn(async () => true),
    heartbeat: async () => new Set(ours),
  };
  /** Of the process, at any time. */
  const usage = { passedMs: 0, processorMs: 0 };
  const onDead = vi.fn(async () => undefined);
  const onError = vi.fn();
  return {
    queue,
    onDead,
    onError,
    usage,
    inHand: jobsInHand(
      { queue, handle, onDead, onError, usage: () => ({ ...usage }), pauseMs: 1 },
      vi.fn(),
    ),
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

test('a queue that cannot be asked is told and loses no other job', async () => {
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

test('a job that cannot be handed back while the database is away is handed back when it is back', async () => {
  const { inHand, queue, onError } = given(() => Promise.reject(new PostponedError('away', 10)));
  queue.handBack.mockRejectedValueOnce(new Error('away')).mockRejectedValueOnce(new Error('away'));
  inHand.take(job('a'));
  await inHand.ended();
  expect(queue.handBack).toHaveBeenCalledTimes(3);
  expect(onError).toHaveBeenCalledTimes(2);
});

test('a job that another worker has by now is not handed back again and again', async () => {
  const { inHand, queue } = given(
    () => Promise.reject(new PostponedError('away', 10)),
    ['another'],
  );
  queue.handBack.mockRejectedValue(new Error('away'));
  inHand.take(job('a'));
  await eventually(() => expect(queue.handBack).toHaveBeenCalled());
  await inHand.heartbeat();
  await inHand.ended();
  expect(inHand.size).toBe(0);
});

describe('an attempt that was taken from a process which lives', () => {
  /** Its heartbeat comes late, and finds the job lost. */
  async function lateHeartbeat({ passedMs, processorMs }: Usage) {
    const { inHand, queue, usage } = given(untilAborted);
    await inHand.heartbeat();
    inHand.take(job('a'));
    Object.assign(usage, { passedMs, processorMs });
    await inHand.heartbeat();
    await inHand.ended();
    return queue.forgive;
  }

  test('does not count where the process was frozen', async () => {
    const forgive = await lateHeartbeat({ passedMs: 15_000, processorMs: 50 });
    expect(forgive).toHaveBeenCalledExactlyOnceWith(job('a'));
  });

  test('does not count where the database did not answer', async () => {
    const { inHand, queue, usage } = given(untilAborted);
    inHand.take(job('a'));
    queue.heartbeat = async () => {
      // Other files are worked on meanwhile.
      Object.assign(usage, { passedMs: 15_000, processorMs: 15_000 });
      return new Set();
    };
    await inHand.heartbeat();
    await inHand.ended();
    expect(queue.forgive).toHaveBeenCalledExactlyOnceWith(job('a'));
  });

  test('counts where a file kept the process from all else', async () => {
    const forgive = await lateHeartbeat({ passedMs: 15_000, processorMs: 14_000 });
    expect(forgive).not.toHaveBeenCalled();
  });

  test('counts where it took longer than any may', async () => {
    const forgive = await lateHeartbeat({ passedMs: 4 * 3_600_000, processorMs: 50 });
    expect(forgive).not.toHaveBeenCalled();
  });

  test.each([
    ['failed', new Error('late')],
    ['was postponed', new PostponedError('later', 30)],
  ])('does not count either where it %s before a heartbeat', async (_, error) => {
    const { inHand, queue } = given(() => Promise.reject(error));
    queue.fail.mockResolvedValueOnce('lost');
    queue.handBack.mockResolvedValueOnce(false);
    inHand.take(job('a'));
    await inHand.ended();
    expect(queue.forgive).toHaveBeenCalledExactlyOnceWith(job('a'));
  });
});

test('a job that comes round again ends the attempt at it that was lost, and is in hand once', async () => {
  const second = Promise.withResolvers<void>();
  const signals: AbortSignal[] = [];
  const { inHand, queue } = given((_, signal) => {
    signals.push(signal);
    return signals.length === 1 ? untilAborted(job('a'), signal, vi.fn()) : second.promise;
  });
  inHand.take(job('a'));
  const again = { ...job('a'), retryCount: 1 };
  inHand.take(again);
  await eventually(() => expect(queue.forgive).toHaveBeenCalledExactlyOnceWith(job('a')));
  expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
  expect(inHand.size).toBe(1);
  second.resolve();
  await inHand.ended();
  expect(queue.complete).toHaveBeenCalledExactlyOnceWith(again);
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

test('jobs that wait until they are completed take places once there are more than 16', async () => {
  const { inHand, queue } = given(async (_job, _signal, makeRoom) => makeRoom());
  const settled = Promise.withResolvers<undefined>();
  queue.complete.mockImplementation(() => settled.promise);
  for (let count = 1; count <= 18; count += 1) inHand.take(job(`${count}`));
  await eventually(() => expect(queue.complete).toHaveBeenCalledTimes(18));
  expect([inHand.size, inHand.places]).toEqual([18, 2]);
  settled.resolve(undefined);
  await inHand.ended();
  expect([inHand.size, inHand.places]).toEqual([0, 0]);
});
