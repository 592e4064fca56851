import type { CellReader } from './cells.ts';
import type { Column, InspectedFile, RowJudge, Writable } from './checks/check.ts';
import type { SignWatch } from './checks/encoding.ts';
import type { HeaderStart } from './checks/no-data.ts';
import {
  breaksLength,
  ColumnPlan,
  DATE,
  DATETIME,
  INFERRED_DATE,
  INFERRED_DATETIME,
  INFERRED_INTEGER,
  INFERRED_NUMBER,
  INFERRED_SHIFT,
  INFERRED_STRING,
  INFERRED_TYPES,
  INTEGER,
  LAST_PARSED,
  LENGTH_RULE,
  LISTED,
  NO_RULE,
  NUMBER,
  OTHER,
  TEXT,
  type TextList,
  UNCOUNTED,
} from './column-plan.ts';
import type { CompiledDialect } from './dialect.ts';
import type { FaultType } from './faults.ts';
import { brokenConstraints, type ValueConstraints } from './field-constraints.ts';
import type { Findings } from './findings.ts';
import { type ColumnProfile, type InferredCell, inferCell } from './profile.ts';
import { CELL_ESCAPED, CELL_QUOTED, type RecordTaker, type Scanner } from './scanner.ts';
import { oddityOf, type TextSet } from './text.ts';
import { DAY_MS, dayMilliseconds, UNORDERED } from './types/cell-type.ts';
import { readInteger, readNumber } from './types/number.ts';

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const PLUS = 0x2b;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const LETTER_T = 0x54;
const ZULU = 0x5a;

/** With so many digits a number is exact as 32 bits; with more up to the second, as a double. */
const SHORT_DIGITS = 9;
const EXACT_DIGITS = 15;
/** From 10^0 on. */
export const POWERS_OF_TEN = Float64Array.from(
  { length: EXACT_DIGITS + 1 },
  (_, power) => 10 ** power,
);

/** Four bytes that are digits, as one little-endian word. */
const FOUR_ZEROS = 0x30303030;
const ABOVE_NINE = 0x46464646;
const HIGH_BITS = 0x80808080 | 0;
/** `-MM-` without its digits. */
const MONTH_MASK = 0xff0000ff | 0;
const MONTH_HYPHENS = 0x2d00002d;

/** Days of the months of these years are looked up. */
const FIRST_YEAR = 1900;
const LAST_YEAR = 2099;
/** First day of each month, from January of the first year, in days since 1970. */
export const MONTH_STARTS = Int32Array.from(
  { length: (LAST_YEAR - FIRST_YEAR + 1) * 12 + 1 },
  (_, month) => {
    const year = FIRST_YEAR + Math.floor(month / 12);
    return dayMilliseconds(year, (month % 12) + 1, 1) / DAY_MS;
  },
);

/** How the cell after one of each of {@link INFERRED_TYPES} is read at first. */
export const GUESSES = INFERRED_TYPES.map((type) => {
  if (type === 'date') return DATE;
  if (type === 'datetime') return DATETIME;
  return type === 'integer' || type === 'number' ? NUMBER : OTHER;
});

/** The number of what an undeclared cell looks like in {@link INFERRED_TYPES}; its value is in `guess`. */
export function guessType(
  bytes: Uint8Array,
  start: number,
  end: number,
  guess: InferredCell,
): number {
  inferCell(bytes, start, end, guess);
  return INFERRED_TYPES.indexOf(guess.type as (typeof INFERRED_TYPES)[number]);
}

/** Date-times with a zone or a fraction are CellReader's, since they are not ordered as their texts are. */
export function countedType(code: number): number {
  return code === INFERRED_DATETIME ? UNCOUNTED : code;
}

/** What a byte is outside of quotes. */
const ORDINARY = 0;
const ENDS_CELL = 1;
const ENDS_RECORD = 2;
const UNUSUAL = 3;

