import { InvalidArgumentError } from 'commander';

/**
 * Reads an option in seconds.
 *
 * @throws InvalidArgumentError where it is no whole number from 0 to 3600
 */
export function wholeSeconds(text: string): number {
  const seconds = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  if (seconds >= 0 && seconds <= 3600) return seconds;
  throw new InvalidArgumentError('A whole number of seconds from 0 to 3600 is needed.');
}
