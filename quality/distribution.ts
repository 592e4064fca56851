import { isNullCell } from './cells.ts';
import type { Column } from './checks/check.ts';
import type { CompiledDialect } from './dialect.ts';
import { isListed } from './field-constraints.ts';
import type { FieldType } from './field-type.ts';
import { readCell } from './field-type.ts';
import { FooterHold } from './footer.ts';
import { type Distribution, type InferredCell, inferCell } from './profile.ts';
import { CELL_ESCAPED, QUOTES_VALID, Scanner } from './scanner.ts';
import { countCharacters, reportText, withCommas } from './text.ts';
import { showDate } from './types/datetime.ts';

/** A column as it is counted. */
export type CountedColumn = Pick<Column, 'field'> & { readonly type: FieldType };

/** Columns of which values are counted: as many as a page shows. */
const MOST_COLUMNS = 200;
const MOST_KINDS = 24;
const LONGEST_KIND = 40;

/** Counts the values of a table's first rows. */
export class DistributionSample {
  readonly #head: Uint8Array;
  readonly #whole: boolean;

  /** @param head first bytes of the text, behind what belongs to no record. @param whole whether there is no more */
  constructor(head: Uint8Array, whole: boolean) {
    this.#head = Uint8Array.from(head);
    this.#whole = whole;
  }

