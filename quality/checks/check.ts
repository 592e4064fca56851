import type { Classification } from '../classification.ts';
import type { RowState } from '../deferred-keys.ts';
import type { AcceptedDelivery, CompiledRule, RuleReport } from '../delivery-rules.ts';
import type { DescriptorOption, ProblemList } from '../descriptor-error.ts';
import type { CompiledDialect } from '../dialect.ts';
import type { FoundDialect } from '../dialect-finder.ts';
import type { EnginePorts, Reference } from '../ports.ts';
import type { ColumnProfile } from '../profile.ts';
import { CELL_ESCAPED, MAX_CELLS, type Scanner } from '../scanner.ts';
import type { CompiledField, CompiledSchema } from '../table-schema.ts';
import { LONGEST_VALUE, reportText } from '../text.ts';
import type { TextEncoding } from '../text-source.ts';

/**
 * One check: the kinds of fault that it names, how it words them, and its exact judgement. It gets its place in
 * the engine by its line in CHECKS, and its kinds by their rows in FAULT_KINDS (faults.ts).
 *
 * @template K the kinds that it names
 * @template T the thresholds that it reads
 */
export interface Check<K extends string, T = unknown> {
  readonly kinds: readonly K[];
  /** Thresholds that are this check's alone. */
  readonly thresholds?: readonly DescriptorOption[];
  /** Reads those thresholds and notes what is wrong with them. */
  readonly compile?: (
    given: Readonly<Record<string, unknown>>,
    path: string,
    problems: ProblemList,
  ) => object;
  /** Bits of `structureSuspicions` (structure.ts) at which the structure of a row is judged. @default any */
  readonly suspicions?: number;
  /** Begins the check of one file. */
  readonly begin: (file: InspectedFile, thresholds: T) => Stages<K>;
}

/** Faults of one kind and column that are listed at most. */
export const MOST_OF_A_COLUMN = 20;

/** What a check does at each stage of a file. Where the answer is false, no later check is asked at that stage. */
export interface Stages<K extends string> {
  /** Judges the first bytes of the file; false when it can't be read on. */
  head?(bytes: Uint8Array, found: Found<K>): boolean;
  /** Judges what the first records say of the dialect; the file is read by that. */
  dialect?(dialect: FoundDialect, found: Found<K>): void;
  /**
   * Judges the structure of a record, the header included; false when it is broken. It sees the header, and of the
   * rows those with one of the check's suspicions. Later checks are asked as well where nothing that was found so
   * far fails the file.
   */
  structure?(record: Scanner, found: Found<K>): boolean;
  /** Finds the fields that the labels stand for. */
  match?(labels: readonly string[]): LabelMatch | undefined;
  /** Judges the labels after they were matched. */
  header?(header: Header, found: Found<K>): void;
  /** Judges a cell of any text that is odd, as the bits of `oddityOf` (text.ts) have it. */
  text?(cell: number, oddity: number, found: Found<K>): void;
  /** Judges a cell that the loop over cells (cells.ts) suspects. */
  cell?(cell: SuspectCell, found: Found<K>): void;
  /**
   * Called once the columns are known; what it gives back sees every row of which cells were read, after them. A
   * kind that the loop over cells can't suspect by itself belongs here.
   */
  open?(columns: readonly Column[]): RowJudge<K> | undefined;
  /**
   * Ends the judgement of rows that have passed; it is called once, after the last row, and stops between its steps,
   * so that other work of the process gets its turn.
   */
  settle?(found: Found<K>): Generator<void>;
  /** Counts a row that repeats the header; nothing else of it is judged. */
  repeatedHeader?(found: Found<K>): void;
  /** Judges a row before the first of its cells that is suspected; true where no cell of it is judged. */
  suspectRow?(found: Found<K>): boolean;
  /** Judges the last record once more, as the last one, before {@link end}. */
  last?(record: Scanner, found: Found<K>): void;
  /** Judges what only the whole file shows. */
  end?(found: Found<K>): boolean;
  /** Gives back what is held outside of memory; called after the end, and where a file is given up. */
  close?(): void;
  /** Without it a file of which the check judges each row is read by one thread. */
  readonly ranges?: RangeStage;
}

