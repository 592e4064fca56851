import * as at from './assembly/layout.ts';
import type { RowKeys } from './checks/check.ts';
import {
  type ColumnPlan,
  FORMATTED,
  INFERRED_TYPES,
  LENGTH_RULE,
  LISTED,
  NO_RULE,
  OTHER_RULE,
  TEXT,
} from './column-plan.ts';
import type { FaultType } from './faults.ts';
import type { AsciiTable } from './pattern.ts';
import {
  MONTH_STARTS,
  ODD_BYTES,
  type PlainRows,
  type PlainRowsContext,
  POWERS_OF_TEN,
} from './plain-rows.ts';
import { BOOLEAN_WORDS } from './profile.ts';
import type { CompiledField } from './table-schema.ts';
import { encodeText } from './text.ts';
import { readText } from './types/string.ts';

/** States of a pattern that are kept as a table; one of more is matched by its matcher. */
const MOST_STATES = 250;

/** Rows whose keys are looked up at once. */
const MOST_KEY_ROWS = 4_096;

/** Bytes of memory that are laid out before they are WebAssembly's. */
class Image {
  bytes = new Uint8Array(at.DATA * 4);
  view = new DataView(this.bytes.buffer);
  length = at.DATA;

  /** The address of so many bytes, all zero. */
  take(bytes: number): number {
    const address = this.length;
    // Each address may be one of a double.
    this.length = Math.ceil((address + bytes) / 8) * 8;
    if (this.length > this.bytes.length) {
      const larger = new Uint8Array(this.length * 2);
      larger.set(this.bytes);
      this.bytes = larger;
      this.view = new DataView(larger.buffer);
    }
    return address;
  }

  place(bytes: Uint8Array): number {
    const address = this.take(bytes.length);
    this.bytes.set(bytes, address);
    return address;
  }

  setWord(address: number, word: number): void {
    this.view.setInt32(address, word, true);
  }

  setDouble(address: number, value: number): void {
    this.view.setFloat64(address, value, true);
  }
}

/** What the memory of the loop in WebAssembly holds before the first row, and where. */
export interface MemoryLayout {
  readonly bytes: Uint8Array;
  readonly columns: number;
  readonly starts: number;
  readonly ends: number;
  readonly flags: number;
  readonly values: number;
  readonly nulls: number;
  readonly left: number;
  readonly keyRows: number;
  /** Where the scanner's buffer begins, after all else. */
  readonly room: number;
  /** Addresses of lists, the entries of which have no slots yet, with their number. */
  readonly lists: ReadonlyMap<number, number>;
}

/** What the one judge of rows makes of keys alone, where it is the only one. */
export function rowKeysOf(judges: PlainRowsContext['judges']): RowKeys<FaultType> | undefined {
  return judges.length === 1 ? judges[0]?.keys : undefined;
}

/** Bytes that a row of so many keys takes. */
export function keyRowBytes(keys: number): number {
  return at.KEY_ROW_HASHES + keys * at.HASH_BYTES;
}

