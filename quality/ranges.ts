import { CellReader } from './cells.ts';
import type {
  Column,
  InspectedFile,
  KeyBatch,
  RangeGatherer,
  RangeStage,
  RowKeys,
  Writable,
} from './checks/check.ts';
import { SignWatch, Utf8Watch } from './checks/encoding.ts';
import type { CompiledDialect } from './dialect.ts';
import { Findings } from './findings.ts';
import { PlainRows, type PlainRowsContext } from './plain-rows.ts';
import type { CopyPiece, RangeBlock, RangeResult } from './ports.ts';
import { ColumnProfile } from './profile.ts';
import { QUOTES_VALID, type RecordHandler, type RecordTaker, Scanner } from './scanner.ts';
import { WasmRows } from './wasm-rows.ts';

/** Numbers that {@link RangeResult} has for each part that was left. */
export const LEFT_FIGURES = 4;

/** Bytes of all parts that were left between start and end. */
export function leftBytes({ left }: RangeResult): number {
  let bytes = 0;
  for (let i = 0; i < left.length; i += LEFT_FIGURES) {
    bytes += (left[i + 1] as number) - (left[i] as number);
  }
  return bytes;
}

/** What {@link RangeReader} must know of the file: its state once the columns are settled. */
export interface RangeContext {
  readonly file: InspectedFile;
  readonly dialect: CompiledDialect;
  readonly columns: readonly Column[];
  readonly header: PlainRowsContext['header'];
  readonly stages: readonly (RangeStage | undefined)[];
}

/** Bytes that are given to the scanner at once. */
const PIECE_BYTES = 65_536;
/** Of the first piece, which tells whether the start is one; after it the rows are read by WebAssembly. */
const FIRST_PIECE_BYTES = 4_096;
/** Room for the places of rows at first; an even number. */
const FIRST_PLACES = 1_024;
/** Lines that are tried as the first one. */
const TRIES = 4;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** Of a block that is left to the file's thread from its first byte to its last. */
export const NOTHING_READ: RangeResult = {
  start: -1,
  end: -1,
  left: new Int32Array(0),
  rows: 0,
  lines: 0,
  lineEnds: { lf: 0, crlf: 0 },
  profiles: [],
  gathered: [],
  places: new Int32Array(0),
};

/** Reads blocks of a file in a thread of its own; in what order is all the same. */
export class RangeReader implements RecordHandler, RecordTaker {
  line = 1;
  readonly #context: RangeContext;
  readonly #file: Writable<InspectedFile>;
  readonly #columns: readonly Column[];
  readonly #cells: CellReader;
  readonly #plain: WasmRows;
  readonly #scanner: Scanner;
  #gatherers: readonly (RangeGatherer | undefined)[] = [];
  #judging: readonly RangeGatherer[] = [];
  #start = 0;
  /** How the rows that are counted end. */
  #lineEnds = { lf: 0, crlf: 0 };
  #left: number[] = [];
  /** Start and line of each row that is counted, where they are wanted. */
  readonly #copyPiece: CopyPiece;
  readonly #isPlaced: boolean;
  #places = new Int32Array(FIRST_PLACES);
  #placed = 0;
  /** Rows that PlainRows has counted, and that were left nevertheless. */
  #countedLeft = 0;
  /** Where what was not read yet starts, and on which line. */
  #read = 0;
  #readLine = 1;
  /** Index in the block of what was not given to the scanner yet. */
  #given = 0;
  /** How far the block had to be seen to tell where a record with a broken quote ends. */
  #seenUntil = 0;
  /** Whether the first row is one that can be counted; undefined before it was read. */
  #isPlausible: boolean | undefined;
  #isFaulty = false;

