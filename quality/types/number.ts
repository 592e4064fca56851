import { decodeText, encodeText } from '../text.ts';
import { type CellType, isDigit, UNORDERED } from './cell-type.ts';

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

export interface NumberOptions {
  /** @default "." */
  readonly decimalChar: string;
  /** Separates groups of three digits and is dropped. @default none */
  readonly groupChar: string | undefined;
  /** When false, text before and after the number is dropped. @default true */
  readonly bareNumber: boolean;
}

/** Table Schema `number`: a decimal with an optional exponent, or NaN, INF, -INF. */
export function numberType(options: NumberOptions): CellType {
  if (options.decimalChar === '.' && options.groupChar === undefined && options.bareNumber) {
    return { read: readNumber, key: numberKey, compareKeys: compareDecimals, show: showNumber };
  }
  return {
    key: (bytes, start, end, value) => {
      if (!Number.isNaN(specialNumber(bytes, start, end))) return value;
      const plain = encodeText(looseNumberText(decodeText(bytes, start, end), options));
      return numberKey(plain, 0, plain.length, value);
    },
    read: (bytes, start, end) => {
      const special = specialNumber(bytes, start, end);
      if (!Number.isNaN(special)) return special;
      const plain = encodeText(looseNumberText(decodeText(bytes, start, end), options));
      return readNumber(plain, 0, plain.length);
    },
    compareKeys: compareDecimals,
    ...misgrouping(options),
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
    } else if (digits === 0) {
      return startsSpecial(byte) ? specialNumber(bytes, start, end) : Number.NaN;
    } else {
      return isExponent(bytes, i, end) ? numberOf(bytes, start, end) : Number.NaN;
    }
  }
  if (digits === 0) return Number.NaN;
  if (digits > EXACT_DIGITS) return numberOf(bytes, start, end);
  if (fraction > 0) value /= POWERS_OF_TEN[fraction] as number;
  return first === MINUS ? -value : value;
}

/** Whether NaN or INF may begin here; any other text is sorted out before a string is made of it. */
function startsSpecial(byte: number): boolean {
  const capital = byte & ~0x20;
  return capital === LETTER_N || capital === LETTER_I;
}

/** The value of NaN, INF or -INF, in letters of any case; NaN for any other text. */
function specialNumber(bytes: Uint8Array, start: number, end: number): number {
  if (end - start > 4) return Number.NaN;
  const text = decodeText(bytes, start, end).toUpperCase();
  if (text === 'NAN') return UNORDERED;
  if (text === 'INF' || text === '-INF') return text === 'INF' ? Infinity : -Infinity;
  return Number.NaN;
}

/** Whether `bytes[at, end)` is an exponent to its last byte. */
function isExponent(bytes: Uint8Array, at: number, end: number): boolean {
  if (((bytes[at] as number) | 0x20) !== EXPONENT) return false;
  const sign = bytes[at + 1];
  const from = sign === MINUS || sign === PLUS ? at + 2 : at + 1;
  for (let i = from; i < end; i++) if (!isDigit(bytes[i])) return false;
  return from < end;
}

/** The nearest double to a number; never {@link UNORDERED}, which the smallest one below zero would be. */
function numberOf(bytes: Uint8Array, start: number, end: number): number {
  const value = Number(decodeText(bytes, start, end));
  return value === UNORDERED ? UNORDERED * 2 : value;
}

/**
 * The value itself where doubles tell it from its neighbours, which they do up to 15 digits, else its digits and its
 * power of ten.
 */
export function numberKey(
  bytes: Uint8Array,
  start: number,
  end: number,
  value: number,
): number | string {
  if (end - start <= EXACT_DIGITS && !hasExponent(bytes, start, end)) return value;
  const { negative, digits, power } = decimalOf(decodeText(bytes, start, end));
  const exact = digits.length <= EXACT_DIGITS && power > -300n && power < 290n;
  if (exact || digits === '0') return value;
  return `${negative ? '-' : ''}${digits}e${power}`;
}

