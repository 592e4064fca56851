import type { CompiledDialect } from './dialect.ts';

/** The cell was quoted: its bounds exclude the quotes. */
export const CELL_QUOTED = 1;
/** The cell holds doubled quotes or escape characters: {@link Scanner.unescape} gives its value. */
export const CELL_ESCAPED = 2;

/** What was wrong with the quotes of a record: only the first break is kept, the rest follows from it. */
export const QUOTES_VALID = 0;
export const QUOTES_STRAY = 1;
export const QUOTES_UNCLOSED = 2;

export type QuoteState = typeof QUOTES_VALID | typeof QUOTES_STRAY | typeof QUOTES_UNCLOSED;

/** Cells of one record that are kept by position; what goes beyond is counted only. */
export const MAX_CELLS = 65_536;

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const EQUALS = 0x3d;

const BLOCK_BYTES = 131_072;

/** Room for a small file: clearing more would be most of the work that one is. */
const FIRST_BYTES = 16_384;

const ORDINARY = 0;
const CLASS_DELIMITER = 1;
const CLASS_LINE_FEED = 2;
const CLASS_CARRIAGE_RETURN = 3;
const CLASS_QUOTE = 4;
const CLASS_ESCAPE = 5;

/** Bytes that are read a second time, behind an unclosed quote, before other work may have its turn. */
const STEP_BYTES = 65_536;

/** Bytes after the last one that a {@link RecordTaker} may look at. */
const LOOK_AHEAD = 32;

const AT_RECORD = 0;
const AT_CELL = 1;
const IN_CELL = 2;
const IN_QUOTES = 3;
const AFTER_QUOTE = 4;
const IN_COMMENT = 5;
const IN_SKIPPED_LINE = 6;
const ESCAPED_IN_CELL = 7;
const ESCAPED_IN_QUOTES = 8;
const AFTER_ESCAPED_RETURN = 9;
const IN_FORMULA = 10;
const AFTER_FORMULA = 11;

/** Receives each record while its bytes are in the scanner's buffer; keeps nothing of the scanner. */
export interface RecordHandler {
  record(scanner: Scanner): void;
}

/** Reads records that it can judge by itself. */
export interface RecordTaker {
  /** Physical line on which the next record starts. */
  line: number;
  /** Takes what it can of the records in `bytes[from, length)`, one of which starts at `from`; gives where the next one starts. */
  take(scanner: Scanner, from: number, length: number): number;
}

/**
 * Splits a stream of bytes into CSV records, in one pass and in constant memory.
 *
 * The rules are RFC 4180's, with LF, CRLF and lone CR as line ends. A broken file is read on, never abandoned:
 *
 * - A quote inside an unquoted cell, or text after a closing quote, is stray: the cell goes on to the next
 *   delimiter or line end. Those of `="001"` are none: so spreadsheets, and programs that write for them, keep zeros.
 * - A quoted cell is unclosed when its supposed closing quote follows a delimiter and precedes text, on the
 *   line of its opening quote: it is the next cell's opening quote, and reading goes on in that cell.
 * - It is unclosed as well when the file ends in it, when it crosses lines and then closes in front of text,
 *   or when it crosses lines and outgrows `maxRecordBytes`. The record then ends with the physical line on
 *   which that quote stands, and scanning goes on at the next line. The lines up to the point where the break
 *   showed are read a second time, and not a third: all their quotes come in pairs, else the cell would have
 *   ended there, so no cell that begins in them can stay open past its line.
 * - A cell that follows a broken one in its record is read by the same rules, so that it may cross lines: cut
 *   at its first line, its rest would be taken for a record of its own, with a fault that nobody made.
 * - A line end behind an escape character belongs to the cell, as MySQL's SELECT ... INTO OUTFILE writes it.
 * - Any other record over `maxRecordBytes` is reported once and skipped to its next physical line.
 *
 * The outcome does not depend on how the stream is cut into chunks.
 */