  /** What was seen in each column; undefined for what has no value among them. */
  count(
    dialect: CompiledDialect,
    all: readonly CountedColumn[],
    maxRecordBytes: number,
  ): readonly (Distribution | undefined)[] {
    const counted = all.slice(0, MOST_COLUMNS).map((column) => new Counter(column));
    const firstRow = dialect.header ? (dialect.headerRows.at(-1) ?? 1) + 1 : 1;
    let records = 0;
    const record = (scanner: Scanner) => {
      records++;
      if (records < firstRow || dialect.commentRows.has(records)) return;
      if (scanner.quotes !== QUOTES_VALID || scanner.cellCount !== all.length) return;
      for (const [cell, counter] of counted.entries()) {
        if (((scanner.flags[cell] as number) & CELL_ESCAPED) !== 0) {
          const text = scanner.unescape(cell);
          counter.add(text, 0, text.length);
        } else {
          const { bytes, starts, ends } = scanner;
          counter.add(bytes, starts[cell] as number, ends[cell] as number);
        }
      }
    };
    const scanner = new Scanner({ record }, dialect, maxRecordBytes);
    const write = (rows: Uint8Array) => scanner.write(rows);
    if (dialect.footerRows > 0) {
      const footer = new FooterHold(dialect, maxRecordBytes);
      footer.write(this.#head, write);
      if (this.#whole) footer.end(write);
    } else write(this.#head);
    if (this.#whole) scanner.end();
    return counted.map((counter) => counter.distribution());
  }
}

/** Tells the kinds of values apart, in their order, and what each is called: that is asked once of each kind. */
interface Kinds<Key extends number | string = number | string> {
  readonly by: Distribution['by'];
  keyOf(value: number, bytes: Uint8Array, start: number, end: number): Key;
  nameOf(key: Key): string;
}

class Counter {
  readonly #column: CountedColumn;
  readonly #kinds: Kinds;
  readonly #inferred: InferredCell = { type: 'string', value: 0 };
  readonly #counts = new Map<number | string, number>();
  #values = 0;
  /** Values of an enum's column that it does not list: any text may stand there. */
  #unlisted = 0;

  constructor(column: CountedColumn) {
    this.#column = column;
    this.#kinds = kindsOf(column);
  }

  add(bytes: Uint8Array, start: number, end: number): void {
    const { field, type } = this.#column;
    if (isNullCell(field, bytes, start, end)) return;
    let value: number;
    if (field === undefined) {
      inferCell(bytes, start, end, this.#inferred);
      value = isOfType(this.#inferred.type, type) ? this.#inferred.value : Number.NaN;
    } else {
      value = readCell(field.cell, bytes, start, end);
    }
    if (Number.isNaN(value)) return;
    this.#values++;
    const { constraints } = field ?? {};
    if (
      this.#kinds.by === 'value' &&
      constraints !== undefined &&
      !isListed(constraints, bytes, start, end, value)
    ) {
      this.#unlisted++;
      return;
    }
    const key = this.#kinds.keyOf(value, bytes, start, end);
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  distribution(): Distribution | undefined {
    if (this.#values === 0) return undefined;
    const { by } = this.#kinds;
    const values = this.#values;
    const found = [...this.#counts]
      .sort(([a], [b]) => compare(a, b))
      .map(([key, count]) => ({ kind: this.#kinds.nameOf(key), count }));
    if (by === 'month') return { ...byTime(found), values };
    if (by === 'value') found.sort((a, b) => b.count - a.count || compare(a.kind, b.kind));
    return { by, values, counts: limited(found, this.#unlisted) };
  }
}

interface Found {
  readonly kind: string;
  readonly count: number;
}

/** By month, year or decade: the first of them that has few enough kinds. */
function byTime(months: readonly Found[]): Omit<Distribution, 'values'> {
  for (const [by, length] of [['month', 7] as const, ['year', 4] as const]) {
    const counts = grouped(months, (month) => month.slice(0, length));
    if (counts.length <= MOST_KINDS) return { by, counts: limited(counts) };
  }
  return { by: 'decade', counts: limited(grouped(months, (month) => `${month.slice(0, 3)}0s`)) };
}

function grouped(found: readonly Found[], nameOf: (kind: string) => string): Found[] {
  const counts = new Map<string, number>();
  for (const { kind, count } of found) {
    counts.set(nameOf(kind), (counts.get(nameOf(kind)) ?? 0) + count);
  }
  return [...counts]
    .map(([kind, count]) => ({ kind, count }))
    .sort((a, b) => compare(a.kind, b.kind));
}

function limited(found: readonly Found[], others = 0): [string, number][] {
  const rest = found.slice(MOST_KINDS).reduce((sum, { count }) => sum + count, others);
  return [
    ...found.slice(0, MOST_KINDS).map(({ kind, count }): [string, number] => [kind, count]),
    ...(rest > 0 ? [['others', rest] as [string, number]] : []),
  ];
}

function compare<T extends number | string>(one: T, other: T): number {
  return one < other ? -1 : Number(one > other);
}

/** Whether a value that looks like one type belongs to a column that was found to be of another one. */
function isOfType(seen: FieldType, column: FieldType): boolean {
  return seen === column || column === 'string' || (column === 'number' && seen === 'integer');
}

function kindsOf({ field, type }: CountedColumn): Kinds {
  const { texts, values } = field?.constraints ?? {};
  if (type === 'boolean') return BOOLEANS as Kinds;
  if (field?.classification === 'public' && (texts !== undefined || values !== undefined)) {
    return LISTED as Kinds;
  }
  if (type === 'integer' || type === 'number') return MAGNITUDES as Kinds;
  return (type === 'date' || type === 'datetime' ? MONTHS : LENGTHS) as Kinds;
}

const BOOLEANS: Kinds<number> = {
  by: 'value',
  keyOf: (value) => value,
  nameOf: (value) => (value === 1 ? 'true' : 'false'),
};

const LISTED: Kinds<string> = {
  by: 'value',
  keyOf: (_value, bytes, start, end) => reportText(bytes, start, end, LONGEST_KIND),
  nameOf: (text) => text,
};

/** Of dates and date-times, whose order is that of their milliseconds. */
const MONTHS: Kinds<number> = {
  by: 'month',
  keyOf(value) {
    const date = new Date(value);
    return date.getUTCFullYear() * 12 + date.getUTCMonth();
  },
  nameOf: (month) => showDate(Date.UTC(Math.floor(month / 12), month % 12)).slice(0, 7),
};

/** Magnitudes from here on count as one. */
const MOST_DIGITS = 12;

/** Digits before the point, and one more, below 0 for what is; 0 is a kind of its own. */
const MAGNITUDES: Kinds<number> = {
  by: 'magnitude',
  keyOf(value) {
    if (value === 0) return 0;
    const size = Math.abs(value);
    let digits = 0;
    for (let power = 1; digits < MOST_DIGITS && size >= power; power *= 10) digits++;
    return value < 0 ? -digits - 1 : digits + 1;
  },
  nameOf(key) {
    if (key === 0) return '0';
    const sign = key < 0 ? 'minus ' : '';
    const digits = Math.abs(key) - 1;
    if (digits === 0) return `${sign}below 1`;
    const least = withCommas(10 ** (digits - 1));
    if (digits === MOST_DIGITS) return `${sign}${least} and more`;
    return `${sign}${least}–${withCommas(10 ** digits - 1)}`;
  },
};

/** Longer texts count as one. */
const LONG = 256;

/** The next power of two. */
const LENGTHS: Kinds<number> = {
  by: 'length',
  keyOf(_value, bytes, start, end) {
    const characters = countCharacters(bytes, start, Math.min(end, start + LONG * 4 + 1));
    let most = 1;
    while (most < characters && most <= LONG) most *= 2;
    return most;
  },
  nameOf(most) {
    if (most > LONG) return `over ${LONG} characters`;
    return most <= 2 ? `${most}` : `${most / 2 + 1}–${most}`;
  },
};
