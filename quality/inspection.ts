import { brokenConstraints } from './constraints.ts';
import type { CompiledExpectation } from './expectation.ts';
import { type Fault, FaultLog, type FaultType } from './faults.ts';
import { matchHeader } from './header.ts';
import type { EnginePorts, Sha256 } from './ports.ts';
import { ColumnProfile } from './profile.ts';
import type { QualityReport } from './report.ts';
import {
  CELL_ESCAPED,
  MAX_CELLS,
  QUOTES_SOUND,
  QUOTES_STRAY,
  type RecordHandler,
  Scanner,
} from './scanner.ts';
import { BYTE_ORDER_MARK, foreignSource, SIGNATURE_BYTES } from './source.ts';
import type { CompiledField } from './table-schema.ts';
import { equalsBytes, reportText } from './text.ts';
import { readCell } from './types/read-cell.ts';
import { KeyBudget, KeyTable } from './uniqueness.ts';
import { firstUnsoundByte, Utf8Watch } from './utf8.ts';
import { judge, warningTypes } from './verdict.ts';

const BLOCK_BYTES = 65_536;
const LONGEST_VALUE = 256;
const LONGEST_LABEL = 256;
/** Enough for any number to be compared by value and not by text. */
const EXACT_NUMBER_BYTES = 15;

export interface InspectionLimits {
  /** Faults that are listed in full. */
  readonly maxFaults: number;
  readonly maxRecordBytes: number;
  /** Keys that all uniqueness checks remember together. */
  readonly maxKeys: number;
  /** Milliseconds, from any origin. */
  readonly clock: () => number;
}

interface Column {
  readonly label: string;
  readonly field: CompiledField | undefined;
  readonly profile: ColumnProfile;
}

/** A key whose fields all have a column. */
interface Key {
  readonly fault: 'unique-error' | 'primary-key';
  readonly columns: readonly number[];
  readonly table: KeyTable;
}

/**
 * Judges one file, pushed in as bytes: {@link write} any number of times, then {@link end} once.
 *
 * A record whose structure is broken (bytes that are no text, quotes, size, blank, missing or extra cells) is
 * named for that alone: its cells can't be trusted to belong to their columns, so they are not checked, not
 * profiled and not remembered as keys.
 */
export class Inspection implements RecordHandler {
  readonly #expectation: CompiledExpectation;
  readonly #maxRecordBytes: number;
  readonly #clock: () => number;
  readonly #started: number;
  readonly #hash: Sha256;
  readonly #watch: Utf8Watch;
  readonly #scanner: Scanner;
  readonly #faults: FaultLog;
  readonly #warning: ReadonlySet<FaultType>;
  readonly #budget: KeyBudget;

  #bytes = 0;
  #head: Uint8Array | undefined = new Uint8Array(0);
  #byteOrderMark = false;
  #foreign = false;
  /** Up to this byte of the file, a record's text must be looked at closely. */
  #suspectUntil = 0;

  #records = 0;
  #rows = 0;
  /** Rows whose structure was sound, so that their cells were looked at. */
  #soundRows = 0;
  #faultyRows = 0;
  #failingRows = 0;
  #unreadableRecords = 0;
  #rowFaulty = false;
  #rowFails = false;

  #columns: Column[] | undefined;
  #keys: Key[] = [];
  /** Order values of the current record's key columns; NaN for what is null or not of its type. */
  #values = new Float64Array(0);
  #nulls = new Uint8Array(0);

