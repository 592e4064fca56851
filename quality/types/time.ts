import { DAY_MS } from './calendar.ts';
import { type CellType, isDigit, readTwoDigits } from './cell-type.ts';
import { anyOf, strptimeType } from './strptime.ts';

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

/** hh:mm:ss with an optional fraction and zone, as milliseconds since midnight UTC, or NaN. */
export function readTime(bytes: Uint8Array, start: number, end: number): number {
  if (end - start < 8 || bytes[start + 2] !== COLON || bytes[start + 5] !== COLON) {
    return Number.NaN;
  }
  const hours = readTwoDigits(bytes, start);
  const minutes = readTwoDigits(bytes, start + 3);
  const seconds = readTwoDigits(bytes, start + 6);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59 || seconds < 0 || seconds > 59) {
    return Number.NaN;
  }
  const whole = ((hours * 60 + minutes) * 60 + seconds) * 1000;
  return end - start === 8 ? whole : whole + readFractionAndZone(bytes, start + 8, end);
}

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
  if (hours < 0 || hours > 14 || minutes < 0 || minutes > 59) return Number.NaN;
  const zone = (hours * 60 + minutes) * 60_000;
  return sign === PLUS ? fraction - zone : fraction + zone;
}

export function showTime(value: number): string {
  return new Date(value).toISOString().slice(11).replace('.000Z', '').replace('Z', '');
}