/** Ways in which a row may end, as bits. */
const NO_ENDING = 0;
const BY_FEED = 1;
const BY_PAIR = 2;

const ODD_AT_START = 1;
const ODD_AT_END = 2;

/** Bytes that make a text odd, or may, by where they stand: the shortcut of {@link oddityOf}. */
export const ODD_BYTES = Uint8Array.from({ length: 256 }, (_, byte) => {
  const blank = byte <= 0x20 ? ODD_AT_START | ODD_AT_END : 0;
  const sign = byte === 0x23 || byte === 0x3d ? ODD_AT_START : 0;
  const wide = byte >= 0x80 ? ODD_AT_START | ODD_AT_END : 0;
  return blank | sign | wide;
});

const HIGHEST_BIT = 0x80000000 | 0;

/** Keeps the bytes of a text with less than four, as the beginning of a big-endian word. */
const PREFIX_MASKS = Int32Array.of(0, 0xff000000, 0xffff0000, 0xffffff00);

/** Begins a byte order mark. */
const MARK = 0xef;

/** What the reader of plain rows does to the rest of an inspection. */
export interface PlainRowsContext {
  readonly dialect: CompiledDialect;
  readonly header: HeaderStart;
  readonly maxRecordBytes: number;
  readonly file: Writable<InspectedFile>;
  readonly found: Findings;
  readonly signs: SignWatch;
  readonly cells: CellReader;
  readonly columns: readonly Column[];
  readonly judges: readonly RowJudge<FaultType>[];
}

/**
 * Reads whole rows in which nothing is unusual, in one loop that seeks the end of each cell and judges it at once:
 * the scanner, {@link CellReader} and the profiles do the same in three, for any row. All that most rows of most files
 * are is known here; the rest is handed over:
 *
 * - a row that may be broken in its structure (bytes that may not be text, quotes that are not a cell's own, another
 *   number of cells, blank, too long, another line end), and one that is not whole in the buffer, to the scanner;
 * - a cell that may be at fault, is odd or of a type that only CellReader knows, to CellReader, once its row is known
 *   to be whole.
 *
 * A file's report is the same with and without it, which the tests hold it to.
 */
export class PlainRows implements RecordTaker {
  line = 1;
  readonly context: PlainRowsContext;
  readonly plan: ColumnPlan;
  /** What each byte is outside of quotes. */
  readonly classes = new Uint8Array(256);
  readonly #signs: SignWatch;
  readonly #file: Writable<InspectedFile>;
  readonly #found: Findings;
  readonly #cells: CellReader;
  readonly #judges: readonly RowJudge<FaultType>[];
  readonly #header: PlainRowsContext['header'];
  readonly #highest: number;
  readonly #delimiter: number;
  readonly #quote: number;
  readonly #comment: number;
  readonly #escape: number;
  readonly #doubleQuote: boolean;
  readonly #maxRecordBytes: number;
  #bytes: Uint8Array = new Uint8Array(0);
  #view = new DataView(this.#bytes.buffer);
  /** Cells of the row that CellReader shall read. */
  readonly #left: Int32Array;
  /** Cells of the row that change a profile's range. */
  readonly #outer: Int32Array;
  /** What the row's undeclared cells were counted as. */
  readonly #seen: Uint8Array;
  readonly #guess: InferredCell = { type: 'string', value: 0 };

