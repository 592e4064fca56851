import { isNullCell } from './cells.ts';
import type { Column } from './checks/check.ts';
import type { CompiledDialect } from './dialect.ts';
import type { FieldType } from './field-type.ts';
import { readCell } from './field-type.ts';
import { type Distribution, type InferredCell, inferCell, SHOW } from './profile.ts';
import { CELL_ESCAPED, QUOTES_VALID, Scanner } from './scanner.ts';
import { countCharacters, reportText } from './text.ts';

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
    // The last rows of a file are none of data where it has a footer.
    if (this.#whole && dialect.footerRows > 0) return [];
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
    scanner.write(this.#head);
    if (this.#whole) scanner.end();
    return counted.map((counter) => counter.distribution());
  }
}

/** Tells the kind of a value, and where it stands in their order. */
type Kind = (
  value: number,
  bytes: Uint8Array,
  start: number,
  end: number,
) => readonly [order: number | string, kind: string];

class Counter {
  readonly #column: CountedColumn;
  readonly #by: Distribution['by'];
  readonly #kind: Kind;
  readonly #inferred: InferredCell = { type: 'string', value: 0 };
  readonly #counts = new Map<string, { readonly order: number | string; count: number }>();
  #values = 0;

  constructor(column: CountedColumn) {
    this.#column = column;
    [this.#by, this.#kind] = kindsOf(column);
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
    const [order, kind] = this.#kind(value, bytes, start, end);
    const known = this.#counts.get(kind);
    if (known === undefined) this.#counts.set(kind, { order, count: 1 });
    else known.count++;
    this.#values++;
  }

  distribution(): Distribution | undefined {
    if (this.#values === 0) return undefined;
    const found = [...this.#counts].map(([kind, { order, count }]) => ({ kind, order, count }));
    const values = this.#values;
    if (this.#by === 'month') return { ...byTime(found), values };
    if (this.#by === 'value') found.sort((a, b) => b.count - a.count || compare(a.kind, b.kind));
    else found.sort((a, b) => compare(a.order, b.order));
    return { by: this.#by, values, counts: limited(found) };
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

function limited(found: readonly Found[]): [string, number][] {
  const rest = found.slice(MOST_KINDS).reduce((sum, { count }) => sum + count, 0);
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

function kindsOf({ field, type }: CountedColumn): readonly [Distribution['by'], Kind] {
  if (type === 'boolean') return ['value', (value) => [0, value === 1 ? 'true' : 'false']];
  const { texts, values } = field?.constraints ?? {};
  if (field?.classification === 'public' && (texts !== undefined || values !== undefined)) {
    return [
      'value',
      (_value, bytes, start, end) => [0, reportText(bytes, start, end, LONGEST_KIND)],
    ];
  }
  if (type === 'integer' || type === 'number') return ['magnitude', magnitude];
  if (type === 'date' || type === 'datetime' || type === 'yearmonth') {
    const show = field?.cell.show ?? SHOW[type] ?? String;
    return [
      'month',
      (value) => {
        const month = String(show(value)).slice(0, 7);
        return [month, month];
      },
    ];
  }
  return ['length', (_value, bytes, start, end) => length(countCharacters(bytes, start, end))];
}

/** Magnitudes from here on count as one. */
const MOST_DIGITS = 12;

function magnitude(value: number): readonly [number, string] {
  if (value === 0) return [0, '0'];
  const sign = value < 0 ? 'minus ' : '';
  const size = Math.abs(value);
  let digits = 0;
  while (digits < MOST_DIGITS && size >= 10 ** digits) digits++;
  const order = Math.sign(value) * (digits + 1);
  if (digits === 0) return [order, `${sign}below 1`];
  const least = (10 ** (digits - 1)).toLocaleString('en-US');
  if (digits === MOST_DIGITS) return [order, `${sign}${least} and more`];
  return [order, `${sign}${least}–${(10 ** digits - 1).toLocaleString('en-US')}`];
}

/** Lengths from here on count as one. */
const LONG = 256;

function length(characters: number): readonly [number, string] {
  if (characters > LONG) return [LONG + 1, `over ${LONG} characters`];
  let most = 1;
  while (most < characters) most *= 2;
  const least = most / 2 + 1;
  return [most, most <= 2 ? `${characters}` : `${least}–${most}`];
}