/** Lays out the memory for the columns of a table. */
export function layOutMemory({ classes, context, plan }: PlainRows): MemoryLayout {
  const { dialect, found, header, judges, maxRecordBytes } = context;
  const image = new Image();
  const lists = new Map<number, number>();
  const count = plan.kinds.length;
  image.bytes.set(classes, at.CLASSES);
  image.bytes.set(ODD_BYTES, at.ODD_BYTES);
  POWERS_OF_TEN.forEach((power, index) => {
    image.setDouble(at.POWERS_OF_TEN + index * 8, power);
  });
  MONTH_STARTS.forEach((day, index) => {
    image.setWord(at.MONTH_STARTS + index * 4, day);
  });
  const columns = image.take(count * at.COLUMN_BYTES);
  const cells = {
    starts: image.take(count * 4),
    ends: image.take(count * 4),
    flags: image.take(count),
    values: image.take(count * 8),
    nulls: image.take(count),
    left: image.take(count * 4),
  };
  const outer = image.take(count * 4);
  const marks = image.take(count * 4);
  for (let column = 0; column < count; column++) {
    const field = context.columns[column]?.field;
    placeColumn(image, columns + column * at.COLUMN_BYTES, plan, column, field, lists);
  }
  const words = placeList(image, BOOLEAN_WORDS, lists);
  const keys = rowKeysOf(judges)?.keys ?? [];
  const keyBase = image.take(keys.length * at.KEY_BYTES);
  keys.forEach(({ cell, isInteger, secret }, index) => {
    const key = keyBase + index * at.KEY_BYTES;
    image.setWord(key + at.KEY_CELL, cell);
    image.setWord(key + at.KEY_IS_INTEGER, isInteger ? 1 : 0);
    secret.forEach((word, number) => {
      image.setWord(key + at.KEY_SECRET + number * 4, word);
    });
  });
  const keyRows = image.take(keys.length === 0 ? 0 : MOST_KEY_ROWS * keyRowBytes(keys.length));
  const room = image.take(0);
  const settings: readonly (readonly [address: number, word: number])[] = [
    [at.BUFFER, room],
    [at.COLUMNS, columns],
    [at.COUNT, count],
    [at.STARTS, cells.starts],
    [at.ENDS, cells.ends],
    [at.FLAGS, cells.flags],
    [at.VALUES, cells.values],
    [at.NULLS, cells.nulls],
    [at.LEFT, cells.left],
    [at.OUTER, outer],
    [at.DELIMITER, dialect.delimiter],
    [at.QUOTE, dialect.quote],
    [at.ESCAPE, dialect.escape],
    [at.COMMENT, dialect.comment],
    [at.DOUBLE_QUOTE, dialect.doubleQuote ? 1 : 0],
    [at.HEADER_START, header.start],
    [at.HEADER_MASK, header.mask],
    [at.OTHER_START, header.otherStart],
    [at.OTHER_MASK, header.otherMask],
    [at.HEADER_OFFSET, header.offset],
    [at.LONGEST, maxRecordBytes],
    [at.JUDGES_ROWS, judges.length],
    [at.WORDS, words],
    [at.MARKS, marks],
    [at.KEY_COUNT, keys.length],
    [at.KEYS, keyBase],
    [at.KEY_ROWS, keyRows],
    [at.MOST_KEY_ROWS, MOST_KEY_ROWS],
    [
      at.ONLY_WARNS,
      (found.onlyWarns('type-error') ? at.TYPE_ERROR : 0) |
        (found.onlyWarns('constraint-error') ? at.CONSTRAINT_ERROR : 0),
    ],
  ];
  for (const [address, word] of settings) image.setWord(address, word);
  const bytes = image.bytes.subarray(0, image.length);
  return { bytes, columns, ...cells, keyRows, room, lists };
}

function placeColumn(
  image: Image,
  address: number,
  plan: ColumnPlan,
  column: number,
  field: CompiledField | undefined,
  lists: Map<number, number>,
): void {
  const kind = plan.kinds[column] as number;
  const isInferred = plan.inferred[column] === 1;
  const table = tableOf(plan, column);
  const list = kind === LISTED ? plan.lists[column] : undefined;
  const missing = field?.missingValues?.all;
  if (list !== undefined) image.setWord(address + at.LIST, placeList(image, list.all, lists));
  if (missing !== undefined) {
    const texts = new Map(missing.filter((text) => text !== '').map((text) => [text, 0]));
    image.setWord(address + at.MISSING, placeList(image, texts, lists));
  }
  if (table !== undefined) image.setWord(address + at.PATTERN, placePattern(image, table));
  image.setWord(address + at.TALLIES, placeTallies(image));
  if (isInferred || kind === TEXT || kind === FORMATTED || kind === LISTED) {
    for (const text of [at.FIRST_TEXT, at.LAST_TEXT]) {
      const place = image.take(at.TEXT_BYTES + at.LONGEST_TEXT);
      image.setWord(place + at.TEXT_LENGTH, -1);
      image.setWord(address + text, place);
    }
  }
  const { bytes } = image;
  bytes[address + at.KIND] = kind;
  bytes[address + at.RULE] = ruleOf(plan, column, table);
  bytes[address + at.FACTS] = field === undefined ? 0 : factsOf(field, plan, column);
  bytes[address + at.MAY_BE_EMPTY] = plan.mayBeEmpty[column] as number;
  bytes[address + at.INFERRED] = isInferred ? 1 : 0;
  bytes[address + at.RANGED] = plan.ranged[column] as number;
  image.setDouble(address + at.LEAST, plan.least[column] as number);
  image.setDouble(address + at.GREATEST, plan.greatest[column] as number);
  image.setDouble(address + at.LOW, Infinity);
  image.setDouble(address + at.HIGH, -Infinity);
  image.setDouble(address + at.FAULTY_LOW, Infinity);
  image.setDouble(address + at.FAULTY_HIGH, -Infinity);
  image.setWord(address + at.FEWEST_BYTES, wordOf(plan.fewestBytes[column]));
  image.setWord(address + at.MOST_BYTES, wordOf(plan.mostBytes[column]));
  image.setWord(address + at.FIRST_PREFIX, 0x7fffffff);
  image.setWord(address + at.LAST_PREFIX, -0x80000000);
}

