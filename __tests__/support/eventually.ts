import { vi } from 'vitest';

/**
 * Waits until an assertion holds, for as long as a busy machine may need: by itself vitest gives up
 * after a second.
 *
 * @throws what the assertion throws after 100 seconds, a little before a test of `npm test` is over its time
 */
export function eventually<Value>(assertion: () => Value | Promise<Value>): Promise<Value> {
  return vi.waitFor(assertion, { timeout: 100_000 });
}
