import * as at from './assembly/layout.ts';
import type { RowKeys } from './checks/check.ts';
import { INFERRED_TYPES } from './column-plan.ts';
import type { FaultType } from './faults.ts';
import { brokenConstraints } from './field-constraints.ts';
import { APPROACHED_KEYS } from './key-index.ts';
import { countedType, GUESSES, guessType, type PlainRows } from './plain-rows.ts';
import type { ColumnProfile, InferredCell } from './profile.ts';
import { CELL_ESCAPED, CELL_QUOTED, type RecordTaker, type Scanner } from './scanner.ts';
import { oddityOf } from './text.ts';
import { UNKNOWN } from './uniqueness.ts';
import { keyRowBytes, layOutMemory, type MemoryLayout, rowKeysOf } from './wasm-memory.ts';
import { ROWS_WASM } from './wasm-module.ts';

/** Bytes of a file after which it is read so: a smaller one is done by then. */
const FIRST_BYTES = 65_536;

/** The scanner's buffer: a block of it, and what is left of a record before. */
const ROOM_BYTES = 256 * 1024;
/** Bytes after the buffer that may be looked at, and mean nothing. */
const SLACK_BYTES = 64;
const PAGE_BYTES = 65_536;

/** Columns that are read so: the memory for one is half a KiB and more. */
const MOST_COLUMNS = 1_024;

/** What is needed of WebAssembly, which a runtime need not have. */
interface WebAssemblyApi {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
  readonly Memory: new (pages: { initial: number; maximum: number }) => { buffer: ArrayBuffer };
}

/** What the module exports (assembly/rows.ts). */
interface RowsExports {
  take(from: number, length: number, stopAt: number, endings: number): number;
  enter(list: number, entry: number): void;
}

/** Compiled once for all files of a process. */
let compiled: object | undefined;

/** What was compiled, for {@link useCompiledLoop} in another thread of the process. */
export function compiledLoop(): object | undefined {
  return compiled;
}

export function useCompiledLoop(loop: object): void {
  compiled = loop;
}

/**
 * Reads plain rows as {@link PlainRows} does, by the same rules in WebAssembly (assembly/rows.ts): it runs at its full
 * speed at once, where a loop in JavaScript is compiled anew whenever it meets what it has not seen yet. The scanner
 * has its bytes in the memory of the module.
 *
 * It begins with a large enough file. What it can't do is done by PlainRows: a record that is longer than the memory
 * has room for, a table of very many columns, and all of it where WebAssembly is not there.
 */
export class WasmRows implements RecordTaker {
  readonly #plain: PlainRows;
  readonly #firstBytes: number;
  #loop: WasmLoop | undefined;
  #isTried = false;

  /** @param firstBytes bytes of the file, from 0, that are read before */
  constructor(plain: PlainRows, firstBytes = FIRST_BYTES) {
    this.#plain = plain;
    this.#firstBytes = firstBytes;
  }

  get line(): number {
    return this.#plain.line;
  }

  set line(line: number) {
    this.#plain.line = line;
  }

  take(scanner: Scanner, from: number, length: number): number {
    if (!this.#isTried && scanner.offset(from) >= this.#firstBytes) {
      this.#isTried = true;
      this.#loop = beginLoop(this.#plain);
      scanner.room = this.#loop?.room;
    }
    const loop = this.#loop;
    const isThere = loop !== undefined && scanner.bytes === loop.room;
    return isThere ? loop.take(scanner, from, length) : this.#plain.take(scanner, from, length);
  }

  /** Hands what was counted over to the profiles of the columns; called once, or before {@link restart}. */
  fold(): void {
    this.#plain.fold();
    this.#loop?.fold();
  }

  /** Begins anew with profiles that have seen nothing. */
  restart(): void {
    this.#plain.restart();
    this.#loop?.restart();
  }
}

function beginLoop(plain: PlainRows): WasmLoop | undefined {
  const { WebAssembly: api } = globalThis as { WebAssembly?: WebAssemblyApi };
  if (api === undefined || plain.plan.kinds.length > MOST_COLUMNS || !isLittleEndian()) {
    return undefined;
  }
  try {
    compiled ??= new api.Module(Uint8Array.from(atob(ROWS_WASM), (char) => char.charCodeAt(0)));
    return new WasmLoop(api, compiled, plain);
  } catch {
    // As where a policy of content security does not allow it, or there is no address space left.
    return undefined;
  }
}

/** As the memory of WebAssembly is on all machines. */
function isLittleEndian(): boolean {
  return new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
}

