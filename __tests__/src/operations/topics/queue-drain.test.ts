import { expect, test } from 'vitest';
import { EXIT } from '../../../../src/operations/operation-error.ts';
import type { QueueDepth } from '../../../../src/operations/topics/dead-letter-queue.ts';
import { waitUntilEmpty } from '../../../../src/operations/topics/queue-drain.ts';

const EMPTY = { arn: 'a:q', messages: 0, inFlight: 0, delayed: 0, problem: undefined };

/** Waits for a queue that shows these depths, one a look, the last one for ever. */
async function wait(depths: readonly (QueueDepth | undefined)[], seconds: number) {
  let looks = 0;
  let written = '';
  const clock = { now: () => new Date(0), sleep: async () => undefined };
  const stderr = { write: (text: string) => (written += text) };
  const look = async () => depths[Math.min(looks++, depths.length - 1)];
  const outcome = await waitUntilEmpty({ clock, stderr }, look, seconds).catch((error) => error);
  return { outcome, looks, written };
}

test('a queue is empty once it has shown nothing for three minutes', async () => {
  const { outcome, looks, written } = await wait([EMPTY], 0);
  expect(outcome).toBeUndefined();
  expect(looks).toBe(19);
  expect(written).toContain('Waiting until q is empty for 3 minutes');
});

test('a message within the three minutes makes them start anew', async () => {
  const { outcome, looks } = await wait([EMPTY, EMPTY, { ...EMPTY, inFlight: 1 }, EMPTY], 60);
  expect(outcome).toBeUndefined();
  expect(looks).toBe(22);
});

test('a queue that nobody empties ends the wait, with its counts', async () => {
  const { outcome, looks } = await wait([{ ...EMPTY, messages: 4 }], 60);
  expect(outcome).toMatchObject({
    code: EXIT.unavailable,
    message: 'q: 4 messages (4 waiting, 0 in flight, 0 delayed)',
  });
  expect(looks).toBe(7);
});

test('counts that are not shown are no reason to wait', async () => {
  const { outcome, looks } = await wait([{ ...EMPTY, problem: 'AccessDenied' }], 60);
  expect(outcome).toMatchObject({ message: expect.stringContaining('AccessDenied') });
  expect(looks).toBe(1);
});

test('a queue that is gone is empty', async () => {
  expect(await wait([undefined], 60)).toMatchObject({ outcome: undefined, looks: 1 });
});
