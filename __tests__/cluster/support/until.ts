import { setTimeout as delay } from 'node:timers/promises';

const PAUSE = 100;

/**
 * Asks again and again until the answer is yes; an error counts as a no.
 *
 * @param milliseconds after which it is given up
 * @throws Error that names what was waited for, with the last error as its cause
 */
export async function until(
  what: string,
  holds: () => Promise<boolean>,
  milliseconds: number,
): Promise<void> {
  const deadline = Date.now() + milliseconds;
  let cause: unknown;
  while (Date.now() < deadline) {
    try {
      if (await holds()) return;
    } catch (error) {
      cause = error;
    }
    await delay(PAUSE);
  }
  throw new Error(`${what}: not within ${milliseconds / 1000} seconds`, { cause });
}