  constructor(context: RangeContext, copyPiece: CopyPiece) {
    this.#copyPiece = copyPiece;
    const { file, dialect, columns, header, stages } = context;
    const { maxRecordBytes } = file;
    this.#context = context;
    this.#columns = columns.map((column) => ({
      ...column,
      profile: new ColumnProfile(column.field),
    }));
    const suspect = () => {
      this.#isFaulty = true;
    };
    this.#cells = new CellReader(this.#columns, suspect, suspect);
    const { values, nulls } = this.#cells;
    this.#file = { ...file, columns: this.#columns, values, nulls };
    this.#scanner = new Scanner(this, dialect, maxRecordBytes);
    this.#scanner.reserve(columns.length);
    const isJudged = stages.some((stage) => stage !== undefined);
    this.#isPlaced = stages.some((stage) => stage?.addRows !== undefined);
    const plain = new PlainRows({
      header,
      dialect,
      maxRecordBytes,
      columns: this.#columns,
      file: this.#file,
      found: new FoundInRange(this.#file, this.#scanner, this),
      signs: new SignWatch(),
      cells: this.#cells,
      judges: isJudged
        ? [Object.assign((record: Scanner) => this.#judge(record), this.#keys())]
        : [],
    });
    this.#plain = new WasmRows(plain, 0);
    this.#scanner.taker = this;
  }

  /** Keys can be gathered of many rows at once where nothing else looks at the rows. */
  #keys(): { readonly keys?: RowKeys<string> } {
    const { stages } = this.#context;
    const [gatherer, ...others] = stages.flatMap((stage) => stage?.gather(this.#file) ?? []);
    if (gatherer?.keys === undefined || others.length > 0) return {};
    return {
      keys: {
        keys: gatherer.keys.keys,
        see: (batch, scanner) => {
          this.#placeAll(batch, scanner);
          this.#judging[0]?.keys?.see(batch);
        },
        find: () => 0,
        approach: () => {},
        rememberNew: () => 0,
        conclude: () => {},
      },
    };
  }

  /** Reads a block as if it began outside of quotes. */
  read(block: RangeBlock): RangeResult {
    const reading = this.steps(block);
    let step = reading.next();
    while (step.done !== true) step = reading.next();
    return step.value;
  }

  /** The same in steps between which other work may have its turn. */
  *steps(block: RangeBlock): Generator<void, RangeResult> {
    // The last line is left: what is asked of a file's last record, the file's thread can answer.
    const stop = block.lastIndexOf(LINE_FEED, block.lastIndexOf(LINE_FEED) - 1) + 1;
    let start = block.indexOf(LINE_FEED) + 1;
    for (let tries = 0; tries < TRIES && start > 0 && start < stop; tries++) {
      this.#begin(start);
      const result = yield* this.#readFrom(block, stop);
      if (result !== undefined) return result;
      start = block.indexOf(LINE_FEED, start) + 1;
    }
    return NOTHING_READ;
  }

  #begin(start: number): void {
    const { lineEnds, otherLineEnd } = this.#context.file;
    // What was counted before is given up.
    this.#plain.fold();
    this.#plain.restart();
    for (const { profile } of this.#columns) profile.clear();
    Object.assign(this.#file, { records: 0, rows: 0, readRows: 0, suspectUntil: 0 });
    this.#scanner.restart(start);
    // As the rows before the block end; in a file in which they differ, it is no matter how the others end.
    if (otherLineEnd === undefined) Object.assign(this.#scanner.lineEnds, lineEnds);
    this.#gatherers = this.#context.stages.map((stage) => stage?.gather(this.#file));
    this.#judging = this.#gatherers.filter((gatherer) => gatherer !== undefined);
    this.line = 1;
    this.#start = start;
    this.#lineEnds = { lf: 0, crlf: 0 };
    this.#left = [];
    this.#placed = 0;
    this.#countedLeft = 0;
    this.#read = start;
    this.#readLine = 1;
    this.#given = 0;
    this.#seenUntil = 0;
    this.#isPlausible = undefined;
    this.#isFaulty = false;
  }

  #judge(record: Scanner): void {
    if (this.#isFaulty) return;
    const judging = this.#judging;
    this.#isFaulty = judging.some((gatherer) => gatherer.refuses?.(record) ?? false);
    if (this.#isFaulty) return;
    for (const gatherer of judging) gatherer.see(record);
    if (this.#isPlaced) this.#place(record.offset(record.recordStart), record.recordLine);
  }

  /** Reads up to `stop`; undefined where the first row is none of those that are counted, so that another start is better. */
  *#readFrom(block: RangeBlock, stop: number): Generator<void, RangeResult | undefined> {
    const { isUtf8 } = this.#file.ports;
    const watch = new Utf8Watch(isUtf8);
    const signs = new SignWatch();
    let signCount = 0;
    for (let from = this.#start; from < stop; from = this.#given) {
      const isFirst = from === this.#start;
      let to = Math.min(from + (isFirst ? FIRST_PIECE_BYTES : PIECE_BYTES), stop);
      // A record that is whole in what is given is read in one go.
      if (to < stop) to = Math.max(block.lastIndexOf(LINE_FEED, to - 1) + 1, from + 1);
      const piece = this.#copyPiece(block, from, to);
      const isText = watch.isValid(piece);
      // One at the very beginning of a file would be no sign.
      signs.watch(piece, from + 1);
      const count = signs.signs.reduce((sum, sign) => sum + sign.count, 0);
      if (!isText || count > signCount) this.#file.suspectUntil = to;
      signCount = count;
      this.#given = to;
      this.#scanner.write(piece);
      if (this.#isPlausible === false) return undefined;
      yield;
    }
    return this.#result();
  }

  /** Called by the scanner for a record that is not plain: whoever reads it anew must see as much of the file. */
  record(scanner: Scanner): void {
    if (scanner.quotes === QUOTES_VALID) return;
    this.#seenUntil = this.#given;
    this.#file.suspectUntil = this.#given;
  }

  take(scanner: Scanner, from: number, length: number): number {
    const start = scanner.offset(from);
    if (start > this.#read) this.#leave(this.#read, start, this.#readLine);
    this.#plain.line = this.line;
    const { lf, crlf } = scanner.lineEnds;
    const end = this.#plain.take(scanner, from, length);
    this.#lineEnds.lf += scanner.lineEnds.lf - lf;
    this.#lineEnds.crlf += scanner.lineEnds.crlf - crlf;
    this.line = this.#plain.line;
    this.#isPlausible ??= end > from;
    this.#read = scanner.offset(end);
    this.#readLine = this.line;
    return end;
  }

  #placeAll({ rows, words, stride, start, lines }: KeyBatch, scanner: Scanner): void {
    const offset = scanner.offset(0);
    const line = this.#plain.line - 1;
    this.#makeRoom(rows);
    const places = this.#places;
    let place = this.#placed;
    for (let at = 0; at < rows * stride; at += stride) {
      places[place++] = offset + (words[at + start] as number);
      places[place++] = line + (words[at + lines] as number);
    }
    this.#placed = place;
  }

  #makeRoom(rows: number): void {
    const places = this.#placed + rows * 2;
    if (places <= this.#places.length) return;
    const more = new Int32Array(places * 2);
    more.set(this.#places);
    this.#places = more;
  }

  #place(offset: number, line: number): void {
    this.#makeRoom(1);
    this.#places[this.#placed++] = offset;
    this.#places[this.#placed++] = line - 1;
  }

  beginRow(): void {
    this.#isFaulty = false;
  }

  endRow(): void {
    if (!this.#isFaulty) return;
    const { bytes, recordStart, recordEnd, recordLine } = this.#scanner;
    this.#cells.forget(this.#scanner);
    const isPair = bytes[recordEnd] === CARRIAGE_RETURN;
    if (isPair) this.#lineEnds.crlf--;
    else this.#lineEnds.lf--;
    const start = this.#scanner.offset(recordStart);
    const end = this.#scanner.offset(recordEnd) + (isPair ? 2 : 1);
    this.#countedLeft++;
    this.#leave(start, end, recordLine);
  }

  #leave(start: number, end: number, line: number): void {
    const left = this.#left;
    const rows = this.#rows;
    const isNext = left.at(-1) === rows && left.at(-3) === start;
    if (isNext) left[left.length - 3] = end;
    else left.push(start, end, line - 1, rows);
  }

  get #rows(): number {
    return this.#file.rows - this.#countedLeft;
  }

  #result(): RangeResult {
    this.#plain.fold();
    const left = this.#left;
    let end = this.#read;
    let line = this.#readLine;
    if (this.#seenUntil > end && left.at(-3) === end) {
      // Where its last record ends, only what follows tells.
      [end = 0, , line = 0] = left.splice(-LEFT_FIGURES);
      line++;
    }
    return {
      start: this.#start,
      end,
      left: Int32Array.from(left),
      rows: this.#rows,
      lines: line - 1,
      lineEnds: this.#lineEnds,
      profiles: this.#columns.map(({ profile }) => profile.part()),
      gathered: this.#gatherers.map((gatherer) => gatherer?.gathered()),
      places: this.#places.slice(0, this.#placed),
    };
  }
}

/** Tells a reading when rows begin and end of which PlainRows can't tell by itself that there is nothing to find. */
class FoundInRange extends Findings {
  readonly #rows: { beginRow(): void; endRow(): void };

  constructor(file: InspectedFile, scanner: Scanner, rows: { beginRow(): void; endRow(): void }) {
    super(0, {}, file, scanner);
    this.#rows = rows;
  }

  override beginRow(): void {
    this.#rows.beginRow();
  }

  override endRow(): void {
    this.#rows.endRow();
  }
}