/** One instance of the module, with its memory. */
class WasmLoop {
  /** Where the scanner is to have its bytes. */
  readonly room: Uint8Array;
  readonly #plain: PlainRows;
  readonly #layout: MemoryLayout;
  readonly #exports: RowsExports;
  readonly #view: DataView;
  readonly #starts: Int32Array;
  readonly #ends: Int32Array;
  readonly #flags: Uint8Array;
  readonly #values: Float64Array;
  readonly #nulls: Uint8Array;
  readonly #left: Int32Array;
  readonly #rowKeys: RowKeys<FaultType> | undefined;
  /** The rows of keys, as hashes and as integers. */
  readonly #keyWords: Int32Array;
  readonly #keyValues: Float64Array;
  readonly #answers: Int32Array;
  /** Whether there is one key, no integer, and there may be room for more of it. */
  #remembersNew: boolean;

  constructor(api: WebAssemblyApi, module: object, plain: PlainRows) {
    const layout = layOutMemory(plain);
    const count = plain.plan.kinds.length;
    const pages = Math.ceil((layout.room + ROOM_BYTES + SLACK_BYTES) / PAGE_BYTES);
    const memory = new api.Memory({ initial: pages, maximum: pages });
    const { buffer } = memory;
    this.#plain = plain;
    this.#layout = layout;
    this.#view = new DataView(buffer);
    this.room = new Uint8Array(buffer, layout.room, ROOM_BYTES);
    this.#starts = new Int32Array(buffer, layout.starts, count);
    this.#ends = new Int32Array(buffer, layout.ends, count);
    this.#flags = new Uint8Array(buffer, layout.flags, count);
    this.#values = new Float64Array(buffer, layout.values, count);
    this.#nulls = new Uint8Array(buffer, layout.nulls, count);
    this.#left = new Int32Array(buffer, layout.left, count);
    this.#rowKeys = rowKeysOf(plain.context.judges);
    this.#keyWords = new Int32Array(buffer, layout.keyRows);
    this.#keyValues = new Float64Array(buffer, layout.keyRows);
    const keys = this.#rowKeys?.keys ?? [];
    this.#answers = new Int32Array(keys.length);
    this.#remembersNew = keys.length === 1 && keys[0]?.isInteger === false;
    const imports = { env: { memory }, rows: this.#imports() };
    this.#exports = new api.Instance(module, imports).exports as RowsExports;
    this.restart();
  }

  /** Lays out the memory as it is before the first row. */
  restart(): void {
    const { bytes, lists } = this.#layout;
    new Uint8Array(this.#view.buffer).set(bytes);
    for (const [list, entries] of lists) {
      for (let entry = 1; entry <= entries; entry++) this.#exports.enter(list, entry);
    }
  }

  /** What only TypeScript knows of a cell, asked for by its address. */
  #imports(): object {
    const { constraints, reads } = this.#plain.plan;
    const bytes = new Uint8Array(this.#view.buffer);
    const guess: InferredCell = { type: 'string', value: 0 };
    return {
      oddity: (start: number, end: number): number => oddityOf(bytes, start, end),
      read: (cell: number, start: number, end: number): number =>
        (reads[cell] as (typeof reads)[number])(bytes, start, end),
      breaks: (cell: number, start: number, end: number, value: number): number => {
        const rules = constraints[cell];
        return rules === undefined ? 0 : brokenConstraints(rules, bytes, start, end, value);
      },
      guess: (cell: number, start: number, end: number): number => {
        const code = guessType(bytes, start, end, guess);
        this.#values[cell] = guess.value;
        bytes[this.#layout.columns + cell * at.COLUMN_BYTES + at.KIND] = GUESSES[code] as number;
        return countedType(code);
      },
      looks: (start: number, end: number): number => guessType(bytes, start, end, guess),
    };
  }

  /** As {@link PlainRows.take}, of bytes in the room. */
  take(scanner: Scanner, from: number, length: number): number {
    const plain = this.#plain;
    const endings = plain.endings(scanner, from);
    if (endings === 0) return from;
    const stopAt = plain.stopAt(scanner, length);
    const { lineEnds } = scanner;
    let pos = from;
    for (;;) {
      const handsOver = this.#exports.take(pos, length, stopAt, endings) === 1;
      pos = this.#word(at.POSITION);
      const feeds = this.#word(at.FEEDS);
      const pairs = this.#word(at.PAIRS);
      if (feeds + pairs === 0) break;
      // The row that is handed over is counted when those before it have ended.
      const batched = this.#word(at.KEY_ROW_COUNT);
      if (batched > 0) this.#findKeys(scanner, batched);
      else plain.count(feeds + pairs - (handsOver ? 1 : 0));
      lineEnds.lf += feeds;
      lineEnds.crlf += pairs;
      scanner.recordLine = plain.line + this.#word(at.LAST_LINES);
      plain.line += this.#word(at.LINES);
      if (handsOver) {
        plain.count(1);
        this.#handOver(scanner);
      } else if (batched < this.#word(at.MOST_KEY_ROWS)) {
        break;
      }
    }
    this.#showRow(scanner);
    return pos;
  }

  /** Has the scanner know the cells of the last row, as it does of one that it read itself. */
  #showRow({ starts, ends, flags }: Scanner): void {
    const count = this.#starts.length;
    for (let cell = 0; cell < count; cell++) {
      starts[cell] = this.#starts[cell] as number;
      ends[cell] = this.#ends[cell] as number;
      flags[cell] = this.#flags[cell] as number;
    }
  }

  /** Has the rest of a row judged, the last one that was taken. */
  #handOver(scanner: Scanner): void {
    const { file } = this.#plain.context;
    const count = this.#starts.length;
    this.#showRow(scanner);
    scanner.recordStart = this.#word(at.RECORD_START);
    scanner.recordEnd = this.#word(at.RECORD_END);
    scanner.cellCount = count;
    for (let cell = 0; cell < count; cell++) {
      file.values[cell] = this.#values[cell] as number;
      file.nulls[cell] = this.#nulls[cell] as number;
    }
    const leftCount = this.#word(at.LEFT_COUNT);
    this.#plain.finish(scanner, this.#left, leftCount);
    for (let index = 0; index < leftCount; index++) this.#settle(this.#left[index] as number);
  }

  /** Looks the keys of rows up, which are all that were read since the last call. */
  #findKeys(scanner: Scanner, rows: number): void {
    const { file } = this.#plain.context;
    const keys = this.#rowKeys as RowKeys<FaultType>;
    const words = this.#keyWords;
    const values = this.#keyValues;
    const stride = keyRowBytes(keys.keys.length) / 4;
    if (keys.see !== undefined) {
      const hashes = keys.keys.map((_, key) => (at.KEY_ROW_HASHES + key * at.HASH_BYTES) / 4);
      const [start, lines] = [at.KEY_ROW_START / 4, at.KEY_ROW_LINES / 4];
      keys.see({ rows, words, values, stride, hashes, start, lines }, scanner);
      this.#plain.count(rows);
      return;
    }
    for (let from = 0; from < rows; from += APPROACHED_KEYS) {
      const to = Math.min(rows, from + APPROACHED_KEYS);
      keys.keys.forEach(({ isInteger }, key) => {
        const hash = from * stride + (at.KEY_ROW_HASHES + key * at.HASH_BYTES) / 4;
        if (!isInteger) keys.approach(key, words, hash, stride, to - from);
      });
      for (let row = from; row < to; row++) {
        if (this.#remembersNew) {
          const hash = row * stride + at.KEY_ROW_HASHES / 4;
          const known = keys.rememberNew(words, hash, stride, to - row, file.records + 1);
          this.#plain.count(known);
          row += known;
          if (row === to) break;
        }
        this.#plain.count(1);
        this.#findKeysOf(scanner, row * stride);
      }
    }
  }

