import type { Column } from './checks/check.ts';
import { type Bound, brokenConstraints, type ValueConstraints } from './field-constraints.ts';
import type { FieldType } from './field-type.ts';
import type { ColumnProfile } from './profile.ts';
import type { CompiledField } from './table-schema.ts';
import { countCharacters, decodeText, encodeText, oddityOf, type TextSet } from './text.ts';
import type { CellType } from './types/cell-type.ts';
import { readDate, readDateTime } from './types/datetime.ts';
import { readInteger, readNumber } from './types/number.ts';
import { readText } from './types/string.ts';

/** How the loop over plain rows (plain-rows.ts) reads the cells of a column. Those up to the last are read while their end is sought. */
export const INTEGER = 0;
export const NUMBER = 1;
export const DATE = 2;
export const DATETIME = 3;
/** Any text. */
export const TEXT = 4;
/** One of few texts. */
export const LISTED = 5;
/** What the type's own reader takes for a value. */
export const VALUE = 6;
/** What the type's own reader takes for a text. */
export const FORMATTED = 7;
/** Whatever else: {@link CellReader} reads each cell. */
export const OTHER = 8;

export const LAST_PARSED = DATETIME;

/** What the loop has to look at besides the type. */
export const NO_RULE = 0;
/** The text's length, by {@link ColumnPlan.fewestBytes} and {@link ColumnPlan.mostBytes}. */
export const LENGTH_RULE = 1;
/** Constraints, as {@link brokenConstraints} judges them. */
export const OTHER_RULE = 2;

/**
 * What cells of columns that the schema does not declare look like ({@link inferCell}), by the number that the loop
 * has for it; 0 stands for what it does not count.
 */
export const INFERRED_TYPES = [
  undefined,
  'string',
  'integer',
  'number',
  'boolean',
  'time',
  'date',
  'datetime',
] as const satisfies readonly (FieldType | undefined)[];
export const UNCOUNTED = 0;
export const INFERRED_STRING = 1;
export const INFERRED_INTEGER = 2;
export const INFERRED_NUMBER = 3;
export const INFERRED_DATE = 6;
export const INFERRED_DATETIME = 7;
/** Figures of a column start at its number times two to this power. */
export const INFERRED_SHIFT = 3;

/** So many texts are looked up by the loop itself. */
const MOST_LISTED = 64;

/**
 * Properties that the loop knows what to do about. A column of which anything else is demanded is read by CellReader,
 * so that a new type or constraint needs no change here.
 */
const KNOWN_FIELD: Partial<Record<keyof CompiledField, true>> = {
  name: true,
  type: true,
  format: true,
  cell: true,
  required: true,
  classification: true,
  constraints: true,
  missingValues: true,
  emptyIsNull: true,
};
const KNOWN_CONSTRAINTS: Partial<Record<keyof ValueConstraints, true>> = {
  bounds: true,
  minLength: true,
  maxLength: true,
  pattern: true,
  texts: true,
  values: true,
};

const PARSED: ReadonlyMap<CellType['read'], number> = new Map<CellType['read'], number>([
  [readInteger, INTEGER],
  [readNumber, NUMBER],
  [readDate, DATE],
  [readDateTime, DATETIME],
  [readText, TEXT],
]);

/** Types of which a cell that is not a value of theirs needs nothing but their reader to tell. */
const READABLE: ReadonlySet<FieldType> = new Set([
  'integer',
  'number',
  'date',
  'time',
  'datetime',
  'year',
  'yearmonth',
] as const);

/**
 * What the loop over plain rows needs to know of the columns, and what it counts in them, in flat arrays: a row then
 * touches few objects, and none for most cells.
 */