  constructor(context: PlainRowsContext) {
    const { dialect, columns } = context;
    this.context = context;
    this.#signs = context.signs;
    this.#file = context.file;
    this.#header = context.header;
    this.#found = context.found;
    this.#cells = context.cells;
    this.#judges = context.judges;
    this.#maxRecordBytes = context.maxRecordBytes;
    this.plan = new ColumnPlan(columns);
    this.#left = new Int32Array(columns.length);
    this.#outer = new Int32Array(columns.length);
    this.#seen = new Uint8Array(columns.length);
    this.#delimiter = dialect.delimiter;
    this.#quote = dialect.quote;
    this.#comment = dialect.comment;
    this.#escape = dialect.escape;
    this.#doubleQuote = dialect.doubleQuote;
    this.#highest = Math.max(CARRIAGE_RETURN, dialect.delimiter, dialect.quote, dialect.escape);
    this.classes[LINE_FEED] = ENDS_RECORD;
    this.classes[CARRIAGE_RETURN] = ENDS_RECORD;
    this.classes[dialect.delimiter] = ENDS_CELL;
    if (dialect.quote >= 0) this.classes[dialect.quote] = UNUSUAL;
    if (dialect.escape >= 0) this.classes[dialect.escape] = UNUSUAL;
  }

  /** Hands what was counted over to the profiles of the columns. */
  fold(): void {
    this.plan.fold();
  }

  /** Begins anew, after {@link fold}, with profiles that have seen nothing. */
  restart(): void {
    this.plan.restart();
  }

  /** Reads rows from the start of one on, while they are plain and whole; gives the index at which it stopped. */
  take(scanner: Scanner, from: number, length: number): number {
    const file = this.#file;
    const { lineEnds } = scanner;
    const endings = this.endings(scanner, from);
    if (endings === NO_ENDING) return from;
    if (scanner.bytes !== this.#bytes) {
      this.#bytes = scanner.bytes;
      this.#view = new DataView(
        scanner.bytes.buffer,
        scanner.bytes.byteOffset,
        scanner.bytes.length,
      );
    }
    const bytes = this.#bytes;
    const view = this.#view;
    const classes = this.classes;
    const highest = this.#highest;
    const delimiter = this.#delimiter;
    const quote = this.#quote;
    const escapeByte = this.#escape;
    const doubleQuote = this.#doubleQuote;
    const comment = this.#comment;
    const { start: headerStart, mask: headerMask, otherStart, otherMask } = this.#header;
    const headerOffset = this.#header.offset;
    const longest = this.#maxRecordBytes;
    const { starts, ends, flags } = scanner;
    const { values, nulls } = file;
    const plan = this.plan;
    const { kinds, rules, mayBeEmpty, mayBeMissing, least, greatest, lows, highs, ranged } = plan;
    const { fewestBytes, mostBytes, firstTexts, lastTexts } = plan;
    const { inferred } = plan;
    const nullCounts = plan.nulls;
    const seen = this.#seen;
    const left = this.#left;
    const outer = this.#outer;
    const count = kinds.length;
    const judgesRows = this.#judges.length > 0;
    const stopAt = this.stopAt(scanner, length);
    let feeds = 0;
    let pairs = 0;
    /** Rows of these that the file's counts have. */
    let counted = 0;
    let line = this.line;
    let pos = from;
    let lastLine = scanner.recordLine;

