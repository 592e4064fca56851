import { decodeText } from '../text.ts';
import {
  type CellType,
  DAY_MS,
  dayMilliseconds,
  isDigit,
  orderKey,
  readFourDigits,
  readTwoDigits,
} from './cell-type.ts';
import { anyOf, type PatternReader, strptimeType } from './strptime.ts';

const HYPHEN = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;

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
  if (format === 'default') return { read: readDate, key: orderKey, show: showDate };
  return byPattern(format === 'any' ? anyOf(ANY_DATE) : strptimeType(format, 'date'), showDate);
}

/** The most digits of a year, so that its order value is exact, with a zone. */
const LONGEST_YEAR = 9;
/** What a minute of a zone moves the order value of a year or a month by: the whole of it far less than one of them. */
const ZONE_MINUTE = 1e-5;

/**
 * Table Schema `year`: XML Schema's gYear, YYYY with an optional sign and zone. Years beyond 9999 have up to nine
 * digits and no zero in front. Without a zone it is UTC's.
 */
export function yearType(): CellType {
  return {
    read: (bytes, start, end) => {
      const yearEnd = endOfYear(bytes, start, end);
      if (yearEnd < 0) return Number.NaN;
      const year = readYear(bytes, start, yearEnd);
      return yearEnd === end ? year : year + readZoneShift(bytes, yearEnd, end);
    },
    key: orderKey,
    show: Math.round,
  };
}

/** Table Schema `yearmonth`: XML Schema's gYearMonth, YYYY-MM with an optional sign and zone; years as {@link yearType}'s. */
export function yearMonthType(): CellType {
  return {
    read: (bytes, start, end) => {
      const yearEnd = endOfYear(bytes, start, end);
      if (yearEnd < 0 || end - yearEnd < 3 || bytes[yearEnd] !== HYPHEN) return Number.NaN;
      const month = readTwoDigits(bytes, yearEnd + 1);
      if (month < 1 || month > 12) return Number.NaN;
      const value = readYear(bytes, start, yearEnd) * 12 + month - 1;
      return yearEnd + 3 === end ? value : value + readZoneShift(bytes, yearEnd + 3, end);
    },
    key: orderKey,
    show: (value) => {
      const months = Math.round(value);
      const year = Math.floor(months / 12);
      const digits = String(Math.abs(year)).padStart(4, '0');
      return `${year < 0 ? '-' : ''}${digits}-${String(months - year * 12 + 1).padStart(2, '0')}`;
    },
  };
}

/** Where the digits of a year that begins here end; -1 when it is none. */
function endOfYear(bytes: Uint8Array, start: number, end: number): number {
  const from = bytes[start] === HYPHEN ? start + 1 : start;
  let at = from;
  while (at < end && isDigit(bytes[at])) at++;
  const digits = at - from;
  if (digits < 4 || digits > LONGEST_YEAR) return -1;
  return digits > 4 && bytes[from] === 0x30 ? -1 : at;
}

function readYear(bytes: Uint8Array, start: number, end: number): number {
  const negative = bytes[start] === HYPHEN;
  let year = 0;
  for (let i = negative ? start + 1 : start; i < end; i++) {
    year = year * 10 + (bytes[i] as number) - 0x30;
  }
  return negative && year > 0 ? -year : year;
}