function hasExponent(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (((bytes[i] as number) | 0x20) === EXPONENT) return true;
  return false;
}

/** A number as a sign, digits without zeros at either end, and the power of ten that they are multiplied with. */
function decimalOf(text: string): { negative: boolean; digits: string; power: bigint } {
  const exponentAt = text.search(/[eE]/);
  const mantissa = exponentAt < 0 ? text : text.slice(0, exponentAt);
  const [whole = '', fraction = ''] = mantissa.replace(/^[+-]/, '').split('.');
  const all = whole + fraction;
  let from = 0;
  let end = all.length;
  while (from < end - 1 && all.charAt(from) === '0') from++;
  while (end - 1 > from && all.charAt(end - 1) === '0') end--;
  const shift = all.length - end - fraction.length;
  const exponent = exponentAt < 0 ? 0n : BigInt(text.slice(exponentAt + 1).replace('+', ''));
  const power = exponent + BigInt(shift);
  return { negative: text.startsWith('-'), digits: all.slice(from, end), power };
}

/** The order of two numbers by their keys, exact for any number of digits. */
function compareDecimals(one: number | string, other: number | string): number {
  if (typeof one === 'number' && typeof other === 'number') return one - other || 0;
  if (typeof one === 'number' && !Number.isFinite(one)) return one;
  if (typeof other === 'number' && !Number.isFinite(other)) return -other;
  const a = decimalOf(String(one));
  const b = decimalOf(String(other));
  const sign = signOf(a);
  if (sign !== signOf(b)) return sign - signOf(b);
  const size = a.power + BigInt(a.digits.length) - b.power - BigInt(b.digits.length);
  if (size !== 0n) return size > 0n ? sign : -sign;
  // Without zeros at their ends, digits are ordered as texts are.
  if (a.digits === b.digits) return 0;
  return a.digits > b.digits ? sign : -sign;
}

function signOf({ digits, negative }: { digits: string; negative: boolean }): number {
  if (digits === '0') return 0;
  return negative ? -1 : 1;
}

/** JSON has no infinity: it is written as Table Schema writes it. */
function showNumber(value: number): string | number {
  if (value === Infinity) return 'INF';
  return value === -Infinity ? '-INF' : value;
}

export interface IntegerOptions {
  /** Separates groups of three digits and is dropped. @default none */
  readonly groupChar: string | undefined;
  /** When false, text before and after the number is dropped ("95%", "EUR 12"). @default true */
  readonly bareNumber: boolean;
}