    rows: while (pos < length) {
      const recordStart = pos;
      const recordLine = line;
      let cell = 0;
      let empty = 0;
      let leftCount = 0;
      let outerCount = 0;
      let byte = bytes[pos] as number;
      if (byte === comment || byte === MARK) break;
      // It may repeat the header.
      if (pos + headerOffset + 4 <= bytes.length) {
        const first = view.getInt32(pos + headerOffset, true);
        if ((first & headerMask) === headerStart || (first & otherMask) === otherStart) break;
      }
      for (;;) {
        const kind = kinds[cell] as number;
        let start = pos;
        let end = pos;
        let flag = 0;
        nulls[cell] = 0;
        // biome-ignore lint/suspicious/noConfusingLabels: what is known of a cell ends here; a function in its place would make the loop twice as slow
        judged: {
          if (byte === quote) {
            flag = CELL_QUOTED;
            start = ++pos;
            byte = bytes[pos] as number;
          }
          // First the kinds whose values are read while their end is sought.
          // biome-ignore lint/suspicious/noConfusingLabels: any doubt ends here, as above
          parsed: if (kind <= LAST_PARSED && mayBeMissing[cell] === 0) {
            let value = 0;
            /** Digits after the point; -1 without one. */
            let fraction = -1;
            let at = pos;
            if (kind === INTEGER) {
              const sign = byte;
              if (sign === MINUS || sign === PLUS) byte = bytes[++at] as number;
              const digitsStart = at;
              let digit = byte - ZERO;
              let whole = 0;
              while (digit >>> 0 <= 9) {
                whole = (Math.imul(whole, 10) + digit) | 0;
                byte = bytes[++at] as number;
                digit = byte - ZERO;
              }
              const digits = at - digitsStart;
              if (digits === 0 || digits > EXACT_DIGITS) break parsed;
              if (digits <= SHORT_DIGITS) value = sign === MINUS ? -whole : whole;
              else value = readInteger(bytes, start, at);
            } else if (kind === DATE || kind === DATETIME) {
              const years = view.getInt32(at, true);
              const months = view.getInt32(at + 4, true);
              const digits = years - FOUR_ZEROS;
              if ((((years + ABOVE_NINE) | digits) & HIGH_BITS) !== 0) break parsed;
              if ((months & MONTH_MASK) !== MONTH_HYPHENS) break parsed;
              const year =
                (digits & 0xff) * 1000 +
                ((digits >> 8) & 0xff) * 100 +
                ((digits >> 16) & 0xff) * 10 +
                (digits >>> 24);
              const month1 = ((months >> 8) & 0xff) - ZERO;
              const month2 = ((months >> 16) & 0xff) - ZERO;
              const day1 = (bytes[at + 8] as number) - ZERO;
              const day2 = (bytes[at + 9] as number) - ZERO;
              if (month1 >>> 0 > 1 || month2 >>> 0 > 9) break parsed;
              if (day1 >>> 0 > 3 || day2 >>> 0 > 9) break parsed;
              const month = month1 * 10 + month2 - 1;
              if (month >>> 0 > 11 || year < FIRST_YEAR || year > LAST_YEAR) break parsed;
              const monthIndex = (year - FIRST_YEAR) * 12 + month;
              const first = MONTH_STARTS[monthIndex] as number;
              const day = first + day1 * 10 + day2 - 1;
              if (day < first || day >= (MONTH_STARTS[monthIndex + 1] as number)) break parsed;
              value = day * DAY_MS;
              at += 10;
              byte = bytes[at] as number;
              if (kind === DATETIME) {
                if (byte !== LETTER_T) break parsed;
                const hour1 = (bytes[at + 1] as number) - ZERO;
                const hour2 = (bytes[at + 2] as number) - ZERO;
                const minute1 = (bytes[at + 4] as number) - ZERO;
                const minute2 = (bytes[at + 5] as number) - ZERO;
                const second1 = (bytes[at + 7] as number) - ZERO;
                const second2 = (bytes[at + 8] as number) - ZERO;
                if (bytes[at + 3] !== COLON || bytes[at + 6] !== COLON) break parsed;
                if (hour1 >>> 0 > 2 || hour2 >>> 0 > 9 || minute1 >>> 0 > 5) break parsed;
                if (minute2 >>> 0 > 9 || second1 >>> 0 > 5 || second2 >>> 0 > 9) break parsed;
                const hour = hour1 * 10 + hour2;
                if (hour > 23) break parsed;
                const minute = hour * 60 + minute1 * 10 + minute2;
                value += (minute * 60 + second1 * 10 + second2) * 1000;
                at += 9;
                byte = bytes[at] as number;
                if (byte === ZULU) byte = bytes[++at] as number;
              }
            } else {
              // A number of digits and perhaps a point.
              const sign = byte;
              if (sign === MINUS || sign === PLUS) byte = bytes[++at] as number;
              let digitsStart = at;
              let digit = byte - ZERO;
              let whole = 0;
              while (digit >>> 0 <= 9) {
                whole = (Math.imul(whole, 10) + digit) | 0;
                byte = bytes[++at] as number;
                digit = byte - ZERO;
              }
              if (byte === POINT) {
                const point = at;
                digitsStart++;
                byte = bytes[++at] as number;
                digit = byte - ZERO;
                while (digit >>> 0 <= 9) {
                  whole = (Math.imul(whole, 10) + digit) | 0;
                  byte = bytes[++at] as number;
                  digit = byte - ZERO;
                }
                fraction = at - point - 1;
              }
              const digits = at - digitsStart;
              if (digits === 0 || digits > EXACT_DIGITS) break parsed;
              if (digits > SHORT_DIGITS) {
                value = readNumber(bytes, start, at);
              } else {
                value = fraction > 0 ? whole / (POWERS_OF_TEN[fraction] as number) : whole;
                if (sign === MINUS) value = -value;
              }
            }
            end = at;
            if (flag !== 0) {
              if (byte !== quote) break parsed;
              byte = bytes[++at] as number;
            }
            if (byte !== delimiter && byte !== LINE_FEED && byte !== CARRIAGE_RETURN) break parsed;
            pos = at;
            values[cell] = value;
            if (value < (lows[cell] as number) || value > (highs[cell] as number)) {
              // Of an undeclared column there are no such bounds.
              if (inferred[cell] === 1) {
                let type = INFERRED_DATE;
                if (kind === DATETIME) type = INFERRED_DATETIME;
                else if (kind === NUMBER) type = fraction < 0 ? INFERRED_INTEGER : INFERRED_NUMBER;
                if (this.#infer(cell, type, value, start, end)) outer[outerCount++] = cell;
                break judged;
              }
              if (value < (least[cell] as number) || value > (greatest[cell] as number)) {
                left[leftCount++] = cell;
                break judged;
              }
              outer[outerCount++] = cell;
            }
            if (rules[cell] === NO_RULE) break judged;
            const constraints = plan.constraints[cell] as ValueConstraints;
            if (brokenConstraints(constraints, bytes, start, end, value) === 0) break judged;
            if (outerCount > 0 && outer[outerCount - 1] === cell) outerCount--;
            left[leftCount++] = cell;
            break judged;
          }

          // Then those whose end is sought first.
          if (flag === 0) {
            for (;;) {
              byte = bytes[pos] as number;
              if (byte > highest) {
                pos++;
                continue;
              }
              const found = classes[byte] as number;
              if (found === ORDINARY) {
                pos++;
                continue;
              }
              if (found === UNUSUAL) {
                this.#takeBack(cell);
                line = recordLine;
                pos = recordStart;
                break rows;
              }
              break;
            }
            end = pos;
          } else {
            for (;;) {
              byte = bytes[pos] as number;
              if (byte > highest) {
                pos++;
                continue;
              }
              if (byte === quote) {
                if (bytes[pos + 1] !== quote || !doubleQuote) break;
                flag |= CELL_ESCAPED;
                pos++;
              } else if (byte === escapeByte) {
                break;
              } else if (byte === LINE_FEED) {
                if (pos >= length) break;
                if (bytes[pos - 1] !== CARRIAGE_RETURN) line++;
              } else if (byte === CARRIAGE_RETURN) {
                line++;
              }
              pos++;
            }
            end = pos;
            const closed = byte === quote && pos < length;
            byte = bytes[++pos] as number;
            const ends = byte === delimiter || byte === LINE_FEED || byte === CARRIAGE_RETURN;
            if (!closed || !ends) {
              this.#takeBack(cell);
              line = recordLine;
              pos = recordStart;
              break rows;
            }
          }
          if ((flag & CELL_ESCAPED) !== 0) {
            seen[cell] = UNCOUNTED;
            left[leftCount++] = cell;
            break judged;
          }
          if (start === end) {
            empty++;
            seen[cell] = UNCOUNTED;
            if (mayBeEmpty[cell] === 0) {
              left[leftCount++] = cell;
              break judged;
            }
            nulls[cell] = 1;
            (nullCounts[cell] as number)++;
            break judged;
          }
          if (inferred[cell] === 1) {
            const first = bytes[start] as number;
            const size = end - start;
            const edge =
              ((ODD_BYTES[first] as number) & ODD_AT_START) |
              ((ODD_BYTES[bytes[end - 1] as number] as number) & ODD_AT_END);
            const signed = size > 4 && (bytes[end - 3] === PLUS || bytes[end - 4] === PLUS);
            let type = INFERRED_STRING;
            values[cell] = 0;
            if ((edge !== 0 || signed) && oddityOf(bytes, start, end) !== 0) type = UNCOUNTED;
            else if (first <= NINE || size === 4 || size === 5)
              type = this.#guessType(cell, start, end);
            if (type === UNCOUNTED) {
              seen[cell] = UNCOUNTED;
              left[leftCount++] = cell;
            } else if (this.#infer(cell, type, values[cell] as number, start, end)) {
              outer[outerCount++] = cell;
            }
            break judged;
          }
          if (mayBeMissing[cell] !== 0 && (plan.missing[cell] as TextSet).has(bytes, start, end)) {
            left[leftCount++] = cell;
            break judged;
          }
          if (kind === LISTED) {
            const list = plan.lists[cell] as TextList;
            const index = list.find(bytes, start, end);
            if (index < 0) {
              left[leftCount++] = cell;
              break judged;
            }
            values[cell] = list.values[index] as number;
            if ((plan.seenTexts[cell] as Uint8Array)[index] === 0) outer[outerCount++] = cell;
            break judged;
          }
          if (kind === OTHER) {
            left[leftCount++] = cell;
            break judged;
          }
          let value = 0;
          if (kind === TEXT) {
            const edge =
              ((ODD_BYTES[bytes[start] as number] as number) & ODD_AT_START) |
              ((ODD_BYTES[bytes[end - 1] as number] as number) & ODD_AT_END);
            const signed = end - start > 4 && (bytes[end - 3] === PLUS || bytes[end - 4] === PLUS);
            if ((edge !== 0 || signed) && oddityOf(bytes, start, end) !== 0) {
              left[leftCount++] = cell;
              break judged;
            }
          } else {
            value = (plan.reads[cell] as (typeof plan.reads)[number])(bytes, start, end);
            if (Number.isNaN(value) || value === UNORDERED) {
              left[leftCount++] = cell;
              break judged;
            }
          }
          const rule = rules[cell] as number;
          if (rule === LENGTH_RULE) {
            const size = end - start;
            if (size > (mostBytes[cell] as number) || size < (fewestBytes[cell] as number)) {
              if (breaksLength(plan.constraints[cell] as ValueConstraints, bytes, start, end)) {
                left[leftCount++] = cell;
                break judged;
              }
            }
          } else if (
            rule !== NO_RULE ||
            (kind <= LAST_PARSED && plan.constraints[cell] !== undefined)
          ) {
            const constraints = plan.constraints[cell] as ValueConstraints;
            const outside = value < (least[cell] as number) || value > (greatest[cell] as number);
            if (outside || brokenConstraints(constraints, bytes, start, end, value) !== 0) {
              left[leftCount++] = cell;
              break judged;
            }
          }
          values[cell] = value;
          if (ranged[cell] === 1) {
            const size = end - start;
            const word = view.getInt32(start, false);
            const prefix = (size < 4 ? word & (PREFIX_MASKS[size] as number) : word) ^ HIGHEST_BIT;
            if (prefix <= (firstTexts[cell] as number) || prefix >= (lastTexts[cell] as number)) {
              outer[outerCount++] = cell;
            }
          } else if (value < (lows[cell] as number) || value > (highs[cell] as number)) {
            outer[outerCount++] = cell;
          }
        }
        starts[cell] = start;
        ends[cell] = end;
        flags[cell] = flag;
        cell++;
        if (byte === delimiter) {
          if (cell < count) {
            byte = bytes[++pos] as number;
            continue;
          }
          // One cell too many.
          pos = length;
        }
        break;
      }

      // The row ends here, if it is plain.
      const recordEnd = pos;
      let plain = cell === count && empty < count && pos < stopAt && pos - recordStart <= longest;
      let isPair = false;
      if (plain && byte === CARRIAGE_RETURN) {
        isPair = pos + 1 < length && bytes[pos + 1] === LINE_FEED;
        plain = isPair && (endings & BY_PAIR) !== 0;
      } else if (plain) {
        plain = (endings & BY_FEED) !== 0;
      }
      if (!plain) {
        this.#takeBack(cell);
        line = recordLine;
        pos = recordStart;
        break;
      }
      line++;
      if (isPair) {
        pairs++;
        pos += 2;
      } else {
        feeds++;
        pos++;
      }
      lastLine = recordLine;
      if (outerCount > 0) this.#widen(scanner, outerCount);
      if (leftCount > 0 || judgesRows) {
        scanner.recordStart = recordStart;
        scanner.recordEnd = recordEnd;
        scanner.recordLine = recordLine;
        scanner.cellCount = count;
        this.count(feeds + pairs - counted);
        this.finish(scanner, left, leftCount);
        counted = feeds + pairs;
      }
    }
    if (feeds + pairs > 0) {
      this.count(feeds + pairs - counted);
      lineEnds.lf += feeds;
      lineEnds.crlf += pairs;
      this.line = line;
      scanner.recordLine = lastLine;
    }
    return pos;
  }

