import type { CellType } from './cell-type.ts';
import { readDate } from './date.ts';
import { anyOf, strptimeType } from './strptime.ts';
import { readTime } from './time.ts';

const LETTER_T = 0x54;

/** What `format: any` takes for a date and time, tried in this order. */
export const ANY_DATETIME = [
  '%Y-%m-%dT%H:%M:%S',
  '%Y-%m-%dT%H:%M:%S%z',
  '%Y-%m-%dT%H:%M:%S.%f',
  '%Y-%m-%dT%H:%M:%S.%f%z',
  '%Y-%m-%d %H:%M:%S',
  '%Y-%m-%d %H:%M:%S%z',
  '%Y-%m-%d %H:%M:%S.%f',
  '%Y-%m-%d %H:%M:%S.%f%z',
  '%Y-%m-%d %H:%M',
  '%Y-%m-%dT%H:%M',
  '%Y/%m/%d %H:%M:%S',
  '%Y/%m/%d %H:%M',
  '%d.%m.%Y %H:%M:%S',
  '%d.%m.%Y %H:%M',
  '%m/%d/%Y %H:%M:%S',
  '%m/%d/%Y %H:%M',
  '%m/%d/%Y %I:%M:%S %p',
  '%m/%d/%Y %I:%M %p',
];

/** Table Schema `datetime`: `default` is XML Schema's YYYY-MM-DDThh:mm:ss, with an optional fraction and zone. */
export function dateTimeType(format: string): CellType {
  if (format === 'default') return { read: readDateTime, show: showDateTime };
  const read = format === 'any' ? anyOf(ANY_DATETIME) : strptimeType(format);
  return { read, show: showDateTime };
}

/** YYYY-MM-DDThh:mm:ss as milliseconds since 1970 (UTC where no zone is given), or NaN. */
export function readDateTime(bytes: Uint8Array, start: number, end: number): number {
  if (end - start < 19 || bytes[start + 10] !== LETTER_T) return Number.NaN;
  return readDate(bytes, start, start + 10) + readTime(bytes, start + 11, end);
}

export function showDateTime(value: number): string {
  return new Date(value).toISOString().replace('.000Z', 'Z');
}
