import { expect, test } from 'vitest';
import { shutdownBudget, takeShutdownSignals } from '../../../../listener/src/serve/shutdown.ts';

test.each([1, 25, 600])('jobs and requests fit before the exit within %i seconds', (seconds) => {
  const { jobs, requests, exit } = shutdownBudget(seconds);
  expect(jobs + requests).toBeLessThan(exit);
  expect(exit).toBeLessThan(seconds * 1000);
});

function take() {
  const second: string[] = [];
  let time = 0;
  const signals = takeShutdownSignals(
    (signal) => second.push(signal),
    () => time,
  );
  return { signals, second, setTime: (now: number) => (time = now) };
}

test('the first signal settles the promise', async () => {
  const { signals } = take();
  process.emit('SIGTERM', 'SIGTERM');
  expect(await signals.first).toBe('SIGTERM');
  signals.release();
});

test('a signal that npm passes on as well is the same one', () => {
  const { signals, second, setTime } = take();
  process.emit('SIGINT', 'SIGINT');
  setTime(500);
  process.emit('SIGINT', 'SIGINT');
  signals.release();
  expect(second).toEqual([]);
});

test('a second signal later on is told', () => {
  const { signals, second, setTime } = take();
  process.emit('SIGTERM', 'SIGTERM');
  setTime(501);
  process.emit('SIGINT', 'SIGINT');
  signals.release();
  expect(second).toEqual(['SIGINT']);
});

test('released signals are no longer taken', () => {
  const before = process.listenerCount('SIGTERM');
  take().signals.release();
  expect(process.listenerCount('SIGTERM')).toBe(before);
});
