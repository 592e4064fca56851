import {
  type CellDetails,
  cellText,
  type FileDetails,
  type Found,
  type InspectedFile,
} from './checks/check.ts';
import { type Classification, mostSensitive } from './classification.ts';
import { FAULT_TYPES, type FaultType } from './faults.ts';
import { MAX_CELLS, QUOTES_VALID, type Scanner } from './scanner.ts';
import { shorten } from './text.ts';

/** One fault, with its place. What does not apply is null: a whole file has no record, a record no column. */
export interface Fault {
  readonly type: FaultType;
  /** Number of the record from 1; the header counts, comments do not. */
  readonly record: number | null;
  /** Physical line from 1 on which the cell, or the quote, stands. */
  readonly line: number | null;
  /** Offset in the file, from 0, of the cell, the quote or the byte; null where it is no longer known. */
  readonly byte: number | null;
  /** Number of the column from 1. */
  readonly field: number | null;
  readonly label: string | null;
  /** The offending text, at most 256 characters; a NUL is shown as U+2400. */
  readonly value: string | null;
  readonly message: string;
  /** The message without texts of the file and of the schema's rules; absent where it holds none. */
  readonly plainMessage?: string;
  /** How sensitive the texts are: as the column is, or of several the strictest; null where none is declared. */
  readonly classification: Classification | null;
}

/** Faults of one kind. */
interface Tally {
  total: number;
  inRows: number;
}

/** The first faults in full, and the exact number of all of them. */
export class FaultLog {
  readonly listed: Fault[] = [];
  readonly #tallies: ReadonlyMap<FaultType, Tally> = new Map(
    FAULT_TYPES.map((type) => [type, { total: 0, inRows: 0 }]),
  );
  readonly #maxListed: number;

  constructor(maxListed: number) {
    this.#maxListed = maxListed;
  }

  /** Counts faults of the header or the whole file; true when there is room to list one. */
  count(type: FaultType, times = 1): boolean {
    this.#tally(type).total += times;
    return !this.full;
  }

  /** Counts faults in rows; true when there is room to list one, so that nobody words what nobody reads. */
  countInRow(type: FaultType, times = 1): boolean {
    const tally = this.#tally(type);
    tally.inRows += times;
    tally.total += times;
    return !this.full;
  }

  /** Whether no further fault will be listed. */
  get full(): boolean {
    return this.listed.length >= this.#maxListed;
  }

  list(fault: Fault): void {
    if (!this.full) this.listed.push(fault);
  }

  total(type: FaultType): number {
    return this.#tally(type).total;
  }

  inRows(type: FaultType): number {
    return this.#tally(type).inRows;
  }

  /** Totals of the kinds that occurred, in the order of {@link FAULT_TYPES}. */
  counts(): Partial<Record<FaultType, number>> {
    const counts: Partial<Record<FaultType, number>> = {};
    for (const type of FAULT_TYPES) if (this.total(type) > 0) counts[type] = this.total(type);
    return counts;
  }

  #tally(type: FaultType): Tally {
    return this.#tallies.get(type) as Tally;
  }
}

/** What the checks of one file found: its faults with their places, and how many rows have any. */
export class Findings implements Found<FaultType> {
  readonly log: FaultLog;
  faultyRows = 0;
  /** Rows with a fault that does not only warn. */
  failingRows = 0;
  unreadableRecords = 0;
  /** Rows without a fault that counts against the file of which not every cell could be checked. */
  incompleteRows = 0;
  /** Faults that do not only warn. */
  failing = 0;
  readonly #warning: ReadonlySet<FaultType>;
  readonly #file: InspectedFile;
  readonly #scanner: Scanner;
  #inRow = false;
  #rowFaulty = false;
  #rowFails = false;
  #rowIncomplete = false;

  constructor(
    maxListed: number,
    warning: ReadonlySet<FaultType>,
    file: InspectedFile,
    scanner: Scanner,
  ) {
    this.log = new FaultLog(maxListed);
    this.#warning = warning;
    this.#file = file;
    this.#scanner = scanner;
  }

