import { describe, expect, test } from 'vitest';
import { waitFor } from '../../../src/operations/operation.ts';

/** A clock that counts how long it was slept by. */
function countingClock() {
  const slept: number[] = [];
  const sleep = async (milliseconds: number) => {
    slept.push(milliseconds);
  };
  return { slept, now: () => new Date(0), sleep };
}

describe('waiting for an answer', () => {
  test('an answer at once takes no time', async () => {
    const clock = countingClock();
    expect(await waitFor(clock, 60, async () => 'yes')).toBe('yes');
    expect(clock.slept).toEqual([]);
  });

  test('it asks every second until there is an answer', async () => {
    const clock = countingClock();
    const answers = [undefined, undefined, 'yes'];
    expect(await waitFor(clock, 60, async () => answers.shift())).toBe('yes');
    expect(clock.slept).toEqual([1000, 1000]);
  });

  test.each([0, 3])('without an answer it ends after %i seconds', async (seconds) => {
    const clock = countingClock();
    expect(await waitFor(clock, seconds, async () => undefined)).toBeUndefined();
    expect(clock.slept).toHaveLength(seconds);
  });
});