export class ColumnPlan {
  readonly kinds: Uint8Array;
  readonly rules: Uint8Array;
  /** 1 where an empty cell is null and nothing follows from it. */
  readonly mayBeEmpty: Uint8Array;
  /** Texts other than the empty one that mean null. */
  readonly missing: readonly (TextSet | undefined)[];
  /** 1 where the loop must look a cell up in {@link missing} before it reads it. */
  readonly mayBeMissing: Uint8Array;
  /** Smallest and largest value that no bound forbids, of cells that the loop reads while it seeks their end. */
  readonly least: Float64Array;
  readonly greatest: Float64Array;
  readonly fewestBytes: Float64Array;
  readonly mostBytes: Float64Array;
  readonly constraints: readonly (ValueConstraints | undefined)[];
  readonly reads: readonly CellType['read'][];
  readonly lists: readonly (TextList | undefined)[];
  /** 1 for each text of these that was profiled. */
  readonly seenTexts: readonly (Uint8Array | undefined)[];
  readonly profiles: readonly ColumnProfile[];
  /** 1 where the schema declares nothing: the column's kind is then a guess, after the cell before. */
  readonly inferred: Uint8Array;
  /** 1 where the first and the last text are profiled. */
  readonly ranged: Uint8Array;

  /** Smallest and largest value of the rows that the loop has read so far. */
  readonly lows: Float64Array;
  readonly highs: Float64Array;
  readonly nulls: Float64Array;
  /** First four bytes of the first and the last text so far, as an integer that is ordered as they are. */
  readonly firstTexts: Int32Array;
  readonly lastTexts: Int32Array;
  /** Bytes of one of the texts that begin so. */
  readonly firstSizes: Int32Array;
  readonly lastSizes: Int32Array;
  /** Of columns that are not declared, by type ({@link INFERRED_TYPES}): cells, smallest and largest value. */
  readonly tallies: Float64Array;
  readonly inferredLows: Float64Array;
  readonly inferredHighs: Float64Array;

  constructor(columns: readonly Column[]) {
    const count = columns.length;
    const fields = columns.map(({ field }) => field);
    this.profiles = columns.map(({ profile }) => profile);
    this.constraints = fields.map((field) => field?.constraints);
    this.reads = fields.map((field) => field?.cell.read ?? readText);
    this.missing = fields.map((field) => field?.missingValues);
    const plans = fields.map(planOf);
    this.lists = plans.map(({ list }) => list);
    this.seenTexts = this.lists.map((list) => list && new Uint8Array(list.texts.length));
    this.kinds = Uint8Array.from(plans, ({ kind }) => kind);
    this.rules = Uint8Array.from(plans, ({ rule }) => rule);
    this.mayBeMissing = Uint8Array.from(plans, (plan) => (plan.mayBeMissing ? 1 : 0));
    this.mayBeEmpty = Uint8Array.from(plans, (plan) => (plan.mayBeEmpty ? 1 : 0));
    this.ranged = Uint8Array.from(plans, ({ kind }) =>
      kind === TEXT || kind === FORMATTED ? 1 : 0,
    );
    this.least = Float64Array.from(plans, ({ least }) => least);
    this.greatest = Float64Array.from(plans, ({ greatest }) => greatest);
    this.fewestBytes = Float64Array.from(plans, ({ fewestBytes }) => fewestBytes);
    this.mostBytes = Float64Array.from(plans, ({ mostBytes }) => mostBytes);
    this.inferred = Uint8Array.from(fields, (field) => (field === undefined ? 1 : 0));
    const figures = this.inferred.includes(1) ? count << INFERRED_SHIFT : 0;
    this.tallies = new Float64Array(figures);
    this.inferredLows = new Float64Array(figures).fill(Infinity);
    this.inferredHighs = new Float64Array(figures).fill(-Infinity);
    this.firstSizes = new Int32Array(count);
    this.lastSizes = new Int32Array(count);
    this.lows = new Float64Array(count).fill(Infinity);
    this.highs = new Float64Array(count).fill(-Infinity);
    this.nulls = new Float64Array(count);
    this.firstTexts = new Int32Array(count).fill(0x7fffffff);
    this.lastTexts = new Int32Array(count).fill(-0x80000000);
  }

  /** Hands what was counted over to the profiles, and begins anew. */
  fold(): void {
    for (let column = 0; column < this.profiles.length; column++) {
      const profile = this.profiles[column] as ColumnProfile;
      profile.addCounted(
        this.nulls[column] as number,
        this.lows[column] as number,
        this.highs[column] as number,
      );
      if (this.inferred[column] === 1) this.#foldInferred(column, profile);
    }
    this.tallies.fill(0);
    this.inferredLows.fill(Infinity);
    this.inferredHighs.fill(-Infinity);
    this.nulls.fill(0);
    this.lows.fill(Infinity);
    this.highs.fill(-Infinity);
  }