  /** What is counted until {@link endRow} is in a row, and not in the header or the whole file. */
  beginRow(): void {
    this.#inRow = true;
    this.#rowFaulty = false;
    this.#rowFails = false;
    this.#rowIncomplete = false;
  }

  endRow(): void {
    this.#inRow = false;
    if (this.#rowFaulty) this.faultyRows++;
    if (this.#rowFails) this.failingRows++;
    else if (this.#rowIncomplete) this.incompleteRows++;
  }

  /** Notes that not every cell of the current row could be checked. */
  noteIncomplete(): void {
    this.#rowIncomplete = true;
  }

  /** Whether faults of this kind do not count against the file. */
  onlyWarns(kind: FaultType): boolean {
    return this.#warning.has(kind);
  }

  get full(): boolean {
    return this.log.full;
  }

  count(kind: FaultType, times = 1): boolean {
    const fails = !this.#warning.has(kind);
    if (fails) this.failing++;
    if (!this.#inRow) return this.log.count(kind, times);
    this.#rowFaulty = true;
    if (fails) this.#rowFails = true;
    return this.log.countInRow(kind, times);
  }

  countUnreadable(): void {
    this.unreadableRecords++;
  }

  listRecord(type: FaultType, message: string): void {
    const place = this.#place(this.#scanner.recordStart);
    const classification = this.#classificationOf([]);
    this.log.list({
      ...place,
      field: null,
      label: null,
      value: null,
      type,
      message,
      classification,
    });
  }

  listCell(type: FaultType, cell: number, message: string, details: CellDetails = {}): void {
    const { index = cellStart(this.#scanner, cell), value = cellText(this.#scanner, cell) } =
      details;
    const {
      label = this.#file.columns?.[cell]?.label ?? null,
      cells = [cell],
      plainMessage,
    } = details;
    this.log.list({
      type,
      ...this.#place(index),
      field: cell < 0 ? null : cell + 1,
      label: label === null ? null : shorten(label),
      value: details.value === undefined || value === null ? value : shorten(value),
      message,
      ...(plainMessage === undefined ? {} : { plainMessage }),
      classification: this.#classificationOf(cells),
    });
  }

  listFile(type: FaultType, message: string, details: FileDetails = {}): void {
    const { record = null, line = null, byte = null, column, label = null, plainMessage } = details;
    this.log.list({
      type,
      record,
      line,
      byte,
      field: column === undefined ? null : column + 1,
      label,
      value: null,
      message,
      ...(plainMessage === undefined ? {} : { plainMessage }),
      classification: this.#classificationOf(column === undefined ? [] : [column]),
    });
  }

  /**
   * How sensitive the texts of some columns are. In a row whose structure is broken a cell may hold the text of any
   * column, and so may the line that was read as the header where it has another width than the schema.
   */
  #classificationOf(cells: readonly number[]): Classification | null {
    const { columns = [], schema } = this.#file;
    const { cellCount, quotes } = this.#scanner;
    const isPlaced = quotes === QUOTES_VALID && cellCount === columns.length && cells.length > 0;
    const fields =
      isPlaced || !this.#inRow
        ? cells.map((cell) => columns[cell]?.field)
        : (schema?.fields ?? [undefined]);
    return mostSensitive(fields.map((field) => field?.classification ?? null));
  }

  #place(index: number): Pick<Fault, 'record' | 'line' | 'byte'> {
    return {
      record: this.#file.records,
      line: this.#scanner.lineAt(index),
      byte: this.#file.byteOf(this.#scanner.offset(index)),
    };
  }
}

/** Where a cell starts; the start of the record for none, its end for one beyond those that are kept. */
function cellStart(scanner: Scanner, cell: number): number {
  if (cell < 0) return scanner.recordStart;
  const kept = Math.min(scanner.cellCount, MAX_CELLS);
  return cell < kept ? (scanner.starts[cell] as number) : scanner.recordEnd;
}
