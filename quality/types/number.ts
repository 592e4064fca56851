import { decodeText } from '../text.ts';
import { type CellType, UNORDERED } from './cell-type.ts';

const PLUS = 0x2b;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const EXPONENT = 0x65;
const LETTER_I = 0x49;
const LETTER_N = 0x4e;
/** With at most this many digits, digits and power of ten are both exact, and so is their quotient's rounding. */
const EXACT_DIGITS = 15;
const POWERS_OF_TEN = Float64Array.from({ length: EXACT_DIGITS + 1 }, (_, i) => 10 ** i);

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

export interface NumberOptions {
  /** @default "." */
  readonly decimalChar: string;
  /** Separates groups of digits and is dropped. @default none */
  readonly groupChar: string | undefined;
  /** When false, text before and after the number is dropped. @default true */
  readonly bareNumber: boolean;
}

/** Table Schema `number`: a decimal with an optional exponent, or NaN, INF, -INF. */
export function numberType(options: NumberOptions): CellType {
  if (options.decimalChar === '.' && options.groupChar === undefined && options.bareNumber) {
    return { read: readNumber, show: showNumber };
  }
  return {
    read: (bytes, start, end) => {
      if (end - start > LONGEST_LOOSE_NUMBER) return Number.NaN;
      return numberFromText(looseNumberText(decodeText(bytes, start, end), options));
    },
    show: showNumber,
  };
}

/** The number in the cell, or NaN when it holds none. */
export function readNumber(bytes: Uint8Array, start: number, end: number): number {
  const first = bytes[start] as number;
  let i = first === MINUS || first === PLUS ? start + 1 : start;
  let digits = 0;
  let fraction = -1;
  let value = 0;
  for (; i < end; i++) {
    const byte = bytes[i] as number;
    const digit = byte - ZERO;
    if (digit >= 0 && digit <= 9) {
      value = value * 10 + digit;
      digits++;
      if (fraction >= 0) fraction++;
    } else if (byte === POINT && fraction < 0) {
      fraction = 0;
    } else if (digits === 0 ? !startsSpecial(byte) : (byte | 0x20) !== EXPONENT) {
      return Number.NaN;
    } else {
      return numberFromText(decodeText(bytes, start, Math.min(end, start + 400)));
    }
  }
  if (digits === 0) return Number.NaN;
  if (digits > EXACT_DIGITS) return Number(decodeText(bytes, start, end));
  if (fraction > 0) value /= POWERS_OF_TEN[fraction] as number;
  return first === MINUS ? -value : value;
}

/** Whether NaN or INF may begin here; any other text is sorted out before a string is made of it. */
function startsSpecial(byte: number): boolean {
  return byte === LETTER_N || byte === LETTER_I;
}

function numberFromText(text: string): number {
  if (NUMBER.test(text)) return Number(text);
  if (text === 'NaN') return UNORDERED;
  if (text === 'INF' || text === '-INF') return text === 'INF' ? Infinity : -Infinity;
  return Number.NaN;
}

/** JSON has no infinity: it is written as Table Schema writes it. */
function showNumber(value: number): string | number {
  if (value === Infinity) return 'INF';
  return value === -Infinity ? '-INF' : value;
}

export interface IntegerOptions {
  /** Separates groups of digits and is dropped. @default none */
  readonly groupChar: string | undefined;
  /** When false, text before and after the number is dropped ("95%", "EUR 12"). @default true */
  readonly bareNumber: boolean;
}

/** Table Schema `integer`: an optional sign and digits. Beyond 2^53 the order value is the nearest double. */
export function integerType(options: IntegerOptions): CellType {
  if (options.groupChar === undefined && options.bareNumber) {
    return { read: readInteger, show: (value) => value };
  }
  const loose = { ...options, decimalChar: undefined };
  return {
    read: (bytes, start, end) => {
      if (end - start > LONGEST_LOOSE_NUMBER) return Number.NaN;
      const text = looseNumberText(decodeText(bytes, start, end), loose);
      return /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
    },
    show: (value) => value,
  };
}

/** The integer in the cell, or NaN. */
export function readInteger(bytes: Uint8Array, start: number, end: number): number {
  const first = bytes[start] as number;
  const from = first === MINUS || first === PLUS ? start + 1 : start;
  if (from >= end) return Number.NaN;
  let value = 0;
  for (let i = from; i < end; i++) {
    const digit = (bytes[i] as number) - ZERO;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  if (end - from > EXACT_DIGITS) return Number(decodeText(bytes, start, end));
  return first === MINUS ? -value : value;
}

export interface LooseNumberOptions {
  /** Stands between groups of two to four digits. */
  readonly groupChar: string | undefined;
  /** Undefined for integers, which have none. */
  readonly decimalChar: string | undefined;
  /** When false, text before and after the number is dropped. */
  readonly bareNumber: boolean;
}

/** Bytes of the longest cell that is read so: the expressions below take time by the square of the length. */
const LONGEST_LOOSE_NUMBER = 400;

/**
 * A number's text in plain digits and a point; empty when a group or decimal character stands where it makes
 * another number than meant (`1,5` with `,` for groups, `1,000.5` with `.` for groups).
 */
export function looseNumberText(text: string, options: LooseNumberOptions): string {
  const { groupChar, decimalChar, bareNumber } = options;
  const number = bareNumber ? text : text.replace(/^[^\d+\-.]+/, '').replace(/\D+$/, '');
  const [whole = '', fraction, more] =
    decimalChar === undefined ? [number] : number.split(decimalChar);
  const groups = groupChar === undefined ? [whole] : whole.split(groupChar);
  if (!groups.slice(1).every((group) => /^\d{2,4}$/.test(group))) return '';
  const digits = groups.join('');
  if (more !== undefined || digits.includes('.') || fraction?.includes('.') === true) return '';
  return fraction === undefined ? digits : `${digits}.${fraction}`;
}