function factsOf(field: CompiledField, plan: ColumnPlan, column: number): number {
  const { cell, constraints, emptyIsNull, required } = field;
  const { bounds = [], minLength, maxLength, pattern, texts, values } = constraints ?? {};
  const list = plan.lists[column];
  const isText = cell.read === readText;
  const isMeasured = minLength !== undefined || maxLength !== undefined;
  const isBare = bounds.length === 0 && !isMeasured && values === undefined;
  const listsType = !isText && list?.all.size === new Set(cell.words).size;
  const listsEnum =
    isText && isBare && pattern === undefined && list?.all.size === texts?.all.length;
  const facts: readonly (readonly [fact: number, holds: boolean])[] = [
    [at.MAY_BE_MISSING, plan.mayBeMissing[column] === 1],
    [at.REQUIRED, required && emptyIsNull],
    [at.NULL_IS_FINE, !required],
    [at.LISTS_TYPE, listsType],
    [at.LISTS_ENUM, listsEnum],
    [at.IS_TEXT, isText],
    [at.PATTERN_ALONE, isBare && texts === undefined],
  ];
  return facts.reduce((bits, [fact, holds]) => (holds ? bits | fact : bits), 0);
}

/** A number of bytes, or the highest one. */
function wordOf(bytes = 0): number {
  return Math.min(bytes, 0x7fffffff);
}

/** The pattern of a column whose texts have to keep nothing else, but perhaps a length. */
function tableOf(plan: ColumnPlan, column: number): AsciiTable | undefined {
  const kind = plan.kinds[column];
  const { bounds, pattern, texts, values } = plan.constraints[column] ?? {};
  if (kind !== TEXT && kind !== FORMATTED) return undefined;
  const isAlone = bounds?.length === 0 && texts === undefined && values === undefined;
  return isAlone ? pattern?.matcher.asciiTable(MOST_STATES) : undefined;
}

function ruleOf(plan: ColumnPlan, column: number, table: AsciiTable | undefined): number {
  const { minLength, maxLength } = plan.constraints[column] ?? {};
  const hasLength = minLength !== undefined || maxLength !== undefined;
  if (table !== undefined) return at.RULE_PATTERN | (hasLength ? at.RULE_LENGTH : 0);
  return RULES.get(plan.rules[column] as number) ?? at.RULE_OTHER;
}

const RULES: ReadonlyMap<number, number> = new Map([
  [NO_RULE, 0],
  [LENGTH_RULE, at.RULE_LENGTH],
  [OTHER_RULE, at.RULE_OTHER],
]);

/** Places texts with their values; their slots are given later. */
function placeList(
  image: Image,
  texts: ReadonlyMap<string, number>,
  lists: Map<number, number>,
): number {
  let slots = 8;
  while (slots < texts.size * 4) slots *= 2;
  const list = image.take(at.LIST_SLOTS + slots * 2);
  const entries = image.take(texts.size * at.ENTRY_BYTES);
  image.setWord(list + at.LIST_MASK, slots - 1);
  image.setWord(list + at.LIST_ENTRIES, entries);
  let entry = entries;
  for (const [text, value] of texts) {
    const bytes = encodeText(text);
    const place = image.place(bytes);
    image.bytes.set(bytes.subarray(0, 8), entry);
    image.setDouble(entry + at.ENTRY_VALUE, value);
    image.setWord(entry + at.ENTRY_LENGTH, bytes.length);
    image.setWord(entry + at.ENTRY_TEXT, place);
    entry += at.ENTRY_BYTES;
  }
  lists.set(list, texts.size);
  return list;
}

function placePattern(image: Image, { accepts, classes, links }: AsciiTable): number {
  const width = links[0]?.length ?? 0;
  const shift = Math.ceil(Math.log2(width));
  const pattern = image.take(at.PATTERN_LINKS + (accepts.length << shift));
  image.setWord(pattern + at.PATTERN_SHIFT, shift);
  image.setWord(pattern + at.PATTERN_START, accepts.length - links.length);
  image.bytes.set(classes, pattern + at.PATTERN_CLASSES);
  image.bytes.set(accepts, pattern + at.PATTERN_ACCEPTS);
  links.forEach((row, index) => {
    const state = accepts.length - links.length + index;
    image.bytes.set(row, pattern + at.PATTERN_LINKS + (state << shift));
  });
  return pattern;
}

function placeTallies(image: Image): number {
  const tallies = image.take(INFERRED_TYPES.length * at.TALLY_BYTES);
  for (let type = 0; type < INFERRED_TYPES.length; type++) {
    image.setDouble(tallies + type * at.TALLY_BYTES + at.TALLY_LOW, Infinity);
    image.setDouble(tallies + type * at.TALLY_BYTES + at.TALLY_HIGH, -Infinity);
  }
  return tallies;
}
