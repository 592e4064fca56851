import {
  type CellType,
  DAY_MS,
  dayMilliseconds,
  isDigit,
  readFourDigits,
  readTwoDigits,
} from './cell-type.ts';
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

const COLON = 0x3a;
const POINT = 0x2e;
const PLUS = 0x2b;
const MINUS = 0x2d;
const ZULU = 0x5a;

/** What `format: any` takes for a time, tried in this order. */
export const ANY_TIME = ['%H:%M:%S', '%H:%M', '%H:%M:%S.%f', '%I:%M:%S %p', '%I:%M %p', '%I:%M%p'];

/** Table Schema `time`: `default` is hh:mm:ss as XML Schema has it (fraction and zone may follow). */
export function timeType(format: string): CellType {
  if (format === 'default') return { read: readTime, show: showTime };
  const read = format === 'any' ? anyOf(ANY_TIME) : strptimeType(format);
  // A pattern without a date counts from the first of January 1900, as strptime does.
  return { read, show: (value) => showTime(((value % DAY_MS) + DAY_MS) % DAY_MS) };
}

/**
 * hh:mm:ss with an optional fraction and zone, as milliseconds since midnight UTC, or NaN. 24:00:00 is 00:00:00, as
 * XML Schema has it.
 */
export function readTime(bytes: Uint8Array, start: number, end: number): number {
  if (end - start < 8 || bytes[start + 2] !== COLON || bytes[start + 5] !== COLON) {
    return Number.NaN;
  }
  if (isHour24(bytes, start)) return readHour24(bytes, start, end);
  const hours = readTwoDigits(bytes, start);
  const minutes = readTwoDigits(bytes, start + 3);
  const seconds = readTwoDigits(bytes, start + 6);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59 || seconds < 0 || seconds > 59) {
    return Number.NaN;
  }
  const whole = ((hours * 60 + minutes) * 60 + seconds) * 1000;
  return end - start === 8 ? whole : whole + readFractionAndZone(bytes, start + 8, end);
}

function isHour24(bytes: Uint8Array, at: number): boolean {
  return bytes[at + 1] === 0x34 && bytes[at] === 0x32;
}

/** The zone of `24:00:00`, or NaN where minutes, seconds or fraction are not zero. */
function readHour24(bytes: Uint8Array, start: number, end: number): number {
  const whole = readTwoDigits(bytes, start + 3) === 0 && readTwoDigits(bytes, start + 6) === 0;
  if (!whole) return Number.NaN;
  const rest = readFractionAndZone(bytes, start + 8, end);
  return rest % 60_000 === 0 ? rest : Number.NaN;
}

/** XML Schema's greatest distance from UTC. */
const LARGEST_ZONE = 14 * 3_600_000;

/** `.fff`, `Z`, `+hh:mm` or both as milliseconds to add, or NaN. */
function readFractionAndZone(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  let fraction = 0;
  if (bytes[at] === POINT) {
    let scale = 100;
    at++;
    if (at >= end || !isDigit(bytes[at])) return Number.NaN;
    for (; at < end && isDigit(bytes[at]); at++) {
      fraction += ((bytes[at] as number) - 0x30) * scale;
      scale /= 10;
    }
  }
  if (at === end) return fraction;
  if (bytes[at] === ZULU) return at + 1 === end ? fraction : Number.NaN;
  const sign = bytes[at];
  if ((sign !== PLUS && sign !== MINUS) || end - at !== 6 || bytes[at + 3] !== COLON) {
    return Number.NaN;
  }
  const hours = readTwoDigits(bytes, at + 1);
  const minutes = readTwoDigits(bytes, at + 4);
  if (hours < 0 || minutes < 0 || minutes > 59) return Number.NaN;
  const zone = (hours * 60 + minutes) * 60_000;
  if (zone > LARGEST_ZONE) return Number.NaN;
  return sign === PLUS ? fraction - zone : fraction + zone;
}

export function showTime(value: number): string {
  return new Date(value).toISOString().slice(11).replace('.000Z', '').replace('Z', '');
}

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

/** YYYY-MM-DDThh:mm:ss as milliseconds since 1970 (UTC where no zone is given), or NaN; 24:00:00 ends the day. */
export function readDateTime(bytes: Uint8Array, start: number, end: number): number {
  if (end - start < 19 || bytes[start + 10] !== LETTER_T) return Number.NaN;
  const value = readDate(bytes, start, start + 10) + readTime(bytes, start + 11, end);
  return isHour24(bytes, start + 11) ? value + DAY_MS : value;
}

export function showDateTime(value: number): string {
  return new Date(value).toISOString().replace('.000Z', 'Z');
}
