import { expect, test } from 'vitest';
import { InterruptedError, interruptible } from '../../../../listener/src/cli/interruption.ts';

const forever = () => new Promise<never>(() => undefined);

test('work that no signal ends gives its answer and the signals back', async () => {
  const before = process.listenerCount('SIGTERM');
  expect(await interruptible(0, async () => 7)).toBe(7);
  expect(process.listenerCount('SIGTERM')).toBe(before);
});

test.each([
  ['SIGTERM', 143],
  ['SIGINT', 130],
] as const)('%s ends work that goes on for ever with %i', async (signal, exitCode) => {
  const ended = interruptible(0, forever);
  process.emit(signal, signal);
  await expect(ended).rejects.toMatchObject({ exitCode, message: `interrupted by ${signal}` });
});

test('work may tidy up in its time, and what it throws then is what ends it', async () => {
  const tidied: unknown[] = [];
  const ended = interruptible(60_000, async (signal) => {
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    await new Promise(setImmediate);
    tidied.push(signal.reason);
    throw signal.reason;
  });
  process.emit('SIGTERM', 'SIGTERM');
  await expect(ended).rejects.toBeInstanceOf(InterruptedError);
  expect(tidied).toHaveLength(1);
});

test('work that was done in spite of the signal keeps its answer', async () => {
  const ended = interruptible(60_000, async (signal) => {
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    return 0;
  });
  process.emit('SIGTERM', 'SIGTERM');
  expect(await ended).toBe(0);
});

test('work that does not heed its signal ends when its time is up', async () => {
  const ended = interruptible(1, forever);
  process.emit('SIGTERM', 'SIGTERM');
  await expect(ended).rejects.toMatchObject({ exitCode: 143 });
});