export class Scanner {
  /** Buffer that holds the current record; valid until the handler returns. */
  bytes: Uint8Array;
  /** Number of the file's byte at `bytes[0]`. */
  base = 0;
  recordStart = 0;
  /** Index after the record's last byte, its line end not counted. */
  recordEnd = 0;
  /** Physical line, from 1, on which the record starts. */
  recordLine = 1;
  /** All cells of the record, those beyond {@link MAX_CELLS} included. */
  cellCount = 0;
  starts = new Int32Array(256);
  ends = new Int32Array(256);
  flags = new Uint8Array(256);
  quotes: QuoteState = QUOTES_VALID;
  /** Index of the cell whose quotes broke. */
  quoteCell = 0;
  /** Index of the quote that broke. */
  quoteIndex = 0;
  /** The record is longer than `maxRecordBytes`: only its start was read. */
  tooLarge = false;
  /** Lines that were passed over as comments. */
  comments = 0;
  /** Line ends of records so far, by kind; those inside quoted cells are not counted. */
  readonly lineEnds = { lf: 0, crlf: 0, cr: 0 };

  /** Is asked at the start of each record; what it leaves is read here. */
  taker: RecordTaker | undefined;

  /** Where {@link bytes} are to be from the next {@link write} on, as long as there is room enough for them. */
  room: Uint8Array | undefined;

  readonly #handler: RecordHandler;
  #dialect: CompiledDialect;
  readonly #maxRecordBytes: number;
  readonly #classes = new Uint8Array(256);
  /** The highest byte that has a class of its own. */
  #highest = 0;
  #length = 0;
  #position = 0;
  #state = AT_RECORD;
  #line = 1;
  #cellStart = 0;
  #cellFlags = 0;
  #openQuote = 0;
  #openQuoteLine = 1;
  #firstBreak = -1;
  #afterReturn = false;
  #stopAt = Infinity;
  #isStopped = false;
  #scratch = new Uint8Array(256);

  constructor(handler: RecordHandler, dialect: CompiledDialect, maxRecordBytes: number) {
    this.#handler = handler;
    this.#dialect = dialect;
    this.#maxRecordBytes = maxRecordBytes;
    this.bytes = new Uint8Array(FIRST_BYTES);
    this.useDialect(dialect);
  }

  /** Reads by another dialect; before the first {@link write}. */
  useDialect(dialect: CompiledDialect): void {
    this.#dialect = dialect;
    this.#highest = Math.max(CARRIAGE_RETURN, dialect.delimiter, dialect.quote, dialect.escape);
    this.#classes.fill(ORDINARY);
    this.#classes[LINE_FEED] = CLASS_LINE_FEED;
    this.#classes[CARRIAGE_RETURN] = CLASS_CARRIAGE_RETURN;
    this.#classes[dialect.delimiter] = CLASS_DELIMITER;
    if (dialect.quote >= 0) this.#classes[dialect.quote] = CLASS_QUOTE;
    if (dialect.escape >= 0) this.#classes[dialect.escape] = CLASS_ESCAPE;
  }

  /** Takes the next bytes of the file, any number of them, and hands over every record they complete. */
  write(chunk: Uint8Array): void {
    for (const _step of this.writing(chunk));
  }

