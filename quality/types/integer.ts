import { decodeText } from '../text.ts';
import type { CellType } from './cell-type.ts';
import { LONGEST_LOOSE_NUMBER, looseNumberText } from './loose-number.ts';

const PLUS = 0x2b;
const MINUS = 0x2d;
const ZERO = 0x30;
/** Fifteen digits always fit a double exactly. */
const EXACT_DIGITS = 15;

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