/** How a check that judges each row does so where other threads read ranges of the file (ranges.ts). */
export interface RangeStage {
  /** In such a thread, after {@link Stages.open}: gives what sees the rows of one range in which nothing was found. */
  gather(file: InspectedFile): RangeGatherer;
  /**
   * In the thread of the file: whether what was gathered of a range can be added. Where not, it reads the range itself.
   *
   * @param most rows of the range, at the most, that come to be judged before it is added
   */
  mayAdd?(gathered: unknown, most: number): boolean;
  /** Adds it, as if the rows had been judged here. */
  add?(gathered: unknown): void;
  /**
   * In its place for what depends on the rows before, of one check at the most: adds rows, each in its turn.
   *
   * @param from which row of the range is the first, from 0; `to` is the one after the last
   * @param record the number of the first in the file
   * @returns the first row that has to be judged in the thread of the file, which is the next thing that happens; or `to`
   */
  addRows?(gathered: unknown, from: number, to: number, record: number): number;
}

/** Gathers what a check wants to know of the rows of one range. */
export interface RangeGatherer {
  /** Whether the row has to be judged in the thread of the file. */
  refuses?(record: Scanner): boolean;
  see(record: Scanner): void;
  /** The same of many rows at once, where it looks at nothing but keys of one column each. */
  readonly keys?: { readonly keys: readonly RowKey[]; see(batch: KeyBatch): void };
  /** What was gathered, which can be sent to another thread. */
  gathered(): unknown;
}

export interface RowJudge<K extends string> {
  (record: Scanner, found: Found<K>): void;
  /** The same of many rows at once, where it looks at nothing but keys of one column each. */
  readonly keys?: RowKeys<K>;
}

/** Keys of rows that are sound, which are looked up without a look at the row. */
export interface RowKeys<K extends string> {
  readonly keys: readonly RowKey[];
  /** Takes the keys of rows in the place of all else, where none is looked up yet. */
  readonly see?: (batch: KeyBatch, scanner: Scanner) => void;
  /**
   * Looks the key of one row up, and remembers it.
   *
   * @param number of the key, from 0
   * @param hash its hash, from `at` on; of an integer the value
   * @returns 0 where it is new, or what {@link conclude} is to be told
   */
  find(number: number, hash: Int32Array, at: number, value: number, record: number): number;
  /** Says that a key of these rows that is not an integer will be looked up soon. */
  approach(number: number, hashes: Int32Array, at: number, stride: number, rows: number): void;
  /**
   * Looks the only key of rows up, which is not an integer, and remembers it, while it is new.
   *
   * @param record that of the first row
   * @returns the number of rows in which it is
   */
  rememberNew(hashes: Int32Array, at: number, stride: number, rows: number, record: number): number;
  /** Ends a row of which not each key was new; it must be the current one. */
  conclude(answers: Int32Array, record: Scanner, found: Found<K>): void;
}

/** Keys of rows that are sound, as they stand in memory: each place is an index of `words` in the first row. */
export interface KeyBatch {
  readonly rows: number;
  readonly words: Int32Array;
  /** The same memory: a key that is an integer is its double. */
  readonly values: Float64Array;
  /** Words from a row to the next one. */
  readonly stride: number;
  /** Where the hash of each key is. */
  readonly hashes: readonly number[];
  /** Where the row starts in the buffer, and the number of lines before it in what was read last. */
  readonly start: number;
  readonly lines: number;
}

export interface RowKey {
  readonly cell: number;
  readonly isInteger: boolean;
  /** Of `KeyHash` (key-hash.ts). */
  readonly secret: Int32Array;
}

/**
 * Called once the columns are known, and again where a faulty header turns out not to be theirs; what it gives back
 * sees every row whose structure is sound, as a {@link RowJudge} does.
 */
export type RowReader = (
  file: InspectedFile,
  columns: readonly Column[],
) => (record: Scanner) => void;