  /**
   * The same in steps between which other work may have its turn, where there is more to do than bytes are given: lines
   * behind an unclosed quote are read again, and a handler may {@link pause}.
   */
  *writing(chunk: Uint8Array): Generator<void> {
    for (let from = 0; from < chunk.length; from += BLOCK_BYTES) {
      const block = chunk.subarray(from, Math.min(chunk.length, from + BLOCK_BYTES));
      const isFull = this.#length + block.length + LOOK_AHEAD >= this.bytes.length;
      if (isFull || (this.room !== undefined && this.room !== this.bytes)) {
        this.#makeRoom(block.length + LOOK_AHEAD + 1);
      }
      this.bytes.set(block, this.#length);
      this.#length += block.length;
      // Ends every loop over ordinary bytes, which then need not look at the length each time.
      this.bytes[this.#length] = LINE_FEED;
      yield* this.#scanning();
    }
  }

  /** To be called by the handler: reading stops before the next record, and this one is known until it goes on. */
  pause(): void {
    this.#stopAt = -1;
  }

  /** Index from which on the next record is not read yet. */
  get stopAt(): number {
    return this.#stopAt;
  }

  *#scanning(): Generator<void> {
    this.#scan();
    while (this.#isStopped) {
      yield;
      this.#isStopped = false;
      this.#stopAt = this.#position + STEP_BYTES;
      this.#scan();
    }
    this.#stopAt = Infinity;
  }

  /** Skips bytes, and lines, that belong to no record (a byte order mark) before the first {@link write}. */
  skip(count: number, lines = 0): void {
    this.base += count;
    this.#line += lines;
  }

  /** Physical line of what was not read yet; of a record only where {@link restsAt} it. */
  get nextLine(): number {
    return this.#line;
  }

  /** Whether all before this byte of the file was handed over in whole records, and nothing behind it was seen. */
  restsAt(offset: number): boolean {
    const { base } = this;
    return this.#state === AT_RECORD && base + this.#position === offset && this.#isEmpty;
  }

  /**
   * Goes on at the start of another record, where what stands between was read elsewhere.
   *
   * @param line on which it starts
   */
  resume(offset: number, line: number): void {
    if (this.#state !== AT_RECORD || !this.#isEmpty) throw new Error('a record is being read');
    this.base = offset;
    this.#line = line;
    this.#length = 0;
    this.#position = 0;
    this.recordStart = 0;
    this.#afterReturn = false;
  }

  /** Reads other bytes from here on, and gives up what it is at. */
  restart(offset: number): void {
    this.#state = AT_RECORD;
    this.#position = this.#length;
    this.resume(offset, 1);
    Object.assign(this.lineEnds, { lf: 0, crlf: 0, cr: 0 });
  }

  get #isEmpty(): boolean {
    return this.#position === this.#length;
  }

  /** Ends the file and hands over what is left. */
  end(): void {
    for (const _step of this.ending());
  }

  /** The same in steps, as {@link writing} has them. */
  *ending(): Generator<void> {
    for (;;) {
      switch (this.#state) {
        case IN_QUOTES:
        case ESCAPED_IN_QUOTES:
          this.#unclosed(this.#length);
          yield* this.#scanning();
          continue;
        case AT_CELL:
          this.#cellStart = this.#position;
          this.#cellFlags = 0;
          this.#push(this.#position);
          break;
        case IN_CELL:
        case ESCAPED_IN_CELL:
        case AFTER_ESCAPED_RETURN:
          this.#push(this.#position);
          break;
        case IN_FORMULA:
          this.#breakQuotes(QUOTES_STRAY, this.#openQuote);
          this.#push(this.#position);
          break;
        case AFTER_FORMULA:
          this.#push(this.#position);
          break;
        case AFTER_QUOTE:
          this.#push(this.#position - 1);
          break;
        default:
          return;
      }
      this.#emit(this.#position);
      this.#state = AT_RECORD;
      return;
    }
  }

  /** Number of the file's byte at an index of the buffer. */
  offset(index: number): number {
    return this.base + index;
  }

  /** Makes room for the cells of a {@link RecordTaker}. */
  reserve(cells: number): void {
    while (this.starts.length < cells) this.#growCells();
  }

  /** Physical line of an index within the current record. */
  lineAt(index: number): number {
    let line = this.recordLine;
    for (let i = this.recordStart; i < index; i++) {
      const byte = this.bytes[i];
      if (byte === CARRIAGE_RETURN) line++;
      else if (byte === LINE_FEED && (i === 0 || this.bytes[i - 1] !== CARRIAGE_RETURN)) line++;
    }
    return line;
  }

  /**
   * The value of a cell that has {@link CELL_ESCAPED}.
   *
   * @param isOwn whether it stands in memory of its own; else it is valid until the next such call
   */
  unescape(cell: number, isOwn = false): Uint8Array {
    const start = this.starts[cell] ?? 0;
    const end = this.ends[cell] ?? 0;
    if (!isOwn && this.#scratch.length < end - start) {
      this.#scratch = new Uint8Array((end - start) * 2);
    }
    const scratch = isOwn ? new Uint8Array(end - start) : this.#scratch;
    const { quote, doubleQuote, escape: escapeByte } = this.#dialect;
    const quoted = ((this.flags[cell] ?? 0) & CELL_QUOTED) !== 0;
    let length = 0;
    for (let i = start; i < end; i++) {
      const byte = this.bytes[i] ?? 0;
      const skips = byte === escapeByte || (quoted && doubleQuote && byte === quote);
      if (skips && i + 1 < end) i++;
      scratch[length++] = this.bytes[i] ?? 0;
    }
    return scratch.subarray(0, length);
  }

  #scan(): void {
    const bytes = this.bytes;
    const classes = this.#classes;
    const length = this.#length;
    const max = this.#maxRecordBytes;
    const highest = this.#highest;
    const comment = this.#dialect.comment;
    const skipSpace = this.#dialect.skipInitialSpace;
    let pos = this.#position;
    let state = this.#state;
    let limit = Math.min(length, this.recordStart + max + 1);
    for (;;) {
      switch (state) {
        case AT_CELL: {
          if (skipSpace) while (pos < limit && bytes[pos] === SPACE) pos++;
          if (pos >= limit) break;
          if (classes[bytes[pos] as number] === CLASS_QUOTE) {
            this.#openQuote = pos;
            this.#openQuoteLine = this.#line;
            this.#firstBreak = -1;
            this.#cellFlags = CELL_QUOTED;
            pos++;
            this.#cellStart = pos;
            state = IN_QUOTES;
          } else {
            this.#cellStart = pos;
            this.#cellFlags = 0;
            state = IN_CELL;
          }
          continue;
        }
        case IN_CELL: {
          let kind = ORDINARY;
          // Local copies for the one loop that most of the time is spent in.
          let { starts, ends, flags, cellCount } = this;
          let cellStart = this.#cellStart;
          let cellFlags = this.#cellFlags;
          for (;;) {
            // Most bytes of most files are above every special one, and need no look at the table.
            while ((bytes[pos] as number) > highest) pos++;
            if (pos >= limit) {
              pos = limit;
              break;
            }
            kind = classes[bytes[pos] as number] as number;
            if (kind === ORDINARY) {
              pos++;
              continue;
            }
            if (kind !== CLASS_DELIMITER || skipSpace) break;
            if (cellCount < starts.length) {
              starts[cellCount] = cellStart;
              ends[cellCount] = pos;
              flags[cellCount++] = cellFlags;
            } else {
              this.cellCount = cellCount;
              this.#cellStart = cellStart;
              this.#cellFlags = cellFlags;
              this.#push(pos);
              ({ starts, ends, flags, cellCount } = this);
            }
            pos++;
            // The next cell, when it is plain too, goes on here.
            if (pos >= limit || classes[bytes[pos] as number] === CLASS_QUOTE) {
              state = AT_CELL;
              break;
            }
            cellStart = pos;
            cellFlags = 0;
          }
          this.cellCount = cellCount;
          this.#cellStart = cellStart;
          this.#cellFlags = cellFlags;
          if (state === AT_CELL) continue;
          if (pos >= limit) break;
          if (kind === CLASS_DELIMITER) {
            this.#push(pos);
            pos++;
            state = AT_CELL;
          } else if (kind === CLASS_QUOTE) {
            if (pos === this.#cellStart + 1 && bytes[pos - 1] === EQUALS) {
              this.#openQuote = pos;
              state = IN_FORMULA;
            } else {
              this.#breakQuotes(QUOTES_STRAY, pos);
            }
            pos++;
          } else if (kind === CLASS_ESCAPE) {
            this.#cellFlags |= CELL_ESCAPED;
            pos++;
            state = ESCAPED_IN_CELL;
          } else {
            this.#push(pos);
            this.#emit(pos);
            pos = this.#endLine(pos);
            state = AT_RECORD;
          }
          continue;
        }
        case IN_QUOTES: {
          let kind = ORDINARY;
          while (pos < limit) {
            while ((bytes[pos] as number) > highest) pos++;
            kind = classes[bytes[pos] as number] as number;
            if (kind > CLASS_DELIMITER) break;
            pos++;
          }
          if (pos >= limit) {
            pos = limit;
            break;
          }
          if (kind === CLASS_QUOTE) {
            pos++;
            state = AFTER_QUOTE;
          } else if (kind === CLASS_ESCAPE) {
            this.#cellFlags |= CELL_ESCAPED;
            pos++;
            state = ESCAPED_IN_QUOTES;
          } else {
            if (this.#firstBreak < 0) this.#firstBreak = pos;
            if (kind === CLASS_CARRIAGE_RETURN || bytes[pos - 1] !== CARRIAGE_RETURN) this.#line++;
            pos++;
          }
          continue;
        }
        case AFTER_QUOTE: {
          if (pos >= limit) break;
          const kind = classes[bytes[pos] as number] as number;
          if (kind === CLASS_DELIMITER) {
            this.#push(pos - 1);
            pos++;
            state = AT_CELL;
          } else if (kind === CLASS_LINE_FEED || kind === CLASS_CARRIAGE_RETURN) {
            this.#push(pos - 1);
            this.#emit(pos);
            pos = this.#endLine(pos);
            state = AT_RECORD;
          } else if (kind === CLASS_QUOTE && this.#dialect.doubleQuote) {
            this.#cellFlags |= CELL_ESCAPED;
            pos++;
            state = IN_QUOTES;
          } else if (this.#firstBreak >= 0) {
            pos = this.#unclosed(pos - 1);
            state = AT_RECORD;
          } else if (this.#opensNextCell(pos - 1)) {
            this.#breakQuotes(QUOTES_UNCLOSED, this.#openQuote);
            this.#cellFlags = 0;
            this.#push(pos - 2);
            this.#openQuote = pos - 1;
            this.#cellFlags = CELL_QUOTED;
            this.#cellStart = pos;
            state = IN_QUOTES;
          } else {
            this.#breakQuotes(QUOTES_STRAY, pos - 1);
            this.#cellStart = this.#openQuote;
            this.#cellFlags = 0;
            state = IN_CELL;
          }
          continue;
        }
        case IN_FORMULA: {
          while (pos < limit && classes[bytes[pos] as number] === ORDINARY) pos++;
          if (pos >= limit) break;
          if (classes[bytes[pos] as number] === CLASS_QUOTE) {
            pos++;
            state = AFTER_FORMULA;
          } else {
            this.#breakQuotes(QUOTES_STRAY, this.#openQuote);
            state = IN_CELL;
          }
          continue;
        }
        case AFTER_FORMULA: {
          if (pos >= limit) break;
          const kind = classes[bytes[pos] as number] as number;
          if (kind === ORDINARY || kind > CLASS_CARRIAGE_RETURN) {
            this.#breakQuotes(QUOTES_STRAY, this.#openQuote);
          }
          state = IN_CELL;
          continue;
        }
        case ESCAPED_IN_CELL: {
          if (pos >= limit) break;
          const isReturn = bytes[pos] === CARRIAGE_RETURN;
          if (isReturn || bytes[pos] === LINE_FEED) this.#line++;
          pos++;
          state = isReturn ? AFTER_ESCAPED_RETURN : IN_CELL;
          continue;
        }
        case AFTER_ESCAPED_RETURN: {
          if (pos >= limit) break;
          if (bytes[pos] === LINE_FEED) pos++;
          state = IN_CELL;
          continue;
        }
        case ESCAPED_IN_QUOTES: {
          if (pos >= limit) break;
          const byte = bytes[pos];
          if (byte !== LINE_FEED && byte !== CARRIAGE_RETURN) pos++;
          state = IN_QUOTES;
          continue;
        }
        case IN_COMMENT:
        case IN_SKIPPED_LINE: {
          if (pos >= this.#stopAt) {
            this.#isStopped = true;
            break;
          }
          while (pos < length && bytes[pos] !== LINE_FEED && bytes[pos] !== CARRIAGE_RETURN) pos++;
          this.recordStart = pos;
          if (pos >= length) break;
          pos = this.#endLine(pos);
          state = AT_RECORD;
          continue;
        }
        default: {
          if (pos >= this.#stopAt) {
            this.#isStopped = true;
            break;
          }
          this.recordStart = pos;
          if (pos >= length) break;
          if (this.#afterReturn) {
            this.#afterReturn = false;
            if (bytes[pos] === LINE_FEED) {
              this.lineEnds.cr--;
              this.lineEnds.crlf++;
              pos++;
              continue;
            }
          }
          this.quotes = QUOTES_VALID;
          this.tooLarge = false;
          if (this.taker !== undefined) {
            this.taker.line = this.#line;
            pos = this.taker.take(this, pos, length);
            this.#line = this.taker.line;
            this.recordStart = pos;
            if (pos >= length) break;
          }
          this.recordLine = this.#line;
          this.cellCount = 0;
          limit = Math.min(length, pos + max + 1);
          state = AT_CELL;
          if (bytes[pos] === comment) {
            this.comments++;
            state = IN_COMMENT;
          }
          continue;
        }
      }
      // Only a state that ran out of bytes arrives here.
      if (state === AT_RECORD || state === IN_COMMENT || state === IN_SKIPPED_LINE) break;
      if (pos - this.recordStart <= max) break;
      if (this.#firstBreak >= 0 && (state === IN_QUOTES || state === ESCAPED_IN_QUOTES)) {
        pos = this.#unclosed(pos);
        state = AT_RECORD;
      } else {
        this.tooLarge = true;
        this.#emit(pos);
        state = IN_SKIPPED_LINE;
      }
    }
    this.#position = pos;
    this.#state = state;
  }

  #push(end: number): void {
    const index = this.cellCount++;
    if (index >= this.starts.length) {
      if (index >= MAX_CELLS) return;
      this.#growCells();
    }
    this.starts[index] = this.#cellStart;
    this.ends[index] = end;
    this.flags[index] = this.#cellFlags;
  }

