/**
 * Reads one cell. A type's values are ordered by one number, so that bounds, minimum and maximum work the
 * same for all of them: the value itself for numbers, milliseconds since 1970 for dates and date-times,
 * milliseconds since midnight for times, the year, months since year 0, 0 and 1 for booleans, 0 for text.
 */
export interface CellType {
  /**
   * The order value of the cell in `bytes[start, end)`, {@link UNORDERED} for a valid value that has none,
   * or NaN when the cell is not of this type. The cell is never empty.
   */
  readonly read: (bytes: Uint8Array, start: number, end: number) => number;
  /** An order value as it stands in a report. */
  readonly show: (value: number) => string | number | boolean | null;
}

/** The order value of a number cell that says NaN: valid, and neither below nor above anything. */
export const UNORDERED = -Number.MIN_VALUE;

const ZERO = 0x30;

/** Reads two digits as a number; -1 when one of them is none. */
export function readTwoDigits(bytes: Uint8Array, at: number): number {
  const tens = (bytes[at] as number) - ZERO;
  const ones = (bytes[at + 1] as number) - ZERO;
  return tens >>> 0 > 9 || ones >>> 0 > 9 ? -1 : tens * 10 + ones;
}

/** Reads four digits as a number; negative when one of them is none. */
export function readFourDigits(bytes: Uint8Array, at: number): number {
  const upper = readTwoDigits(bytes, at);
  const lower = readTwoDigits(bytes, at + 2);
  return upper < 0 || lower < 0 ? -1 : upper * 100 + lower;
}

export function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= 0x39;
}