/** A file as far as it was read; values and nulls are those of the current row. */
export interface InspectedFile {
  /** As declared; once the first records were read, as they say that it is. */
  readonly dialect: CompiledDialect;
  readonly schema: CompiledSchema | undefined;
  /** Those of the mapping, and the thresholds that are rules. */
  readonly rules: readonly CompiledRule[];
  /** Accepted deliveries of the same monitored file, the last one first; undefined where they are not known. */
  readonly history: readonly AcceptedDelivery[] | undefined;
  /** When it was delivered, in milliseconds since 1970. */
  readonly deliveredAt: number;
  /** Keys of other files that foreign keys refer to; those of others are not known. */
  readonly references: readonly Reference[];
  readonly maxRecordBytes: number;
  /** Memory that the keys of all uniqueness checks may take together. */
  readonly maxKeyBytes: number;
  readonly ports: EnginePorts;
  /** As it was delivered. */
  readonly bytes: number;
  /** Whether what is judged came out of an archive. */
  readonly unpacked: boolean;
  /** Settled before the first bytes are judged. */
  readonly text: TextEncoding;
  /** The file's byte at an offset of the UTF-8 that is judged; null where it is no longer known. */
  readonly byteOf: (offset: number) => number | null;
  /** Of the whole file; empty before its end. */
  readonly sha256: string;
  /** Records, the header and what comes before it included. */
  readonly records: number;
  readonly rows: number;
  /** Rows of which cells were read; of a broken one perhaps not each, which its column's profile counts. */
  readonly readRows: number;
  /** Up to this byte a record may hold bytes that are not text. */
  readonly suspectUntil: number;
  /** How records end so far. */
  readonly lineEnds: { readonly lf: number; readonly crlf: number; readonly cr: number };
  /** The first record that ends otherwise than those before it. */
  readonly otherLineEnd: { readonly record: number; readonly line: number } | undefined;
  /** The last byte of the text, or the end-of-file mark where only line ends follow it; -1 of an empty one. */
  readonly lastByte: number;
  /** Characters that are text, and signs of what befell the text before. */
  readonly signs: readonly TextSign[];
  /** Undefined until the header was read. */
  readonly columns: readonly Column[] | undefined;
  /** Whether the columns are the schema's, since the rows have its width and a faulty header has another one. */
  readonly columnsOfSchema: boolean;
  /** Order values of the row's cells; NaN for what is not of its type or was not read. A null keeps an older one. */
  readonly values: Float64Array;
  /** 1 for a null, 0 for a value, 2 for what was not read. */
  readonly nulls: Uint8Array;
}

/** One kind of character that a sender rarely means, as far as the file was read. */
export interface TextSign {
  readonly kind: 'byte-order-mark' | 'replacement-character' | 'mojibake';
  readonly count: number;
  /** Offset in the UTF-8 of the first one; Infinity before it was seen. */
  readonly firstByte: number;
  /** Where the first one is; undefined outside of records. */
  readonly place:
    | { readonly record: number; readonly line: number; readonly byte: number | null }
    | undefined;
}

/**
 * Bytes for the keys of one of the checks that remember some: the keys of the file, foreign keys within it and those of
 * other files share the memory equally, as far as there are any.
 */
export function keyBudgetOf({ maxKeyBytes, schema }: InspectedFile): number {
  const { foreignKeys = [], references = [] } = schema ?? {};
  const others = [foreignKeys, references].filter(({ length }) => length > 0).length;
  return Math.floor(maxKeyBytes / (1 + others));
}

/** What its owner fills in, and others only read. */
export type Writable<T> = { -readonly [K in keyof T]: T[K] };

export interface Column {
  readonly label: string;
  readonly field: CompiledField | undefined;
  /** As {@link classificationOf} has it. */
  readonly classification: Classification | null;
  readonly profile: ColumnProfile;
}

/** What the labels of a header stand for. */
export interface LabelMatch {
  /** For each label the index of its field in the schema, or -1. */
  readonly fieldOfColumn: readonly number[];
  /** The same for the cells of rows that are as wide as the schema, where a faulty header is not. */
  readonly schemaLayout: readonly number[] | undefined;
  /** Whether a label is that of a field, or nearly; true where all are blank or there is no schema. */
  readonly known: boolean;
}

export interface Header {
  /** Physical line, from 1. */
  readonly line: number;
  /** All labels, those beyond what is read included. */
  readonly labelCount: number;
  /** False when its structure is broken: the labels are then not the sender's. */
  readonly intact: boolean;
}

/**
 * A cell of a declared field that may be at fault. The next one is the same object, so that a file with many
 * faults makes no garbage: what is read of it must be read at once.
 */
export interface SuspectCell {
  readonly cell: number;
  readonly field: CompiledField;
  readonly isNull: boolean;
  /** The cell's text is `bytes[start, end)`. */
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  /** Its order value; NaN when it is null or not of the field's type. */
  readonly value: number;
  /** The constraints that a value of the field's type breaks, as `brokenConstraints` has them. */
  readonly broken: number;
}