  /** How rows may end, as bits; {@link NO_ENDING} where the scanner is to read the next one. */
  endings(scanner: Scanner, from: number): number {
    const { otherLineEnd, suspectUntil } = this.#file;
    if (scanner.offset(from) < suspectUntil) return NO_ENDING;
    if (otherLineEnd !== undefined) return BY_FEED | BY_PAIR;
    // While records end in one way only, a row that ends in another is the scanner's.
    const { lf, crlf, cr } = scanner.lineEnds;
    if (cr > 0 || (lf > 0 && crlf > 0)) return NO_ENDING;
    if (lf > 0) return BY_FEED;
    return crlf > 0 ? BY_PAIR : NO_ENDING;
  }

  /** Where a row must end before: the one that holds the first of its signs is the scanner's, which gives it its place. */
  stopAt(scanner: Scanner, length: number): number {
    return Math.min(length, this.#signs.next - scanner.base, scanner.stopAt);
  }

  /** What an undeclared cell looks like, its value among the row's; the next one is read as this one is to be read. */
  #guessType(cell: number, start: number, end: number): number {
    const code = guessType(this.#bytes, start, end, this.#guess);
    this.#file.values[cell] = this.#guess.value;
    this.plan.kinds[cell] = GUESSES[code] as number;
    return countedType(code);
  }

  /** Counts an undeclared cell; gives whether its value or its text is beyond those so far, or may be. */
  #infer(cell: number, type: number, value: number, start: number, end: number): boolean {
    const { tallies, inferredLows, inferredHighs, firstTexts, lastTexts } = this.plan;
    const at = (cell << INFERRED_SHIFT) + type;
    (tallies[at] as number)++;
    this.#seen[cell] = type;
    const low = inferredLows[at] as number;
    const high = inferredHighs[at] as number;
    if (value < low || value > high) return true;
    // Dates are ordered as their texts are, and so are date-times but for a Z.
    if (type >= INFERRED_DATE)
      return type === INFERRED_DATETIME && (value === low || value === high);
    const prefix = this.#prefix(start, end);
    const first = firstTexts[cell] as number;
    const last = lastTexts[cell] as number;
    if (prefix > first && prefix < last) return false;
    if (prefix < first || prefix > last || end - start > 4) return true;
    // All of it is in the prefix.
    const sizes = prefix === first ? this.plan.firstSizes : this.plan.lastSizes;
    return sizes[cell] !== end - start;
  }

