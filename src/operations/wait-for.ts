import type { Clock } from './operation.ts';

const POLL_SECONDS = 1;

/**
 * Asks again every second until there is an answer.
 *
 * @param seconds - how long it waits between the first and the last time; 0 asks once
 * @returns the answer; undefined when there was none in time
 */
export async function waitFor<T>(
  clock: Clock,
  seconds: number,
  ask: () => Promise<T | undefined>,
): Promise<T | undefined> {
  for (let waited = 0; ; waited += POLL_SECONDS) {
    const answer = await ask();
    if (answer !== undefined || waited >= seconds) return answer;
    await clock.sleep(POLL_SECONDS * 1000);
  }
}
