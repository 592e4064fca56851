import { dayMilliseconds } from './calendar.ts';
import { type CellType, readFourDigits, readTwoDigits } from './cell-type.ts';
import { anyOf, strptimeType } from './strptime.ts';

const HYPHEN = 0x2d;

/** What `format: any` takes for a date, tried in this order; month before day where both would do. */
export const ANY_DATE = [
  '%Y-%m-%d',
  '%Y/%m/%d',
  '%Y.%m.%d',
  '%Y%m%d',
  '%d.%m.%Y',
  '%m/%d/%Y',
  '%d/%m/%Y',
  '%d-%b-%Y',
  '%d %b %Y',
  '%d %B %Y',
  '%b %d, %Y',
  '%B %d, %Y',
];

/** Table Schema `date`: `default` is YYYY-MM-DD (ISO 8601), `any` one of the usual forms, else a strptime pattern. */
export function dateType(format: string): CellType {
  if (format === 'default') return { read: readDate, show: showDate };
  const read = format === 'any' ? anyOf(ANY_DATE) : strptimeType(format);
  return { read, show: showDate };
}

/** Table Schema `year`: YYYY. */
export function yearType(): CellType {
  return {
    read: (bytes, start, end) => {
      const from = bytes[start] === HYPHEN ? start + 1 : start;
      const year = end - from === 4 ? readFourDigits(bytes, from) : -1;
      if (year < 0) return Number.NaN;
      return from === start ? year : -year;
    },
    show: (value) => value,
  };
}

/** Table Schema `yearmonth`: YYYY-MM. */
export function yearMonthType(): CellType {
  return {
    read: (bytes, start, end) => {
      if (end - start !== 7 || bytes[start + 4] !== HYPHEN) return Number.NaN;
      const year = readFourDigits(bytes, start);
      const month = readTwoDigits(bytes, start + 5);
      return year < 0 || month < 1 || month > 12 ? Number.NaN : year * 12 + month - 1;
    },
    show: (value) => {
      const year = String(Math.floor(value / 12)).padStart(4, '0');
      return `${year}-${String((value % 12) + 1).padStart(2, '0')}`;
    },
  };
}

/** YYYY-MM-DD as milliseconds since 1970, or NaN. */
export function readDate(bytes: Uint8Array, start: number, end: number): number {
  if (end - start !== 10 || bytes[start + 4] !== HYPHEN || bytes[start + 7] !== HYPHEN) {
    return Number.NaN;
  }
  const year = readFourDigits(bytes, start);
  const month = readTwoDigits(bytes, start + 5);
  const day = readTwoDigits(bytes, start + 8);
  return dayMilliseconds(year, month, day);
}

export function showDate(value: number): string {
  return new Date(value).toISOString().slice(0, 10);
}
