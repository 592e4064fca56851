import { vi } from 'vitest';

/**
 * Waits until an assertion holds, for as long as a busy machine may need: by itself vitest gives up
 * after a second.
 *
 * @throws what the assertion throws after a minute
 */
export function eventually<Value>(assertion: () => Value | Promise<Value>): Promise<Value> {
  return vi.waitFor(assertion, { timeout: 60_000 });
}
