import {
  type CellDetails,
  cellText,
  type EarlierRow,
  type FileDetails,
  type Found,
  type InspectedFile,
  MOST_OF_A_COLUMN,
  type RowPlace,
} from './checks/check.ts';
import { type Classification, mostSensitive } from './classification.ts';
import {
  ROW_FAILS,
  ROW_FAULTY,
  ROW_INCOMPLETE,
  ROW_SOUND,
  type RowState,
} from './deferred-keys.ts';
import type { RuleReport } from './delivery-rules.ts';
import { FAULT_TYPES, type FaultType, STRUCTURAL_FAULTS } from './faults.ts';
import { MAX_CELLS, QUOTES_VALID, type Scanner } from './scanner.ts';
import { shorten } from './text.ts';
import { type Thresholds, warningTypes } from './thresholds.ts';

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
  /**
   * The values of the schema's first key in that row, as `value` has one; null outside of rows, without a key, and
   * where they are more sensitive than the fault's other texts.
   */
  readonly key: string | null;
  /** How sensitive the texts are: as the column is, or of several the strictest; null where none is declared. */
  readonly classification: Classification | null;
}

/** Cells of a row in which something is wrong, as far as a report has room for them. */
export interface ListedRow {
  /** Number of the record from 1, as a {@link Fault} has it. */
  readonly record: number;
  /** Number of the column of the first of these cells, from 1; beyond 1 where the row is too wide to be shown whole. */
  readonly field: number;
  /** At most 40, each of at most 64 characters. */
  readonly cells: readonly string[];
  /**
   * How sensitive all of them are where any may be of another column, since the row's structure is broken. Absent where each
   * is as sensitive as its column.
   */
  readonly classification?: Classification | null;
}

/** Places that are kept as a sample for the diagnoses, however few a report shall list. */
const LEAST_SAMPLE = 1_000;
/** Characters of the rows that are listed, and of all texts of faults: together 1 MiB. */
const MOST_ROW_CHARACTERS = 128 * 1024;
const MOST_CHARACTERS = 1024 * 1024 - MOST_ROW_CHARACTERS;
/** What a listed cell takes beside its text, also where it is withheld. */
const CELL_CHARACTERS = 24;
/** Rows of each kind and column for which all of that room is there; others may have half of it. */
const FIRST_ROWS = 3;
/** Cells of a listed row at most. */
export const MOST_ROW_CELLS = 40;
/** Characters of each. */
const LONGEST_ROW_CELL = 64;
/** What a listed fault takes beside its texts. */
const PLACE_CHARACTERS = 150;

/** Room that a kind's first fault makes. */
const FIRST_COLUMNS = 8;
/** Before the first fault of a kind: most kinds of most files have none. */
const NO_TOTALS = new Float64Array(0);
const NOTHING_LISTED = new Uint8Array(0);

/** Faults of one kind. */
class Tally {
  total = 0;
  inRows = 0;
  /** Of the total, those that count against the file. */
  failing = 0;
  failingInRows = 0;
  listed = 0;
  /** Totals by column, and how many of each are listed; what has no column comes first. */
  totals: Float64Array = NO_TOTALS;
  listedOf: Uint8Array = NOTHING_LISTED;

  /** Makes room for a column. */
  reach(index: number): void {
    if (index < this.totals.length) return;
    const room = Math.max(FIRST_COLUMNS, index * 2);
    const totals = new Float64Array(room);
    const listedOf = new Uint8Array(room);
    totals.set(this.totals);
    listedOf.set(this.listedOf);
    this.totals = totals;
    this.listedOf = listedOf;
  }
}

/**
 * The first faults of each kind and column in full, and the exact number of all of them. Where there is no room for
 * all, a fault of the table's structure takes the place of one of a value, and the first of a kind that of any other:
 * many bad values hide no broken quote.
 */