  constructor(expectation: CompiledExpectation, ports: EnginePorts, limits: InspectionLimits) {
    this.#hash = ports.createHash();
    this.#watch = new Utf8Watch(ports.isUtf8);
    this.#expectation = expectation;
    this.#maxRecordBytes = limits.maxRecordBytes;
    this.#clock = limits.clock;
    this.#started = limits.clock();
    this.#faults = new FaultLog(limits.maxFaults);
    this.#warning = warningTypes(expectation.thresholds);
    this.#budget = new KeyBudget(limits.maxKeys);
    this.#scanner = new Scanner(this, expectation.dialect, limits.maxRecordBytes);
    if (!expectation.dialect.header && expectation.schema !== undefined) {
      const { fields } = expectation.schema;
      this.#open(
        fields.map((field) => field.name),
        [...fields.keys()],
      );
    }
  }

  /** Rows seen so far. */
  get rows(): number {
    return this.#rows;
  }

  write(chunk: Uint8Array): void {
    this.#hash.update(chunk);
    this.#bytes += chunk.length;
    if (this.#head === undefined) {
      this.#scan(chunk);
      return;
    }
    const head = this.#head.length === 0 ? chunk : joined(this.#head, chunk);
    if (head.length >= SIGNATURE_BYTES) this.#begin(head);
    else this.#head = Uint8Array.from(head);
  }

  /** Ends the file and gives the verdict. */
  end(): QualityReport {
    if (this.#head !== undefined) this.#begin(this.#head);
    if (!this.#watch.complete()) this.#suspectUntil = Infinity;
    this.#scanner.end();
    this.#judgeWhole();
    const { thresholds, schema } = this.#expectation;
    const judgement = judge({
      faults: this.#faults,
      thresholds,
      rows: this.#rows,
      failingRows: this.#failingRows,
      readable: !this.#foreign,
      unreadableRecords: this.#unreadableRecords,
      records: this.#records,
    });
    const faultCounts = this.#faults.counts();
    return {
      version: 1,
      ...judgement,
      bytes: this.#bytes,
      sha256: this.#hash.digest('hex'),
      durationMs: Math.max(0, this.#clock() - this.#started),
      rows: this.#rows,
      faultyRows: this.#faultyRows,
      lineEnds: { ...this.#scanner.lineEnds },
      byteOrderMark: this.#byteOrderMark,
      schemaApplied: schema !== undefined,
      faultCount: Object.values(faultCounts).reduce((total, count) => total + count, 0),
      faultCounts,
      faults: this.#faults.listed,
      columns: (this.#columns ?? []).map((column, index) =>
        column.profile.report(index, this.#soundRows, shorten(column.label, LONGEST_LABEL)),
      ),
    };
  }

  /** Called by the scanner for each record. */
  record(scanner: Scanner): void {
    this.#records++;
    const { dialect } = this.#expectation;
    if (this.#columns === undefined) {
      if (dialect.header) {
        if (this.#records > dialect.recordsBeforeHeader) this.#readHeader(scanner);
        return;
      }
      const count = Math.min(scanner.cellCount, MAX_CELLS);
      this.#open(
        Array.from({ length: count }, (_, index) => `field${index + 1}`),
        [],
      );
    }
    this.#rows++;
    this.#rowFaulty = false;
    this.#rowFails = false;
    if (this.#structureIsSound(scanner)) this.#checkCells(scanner);
    if (this.#rowFaulty) this.#faultyRows++;
    if (this.#rowFails) this.#failingRows++;
  }

  #begin(head: Uint8Array): void {
    this.#head = undefined;
    const foreign = foreignSource(head);
    if (foreign !== undefined) {
      this.#foreign = true;
      const message = `The file ${foreign.what}; UTF-8 text is needed.`;
      if (foreign.encoding && this.#faults.count('encoding-error')) {
        this.#faults.list({ ...NOWHERE, type: 'encoding-error', byte: 0, message });
      }
      if (!foreign.encoding && this.#faults.count('source-error')) {
        this.#faults.list({ ...NOWHERE, type: 'source-error', message });
      }
      return;
    }
    this.#byteOrderMark = equalsBytes(head, 0, Math.min(3, head.length), BYTE_ORDER_MARK);
    if (this.#byteOrderMark) this.#scanner.skip(3);
    this.#scan(this.#byteOrderMark ? head.subarray(3) : head);
  }

  #scan(chunk: Uint8Array): void {
    if (this.#foreign) return;
    const offset = this.#bytes - chunk.length;
    for (let from = 0; from < chunk.length; from += BLOCK_BYTES) {
      const block = chunk.subarray(from, Math.min(chunk.length, from + BLOCK_BYTES));
      if (!this.#watch.sound(block)) this.#suspectUntil = offset + from + block.length;
      this.#scanner.write(block);
    }
  }

  #readHeader(scanner: Scanner): void {
    const count = Math.min(scanner.cellCount, MAX_CELLS);
    const labels: string[] = [];
    for (let cell = 0; cell < count; cell++) labels.push(cellText(scanner, cell));
    const sound =
      this.#sizeIsSound(scanner) && this.#textIsSound(scanner) && this.#quotesAreSound(scanner);
    if (scanner.cellCount > MAX_CELLS && this.#faults.count('source-error')) {
      const message = `The header has ${scanner.cellCount} labels; at most ${MAX_CELLS} are read.`;
      this.#faults.list({ ...NOWHERE, type: 'source-error', message });
    }
    const match = matchHeader(labels, this.#expectation.schema);
    this.#open(labels, match.fieldOfColumn);
    // A header that could not be read makes labels that are not the sender's.
    if (!sound) return;
    for (const { type, column, label, message } of match.faults) {
      if (!this.#faults.count(type)) continue;
      const index = column < 0 ? scanner.recordStart : (scanner.starts[column] ?? 0);
      this.#faults.list({
        type,
        ...this.#place(scanner, index),
        field: column < 0 ? null : column + 1,
        label: label === null ? null : shorten(label, LONGEST_LABEL),
        value: null,
        message,
      });
    }
  }

  #open(labels: readonly string[], fieldOfColumn: readonly number[]): void {
    const { schema } = this.#expectation;
    this.#columns = labels.map((label, column) => {
      const field = schema?.fields[fieldOfColumn[column] ?? -1];
      return { label, field, profile: new ColumnProfile(field) };
    });
    this.#values = new Float64Array(labels.length);
    this.#nulls = new Uint8Array(labels.length);
    for (const key of schema?.keys ?? []) {
      const columns = key.fields.map((field) => fieldOfColumn.indexOf(field));
      // A field without a column was reported as a missing label, or the schema lets it be absent.
      if (columns.includes(-1)) continue;
      this.#keys.push({ fault: key.fault, columns, table: new KeyTable(this.#budget) });
    }
  }

  #structureIsSound(scanner: Scanner): boolean {
    if (!this.#sizeIsSound(scanner)) return false;
    if (!this.#textIsSound(scanner) || !this.#quotesAreSound(scanner)) return false;
    if (this.#isBlank(scanner)) {
      if (this.#countInRow('blank-row')) {
        this.#listRecord('blank-row', scanner, scanner.recordStart, 'The row is blank.');
      }
      return false;
    }
    return this.#cellCountFits(scanner);
  }

  #sizeIsSound(scanner: Scanner): boolean {
    if (!scanner.tooLarge) return true;
    if (this.#countInRow('record-too-large')) {
      const message = `The record is over ${this.#maxRecordBytes} bytes; it was skipped to the next line.`;
      this.#listRecord('record-too-large', scanner, scanner.recordStart, message);
    }
    return false;
  }

  #textIsSound(scanner: Scanner): boolean {
    if (scanner.offset(scanner.recordStart) >= this.#suspectUntil) return true;
    let sound = true;
    const count = Math.min(scanner.cellCount, MAX_CELLS);
    for (let cell = 0; cell < count; cell++) {
      const end = scanner.ends[cell] ?? 0;
      const at = firstUnsoundByte(scanner.bytes, scanner.starts[cell] ?? 0, end);
      if (at < 0) continue;
      sound = false;
      if (!this.#countInRow('encoding-error')) continue;
      const byte = scanner.bytes[at] ?? 0;
      const name = `0x${byte.toString(16).toUpperCase().padStart(2, '0')}`;
      const message =
        byte === 0 ? 'A NUL byte is no text.' : `Byte ${name} is not UTF-8 where it stands.`;
      this.#listCell('encoding-error', scanner, cell, at, message);
    }
    if (!sound) this.#unreadableRecords++;
    return sound;
  }

  #quotesAreSound(scanner: Scanner): boolean {
    if (scanner.quotes === QUOTES_SOUND) return true;
    const stray = scanner.quotes === QUOTES_STRAY;
    const type = stray ? 'stray-quote' : 'unclosed-quote';
    if (this.#countInRow(type)) {
      const message = stray
        ? 'A quote stands inside an unquoted cell, or text follows a closing quote.'
        : 'The quote is not closed; reading went on at the next line.';
      this.#listCell(type, scanner, scanner.quoteCell, scanner.quoteIndex, message);
    }
    return false;
  }

  #isBlank(scanner: Scanner): boolean {
    const count = scanner.cellCount;
    if (count > MAX_CELLS) return false;
    for (let cell = 0; cell < count; cell++) {
      if (scanner.starts[cell] !== scanner.ends[cell]) return false;
    }
    return true;
  }

  #cellCountFits(scanner: Scanner): boolean {
    const columns = this.#columns ?? [];
    const found = scanner.cellCount;
    const expected = columns.length;
    if (found === expected) return true;
    const detail = `The row has ${found} cells; the header has ${expected} labels.`;
    if (found > expected) {
      if (!this.#countInRow('extra-cell', found - expected)) return false;
      for (let cell = expected; cell < found && !this.#faults.full; cell++) {
        this.#listCell('extra-cell', scanner, cell, cellStart(scanner, cell), detail);
      }
    } else {
      if (!this.#countInRow('missing-cell', expected - found)) return false;
      for (let cell = found; cell < expected && !this.#faults.full; cell++) {
        this.#faults.list({
          type: 'missing-cell',
          ...this.#place(scanner, scanner.recordEnd),
          field: cell + 1,
          label: shorten(columns[cell]?.label ?? '', LONGEST_LABEL),
          value: null,
          message: detail,
        });
      }
    }
    return false;
  }

  #checkCells(scanner: Scanner): void {
    const columns = this.#columns as Column[];
    const { starts, ends, flags } = scanner;
    const values = this.#values;
    const nulls = this.#nulls;
    this.#soundRows++;
    for (let cell = 0; cell < columns.length; cell++) {
      const column = columns[cell] as Column;
      const { profile, field } = column;
      let bytes = scanner.bytes;
      let start = starts[cell] as number;
      let end = ends[cell] as number;
      if (((flags[cell] as number) & CELL_ESCAPED) !== 0) {
        bytes = scanner.unescape(cell);
        start = 0;
        end = bytes.length;
      }
      if (this.#isNull(field, bytes, start, end)) {
        profile.nulls++;
        nulls[cell] = 1;
        if (field?.required === true && this.#countInRow('constraint-error')) {
          this.#listCell('constraint-error', scanner, cell, starts[cell] as number, 'required');
        }
        continue;
      }
      nulls[cell] = 0;
      if (field === undefined) {
        profile.addInferred(bytes, start, end);
        continue;
      }
      const value = start === end ? emptyValue(field) : readCell(field.cell, bytes, start, end);
      values[cell] = value;
      if (Number.isNaN(value)) {
        profile.addInferred(bytes, start, end);
        if (this.#countInRow('type-error')) {
          const message = `The value is not of type ${field.type}.`;
          this.#listCell('type-error', scanner, cell, starts[cell] as number, message);
        }
        continue;
      }
      profile.addDeclared(bytes, start, end, value);
      if (field.constraints === undefined) continue;
      const broken = brokenConstraints(field.constraints, bytes, start, end, value);
      for (const message of broken ?? []) {
        if (!this.#countInRow('constraint-error')) continue;
        this.#listCell('constraint-error', scanner, cell, starts[cell] as number, message);
      }
    }
    if (this.#keys.length > 0) this.#checkKeys(scanner);
  }

  #isNull(
    field: CompiledField | undefined,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): boolean {
    if (start === end) return field === undefined || field.emptyIsNull;
    return field?.missingValues?.has(bytes, start, end) === true;
  }

  #checkKeys(scanner: Scanner): void {
    for (const key of this.#keys) {
      const parts = this.#hashKey(scanner, key);
      if (parts === 'invalid' || (parts === 'null' && key.fault === 'unique-error')) continue;
      if (parts === 'null') {
        this.#nullInPrimaryKey(scanner, key);
        continue;
      }
      const first = key.table.firstRecord(this.#records);
      if (first === 0 || !this.#countInRow(key.fault)) continue;
      const [cell = 0] = key.columns;
      const labels = key.columns.map((column) => this.#columns?.[column]?.label ?? '');
      const message = `The same ${labels.join(', ')} came in record ${first}.`;
      const texts = key.columns.map((column) => cellText(scanner, column)).join(', ');
      const value = shorten(texts, LONGEST_VALUE);
      this.#listCell(key.fault, scanner, cell, scanner.starts[cell] ?? 0, message, value);
    }
  }

  #hashKey(scanner: Scanner, key: Key): 'whole' | 'null' | 'invalid' {
    let hasNull = false;
    key.table.begin();
    for (const cell of key.columns) {
      if (this.#nulls[cell] === 1) {
        hasNull = true;
        continue;
      }
      const value = this.#values[cell] as number;
      if (Number.isNaN(value)) return 'invalid';
      const start = scanner.starts[cell] as number;
      const end = scanner.ends[cell] as number;
      const type = this.#columns?.[cell]?.field?.type;
      const numeric = type === 'integer' || type === 'number';
      if (numeric && end - start <= EXACT_NUMBER_BYTES) {
        key.table.addNumber(value);
      } else if (((scanner.flags[cell] ?? 0) & CELL_ESCAPED) !== 0) {
        const text = scanner.unescape(cell);
        key.table.addBytes(text, 0, text.length);
      } else {
        key.table.addBytes(scanner.bytes, start, end);
      }
    }
    return hasNull ? 'null' : 'whole';
  }

  #nullInPrimaryKey(scanner: Scanner, key: Key): void {
    for (const cell of key.columns) {
      // A required field that is null was named already.
      if (this.#nulls[cell] !== 1 || this.#columns?.[cell]?.field?.required === true) continue;
      if (!this.#countInRow('primary-key')) continue;
      const message = 'A field of the primary key is null.';
      this.#listCell('primary-key', scanner, cell, scanner.starts[cell] ?? 0, message);
    }
  }

  /** What only the whole file shows. */
  #judgeWhole(): void {
    if (this.#foreign) return;
    const { thresholds, dialect } = this.#expectation;
    if (this.#columns === undefined || (!dialect.header && this.#rows === 0)) {
      this.#whole(
        'source-error',
        this.#bytes === 0 ? 'The file is empty.' : 'The file has no rows.',
      );
      return;
    }
    if (this.#rows === 0) this.#whole('header-only', 'The header is followed by no rows.');
    const { minRows = 0, maxRows = Infinity } = thresholds;
    if (this.#rows < minRows) {
      this.#whole('table-dimensions', `The file has ${this.#rows} rows; minRows is ${minRows}.`);
    }
    if (this.#rows > maxRows) {
      this.#whole('table-dimensions', `The file has ${this.#rows} rows; maxRows is ${maxRows}.`);
    }
    this.#judgeCompleteness(thresholds.completeness ?? {});
    for (const key of this.#keys) {
      if (key.table.complete) continue;
      const labels = key.columns.map((column) => this.#columns?.[column]?.label ?? '').join(', ');
      const message = `${labels}: too many keys to remember; later duplicates may be unseen.`;
      this.#whole('key-check-incomplete', message);
    }
  }

  #judgeCompleteness(shares: Record<string, number>): void {
    const columns = this.#columns ?? [];
    for (const [label, share] of Object.entries(shares)) {
      const index = columns.findIndex((column) => column.label === label);
      const profile = columns[index]?.profile;
      if (profile === undefined) {
        this.#whole('completeness', 'The column is absent.', -1, label);
      } else if (this.#soundRows - profile.nulls < share * this.#soundRows) {
        const filled = `${this.#soundRows - profile.nulls} of ${this.#soundRows}`;
        this.#whole(
          'completeness',
          `${filled} values are there; ${share} is needed.`,
          index,
          label,
        );
      }
    }
  }

  #whole(type: FaultType, message: string, column = -1, label: string | null = null): void {
    if (!this.#faults.count(type)) return;
    const field = column < 0 ? null : column + 1;
    this.#faults.list({ ...NOWHERE, type, message, field, label });
  }

  /** Counts a fault in a row, or in the header when its record is read; true when it should be listed. */
  #countInRow(type: FaultType, times = 1): boolean {
    if (this.#columns === undefined) return this.#faults.count(type, times);
    this.#rowFaulty = true;
    if (!this.#warning.has(type)) this.#rowFails = true;
    return this.#faults.countInRow(type, times);
  }

  #listCell(
    type: FaultType,
    scanner: Scanner,
    cell: number,
    index: number,
    message: string,
    value = cellText(scanner, cell),
  ): void {
    const label = this.#columns?.[cell]?.label;
    this.#faults.list({
      type,
      ...this.#place(scanner, index),
      field: cell + 1,
      label: label === undefined ? null : shorten(label, LONGEST_LABEL),
      value,
      message,
    });
  }

  #listRecord(type: FaultType, scanner: Scanner, index: number, message: string): void {
    this.#faults.list({ ...NOWHERE, type, ...this.#place(scanner, index), message });
  }

  #place(scanner: Scanner, index: number): Pick<Fault, 'record' | 'line' | 'byte'> {
    return {
      record: this.#records,
      line: scanner.lineAt(index),
      byte: scanner.offset(index),
    };
  }
}