  /** Looks the keys of one row up, which is the last one that was counted. */
  #findKeysOf(scanner: Scanner, place: number): void {
    const { found, file } = this.#plain.context;
    const keys = this.#rowKeys as RowKeys<FaultType>;
    const words = this.#keyWords;
    const values = this.#keyValues;
    const answers = this.#answers;
    let isNew = true;
    for (let key = 0; key < answers.length; key++) {
      const hash = place + (at.KEY_ROW_HASHES + key * at.HASH_BYTES) / 4;
      const answer = keys.find(key, words, hash, values[hash / 2] as number, file.records);
      answers[key] = answer;
      if (answer !== 0) isNew = false;
    }
    if (isNew) return;
    if (answers[0] === UNKNOWN) this.#remembersNew = false;
    const start = words[place + at.KEY_ROW_START / 4] as number;
    this.#readAgain(scanner, start, words[place + at.KEY_ROW_END / 4] as number);
    scanner.recordLine = this.#plain.line + (words[place + at.KEY_ROW_LINES / 4] as number);
    found.beginRow();
    keys.conclude(answers, scanner, found);
    found.endRow();
  }

  /** Has the scanner know a row that was read before, which is plain. */
  #readAgain(scanner: Scanner, start: number, end: number): void {
    const { delimiter, quote } = this.#plain.context.dialect;
    const { bytes, starts, ends, flags } = scanner;
    let cell = 0;
    for (let pos = start; pos <= end; pos++) {
      const isQuoted = pos < end && bytes[pos] === quote;
      const from = isQuoted ? pos + 1 : pos;
      let flag = isQuoted ? CELL_QUOTED : 0;
      pos = from;
      for (const last = isQuoted ? quote : delimiter; pos < end; pos++) {
        if (bytes[pos] !== last) continue;
        if (!isQuoted || bytes[pos + 1] !== quote) break;
        flag |= CELL_ESCAPED;
        pos++;
      }
      starts[cell] = from;
      ends[cell] = pos;
      flags[cell] = flag;
      if (isQuoted) pos++;
      cell++;
    }
    scanner.recordStart = start;
    scanner.recordEnd = end;
    scanner.cellCount = cell;
  }

  /** Where a column lists no more faults of a kind, they are counted without a look at them. */
  #settle(cell: number): void {
    const { found } = this.#plain.context;
    const settled =
      (found.isSettled('type-error', cell) ? at.TYPE_ERROR : 0) |
      (found.isSettled('constraint-error', cell) ? at.CONSTRAINT_ERROR : 0);
    this.#view.setUint8(this.#layout.columns + cell * at.COLUMN_BYTES + at.SETTLED, settled);
  }

  /** Hands what was counted over to the profiles of the columns. */
  fold(): void {
    this.#plain.plan.profiles.forEach((profile, index) => {
      const column = this.#layout.columns + index * at.COLUMN_BYTES;
      const low = Math.min(this.#double(column + at.LOW), this.#double(column + at.FAULTY_LOW));
      const high = Math.max(this.#double(column + at.HIGH), this.#double(column + at.FAULTY_HIGH));
      profile.addCounted(this.#double(column + at.NULL_COUNT), low, high);
      this.#foldTallies(profile, this.#word(column + at.TALLIES));
      this.#foldText(profile, this.#word(column + at.FIRST_TEXT));
      this.#foldText(profile, this.#word(column + at.LAST_TEXT));
      this.#foldList(profile, this.#word(column + at.LIST));
      const { found } = this.#plain.context;
      found.addSettled('type-error', index, this.#double(column + at.TYPE_ERRORS));
      found.addSettled('constraint-error', index, this.#double(column + at.CONSTRAINT_ERRORS));
    });
    const { found } = this.#plain.context;
    found.addSettledRows(this.#double(at.FAULTY_ROWS), this.#double(at.FAILING_ROWS));
  }

  #foldTallies(profile: ColumnProfile, tallies: number): void {
    if (tallies === 0) return;
    INFERRED_TYPES.forEach((type, code) => {
      const tally = tallies + code * at.TALLY_BYTES;
      const count = this.#double(tally);
      if (type === undefined || count === 0) return;
      const low = this.#double(tally + at.TALLY_LOW);
      profile.addCountedInferred(type, count, low, this.#double(tally + at.TALLY_HIGH));
    });
  }

  #foldText(profile: ColumnProfile, text: number): void {
    const length = text === 0 ? -1 : this.#word(text + at.TEXT_LENGTH);
    if (length < 0) return;
    const start = text + at.TEXT_BYTES;
    profile.addText(new Uint8Array(this.#view.buffer), start, start + length);
  }

  #foldList(profile: ColumnProfile, list: number): void {
    const entries = list === 0 ? 0 : (this.#layout.lists.get(list) ?? 0);
    const bytes = new Uint8Array(this.#view.buffer);
    for (let index = 0; index < entries; index++) {
      const entry = this.#word(list + at.LIST_ENTRIES) + index * at.ENTRY_BYTES;
      if (this.#word(entry + at.ENTRY_SEEN) === 0) continue;
      const start = this.#word(entry + at.ENTRY_TEXT);
      const end = start + this.#word(entry + at.ENTRY_LENGTH);
      profile.addDeclared(bytes, start, end, this.#double(entry + at.ENTRY_VALUE));
    }
  }

  #word(address: number): number {
    return this.#view.getInt32(address, true);
  }

  #double(address: number): number {
    return this.#view.getFloat64(address, true);
  }
}