  /** Forgets, after {@link fold}, which texts the profiles have seen. */
  restart(): void {
    this.firstTexts.fill(0x7fffffff);
    this.lastTexts.fill(-0x80000000);
    for (const seen of this.seenTexts) seen?.fill(0);
  }

  #foldInferred(column: number, profile: ColumnProfile): void {
    INFERRED_TYPES.forEach((type, code) => {
      const at = (column << INFERRED_SHIFT) + code;
      const tally = this.tallies[at] as number;
      if (type === undefined || tally === 0) return;
      const [low, high] = [this.inferredLows[at] as number, this.inferredHighs[at] as number];
      profile.addCountedInferred(type, tally, low, high);
    });
  }
}

/** What follows from a field alone. */
interface FieldPlan {
  readonly kind: number;
  readonly rule: number;
  readonly list: TextList | undefined;
  readonly mayBeMissing: boolean;
  readonly mayBeEmpty: boolean;
  readonly least: number;
  readonly greatest: number;
  readonly fewestBytes: number;
  readonly mostBytes: number;
}

/** All files by one expectation have the same fields; of a small file, this is a tenth of the work. */
const FIELD_PLANS = new WeakMap<CompiledField, FieldPlan>();

function planOf(field: CompiledField | undefined): FieldPlan {
  const known = field && FIELD_PLANS.get(field);
  if (known !== undefined) return known;
  const list = listOf(field);
  const kind = kindOf(field, list);
  const { minLength = 0, maxLength = Infinity } = field?.constraints ?? {};
  const plan: FieldPlan = {
    ...{ kind, list, rule: ruleOf(field, kind) },
    mayBeMissing: mayBeMissing(field, kind),
    mayBeEmpty: field === undefined || (field.emptyIsNull && !field.required),
    ...{ least: limitOf(field, true), greatest: limitOf(field, false) },
    // A character has one to four bytes.
    ...{ fewestBytes: minLength * 4, mostBytes: maxLength },
  };
  if (field !== undefined) FIELD_PLANS.set(field, plan);
  return plan;
}

function kindOf(field: CompiledField | undefined, list: TextList | undefined): number {
  if (field === undefined || !isKnown(field, KNOWN_FIELD)) return OTHER;
  const { cell, constraints, type } = field;
  if (constraints !== undefined && !isKnown(constraints, KNOWN_CONSTRAINTS)) return OTHER;
  if (list !== undefined) return LISTED;
  const parsed = PARSED.get(cell.read);
  if (parsed !== undefined) return parsed;
  if (READABLE.has(type)) return VALUE;
  return type === 'string' ? FORMATTED : OTHER;
}

function isKnown(given: object, known: object): boolean {
  return Object.entries(given).every(([name, value]) => value === undefined || name in known);
}

/** The few texts that a column may hold and that nothing else is wrong with; undefined where they are not few. */
function listOf(field: CompiledField | undefined): TextList | undefined {
  if (field === undefined) return undefined;
  const { cell, constraints, missingValues } = field;
  const isText = cell.read === readText;
  const texts = isText ? constraints?.texts?.all : cell.words;
  if (texts === undefined || texts.length > MOST_LISTED) return undefined;
  const fine = texts.map(encodeText).flatMap((text) => {
    const { length } = text;
    if (length === 0 || missingValues?.has(text, 0, length) === true) return [];
    if (isText && oddityOf(text, 0, length) !== 0) return [];
    const value = cell.read(text, 0, length);
    if (Number.isNaN(value)) return [];
    const broken =
      constraints !== undefined && brokenConstraints(constraints, text, 0, length, value);
    return broken === false || broken === 0 ? [{ text, value }] : [];
  });
  return new TextList(fine);
}