  /** Counts rows that were read. */
  count(rows: number): void {
    const file = this.#file;
    file.records += rows;
    file.rows += rows;
    file.readRows += rows;
  }

  /** Lets the profiles see values and texts that are beyond those so far. */
  #widen(scanner: Scanner, outerCount: number): void {
    const { values } = this.#file;
    const { kinds, lists, seenTexts, lows, highs, ranged, profiles } = this.plan;
    const { inferred, inferredLows, inferredHighs } = this.plan;
    const { starts, ends, bytes } = scanner;
    for (let i = 0; i < outerCount; i++) {
      const cell = this.#outer[i] as number;
      const value = values[cell] as number;
      const start = starts[cell] as number;
      const end = ends[cell] as number;
      const profile = profiles[cell] as ColumnProfile;
      if (inferred[cell] === 1) {
        const at = (cell << INFERRED_SHIFT) + (this.#seen[cell] as number);
        inferredLows[at] = Math.min(inferredLows[at] as number, value);
        inferredHighs[at] = Math.max(inferredHighs[at] as number, value);
        this.#addText(cell, start, end);
      } else if (kinds[cell] === LISTED) {
        const list = lists[cell] as TextList;
        (seenTexts[cell] as Uint8Array)[list.find(bytes, start, end)] = 1;
        profile.addDeclared(bytes, start, end, value);
      } else if (ranged[cell] === 1) {
        profile.addDeclared(bytes, start, end, value);
        const prefix = this.#prefix(start, end);
        const { firstTexts, lastTexts } = this.plan;
        firstTexts[cell] = Math.min(firstTexts[cell] as number, prefix);
        lastTexts[cell] = Math.max(lastTexts[cell] as number, prefix);
      } else {
        lows[cell] = Math.min(lows[cell] as number, value);
        highs[cell] = Math.max(highs[cell] as number, value);
      }
    }
  }

