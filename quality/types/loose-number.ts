export interface LooseNumberOptions {
  /** Stands between groups of two to four digits. */
  readonly groupChar: string | undefined;
  /** Undefined for integers, which have none. */
  readonly decimalChar: string | undefined;
  /** When false, text before and after the number is dropped. */
  readonly bareNumber: boolean;
}

/** Bytes of the longest cell that is read so: the expressions below take time by the square of the length. */
export const LONGEST_LOOSE_NUMBER = 400;

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
