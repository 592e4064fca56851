import type { Classification } from './classification.ts';
import { FIELD_TYPES, type FieldType } from './field-type.ts';
import type { ProfilePart } from './ports.ts';
import type { CompiledField } from './table-schema.ts';
import { reportText } from './text.ts';
import { booleanType, DEFAULT_FALSE_VALUES, DEFAULT_TRUE_VALUES } from './types/boolean.ts';
import { isDigit, UNORDERED } from './types/cell-type.ts';
import {
  readDate,
  readDateTime,
  readTime,
  showDate,
  showDateTime,
  showTime,
} from './types/datetime.ts';
import { readInteger, readNumber } from './types/number.ts';

/**
 * How the values of a column lie, in the first 64 KiB of a file. All of them are not counted: for the 34 million cells of a
 * typed file of 300 MB the additions alone take 21 to 35 ms, 2 to 3.4 % of its CPU time, and months and lengths take more.
 */
export interface Distribution {
  /** What the values were counted by; `value` is for what a public field's enum lists, and for booleans. */
  readonly by: 'magnitude' | 'month' | 'year' | 'decade' | 'length' | 'value';
  /** Values that were counted. */
  readonly values: number;
  /** How many of them there are of each kind, in order; at most 24 kinds and the rest. */
  readonly counts: readonly (readonly [kind: string, count: number])[];
}

/** What was seen in one column, in rows of which its cell was read. */
export interface ColumnReport {
  /** Number of the column from 1. */
  readonly field: number;
  readonly label: string;
  /** The schema's field that the column was judged as; null when it is none. */
  readonly name: string | null;
  /** How sensitive that field is; null when the column is none, or has a label that is not nearly the field's name. */
  readonly classification: Classification | null;
  /** The schema's type or, without one, the narrowest that all values fit; `any` for a column of nulls. */
  readonly type: FieldType;
  /** Whether the type is the schema's. */
  readonly declared: boolean;
  readonly rows: number;
  readonly nulls: number;
  /** Values that are not null, by type: those that fit the declared type, and what the others look like. */
  readonly types: Partial<Record<FieldType, number>>;
  /** Smallest and largest value of that type; for text by code point, cut at 256 bytes. Null without values. */
  readonly min: string | number | boolean | null;
  readonly max: string | number | boolean | null;
  /** How its values lie; absent where none was counted, null where it is withheld. */
  readonly distribution?: Distribution | null;
}

const LONGEST_TEXT = 256;
const TYPE_CODES = Object.fromEntries(FIELD_TYPES.map((type, code) => [type, code])) as Record<
  FieldType,
  number
>;
const LOWS = FIELD_TYPES.length;
const HIGHS = LOWS * 2;

/** Shows an inferred value; a declared column has its type's own way. */
const SHOW: Partial<Record<FieldType, (value: number) => string | number | boolean>> = {
  date: showDate,
  datetime: showDateTime,
  time: showTime,
  boolean: (value) => value === 1,
};

/** Counts what comes by in one column, in constant memory. */
export class ColumnProfile {
  nulls = 0;
  /** Rows of which cells were read, but not this column's. */
  unread = 0;
  readonly #field: CompiledField | undefined;
  /** Tallies, smallest and largest order values, by type. */
  readonly #figures = noFigures(new Float64Array(LOWS * 3));
  /** Where a declared type's smallest and largest value stand among the figures. */
  readonly #low: number;
  readonly #high: number;
  readonly #inferred: InferredCell = { type: 'string', value: 0 };
  readonly #texts = new TextRange();
  readonly #isText: boolean;

  constructor(field: CompiledField | undefined) {
    this.#field = field;
    const code = field === undefined ? 0 : TYPE_CODES[field.type];
    this.#low = LOWS + code;
    this.#high = HIGHS + code;
    this.#isText = field?.type === 'string' || field?.type === 'any';
  }

