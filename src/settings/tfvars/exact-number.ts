/** A double holds every decimal of this many digits apart from its neighbours (C's DBL_DIG). */
const DIGITS_OF_A_DOUBLE = 15;
/** Below this a double starts to lose digits (C's DBL_MIN). */
const SMALLEST_NORMAL = 2 ** -1022;

/**
 * Reads a decimal literal that JavaScript can hold without changing it. Terraform keeps 512 bits;
 * rounding in silence would deploy another number than the file says.
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