/** Takes what checks find. Faults are counted first, and listed when there is room, so that nobody words what nobody reads. */
export interface Found<K extends string> {
  /** What was found in the current row so far. */
  readonly row: RowState;
  /** Whether faults of this kind, or its mild ones, do not count against the file. */
  onlyWarns(kind: K, mild?: boolean): boolean;
  /**
   * Counts faults of a kind, of a cell or column where there is one (else -1); true when there is room to list one.
   * A mild one only warns, whatever else its kind does, unless `failOn` lists it.
   */
  count(kind: K, cell?: number, times?: number, mild?: boolean): boolean;
  /** Counts a fault of a row that has ended, and was as `row` says then. */
  countInEarlierRow(kind: K, cell: number, place: EarlierRow): void;
  /** Takes what became of a delivery rule. */
  noteRule(report: RuleReport): void;
  /**
   * Takes back what was found in the cells of the last row, which has ended; undefined where its structure is at
   * fault. The rest is true where some of it counted against the file.
   */
  takeBackLastRow(): boolean | undefined;
  /** Counts a fault of the last row, after {@link takeBackLastRow}. */
  countInLastRow(kind: K, mild: boolean): boolean;
  /** Counts a record that holds bytes which are not text. */
  countUnreadable(): void;
  /** Lists a fault of the current record as a whole. */
  listRecord(kind: K, message: string): void;
  /** Lists a fault of one cell of the current record; -1 stands for a label that is not there. */
  listCell(kind: K, cell: number, message: string, details?: CellDetails): void;
  /** Lists a fault of a row that has ended, of which the texts are not known any more. */
  listEarlierRow(kind: K, message: string, place: RowPlace): void;
  /** Lists a fault of the whole file or of one of its columns. */
  listFile(kind: K, message: string, details?: FileDetails): void;
}

export interface CellDetails {
  /** Index in the scanner's buffer. @default where the cell starts */
  readonly index?: number;
  /** @default the column's label */
  readonly label?: string | null;
  /** @default the cell's text */
  readonly value?: string | null;
  /** Columns of which the value holds something, where it is not the cell's alone. */
  readonly cells?: readonly number[];
  /** The message without texts of the file and of the schema's rules, where it holds some. */
  readonly plainMessage?: string;
}

/** A row that has ended, as it was then. */
export interface EarlierRow {
  readonly record: number;
  readonly row: RowState;
}

/** Where in a row that has ended a fault is. */
export interface RowPlace {
  readonly record: number;
  readonly line: number;
  readonly byte: number | null;
  /** Indexes of the columns that it is about; it stands at the first. */
  readonly cells: readonly number[];
}

export interface FileDetails {
  readonly record?: number;
  readonly line?: number;
  readonly byte?: number | null;
  /** Index of the column; -1 for one that the file lacks, and an earlier delivery had. */
  readonly column?: number;
  readonly label?: string;
  /** As of a cell. */
  readonly plainMessage?: string;
}

/** Takes the parts of a key. */
export interface KeyParts {
  begin(): void;
  addBytes(bytes: Uint8Array, start: number, end: number): void;
  addKey(key: number | string): void;
  finish(): void;
}

/** Adds a cell of its field's type to a key by its value; a text as it is written. */
export function addCellKey(
  key: KeyParts,
  field: CompiledField,
  value: number,
  record: Scanner,
  cell: number,
): void {
  let bytes = record.bytes;
  let start = record.starts[cell] as number;
  let end = record.ends[cell] as number;
  if (((record.flags[cell] as number) & CELL_ESCAPED) !== 0) {
    bytes = record.unescape(cell);
    start = 0;
    end = bytes.length;
  }
  const isText = field.type === 'string' || field.type === 'any';
  if (isText) key.addBytes(bytes, start, end);
  else key.addKey(field.cell.key(bytes, start, end, value));
}

/** A cell's text as reports show it. @param longest characters, behind which it is cut */
export function cellText(scanner: Scanner, cell: number, longest = LONGEST_VALUE): string {
  if (cell >= Math.min(scanner.cellCount, MAX_CELLS)) return '';
  if (((scanner.flags[cell] ?? 0) & CELL_ESCAPED) !== 0) {
    // What is listed stands beside a cell that is being judged, and must not take its place.
    const value = scanner.unescape(cell, true);
    return reportText(value, 0, value.length, longest);
  }
  const { bytes, starts, ends } = scanner;
  return reportText(bytes, starts[cell] ?? 0, ends[cell] ?? 0, longest);
}