export class FaultLog {
  readonly #tallies: ReadonlyMap<FaultType, Tally> = new Map(
    FAULT_TYPES.map((type) => [type, new Tally()]),
  );
  readonly #maxListed: number;
  readonly #most: number;
  readonly #structural: Fault[] = [];
  readonly #others: Fault[] = [];
  #characters = 0;
  /** By their records. */
  readonly #rows = new Map<number, ListedRow>();
  #rowCharacters = 0;

  /** @param maxListed faults that {@link listed} gives at most */
  constructor(maxListed: number) {
    this.#maxListed = maxListed;
    this.#most = Math.max(maxListed, LEAST_SAMPLE);
  }

  /** Those of the structure first, each in the order of the file. */
  get listed(): readonly Fault[] {
    return this.sample.slice(0, this.#maxListed);
  }

  /** Rows of the faults that are listed, in the order of the file. */
  get listedRows(): readonly ListedRow[] {
    const records = new Set(this.listed.flatMap(({ record }) => record ?? []));
    return [...records]
      .sort((one, other) => one - other)
      .flatMap((record) => this.#rows.get(record) ?? []);
  }

  /** The row of a fault, where there was room to keep it. */
  rowOf(record: number | null): ListedRow | undefined {
    return record === null ? undefined : this.#rows.get(record);
  }

  /** What is known in full, more than what is listed where only few shall be. */
  get sample(): readonly Fault[] {
    return [...this.#structural, ...this.#others];
  }

  /**
   * Counts faults of the header or the whole file; true when there is room to list one, so that nobody words what
   * nobody reads.
   *
   * @param column from 0; -1 for none
   * @param fails whether they count against the file
   */
  count(type: FaultType, column = -1, times = 1, fails = true): boolean {
    const tally = this.#tally(type);
    tally.total += times;
    if (fails) tally.failing += times;
    tally.reach(column + 1);
    tally.totals[column + 1] = (tally.totals[column + 1] as number) + times;
    return this.#hasRoom(type, tally, column + 1);
  }

  /** The same for faults in a row. */
  countInRow(type: FaultType, column = -1, times = 1, fails = true): boolean {
    const tally = this.#tally(type);
    tally.inRows += times;
    if (fails) tally.failingInRows += times;
    return this.count(type, column, times, fails);
  }

  /** Takes faults in a row back that were counted so. */
  takeBack({ type, column, times, fails }: CountedFault): void {
    const tally = this.#tally(type);
    tally.total -= times;
    tally.inRows -= times;
    if (fails) {
      tally.failing -= times;
      tally.failingInRows -= times;
    }
    tally.totals[column + 1] = (tally.totals[column + 1] as number) - times;
  }

  /** Takes those of a record off the list, but for those of structure. */
  unlist(record: number): void {
    const row = this.#rows.get(record);
    if (row !== undefined) this.#rowCharacters -= rowCharactersOf(row);
    this.#rows.delete(record);
    for (let at = this.#others.length - 1; at >= 0; at--) {
      const fault = this.#others[at] as Fault;
      if (fault.record !== record) continue;
      this.#others.splice(at, 1);
      this.#characters -= charactersOf(fault);
      const tally = this.#tally(fault.type);
      tally.listed--;
      const index = fault.field ?? 0;
      if ((tally.listedOf[index] ?? 0) > 0)
        tally.listedOf[index] = (tally.listedOf[index] as number) - 1;
    }
  }

  /** @param rowOf makes the row that it stands in, where that is at hand */
  list(fault: Fault, column = -1, rowOf?: () => ListedRow): void {
    const tally = this.#tally(fault.type);
    tally.reach(column + 1);
    if (!this.#hasRoom(fault.type, tally, column + 1)) return;
    if (this.#isFull) this.#drop();
    tally.listed++;
    tally.listedOf[column + 1] = (tally.listedOf[column + 1] as number) + 1;
    this.#characters += charactersOf(fault);
    (STRUCTURAL_FAULTS.has(fault.type) ? this.#structural : this.#others).push(fault);
    const { record } = fault;
    if (rowOf === undefined || record === null || this.#rows.has(record)) return;
    const isFirst = (tally.listedOf[column + 1] as number) <= FIRST_ROWS;
    const room = MOST_ROW_CHARACTERS / (isFirst ? 1 : 2) - this.#rowCharacters;
    if (room <= 0) return;
    const row = rowOf();
    const characters = rowCharactersOf(row);
    if (characters > room) return;
    this.#rows.set(record, row);
    this.#rowCharacters += characters;
  }

  total(type: FaultType): number {
    return this.#tally(type).total;
  }

  inRows(type: FaultType): number {
    return this.#tally(type).inRows;
  }

  /** Those of one column, from 0; -1 of none. */
  totalOf(type: FaultType, column: number): number {
    return this.#tally(type).totals[column + 1] ?? 0;
  }

  /** Faults that count against the file, in rows and elsewhere. */
  failing(): { inRows: number; elsewhere: number } {
    const sums = { inRows: 0, elsewhere: 0 };
    for (const { failing, failingInRows } of this.#tallies.values()) {
      sums.inRows += failingInRows;
      sums.elsewhere += failing - failingInRows;
    }
    return sums;
  }

  /** Forgets all faults but those of the structure. */
  keepStructure(): void {
    for (const [type, tally] of this.#tallies) {
      if (STRUCTURAL_FAULTS.has(type)) continue;
      Object.assign(tally, new Tally());
    }
    this.#others.length = 0;
  }

  /** Totals of the kinds that occurred, in the order of {@link FAULT_TYPES}. */
  counts(): Partial<Record<FaultType, number>> {
    return this.#countsBy((tally) => tally.total);
  }

  /** The same for one column, from 0. */
  countsOf(column: number): Partial<Record<FaultType, number>> {
    return this.#countsBy((tally) => tally.totals[column + 1] ?? 0);
  }

  #countsBy(of: (tally: Tally) => number): Partial<Record<FaultType, number>> {
    const counts: Partial<Record<FaultType, number>> = {};
    // Asked for each column of each file, and most kinds have not occurred: an iteration of the map takes memory for each.
    for (const type of FAULT_TYPES.filter((one) => this.#tally(one).total > 0)) {
      const count = of(this.#tally(type));
      if (count > 0) counts[type] = count;
    }
    return counts;
  }

  /** Whether no fault of a kind in a column will be listed any more: it is enough to count them. */
  isSettled(type: FaultType, column: number): boolean {
    const tally = this.#tally(type);
    if ((tally.listedOf[column + 1] ?? 0) >= MOST_OF_A_COLUMN) return true;
    // What is full by its characters may have room once more.
    const isFull = this.#structural.length + this.#others.length >= this.#most;
    return isFull && tally.listed > 0 && !STRUCTURAL_FAULTS.has(type);
  }

  get #isFull(): boolean {
    const { length } = this.#structural;
    return length + this.#others.length >= this.#most || this.#characters >= MOST_CHARACTERS;
  }

  #hasRoom(type: FaultType, tally: Tally, index: number): boolean {
    if ((tally.listedOf[index] as number) >= MOST_OF_A_COLUMN) return false;
    if (!this.#isFull || tally.listed === 0) return true;
    return STRUCTURAL_FAULTS.has(type) && this.#others.length > 0;
  }

  /** Makes room: gives up the last fault of a value, or the last one, of which others of its kind stay. */
  #drop(): void {
    for (const list of [this.#others, this.#structural]) {
      const at = list.findLastIndex(({ type }) => this.#tally(type).listed > 1);
      const [dropped] = at < 0 ? [] : list.splice(at, 1);
      if (dropped === undefined) continue;
      this.#tally(dropped.type).listed--;
      this.#characters -= charactersOf(dropped);
      return;
    }
  }

  #tally(type: FaultType): Tally {
    return this.#tallies.get(type) as Tally;
  }
}

function charactersOf({ label, value, message, plainMessage, key }: Fault): number {
  const texts = [label, value, message, plainMessage, key];
  return texts.reduce((sum, text) => sum + (text?.length ?? 0), PLACE_CHARACTERS);
}

function rowCharactersOf({ cells }: ListedRow): number {
  return cells.reduce((sum, text) => sum + text.length + CELL_CHARACTERS, PLACE_CHARACTERS);
}

/** Faults of one kind and column of a row, as they were counted. */
interface CountedFault {
  readonly type: FaultType;
  readonly column: number;
  readonly times: number;
  readonly fails: boolean;
}

/** How a row's structure is, from the best state to the worst. */
const SOUND = 0;
/** With faults that only warn. */
const FAULTY = 1;
/** With a fault that does not, and that leaves nothing to read. */
const FAILING = 2;
const BROKEN = 3;

/** What the checks of one file found: its faults with their places, and how many rows have any. */
export class Findings implements Found<FaultType> {
  readonly log: FaultLog;
  faultyRows = 0;
  /** Rows with a fault that does not only warn. */
  failingRows = 0;
  unreadableRecords = 0;
  /** Rows without a fault that counts against the file of which not every cell could be checked. */
  incompleteRows = 0;
  /** Rows with a fault of structure, and those of them where it does not only warn. */
  #structuralRows = 0;
  #structureFailsRows = 0;
  /** Of the latter, those that are not only blank. */
  brokenRows = 0;
  /** Faults that do not only warn. */
  failing = 0;
  /** What became of the delivery rules. */
  readonly rules: RuleReport[] = [];
  readonly #warning: ReadonlySet<FaultType>;
  /** Kinds that count against the file whatever a check thinks of it. */
  readonly #refused: ReadonlySet<FaultType>;
  readonly #file: InspectedFile;
  readonly #scanner: Scanner;
  #keyCells: { readonly columns: unknown; readonly cells: readonly number[] } | undefined;
  #inRow = false;
  #rowFaulty = false;
  #rowFails = false;
  #rowIncomplete = false;
  /** Rows in which something was found after they had ended. */
  readonly #foundFaulty = new RecordSet();
  readonly #foundFailing = new RecordSet();
  #rowStructure = SOUND;
  /** What was counted in the cells of one row. */
  #rowRecord = 0;
  readonly #rowCounts: CountedFault[] = [];

  constructor(maxListed: number, thresholds: Thresholds, file: InspectedFile, scanner: Scanner) {
    this.log = new FaultLog(maxListed);
    this.#warning = warningTypes(thresholds);
    this.#refused = new Set(thresholds.failOn);
    this.#file = file;
    this.#scanner = scanner;
  }

  /** What is counted until {@link endRow} is in a row, and not in the header or the whole file. */
  beginRow(): void {
    this.#inRow = true;
    this.#rowFaulty = false;
    this.#rowFails = false;
    this.#rowIncomplete = false;
    this.#rowStructure = SOUND;
  }

  endRow(): void {
    this.#inRow = false;
    if (this.#rowFaulty) this.faultyRows++;
    if (this.#rowFails) this.failingRows++;
    else if (this.#rowIncomplete) this.incompleteRows++;
    if (this.#rowStructure >= FAULTY) this.#structuralRows++;
    if (this.#rowStructure >= FAILING) this.#structureFailsRows++;
    if (this.#rowStructure >= BROKEN) this.brokenRows++;
  }

  /** Forgets what was found in values: of a table that can't be read it says nothing. */
  keepStructure(): void {
    this.log.keepStructure();
    this.faultyRows = this.#structuralRows;
    this.failingRows = this.#structureFailsRows;
  }

  /** Notes that not every cell of the current row could be checked. */
  noteIncomplete(): void {
    this.#rowIncomplete = true;
  }

  /** Whether faults of this kind do not count against the file. */
  onlyWarns(kind: FaultType, mild = false): boolean {
    return mild ? !this.#refused.has(kind) : this.#warning.has(kind);
  }

  get row(): RowState {
    if (this.#rowFails) return ROW_FAILS;
    if (this.#rowIncomplete) return ROW_INCOMPLETE;
    return this.#rowFaulty ? ROW_FAULTY : ROW_SOUND;
  }

  countInEarlierRow(kind: FaultType, cell: number, { record, row }: EarlierRow): void {
    const fails = !this.#warning.has(kind);
    this.log.countInRow(kind, this.#columnOf(cell), 1, fails);
    if (row === ROW_SOUND && this.#foundFaulty.add(record)) this.faultyRows++;
    if (!fails) return;
    this.failing++;
    if (row === ROW_FAILS || !this.#foundFailing.add(record)) return;
    this.failingRows++;
    if (row === ROW_INCOMPLETE) this.incompleteRows--;
  }

  count(kind: FaultType, cell = -1, times = 1, mild = false): boolean {
    const fails = !this.onlyWarns(kind, mild);
    if (fails) this.failing++;
    const column = this.#columnOf(cell);
    if (!this.#inRow) return this.log.count(kind, column, times, fails);
    this.#rowFaulty = true;
    if (fails) this.#rowFails = true;
    if (STRUCTURAL_FAULTS.has(kind)) {
      const state = fails ? (kind === 'blank-row' ? FAILING : BROKEN) : FAULTY;
      this.#rowStructure = Math.max(this.#rowStructure, state);
    }
    if (this.#rowRecord !== this.#file.records) {
      this.#rowRecord = this.#file.records;
      this.#rowCounts.length = 0;
    }
    this.#rowCounts.push({ type: kind, column, times, fails });
    return this.log.countInRow(kind, column, times, fails);
  }

  /** Whether faults of a kind in a column need no more than to be counted, by {@link addSettled}. */
  isSettled(kind: FaultType, cell: number): boolean {
    return this.log.isSettled(kind, this.#columnOf(cell));
  }

  /** Adds faults of rows that were counted elsewhere; the rows are counted by {@link addSettledRows}. */
  addSettled(kind: FaultType, cell: number, times: number): void {
    if (times === 0) return;
    const fails = !this.#warning.has(kind);
    if (fails) this.failing += times;
    this.log.countInRow(kind, this.#columnOf(cell), times, fails);
  }

  /** @param failing those of them with a fault that does not only warn */
  addSettledRows(faulty: number, failing: number): void {
    this.faultyRows += faulty;
    this.failingRows += failing;
  }

  takeBackLastRow(): boolean | undefined {
    const { records } = this.#file;
    if (this.#rowRecord !== records) return false;
    if (this.#rowStructure !== SOUND) return undefined;
    for (const counted of this.#rowCounts) {
      this.log.takeBack(counted);
      if (counted.fails) this.failing--;
    }
    this.#rowCounts.length = 0;
    this.log.unlist(records);
    this.faultyRows--;
    if (this.#rowFails) this.failingRows--;
    return this.#rowFails;
  }

  countInLastRow(kind: FaultType, mild: boolean): boolean {
    this.beginRow();
    const hasRoom = this.count(kind, -1, 1, mild);
    this.endRow();
    return hasRoom;
  }

  noteRule(report: RuleReport): void {
    this.rules.push(report);
  }

  countUnreadable(): void {
    this.unreadableRecords++;
  }

  listRecord(type: FaultType, message: string): void {
    const place = this.#place(this.#scanner.recordStart);
    const classification = this.#classificationOf([]);
    const fault: Fault = {
      ...place,
      field: null,
      label: null,
      value: null,
      type,
      message,
      key: this.#key(classification),
      classification,
    };
    this.log.list(fault, -1, this.#rowOf(0));
  }

  listCell(type: FaultType, cell: number, message: string, details: CellDetails = {}): void {
    const { index = cellStart(this.#scanner, cell), value = cellText(this.#scanner, cell) } =
      details;
    const {
      label = this.#file.columns?.[cell]?.label ?? null,
      cells = [cell],
      plainMessage,
    } = details;
    const classification = this.#classificationOf(cells);
    const fault: Fault = {
      type,
      ...this.#place(index),
      field: cell < 0 ? null : cell + 1,
      label: label === null ? null : shorten(label),
      value: details.value === undefined || value === null ? value : shorten(value),
      message,
      ...(plainMessage === undefined ? {} : { plainMessage }),
      key: this.#key(classification),
      classification,
    };
    this.log.list(fault, this.#columnOf(cell), this.#rowOf(cell));
  }

  listFile(type: FaultType, message: string, details: FileDetails = {}): void {
    const { record = null, line = null, byte = null, column, label = null, plainMessage } = details;
    const place = column === undefined || column < 0 ? undefined : column;
    const fault: Fault = {
      type,
      record,
      line,
      byte,
      field: place === undefined ? null : place + 1,
      label,
      value: null,
      message,
      ...(plainMessage === undefined ? {} : { plainMessage }),
      key: null,
      classification: this.#classificationOf(column === undefined ? [] : [column]),
    };
    this.log.list(fault, place);
  }

  listEarlierRow(type: FaultType, message: string, { cells, ...place }: RowPlace): void {
    const column = cells[0] ?? 0;
    const label = this.#file.columns?.[column]?.label;
    const fault: Fault = {
      type,
      ...place,
      field: column + 1,
      label: label === undefined ? null : shorten(label),
      value: null,
      message,
      key: null,
      classification: this.#classificationOf(cells),
    };
    this.log.list(fault, this.#columnOf(column));
  }

  /**
   * How sensitive the texts of some columns are. In a row whose structure is broken a cell may hold the text of any
   * column, and so may the line that was read as the header where it has another width than the schema.
   */
  #classificationOf(cells: readonly number[]): Classification | null {
    const { columns = [], columnsOfSchema, schema } = this.#file;
    const { cellCount, quotes } = this.#scanner;
    const isPlaced = quotes === QUOTES_VALID && cellCount === columns.length && cells.length > 0;
    if (isPlaced || !this.#inRow) {
      return mostSensitive(cells.map((cell) => columns[cell]?.classification ?? null));
    }
    // The header has another number of labels, or the row more cells: one may be of a column that is not declared.
    if (columnsOfSchema || schema === undefined || cellCount > columns.length) return null;
    const declared = schema.fields.map(({ classification }) => classification);
    return mostSensitive([...declared, ...columns.map(({ classification }) => classification)]);
  }

  /** What makes the current row, where there is one: those of its cells that are around one. */
  #rowOf(cell: number): (() => ListedRow) | undefined {
    if (!this.#inRow) return undefined;
    return () => {
      const scanner = this.#scanner;
      const count = Math.min(scanner.cellCount, MAX_CELLS);
      const from = Math.max(0, Math.min(cell - MOST_ROW_CELLS / 2, count - MOST_ROW_CELLS));
      const length = Math.min(MOST_ROW_CELLS, count - from);
      const isPlaced =
        scanner.quotes === QUOTES_VALID && scanner.cellCount === this.#file.columns?.length;
      return {
        record: this.#file.records,
        field: from + 1,
        cells: Array.from({ length }, (_, at) => cellText(scanner, from + at, LONGEST_ROW_CELL)),
        ...(isPlaced ? {} : { classification: this.#classificationOf([]) }),
      };
    };
  }

  /** All cells beyond the columns count as one column. */
  #columnOf(cell: number): number {
    return Math.min(cell, this.#file.columns?.length ?? cell);
  }

  /** The cells of the schema's key in the current row, where they are surely in their columns. */
  #key(classification: Classification | null): string | null {
    const { columns, schema } = this.#file;
    if (!this.#inRow || columns === undefined || schema === undefined) return null;
    if (this.#keyCells?.columns !== columns) {
      const key = schema.keys.find(({ fault }) => fault === 'primary-key') ?? schema.keys[0];
      const cells = (key?.fields ?? []).map((field) =>
        columns.findIndex((column) => column.field === schema.fields[field]),
      );
      this.#keyCells = { columns, cells: cells.includes(-1) ? [] : cells };
    }
    const { cells } = this.#keyCells;
    const { quotes, quoteCell, cellCount } = this.#scanner;
    const placed = quotes === QUOTES_VALID ? cellCount : quoteCell;
    if (cells.length === 0 || cells.some((cell) => cell >= placed)) return null;
    const strictest = cells.map((cell) => columns[cell]?.classification ?? null);
    if (mostSensitive([classification, ...strictest]) !== classification) return null;
    return shorten(cells.map((cell) => cellText(this.#scanner, cell)).join(', '));
  }

  #place(index: number): Pick<Fault, 'record' | 'line' | 'byte'> {
    return {
      record: this.#file.records,
      line: this.#scanner.lineAt(index),
      byte: this.#file.byteOf(this.#scanner.offset(index)),
    };
  }
}

/** Numbers of records, a bit each, in pages that are made when they are needed. */
class RecordSet {
  readonly #pages = new Map<number, Int32Array>();

  /** False when it was in there already. */
  add(record: number): boolean {
    const number = Math.floor(record / RECORDS_PER_PAGE);
    let page = this.#pages.get(number);
    if (page === undefined) {
      page = new Int32Array(RECORDS_PER_PAGE / 32);
      this.#pages.set(number, page);
    }
    const at = (record % RECORDS_PER_PAGE) >>> 5;
    const bit = 1 << (record & 31);
    const word = page[at] as number;
    page[at] = word | bit;
    return (word & bit) === 0;
  }
}

const RECORDS_PER_PAGE = 65_536;

/** Where a cell starts; the start of the record for none, its end for one beyond those that are kept. */
function cellStart(scanner: Scanner, cell: number): number {
  if (cell < 0) return scanner.recordStart;
  const kept = Math.min(scanner.cellCount, MAX_CELLS);
  return cell < kept ? (scanner.starts[cell] as number) : scanner.recordEnd;
}