/** What a zone adds to the order value of a year or a month, or NaN when it is none: east of UTC all begins earlier. */
function readZoneShift(bytes: Uint8Array, start: number, end: number): number {
  if (bytes[start] === POINT) return Number.NaN;
  return (readFractionAndZone(bytes, start, end) / 60_000) * ZONE_MINUTE;
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
const PLUS = 0x2b;
const MINUS = 0x2d;
const ZULU = 0x5a;

/** What `format: any` takes for a time, tried in this order. */
export const ANY_TIME = ['%H:%M:%S', '%H:%M', '%H:%M:%S.%f', '%I:%M:%S %p', '%I:%M %p', '%I:%M%p'];

/** Table Schema `time`: `default` is hh:mm:ss as XML Schema has it (fraction and zone may follow). */
export function timeType(format: string): CellType {
  if (format === 'default') {
    const key = exactKey(readTime, 8, timeOfDay);
    return { read: readTime, key, compareKeys: compareInstants, show: showTime };
  }
  const reader = format === 'any' ? anyOf(ANY_TIME) : strptimeType(format, 'time');
  // A pattern without a date counts from the first of January 1900, as strptime does.
  return byPattern(reader, (value) => showTime(timeOfDay(value)), timeOfDay);
}

/** A time comes every day: 23:00:00-02:00 is 01:00:00Z, if of the next one. */
function timeOfDay(milliseconds: number): number {
  return ((milliseconds % DAY_MS) + DAY_MS) % DAY_MS;
}

function byPattern(
  { read, instant }: PatternReader,
  show: (value: number) => string,
  comparable: (milliseconds: number) => number = Number,
): CellType {
  return {
    read,
    key: (bytes, start, end, value) => {
      const exact = instant?.(bytes, start, end);
      if (exact === undefined) return comparable(value);
      const fraction = String(exact.microseconds).padStart(6, '0');
      return instantKey(comparable(exact.second), fraction);
    },
    compareKeys: compareInstants,
    show,
  };
}

/**
 * The key of an instant, whose fraction of a second may have more digits than a double has room for.
 *
 * @param second milliseconds up to the second
 */
function instantKey(second: number, fraction: string): number | string {
  let end = fraction.length;
  while (end > 0 && fraction.charAt(end - 1) === '0') end--;
  const digits = fraction.slice(0, end);
  return end <= 3 ? second + Number(digits.padEnd(3, '0')) : `${second}.${digits}`;
}

/** The order of two instants by their keys. */
function compareInstants(one: number | string, other: number | string): number {
  const [second, fraction] = secondAndFraction(one);
  const [otherSecond, otherFraction] = secondAndFraction(other);
  if (second !== otherSecond) return second - otherSecond;
  // Without zeros at their ends, fractions are ordered as texts are.
  if (fraction === otherFraction) return 0;
  return fraction > otherFraction ? 1 : -1;
}

function secondAndFraction(key: number | string): [number, string] {
  if (typeof key === 'string') {
    const point = key.indexOf('.');
    return [Number(key.slice(0, point)), key.slice(point + 1)];
  }
  const second = Math.floor(key / 1000) * 1000;
  return [
    second,
    String(key - second)
      .padStart(3, '0')
      .replace(/0+$/, ''),
  ];
}

/** The key of a cell whose fraction, if it has one, begins so many bytes after its start. */
function exactKey(
  read: CellType['read'],
  fractionAt: number,
  comparable: (milliseconds: number) => number = Number,
): CellType['key'] {
  return (bytes, start, end, value) => {
    const point = start + fractionAt;
    if (point >= end || bytes[point] !== POINT) return comparable(value);
    let zoneAt = point + 1;
    while (zoneAt < end && isDigit(bytes[zoneAt])) zoneAt++;
    const whole = new Uint8Array(fractionAt + end - zoneAt);
    whole.set(bytes.subarray(start, point));
    whole.set(bytes.subarray(zoneAt, end), fractionAt);
    const second = read(whole, 0, whole.length);
    return instantKey(comparable(second), decodeText(bytes, point + 1, zoneAt));
  };
}

/**
 * hh:mm:ss with an optional fraction and zone, as milliseconds since midnight UTC, or NaN. 24:00:00 is 00:00:00, as
 * XML Schema has it.
 */
export function readTime(bytes: Uint8Array, start: number, end: number): number {
  if (end - start < 8 || bytes[start + 2] !== COLON || bytes[start + 5] !== COLON) {
    return Number.NaN;
  }
  const hours = readTwoDigits(bytes, start);
  const minutes = readTwoDigits(bytes, start + 3);
  const seconds = readTwoDigits(bytes, start + 6);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59 || seconds < 0 || seconds > 59) {
    return hours === 24 && minutes === 0 && seconds === 0
      ? readMidnight(bytes, start, end)
      : Number.NaN;
  }
  const whole = ((hours * 60 + minutes) * 60 + seconds) * 1000;
  return end - start === 8 ? whole : whole + readFractionAndZone(bytes, start + 8, end);
}

/** The zone of `24:00:00`, or NaN where it has a fraction that is not zero. */
function readMidnight(bytes: Uint8Array, start: number, end: number): number {
  for (let at = start + 9; bytes[start + 8] === POINT && at < end && isDigit(bytes[at]); at++) {
    if (bytes[at] !== ZERO) return Number.NaN;
  }
  return readFractionAndZone(bytes, start + 8, end);
}

/** XML Schema's greatest distance from UTC. */
const LARGEST_ZONE = 14 * 3_600_000;

/**
 * `.fff`, `Z`, `+hh:mm` or both as milliseconds to add, or NaN. What is less than a millisecond is left to keys: sums with
 * it are rounded, and one instant in two zones would not be equal.
 */
function readFractionAndZone(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  let fraction = 0;
  if (bytes[at] === POINT) {
    let scale = 100;
    at++;
    if (at >= end || !isDigit(bytes[at])) return Number.NaN;
    for (; at < end && isDigit(bytes[at]); at++) {
      fraction += ((bytes[at] as number) - ZERO) * scale;
      scale = scale > 1 ? scale / 10 : 0;
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
  if (format === 'default') {
    const key = exactKey(readDateTime, 19);
    return { read: readDateTime, key, compareKeys: compareInstants, show: showDateTime };
  }
  return byPattern(format === 'any' ? anyOf(ANY_DATETIME) : strptimeType(format), showDateTime);
}

/** YYYY-MM-DDThh:mm:ss as milliseconds since 1970 (UTC where no zone is given), or NaN; 24:00:00 ends the day. */
export function readDateTime(bytes: Uint8Array, start: number, end: number): number {
  if (end - start < 19 || bytes[start + 10] !== LETTER_T) return Number.NaN;
  const value = readDate(bytes, start, start + 10) + readTime(bytes, start + 11, end);
  const endsDay = bytes[start + 12] === 0x34 && bytes[start + 11] === 0x32;
  return endsDay ? value + DAY_MS : value;
}

export function showDateTime(value: number): string {
  return new Date(value).toISOString().replace('.000Z', 'Z');
}