  /** A text of an undeclared column that may be its first or its last. */
  #addText(cell: number, start: number, end: number): void {
    const { profiles, firstTexts, lastTexts, firstSizes, lastSizes } = this.plan;
    (profiles[cell] as ColumnProfile).addText(this.#bytes, start, end);
    const prefix = this.#prefix(start, end);
    if (prefix <= (firstTexts[cell] as number)) {
      firstTexts[cell] = prefix;
      firstSizes[cell] = end - start;
    }
    if (prefix >= (lastTexts[cell] as number)) {
      lastTexts[cell] = prefix;
      lastSizes[cell] = end - start;
    }
  }

  /** The first four bytes of a text as an integer that is ordered as they are. */
  #prefix(start: number, end: number): number {
    const word = this.#view.getInt32(start, false);
    const mask = end - start < 4 ? (PREFIX_MASKS[end - start] as number) : -1;
    return (word & mask) ^ HIGHEST_BIT;
  }

  /** Judges what is left of a row that is whole: the first cells of `left`. */
  finish(scanner: Scanner, left: Int32Array, leftCount: number): void {
    const found = this.#found;
    found.beginRow();
    for (let i = 0; i < leftCount; i++) {
      const cell = left[i] as number;
      this.#cells.read(scanner, cell + 1, cell);
    }
    for (const judgeRow of this.#judges) judgeRow(scanner, found);
    found.endRow();
  }

  /** Takes back what was counted of a row that is not plain. */
  #takeBack(cells: number): void {
    const { nulls } = this.#file;
    const { inferred, tallies } = this.plan;
    for (let cell = 0; cell < cells; cell++) {
      if (inferred[cell] === 1) {
        (tallies[(cell << INFERRED_SHIFT) + (this.#seen[cell] as number)] as number)--;
      }
      if (nulls[cell] === 1) (this.plan.nulls[cell] as number)--;
    }
  }
}
