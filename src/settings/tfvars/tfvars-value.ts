/** A literal of a tfvars file, in either syntax. Maps are plain objects; `__proto__` is a key like any other. */
export type TfvarsValue =
  | string
  | number
  | boolean
  | null
  | readonly TfvarsValue[]
  | { readonly [key: string]: TfvarsValue };

/** One variable as a tfvars file sets it. */
export interface TfvarsAssignment {
  readonly name: string;
  readonly value: TfvarsValue;
  /** Where the name stands, 1-based. */
  readonly line: number;
}

/** A fault in a file's text. Its message never quotes what was written as a value: it may be a secret. */
export interface TfvarsFault {
  /** 1-based. */
  readonly line: number;
  /** The variable that was being set, where the fault lies inside an assignment. */
  readonly variable?: string;
  readonly message: string;
}

/** What a tfvars file says: every assignment that could be read, and every fault, both in file order. */
export interface TfvarsText {
  readonly assignments: readonly TfvarsAssignment[];
  readonly faults: readonly TfvarsFault[];
}

/** How deep lists, maps and parentheses may nest; Terraform has no limit, our call stack has one. */
export const MAX_NESTING = 32;

/** The fault of a value that nests deeper than {@link MAX_NESTING}. */
export const NESTED_TOO_DEEP = `values may nest at most ${MAX_NESTING} levels deep`;

/** The fault of a number that `exactNumber` refuses. */
export const INEXACT_NUMBER =
  'the number cannot be held exactly: whole numbers up to 9007199254740991 and decimals of up to ' +
  '15 digits can; write it as a string in double quotes if its digits matter';

/** The fault of a variable that a file sets a second time. */
export const setTwice = (firstLine: number): string =>
  `the variable is set twice, first on line ${firstLine}: keep one of the two`;

/**
 * Prepares `text` for asking on which line an offset lies.
 *
 * @returns a function from an offset in UTF-16 code units to its 1-based line
 */
export function lineIndex(text: string): (offset: number) => number {
  const newlines: number[] = [];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) newlines.push(at);

  return (offset) => {
    let low = 0;
    let high = newlines.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((newlines[middle] ?? offset) < offset) low = middle + 1;
      else high = middle;
    }
    return low + 1;
  };
}

/** A double holds every decimal of this many digits apart from its neighbours (C's DBL_DIG). */
const DIGITS_OF_A_DOUBLE = 15;
/** Below this a double starts to lose digits (C's DBL_MIN). */
const SMALLEST_NORMAL = 2 ** -1022;

/**
 * Reads a decimal literal that JavaScript can hold without changing it. Terraform keeps 512 bits;
 * rounding silently would deploy another number than the file says.
 *
 * @param literal - digits with an optional minus, fraction and exponent, as in JSON
 * @returns the number (never -0), or undefined where it would be rounded
 */
export function exactNumber(literal: string): number | undefined {
  const value = Number(literal) + 0;
  if (/^-?\d+$/.test(literal)) return Number.isSafeInteger(value) ? value : undefined;

  const [mantissa = ''] = literal.split(/e/i);
  const digits = mantissa.replace(/[-.]/g, '').replace(/^0+/, '').length;
  const size = Math.abs(value);
  const exact =
    digits === 0 ||
    (digits <= DIGITS_OF_A_DOUBLE && size >= SMALLEST_NORMAL && size <= Number.MAX_SAFE_INTEGER);
  return exact ? value : undefined;
}