  /** A value of the declared type. It is not tallied: it is what is neither null nor unfit. */
  addDeclared(bytes: Uint8Array, start: number, end: number, value: number): void {
    if (this.#isText) {
      this.#texts.add(bytes, start, end);
      return;
    }
    const figures = this.#figures;
    if (value < (figures[this.#low] as number) && value !== UNORDERED) figures[this.#low] = value;
    if (value > (figures[this.#high] as number) && value !== UNORDERED) figures[this.#high] = value;
  }

  /** Nulls, and the smallest and largest of values of the declared type, that were counted elsewhere. */
  addCounted(nulls: number, low: number, high: number): void {
    this.nulls += nulls;
    const figures = this.#figures;
    figures[this.#low] = Math.min(figures[this.#low] as number, low);
    figures[this.#high] = Math.max(figures[this.#high] as number, high);
  }

  /** Values of an undeclared column that look like a type, counted elsewhere; their outermost texts are {@link addText}'s. */
  addCountedInferred(type: FieldType, tally: number, low: number, high: number): void {
    const code = TYPE_CODES[type];
    const figures = this.#figures;
    (figures[code] as number) += tally;
    figures[LOWS + code] = Math.min(figures[LOWS + code] as number, low);
    figures[HIGHS + code] = Math.max(figures[HIGHS + code] as number, high);
  }

  /** A text that may be the column's first or last. */
  addText(bytes: Uint8Array, start: number, end: number): void {
    this.#texts.add(bytes, start, end);
  }

  /** A value without a declared type, or one that is not of it. */
  addInferred(bytes: Uint8Array, start: number, end: number): void {
    inferCell(bytes, start, end, this.#inferred);
    const { type, value } = this.#inferred;
    const code = TYPE_CODES[type];
    const figures = this.#figures;
    (figures[code] as number)++;
    // What does not fit the declared type stays out of its smallest and largest value.
    if (this.#field !== undefined) return;
    if (value < (figures[LOWS + code] as number)) figures[LOWS + code] = value;
    if (value > (figures[HIGHS + code] as number)) figures[HIGHS + code] = value;
    this.#texts.add(bytes, start, end);
  }

  /** Takes back that a value was counted by its looks, where its row is counted anew. */
  forgetInferred(bytes: Uint8Array, start: number, end: number): void {
    inferCell(bytes, start, end, this.#inferred);
    (this.#figures[TYPE_CODES[this.#inferred.type]] as number)--;
  }

  /** What was seen, to be added to another profile of the same column. */
  part(): ProfilePart {
    const { nulls, unread } = this;
    return { nulls, unread, figures: this.#figures.slice(), texts: this.#texts.part() };
  }

  /** Forgets what was seen. */
  clear(): void {
    this.nulls = 0;
    this.unread = 0;
    noFigures(this.#figures);
    this.#texts.clear();
  }

  /** Adds what was seen in other rows of the column. */
  add({ nulls, unread, figures, texts }: ProfilePart): void {
    this.nulls += nulls;
    this.unread += unread;
    const own = this.#figures;
    for (let at = 0; at < own.length; at++) {
      const [mine, other] = [own[at] as number, figures[at] as number];
      if (at < LOWS) own[at] = mine + other;
      else own[at] = at < HIGHS ? Math.min(mine, other) : Math.max(mine, other);
    }
    for (const text of texts) this.#texts.add(text, 0, text.length);
  }

  /** @param readRows rows of which cells were read */
  report(
    column: number,
    readRows: number,
    { label, classification }: Pick<ColumnReport, 'label' | 'classification'>,
  ): ColumnReport {
    const rows = readRows - this.unread;
    const unfit = sum(FIELD_TYPES.map((type) => this.#figures[TYPE_CODES[type]] ?? 0));
    const types: Partial<Record<FieldType, number>> = {};
    for (const type of FIELD_TYPES) {
      const tally = this.#figures[TYPE_CODES[type]] ?? 0;
      const fitting = this.#field?.type === type ? rows - this.nulls - unfit : 0;
      if (tally + fitting > 0) types[type] = tally + fitting;
    }
    const type = this.#field?.type ?? inferredColumnType(types);
    return {
      field: column + 1,
      label,
      name: this.#field?.name ?? null,
      classification,
      type,
      declared: this.#field !== undefined,
      rows,
      nulls: this.nulls,
      types,
      ...this.#range(type),
    };
  }

  #range(type: FieldType): Pick<ColumnReport, 'min' | 'max'> {
    if (type === 'string' || type === 'any') return this.#texts.range();
    const codes = type === 'number' ? [TYPE_CODES.number, TYPE_CODES.integer] : [TYPE_CODES[type]];
    const low = Math.min(...codes.map((code) => this.#figures[LOWS + code] ?? Infinity));
    const high = Math.max(...codes.map((code) => this.#figures[HIGHS + code] ?? -Infinity));
    if (low > high) return { min: null, max: null };
    const show = this.#field?.cell.show ?? SHOW[type] ?? ((value: number) => value);
    return { min: show(low), max: show(high) };
  }
}

function noFigures(figures: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  return figures.fill(0, 0, LOWS).fill(Infinity, LOWS, HIGHS).fill(-Infinity, HIGHS);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function inferredColumnType(types: Partial<Record<FieldType, number>>): FieldType {
  const seen = FIELD_TYPES.filter((type) => types[type] !== undefined);
  const [only] = seen;
  if (only === undefined) return 'any';
  if (seen.length === 1) return only;
  return seen.every((type) => type === 'integer' || type === 'number') ? 'number' : 'string';
}

/** The first and the last of many texts, by their bytes, which in UTF-8 is by code point. */
class TextRange {
  #least: Uint8Array = new Uint8Array(32);
  #greatest: Uint8Array = new Uint8Array(32);
  /** -1 before the first text. */
  #leastLength = -1;
  #greatestLength = -1;
  /** First bytes, which settle most comparisons. */
  #leastFirst = 256;
  #greatestFirst = -1;

  add(bytes: Uint8Array, start: number, end: number): void {
    const first = start < end ? (bytes[start] as number) : -1;
    if (first > this.#leastFirst && first < this.#greatestFirst) return;
    const length = Math.min(end - start, LONGEST_TEXT);
    if (
      this.#leastLength < 0 ||
      compareText(bytes, start, length, this.#least, this.#leastLength) < 0
    ) {
      this.#least = copyText(bytes, start, length, this.#least);
      this.#leastLength = length;
      this.#leastFirst = first;
    }
    if (
      this.#greatestLength < 0 ||
      compareText(bytes, start, length, this.#greatest, this.#greatestLength) > 0
    ) {
      this.#greatest = copyText(bytes, start, length, this.#greatest);
      this.#greatestLength = length;
      this.#greatestFirst = first;
    }
  }

  clear(): void {
    this.#leastLength = -1;
    this.#greatestLength = -1;
    this.#leastFirst = 256;
    this.#greatestFirst = -1;
  }

  /** The first and the last text as bytes; none where there was no text. */
  part(): Uint8Array[] {
    if (this.#leastLength < 0) return [];
    return [this.#least.slice(0, this.#leastLength), this.#greatest.slice(0, this.#greatestLength)];
  }

  range(): { min: string | null; max: string | null } {
    return {
      min: shownText(this.#least, this.#leastLength),
      max: shownText(this.#greatest, this.#greatestLength),
    };
  }
}

function compareText(
  bytes: Uint8Array,
  start: number,
  length: number,
  other: Uint8Array,
  otherLength: number,
): number {
  const shorter = Math.min(length, otherLength);
  for (let i = 0; i < shorter; i++) {
    const difference = (bytes[start + i] as number) - (other[i] as number);
    if (difference !== 0) return difference;
  }
  return length - otherLength;
}

/** Copies into the target, or into a larger buffer where it is too small. */
function copyText(
  bytes: Uint8Array,
  start: number,
  length: number,
  target: Uint8Array,
): Uint8Array {
  const room = target.length < length ? new Uint8Array(length * 2) : target;
  for (let i = 0; i < length; i++) room[i] = bytes[start + i] as number;
  return room;
}

function shownText(bytes: Uint8Array, length: number): string | null {
  if (length < 0) return null;
  const text = reportText(bytes, 0, length, LONGEST_TEXT);
  // The cut may have split a character.
  return length === LONGEST_TEXT ? text.replace(/\uFFFD+$/, '') : text;
}

/** What a cell without a declared type looks like, and its order value as that. */
export interface InferredCell {
  type: FieldType;
  value: number;
}

const HYPHEN = 0x2d;
const COLON = 0x3a;
const LETTER_T = 0x54;

/** Words only: 1 and 0 look like integers first. */
const TRUE_WORDS = DEFAULT_TRUE_VALUES.filter((text) => text !== '1');
const FALSE_WORDS = DEFAULT_FALSE_VALUES.filter((text) => text !== '0');
const WORDS = booleanType(TRUE_WORDS, FALSE_WORDS);
/** The words with their values; they have four bytes or five. */
export const BOOLEAN_WORDS: ReadonlyMap<string, number> = new Map([
  ...TRUE_WORDS.map((text) => [text, 1] as const),
  ...FALSE_WORDS.map((text) => [text, 0] as const),
]);

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
