import type { Column, SuspectCell, Writable } from './checks/check.ts';
import type { PlacedCells } from './checks/structure.ts';
import { brokenConstraints } from './field-constraints.ts';
import { readCell } from './field-type.ts';
import { CELL_ESCAPED, type Scanner } from './scanner.ts';
import type { CompiledField } from './table-schema.ts';
import { ODD_BLANK, oddityOf } from './text.ts';
import { readText } from './types/string.ts';

/** In place of 1 for a null and 0 for a value: nothing is known of the cell. */
const UNREAD = 2;

/**
 * Reads the cells of rows: tells what is null, reads values and profiles them. This is the loop that most of the
 * time is spent in, so it only decides whether a cell is fine, and hands over what it suspects to be at fault.
 */
export class CellReader {
  /** Order values of the row's cells; NaN for what is not of its type or was not read. A null keeps an older one. */
  readonly values: Float64Array;
  /** 1 for a null, 0 for a value, 2 for what was not read. */
  readonly nulls: Uint8Array;
  readonly #columns: readonly Column[];
  /** 1 for columns whose cells may be any text, which can be odd without being at fault. */
  readonly #texts: Uint8Array;
  readonly #judge: (cell: SuspectCell) => void;
  readonly #judgeText: (cell: number, oddity: number) => void;
  /** One for all that is suspected: {@link #handOver} fills it in. */
  readonly #suspect = {} as Writable<SuspectCell>;

  constructor(
    columns: readonly Column[],
    judge: (cell: SuspectCell) => void,
    judgeText: (cell: number, oddity: number) => void,
  ) {
    this.#columns = columns;
    this.#judge = judge;
    this.#judgeText = judgeText;
    this.#texts = Uint8Array.from(columns, ({ field }) =>
      field === undefined || field.cell.read === readText ? 1 : 0,
    );
    this.values = new Float64Array(columns.length);
    this.nulls = new Uint8Array(columns.length);
  }

  /** Reads a row that has a cell for each column, or no more than those from the first on and before the last given. */
  read(scanner: Scanner, count = this.#columns.length, first = 0): void {
    const columns = this.#columns;
    const { starts, ends, flags } = scanner;
    const { values, nulls } = this;
    for (let cell = first; cell < count; cell++) {
      const { profile, field } = columns[cell] as Column;
      let bytes = scanner.bytes;
      let start = starts[cell] as number;
      let end = ends[cell] as number;
      if (((flags[cell] as number) & CELL_ESCAPED) !== 0) {
        bytes = scanner.unescape(cell);
        start = 0;
        end = bytes.length;
      }
      if (isNullCell(field, bytes, start, end)) {
        profile.nulls++;
        nulls[cell] = 1;
        if (field?.required === true) this.#handOver(cell, bytes, start, end, 0);
        continue;
      }
      nulls[cell] = 0;
      if (this.#texts[cell] === 1) {
        const oddity = oddityOf(bytes, start, end);
        if (oddity !== 0) {
          this.#judgeText(cell, oddity);
          if (oddity === ODD_BLANK && field?.emptyIsNull !== false) {
            this.#readBlank(cell, bytes, start, end);
            continue;
          }
        }
      }
      if (field === undefined) {
        profile.addInferred(bytes, start, end);
        continue;
      }
      const value = start === end ? emptyValue(field) : readCell(field.cell, bytes, start, end);
      values[cell] = value;
      if (Number.isNaN(value)) {
        profile.addInferred(bytes, start, end);
        this.#handOver(cell, bytes, start, end, 0);
        continue;
      }
      profile.addDeclared(bytes, start, end, value);
      const { constraints } = field;
      if (constraints === undefined) continue;
      const broken = brokenConstraints(constraints, bytes, start, end, value);
      if (broken !== 0) this.#handOver(cell, bytes, start, end, broken);
    }
  }

  /**
   * Reads what can be placed of a broken row. Where the rest is absent it is null, which checks see only where it
   * did not count against the file already; else nothing is known of it.
   */
  readPlaced(scanner: Scanner, { count, restIsAbsent }: PlacedCells, judgesAbsent: boolean): void {
    this.read(scanner, count);
    for (let cell = count; cell < this.#columns.length; cell++) {
      const { profile, field } = this.#columns[cell] as Column;
      if (restIsAbsent) profile.nulls++;
      else profile.unread++;
      const isNull = restIsAbsent && judgesAbsent;
      this.nulls[cell] = isNull ? 1 : UNREAD;
      this.values[cell] = Number.NaN;
      if (isNull && field?.required === true) this.#handOver(cell, scanner.bytes, 0, 0, 0);
    }
  }

  /** Takes back what a row that was read last added to the counts of the profiles, where it is counted anew. */
  forget(scanner: Scanner): void {
    const { starts, ends, flags } = scanner;
    for (let cell = 0; cell < this.#columns.length; cell++) {
      const { profile, field } = this.#columns[cell] as Column;
      if (this.nulls[cell] === 1) {
        profile.nulls--;
        continue;
      }
      if (field !== undefined && !Number.isNaN(this.values[cell])) continue;
      if (((flags[cell] as number) & CELL_ESCAPED) !== 0) {
        const text = scanner.unescape(cell);
        profile.forgetInferred(text, 0, text.length);
      } else {
        profile.forgetInferred(scanner.bytes, starts[cell] as number, ends[cell] as number);
      }
    }
  }

  /** Blanks stand for no value; what a constraint says of the text still holds. */
  #readBlank(cell: number, bytes: Uint8Array, start: number, end: number): void {
    const { profile, field } = this.#columns[cell] as Column;
    profile.nulls++;
    this.nulls[cell] = 1;
    if (field === undefined) return;
    const { constraints, required } = field;
    const broken =
      constraints === undefined ? 0 : brokenConstraints(constraints, bytes, start, end, 0);
    if (required || broken !== 0) this.#handOver(cell, bytes, start, end, broken);
  }

  #handOver(cell: number, bytes: Uint8Array, start: number, end: number, broken: number): void {
    const suspect = this.#suspect;
    const isNull = this.nulls[cell] === 1;
    suspect.cell = cell;
    suspect.field = this.#columns[cell]?.field as CompiledField;
    suspect.isNull = isNull;
    suspect.bytes = bytes;
    suspect.start = start;
    suspect.end = end;
    suspect.value = isNull ? Number.NaN : (this.values[cell] as number);
    suspect.broken = broken;
    this.#judge(suspect);
  }
}

/** Whether a cell holds no value. */
export function isNullCell(
  field: CompiledField | undefined,
  bytes: Uint8Array,
  start: number,
  end: number,
): boolean {
  if (start === end) return field === undefined || field.emptyIsNull;
  return field?.missingValues?.has(bytes, start, end) === true;
}

const EMPTY = new Uint8Array(0);

/** An empty cell that is not null, since the schema's missing values do not list it, is text, or one of the texts of a boolean. */
function emptyValue(field: CompiledField): number {
  if (field.type === 'boolean') return field.cell.read(EMPTY, 0, 0);
  return field.type === 'string' || field.type === 'any' ? 0 : Number.NaN;
}