  #growCells(): void {
    const size = this.starts.length * 2;
    const starts = new Int32Array(size);
    const ends = new Int32Array(size);
    const flags = new Uint8Array(size);
    starts.set(this.starts);
    ends.set(this.ends);
    flags.set(this.flags);
    this.starts = starts;
    this.ends = ends;
    this.flags = flags;
  }

  #emit(end: number): void {
    this.recordEnd = end;
    this.#handler.record(this);
  }

  /** Counts the line end at `pos` and gives the index after it; the LF of a CRLF is taken by the next record. */
  #endLine(pos: number): number {
    this.#line++;
    if (this.bytes[pos] === CARRIAGE_RETURN) {
      this.#afterReturn = true;
      this.lineEnds.cr++;
    } else {
      this.lineEnds.lf++;
    }
    return pos + 1;
  }

  /** Notes a break, unless the record had one before. */
  #breakQuotes(kind: QuoteState, index: number): void {
    if (this.quotes !== QUOTES_VALID) return;
    this.quotes = kind;
    this.quoteCell = this.cellCount;
    this.quoteIndex = index;
  }

  /** A quote right after a delimiter and in front of text opens a cell, so the one before was never closed. */
  #opensNextCell(quote: number): boolean {
    return quote - 1 > this.#openQuote && this.bytes[quote - 1] === this.#dialect.delimiter;
  }

  /** Ends the record with the line of its open quote; gives the index at which the next record starts. */
  #unclosed(brokenAt: number): number {
    const end = this.#firstBreak >= 0 ? this.#firstBreak : brokenAt;
    this.#breakQuotes(QUOTES_UNCLOSED, this.#openQuote);
    this.#cellFlags = 0;
    this.#push(end);
    this.#emit(end);
    this.#line = this.#openQuoteLine;
    this.#state = AT_RECORD;
    this.#position = this.#firstBreak >= 0 ? this.#endLine(end) : end;
    this.#firstBreak = -1;
    this.#stopAt = Math.min(this.#stopAt, this.#position + STEP_BYTES);
    return this.#position;
  }

  /** Moves the open record to the buffer's start and enlarges the buffer while less than half of it is free. */
  #makeRoom(needed: number): void {
    const shift = this.recordStart;
    const kept = this.#length - shift;
    const { room } = this;
    if (room !== undefined && kept + needed <= room.length) {
      this.#moveTo(room);
      return;
    }
    if (this.#length + needed <= this.bytes.length) return;
    let size = Math.max(this.bytes.length, BLOCK_BYTES * 4);
    while (kept + needed > size || (kept > size / 2 && size < this.#maxRecordBytes)) size *= 2;
    size = Math.max(Math.min(size, this.#maxRecordBytes + 2 * BLOCK_BYTES), kept + needed);
    this.#moveTo(size > this.bytes.length ? new Uint8Array(size) : this.bytes);
  }

  /** Moves the open record to the start of a buffer that has room for it. */
  #moveTo(target: Uint8Array): void {
    const shift = this.recordStart;
    const kept = this.#length - shift;
    target.set(this.bytes.subarray(shift, this.#length));
    this.bytes = target;
    this.base += shift;
    this.#length = kept;
    this.#position -= shift;
    this.recordStart = 0;
    this.#cellStart -= shift;
    this.#openQuote -= shift;
    if (this.#firstBreak >= 0) this.#firstBreak -= shift;
    this.quoteIndex -= shift;
    const cells = Math.min(this.cellCount, this.starts.length);
    for (let i = 0; i < cells; i++) {
      this.starts[i] = (this.starts[i] as number) - shift;
      this.ends[i] = (this.ends[i] as number) - shift;
    }
  }
}