const NOWHERE = {
  record: null,
  line: null,
  byte: null,
  field: null,
  label: null,
  value: null,
} as const;

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

/** An empty cell that is not null, since the schema's missing values do not list it, is text or nothing. */
function emptyValue(field: CompiledField): number {
  return field.type === 'string' || field.type === 'any' ? 0 : Number.NaN;
}

/** Where a cell starts; the end of the record for one beyond those that are kept. */
function cellStart(scanner: Scanner, cell: number): number {
  return cell < MAX_CELLS ? (scanner.starts[cell] ?? scanner.recordEnd) : scanner.recordEnd;
}

function cellText(scanner: Scanner, cell: number): string {
  if (cell >= Math.min(scanner.cellCount, MAX_CELLS)) return '';
  if (((scanner.flags[cell] ?? 0) & CELL_ESCAPED) !== 0) {
    const value = scanner.unescape(cell);
    return reportText(value, 0, value.length, LONGEST_VALUE);
  }
  return reportText(
    scanner.bytes,
    scanner.starts[cell] ?? 0,
    scanner.ends[cell] ?? 0,
    LONGEST_VALUE,
  );
}

function shorten(text: string, limit: number): string {
  if (text.length <= limit) return text;
  return `${Array.from(text.slice(0, limit * 2))
    .slice(0, limit)
    .join('')}\u2026`;
}