/** Table Schema `integer`: an optional sign and digits. Beyond 2^53 the order value is the nearest double. */
export function integerType(options: IntegerOptions): CellType {
  if (options.groupChar === undefined && options.bareNumber) {
    return {
      read: readInteger,
      key: integerKey,
      compareKeys: compareDecimals,
      show: (value) => value,
    };
  }
  const loose = { ...options, decimalChar: undefined };
  return {
    read: (bytes, start, end) => {
      const plain = encodeText(looseNumberText(decodeText(bytes, start, end), loose));
      return readInteger(plain, 0, plain.length);
    },
    key: (bytes, start, end, value) => {
      const plain = encodeText(looseNumberText(decodeText(bytes, start, end), loose));
      return integerKey(plain, 0, plain.length, value);
    },
    compareKeys: compareDecimals,
    ...misgrouping(loose),
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

function integerKey(bytes: Uint8Array, start: number, end: number, value: number): number | string {
  if (end - start <= EXACT_DIGITS) return value;
  const signed = bytes[start] === MINUS || bytes[start] === PLUS;
  let from = signed ? start + 1 : start;
  while (from < end && bytes[from] === ZERO) from++;
  if (end - from <= EXACT_DIGITS) return value;
  return `${bytes[start] === MINUS ? '-' : ''}${decodeText(bytes, from, end)}`;
}

export interface LooseNumberOptions {
  /** Stands between groups of three digits. */
  readonly groupChar: string | undefined;
  /** Undefined for integers, which have no fraction and no exponent. */
  readonly decimalChar: string | undefined;
  /** When false, text before and after the number is dropped. */
  readonly bareNumber: boolean;
}

/**
 * A number's text in plain digits, point and exponent; empty when it is none, or when a group or decimal character
 * stands where it makes another number than meant: each group but the first has three digits, and the first one to
 * three (`1,5`, `1,00,000` and `,100` with `,` for groups, `1,000.5` with `.` for groups).
 */
export function looseNumberText(text: string, options: LooseNumberOptions): string {
  const { groupChar, decimalChar, bareNumber } = options;
  const number = bareNumber ? text : numberWithin(text, options);
  const sign = number.startsWith('-') || number.startsWith('+') ? number.charAt(0) : '';
  const exponentAt = decimalChar === undefined ? -1 : number.search(/[eE]/);
  const exponent = exponentAt < 0 ? '' : number.slice(exponentAt);
  const mantissa = number.slice(sign.length, exponentAt < 0 ? undefined : exponentAt);
  const [whole = '', fraction, more] =
    decimalChar === undefined ? [mantissa] : mantissa.split(decimalChar, 3);
  const groups = groupChar === undefined ? [whole] : whole.split(groupChar);
  const grouped =
    groups.length === 1 ||
    groups.every(({ length }, index) => length === 3 || (index === 0 && length > 0 && length < 3));
  const digits = groups.join('');
  if (more !== undefined || !grouped || /\D/.test(digits + (fraction ?? ''))) return '';
  return `${sign}${digits}${fraction === undefined ? '' : `.${fraction}`}${exponent}`;
}

/** Behind the only comma of a number: rather decimals than a group. */
const FEW_DECIMALS = /^[^,]*,\d{1,2}$/;

function misgrouping(options: LooseNumberOptions): Pick<CellType, 'isMisgrouped'> {
  const { decimalChar, groupChar } = options;
  if (groupChar === undefined) return {};
  return {
    isMisgrouped(text) {
      const decimals = decimalChar === undefined ? -1 : text.indexOf(decimalChar);
      const whole = decimals < 0 ? text : text.slice(0, decimals);
      const isDecimalComma =
        groupChar === ',' && decimalChar !== undefined && FEW_DECIMALS.test(text);
      if (!/\d/.test(whole) || !whole.includes(groupChar) || isDecimalComma) return false;
      const plain = `${whole.replaceAll(groupChar, '')}${text.slice(whole.length)}`;
      const ungrouped = { ...options, groupChar: undefined };
      return looseNumberText(text, options) === '' && looseNumberText(plain, ungrouped) !== '';
    },
  };
}

/**
 * The text from the first digit to the last, with the sign and the characters of a number in front of it; empty where
 * what would be dropped could be a part of the number: a sign, or a point after a letter ("No.5").
 */
function numberWithin(text: string, { groupChar, decimalChar }: LooseNumberOptions): string {
  let from = text.search(/\d/);
  if (from < 0) return '';
  let end = text.length;
  while (!isDigit(text.charCodeAt(end - 1))) end--;
  const isPart = (character: string): boolean =>
    character !== '' && (character === decimalChar || character === groupChar);
  // A blank parts the number from a unit before it, and groups only within it.
  while (isPart(text.charAt(from - 1)) && /\S/.test(text.charAt(from - 1))) from--;
  const afterLetter = isPart(text.charAt(from)) && /\p{L}$/u.test(text.slice(0, from));
  if (/[+-]/.test(text.charAt(from - 1))) from--;
  if (afterLetter || SIGN.test(text.slice(0, from)) || SIGN.test(text.charAt(end))) return '';
  return text.slice(from, end);
}

/** U+2212 is the minus sign of typography. */
const SIGN = /[+\-\u2212]/;
