/**
 * Reads one cell. A type's values are ordered by one number, so that bounds, minimum and maximum work the
 * same for all of them: the value itself for numbers, milliseconds since 1970 for dates and date-times,
 * milliseconds since midnight for times, the year, months since year 0, 0 and 1 for booleans, 0 for text and for
 * what has no order.
 */
export interface CellType {
  /**
   * The order value of the cell in `bytes[start, end)`, {@link UNORDERED} for a valid value that has none,
   * or NaN when the cell is not of this type. The cell is never empty.
   */
  readonly read: (bytes: Uint8Array, start: number, end: number) => number;
  /**
   * What only equal values share, however they are written, for a cell that {@link read} took and its order value.
   * It is that value wherever doubles tell the type's values apart, else a text.
   */
  readonly key: (bytes: Uint8Array, start: number, end: number, value: number) => number | string;
  /** Orders two keys, for values that have one order value between them; absent where none have. */
  readonly compareKeys?: (one: number | string, other: number | string) => number;
  /** Whether only keys order two values, whatever their order values are; they may leave some unordered, by NaN. */
  readonly ordersByKeys?: true;
  /** What minLength and maxLength count, for a cell that {@link read} took. @default characters (code points) */
  readonly length?: (bytes: Uint8Array, start: number, end: number) => number;
  /** The value of a cell that {@link read} took, of types whose values are JSON. */
  readonly json?: (bytes: Uint8Array, start: number, end: number) => unknown;
  /** Whether a text that {@link read} refuses is a number but for where its group characters stand; absent without them. */
  readonly isMisgrouped?: (text: string) => boolean;
  /** All texts that {@link read} takes, where they are few. */
  readonly words?: readonly string[];
  /** An order value as it stands in a report. */
  readonly show: (value: number) => string | number | boolean | null;
}

/** The {@link CellType.key} of types whose values all have an order value of their own. */
export function orderKey(_bytes: Uint8Array, _start: number, _end: number, value: number): number {
  return value;
}

/** The order value of a number cell that says NaN: valid, and neither below nor above anything. */
export const UNORDERED = -Number.MIN_VALUE;

const ZERO = 0x30;

/** Reads two digits as a number; -1 when one of them is not a digit. */
export function readTwoDigits(bytes: Uint8Array, at: number): number {
  const tens = (bytes[at] as number) - ZERO;
  const ones = (bytes[at + 1] as number) - ZERO;
  return tens >>> 0 > 9 || ones >>> 0 > 9 ? -1 : tens * 10 + ones;
}

/** Reads four digits as a number; negative when one of them is not a digit. */
export function readFourDigits(bytes: Uint8Array, at: number): number {
  const upper = readTwoDigits(bytes, at);
  const lower = readTwoDigits(bytes, at + 2);
  return upper < 0 || lower < 0 ? -1 : upper * 100 + lower;
}

export function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= 0x39;
}

export const DAY_MS = 86_400_000;

/** A day of the proleptic Gregorian calendar as milliseconds since 1970; NaN when there is no such day. */
export function dayMilliseconds(year: number, month: number, day: number): number {
  if (year < 0 || month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) {
    return Number.NaN;
  }
  // Years counted from March put the leap day last, so the months' lengths follow one formula; four
  // hundred years more keep all of it positive, where dropping the fraction is rounding down.
  const y = (month > 2 ? year : year - 1) + 400;
  const shifted = month > 2 ? month - 3 : month + 9;
  const century = (y / 100) | 0;
  const leapDays = (y >> 2) - century + (century >> 2);
  const days = y * 365 + leapDays + (((153 * shifted + 2) / 5) | 0) + day - 865_566;
  return days * DAY_MS;
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) {
    return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  }
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}
