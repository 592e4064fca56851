import { decodeText } from '../text.ts';
import type { CellType } from './cell-type.ts';

const DURATION =
  /^(-?)P(?=[\dT])(?:(\d{1,9})Y)?(?:(\d{1,9})M)?(?:(\d{1,12})D)?(?:T(?=\d)(?:(\d{1,12})H)?(?:(\d{1,12})M)?(?:(\d{1,12})(?:\.(\d{1,100}))?S)?)?$/;
/** Every text that {@link DURATION} takes is shorter. */
const LONGEST = 200;
/** Seconds of a mean Gregorian month, for the order value. */
const MEAN_MONTH = 2_629_746;

/**
 * Table Schema `duration`: XML Schema's PnYnMnDTnHnMnS, up to nine digits of years and months, twelve of the other
 * parts and a hundred of the fraction. Weeks are not part of it.
 *
 * A duration is a number of months and of seconds, so `P1Y` is `P12M` and `PT24H` is `P1D`, while `P1M` is neither
 * more nor less than `P30D`: XML Schema orders two durations only where each of four months of reference does so.
 */
export function durationType(): CellType {
  return {
    read: (bytes, start, end) => {
      const duration = durationOf(bytes, start, end);
      if (duration === undefined) return Number.NaN;
      return (duration.months * MEAN_MONTH + Number(duration.seconds)) * 1000;
    },
    key: (bytes, start, end) => keyOf(durationOf(bytes, start, end) ?? NONE),
    compareKeys: (one, other) => compareDurations(fromKey(one), fromKey(other)),
    ordersByKeys: true,
    show: () => null,
  };
}

interface Duration {
  readonly months: number;
  readonly seconds: bigint;
  /** Digits behind the point of the seconds, without zeros at the end, as a number with this many digits. */
  readonly fraction: string;
  readonly negative: boolean;
}

const NONE: Duration = { months: 0, seconds: 0n, fraction: '', negative: false };

function durationOf(bytes: Uint8Array, start: number, end: number): Duration | undefined {
  if (end - start > LONGEST) return undefined;
  const parts = DURATION.exec(decodeText(bytes, start, end));
  if (parts === null) return undefined;
  const part = (index: number): number => Number(parts[index] ?? 0);
  const months = part(2) * 12 + part(3);
  const days = BigInt(part(4));
  const seconds = ((days * 24n + BigInt(part(5))) * 60n + BigInt(part(6))) * 60n + BigInt(part(7));
  const fraction = (parts[8] ?? '').replace(/0+$/, '');
  const isZero = months === 0 && seconds === 0n && fraction === '';
  const negative = parts[1] === '-' && !isZero;
  return negative
    ? { months: -months, seconds: -seconds, fraction, negative }
    : { months, seconds, fraction, negative };
}

function keyOf({ months, seconds, fraction, negative }: Duration): string {
  return `${negative ? '-' : ''}|${months || 0}|${seconds}|${fraction}`;
}

function fromKey(key: number | string): Duration {
  const [sign = '', months = '0', seconds = '0', fraction = ''] = String(key).split('|');
  return { months: Number(months), seconds: BigInt(seconds), fraction, negative: sign === '-' };
}

/** XML Schema's months of reference (3.2.6.2): each with the days of the months after it in another order. */
const REFERENCES = [1696 * 12 + 8, 1697 * 12 + 1, 1903 * 12 + 2, 1903 * 12 + 6] as const;

/** Negative, zero or positive; NaN where neither is more. */
function compareDurations(one: Duration, other: Duration): number {
  if (one.months === other.months) return compareSeconds(one, other);
  const orders = REFERENCES.map((month) => compareSeconds(after(month, one), after(month, other)));
  const [first = 0] = orders;
  return orders.every((order) => Math.sign(order) === Math.sign(first)) ? first : Number.NaN;
}

/** The duration with its months counted out from the month of reference. */
function after(month: number, duration: Duration): Duration {
  const days = firstDay(month + duration.months) - firstDay(month);
  return { ...duration, seconds: duration.seconds + BigInt(days) * 86_400n };
}

/** The first day of a month counted from year 0, as days from any origin, in the proleptic Gregorian calendar. */
function firstDay(month: number): number {
  // As if the year began with March: the leap day comes last.
  const shifted = month - 2;
  const year = Math.floor(shifted / 12);
  const days = Math.floor((153 * (shifted - year * 12) + 2) / 5);
  return year * 365 + Math.floor(year / 4) - Math.floor(year / 100) + Math.floor(year / 400) + days;
}

function compareSeconds(one: Duration, other: Duration): number {
  const digits = Math.max(one.fraction.length, other.fraction.length);
  const [a, b] = [scaled(one, digits), scaled(other, digits)];
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function scaled({ seconds, fraction, negative }: Duration, digits: number): bigint {
  const part = BigInt(fraction.padEnd(digits, '0') || '0');
  return seconds * 10n ** BigInt(digits) + (negative ? -part : part);
}