function ruleOf(field: CompiledField | undefined, kind: number | undefined): number {
  const { constraints } = field ?? {};
  if (constraints === undefined || kind === LISTED) return NO_RULE;
  const { bounds, minLength, maxLength, pattern, texts, values } = constraints;
  if (pattern !== undefined || texts !== undefined || values !== undefined) return OTHER_RULE;
  // What is read while its end is sought is held against `least` and `greatest`.
  if (bounds.length > 0) return kind !== undefined && kind <= LAST_PARSED ? NO_RULE : OTHER_RULE;
  return minLength === undefined && maxLength === undefined ? NO_RULE : LENGTH_RULE;
}

/** Whether a text that means null could be taken for a value. */
function mayBeMissing(field: CompiledField | undefined, kind: number): boolean {
  if (field?.missingValues === undefined || kind === LISTED) return false;
  return field.missingValues.all.map(encodeText).some((text) => {
    return text.length > 0 && !Number.isNaN(field.cell.read(text, 0, text.length));
  });
}

/** The outermost value that the loop may take for one within the bounds without a closer look. */
function limitOf(field: CompiledField | undefined, lower: boolean): number {
  const bounds = field?.constraints?.bounds.filter((bound) => bound.lower === lower) ?? [];
  const limits = bounds.map((bound) => (isExact(bound) ? bound.limit : beyond(bound.limit, lower)));
  return lower ? Math.max(-Infinity, ...limits) : Math.min(Infinity, ...limits);
}

/** Whether each value that has the limit's order value keeps the bound, where the loop read it. */
function isExact({ inclusive, exact, limit }: Bound): boolean {
  return inclusive && exact.key === limit;
}

const DOUBLE = new Float64Array(1);
const BITS = new BigInt64Array(DOUBLE.buffer);

/** The next double after a limit, away from it. */
function beyond(limit: number, upwards: boolean): number {
  if (!Number.isFinite(limit)) return limit;
  if (limit === 0) return upwards ? Number.MIN_VALUE : -Number.MIN_VALUE;
  DOUBLE[0] = limit;
  BITS[0] = (BITS[0] as bigint) + (limit > 0 === upwards ? 1n : -1n);
  return DOUBLE[0];
}

/** Texts with their values, which a cell is looked up in by its length and its outer bytes. */
export class TextList {
  /** Index of a text by {@link slotOf}, or -1. */
  readonly slots: Int16Array;
  readonly texts: readonly Uint8Array[];
  readonly values: Float64Array;
  /** Each text with its value. */
  readonly all: ReadonlyMap<string, number>;

  constructor(entries: readonly { readonly text: Uint8Array; readonly value: number }[]) {
    this.all = new Map(entries.map(({ text, value }) => [decodeText(text, 0, text.length), value]));
    let size = 8;
    while (size < entries.length * 4) size *= 2;
    this.texts = entries.map(({ text }) => text);
    this.values = Float64Array.from(entries, ({ value }) => value);
    this.slots = new Int16Array(size).fill(-1);
    entries.forEach(({ text }, index) => {
      let slot = slotOf(text, 0, text.length, size - 1);
      while (this.slots[slot] !== -1) slot = (slot + 1) & (size - 1);
      this.slots[slot] = index;
    });
  }

  /** Index of the text that the cell is, or -1. */
  find(bytes: Uint8Array, start: number, end: number): number {
    const { slots, texts } = this;
    const mask = slots.length - 1;
    for (let slot = slotOf(bytes, start, end, mask); ; slot = (slot + 1) & mask) {
      const index = slots[slot] as number;
      if (index < 0) return -1;
      const text = texts[index] as Uint8Array;
      if (text.length !== end - start) continue;
      let at = 0;
      while (at < text.length && text[at] === bytes[start + at]) at++;
      if (at === text.length) return index;
    }
  }
}

function slotOf(bytes: Uint8Array, start: number, end: number, mask: number): number {
  return (
    (Math.imul(bytes[start] as number, 5) + Math.imul(bytes[end - 1] as number, 3) + end - start) &
    mask
  );
}

/** Whether a text that {@link LENGTH_RULE} can't be sure of has too few or too many characters. */
export function breaksLength(
  constraints: ValueConstraints,
  bytes: Uint8Array,
  start: number,
  end: number,
): boolean {
  const length = countCharacters(bytes, start, end);
  const { minLength = 0, maxLength = Infinity } = constraints;
  return length < minLength || length > maxLength;
}
