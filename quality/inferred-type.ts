import type { FieldType } from './field-type.ts';
import { booleanType, DEFAULT_FALSE_VALUES, DEFAULT_TRUE_VALUES } from './types/boolean.ts';
import { isDigit } from './types/cell-type.ts';
import { readDate } from './types/date.ts';
import { readDateTime } from './types/datetime.ts';
import { readInteger } from './types/integer.ts';
import { readNumber } from './types/number.ts';
import { readTime } from './types/time.ts';

/** What a cell without a declared type looks like, and its order value as that. */
export interface InferredCell {
  type: FieldType;
  value: number;
}

const HYPHEN = 0x2d;
const COLON = 0x3a;
const LETTER_T = 0x54;

/** Words only: 1 and 0 look like integers first. */
const WORDS = booleanType(
  DEFAULT_TRUE_VALUES.filter((text) => text !== '1'),
  DEFAULT_FALSE_VALUES.filter((text) => text !== '0'),
);

/** Writes into `cell` the narrowest type that the text fits in its default format; text that fits none is a string. */
export function inferCell(bytes: Uint8Array, start: number, end: number, cell: InferredCell): void {
  const first = bytes[start] as number;
  const length = end - start;
  if (isDigit(first)) {
    if (length === 10 && bytes[start + 4] === HYPHEN) {
      if (fits(cell, 'date', readDate(bytes, start, end))) return;
    } else if (length >= 19 && bytes[start + 10] === LETTER_T) {
      if (fits(cell, 'datetime', readDateTime(bytes, start, end))) return;
    } else if (length >= 8 && bytes[start + 2] === COLON) {
      if (fits(cell, 'time', readTime(bytes, start, end))) return;
    }
    if (fits(cell, 'integer', readInteger(bytes, start, end))) return;
    if (fits(cell, 'number', readNumber(bytes, start, end))) return;
  } else if (first <= 0x2e) {
    if (fits(cell, 'integer', readInteger(bytes, start, end))) return;
    if (fits(cell, 'number', readNumber(bytes, start, end))) return;
  } else if (length === 4 || length === 5) {
    if (fits(cell, 'boolean', WORDS.read(bytes, start, end))) return;
  }
  cell.type = 'string';
  cell.value = 0;
}

function fits(cell: InferredCell, type: FieldType, value: number): boolean {
  if (Number.isNaN(value)) return false;
  cell.type = type;
  cell.value = value;
  return true;
}
