/**
 * The loop over plain rows of plain-rows.ts in AssemblyScript, which has the same rules: what is not decided here is
 * handed over row by row, and what is asked for most cells of a file is decided here.
 *
 * `npm run build:webassembly` compiles it into quality/rows-wasm.ts.
 */
import {
  BUFFER,
  CLASSES,
  COLUMN_BYTES,
  COLUMNS,
  COMMENT,
  CONSTRAINT_ERROR,
  CONSTRAINT_ERRORS,
  COUNT,
  DELIMITER,
  DOUBLE_QUOTE,
  ENDS,
  ENTRY_BYTES,
  ENTRY_LENGTH,
  ENTRY_SEEN,
  ENTRY_TEXT,
  ENTRY_VALUE,
  ESCAPE,
  FACTS,
  FAILING_ROWS,
  FAULTY_HIGH,
  FAULTY_LOW,
  FAULTY_ROWS,
  FEEDS,
  FEWEST_BYTES,
  FIRST_PREFIX,
  FIRST_TEXT,
  FLAGS,
  GREATEST,
  HASH_BYTES,
  HEADER_MASK,
  HEADER_OFFSET,
  HEADER_START,
  HIGH,
  INFERRED,
  IS_TEXT,
  JUDGES_ROWS,
  KEY_BYTES,
  KEY_CELL,
  KEY_COUNT,
  KEY_IS_INTEGER,
  KEY_ROW_COUNT,
  KEY_ROW_END,
  KEY_ROW_HASHES,
  KEY_ROW_LINES,
  KEY_ROW_START,
  KEY_ROWS,
  KEY_SECRET,
  KEYS,
  KIND,
  LAST_LINES,
  LAST_PREFIX,
  LAST_TEXT,
  LEAST,
  LEFT,
  LEFT_COUNT,
  LINES,
  LIST,
  LIST_ENTRIES,
  LIST_MASK,
  LIST_SLOTS,
  LISTS_ENUM,
  LISTS_TYPE,
  LONGEST,
  LONGEST_TEXT,
  LOW,
  MARKS,
  MAY_BE_EMPTY,
  MAY_BE_MISSING,
  MISSING,
  MONTH_STARTS,
  MOST_BYTES,
  MOST_KEY_ROWS,
  NULL_COUNT,
  NULL_IS_FINE,
  NULLS,
  ODD_BYTES,
  ONLY_WARNS,
  OTHER_MASK,
  OTHER_START,
  OUTER,
  PAIRS,
  PATTERN,
  PATTERN_ACCEPTS,
  PATTERN_ALONE,
  PATTERN_CLASSES,
  PATTERN_LINKS,
  PATTERN_SHIFT,
  PATTERN_START,
  POSITION,
  POWERS_OF_TEN,
  QUOTE,
  RANGED,
  RECORD_END,
  RECORD_START,
  REQUIRED,
  RULE,
  RULE_LENGTH,
  RULE_OTHER,
  RULE_PATTERN,
  SEEN,
  SETTLED,
  STARTS,
  STATE_UNDECIDED,
  TALLIES,
  TALLY_BYTES,
  TALLY_HIGH,
  TALLY_LOW,
  TEXT_BYTES,
  TEXT_LENGTH,
  TYPE_ERROR,
  TYPE_ERRORS,
  VALUES,
  WORDS,
} from './layout';

/** The cell's oddity, as oddityOf (text.ts) has it. */
declare function oddity(start: i32, end: i32): i32;
/** The cell's order value; NaN for none. */
declare function read(cell: i32, start: i32, end: i32): f64;
/** The constraints of its column that the cell breaks; 0 for none. */
declare function breaks(cell: i32, start: i32, end: i32, value: f64): i32;
/** What an undeclared cell looks like; its value is among the row's. */
declare function guess(cell: i32, start: i32, end: i32): i32;
/** The same of any cell. */
declare function looks(start: i32, end: i32): i32;

/** Kinds of columns, and types of undeclared cells, as column-plan.ts has them; below a number are integers. */
const NUMBER: i32 = 1;
const DATETIME: i32 = 3;
const LAST_PARSED: i32 = 3;
const TEXT: i32 = 4;
const LISTED: i32 = 5;
const OTHER: i32 = 8;
const UNCOUNTED: i32 = 0;
const LOOKS_STRING: i32 = 1;
const LOOKS_INTEGER: i32 = 2;
const LOOKS_NUMBER: i32 = 3;
const LOOKS_BOOLEAN: i32 = 4;
const LOOKS_DATE: i32 = 6;
const LOOKS_DATETIME: i32 = 7;

const QUOTED: i32 = 1;
const ESCAPED: i32 = 2;
const ORDINARY: i32 = 0;
const UNUSUAL: i32 = 3;
const ODD_AT_START: i32 = 1;
const ODD_AT_END: i32 = 2;

const LINE_FEED: i32 = 0x0a;
const CARRIAGE_RETURN: i32 = 0x0d;
const PLUS: i32 = 0x2b;
const MINUS: i32 = 0x2d;
const POINT: i32 = 0x2e;
const ZERO: i32 = 0x30;
const NINE: i32 = 0x39;
const COLON: i32 = 0x3a;
const LETTER_T: i32 = 0x54;
const ZULU: i32 = 0x5a;
/** Begins a byte order mark. */
const MARK: i32 = 0xef;

const EXACT_DIGITS: i32 = 15;
const FIRST_YEAR: i32 = 1900;
const LAST_YEAR: i32 = 2099;
const DAY_MS: f64 = 86_400_000;
/** The order value of a number that has none: NaN, which is valid. */
const UNORDERED: f64 = -5e-324;

/** What becomes of a cell. */
const FINE: i32 = 0;
/** It is beyond what was seen so far. */
const OUTERMOST: i32 = 1;
/** TypeScript reads it. */
const LEFT_OVER: i32 = 2;
/**
 * It is at fault, and the fault is counted only, unless another cell of the row is left to TypeScript; below these
 * bits is what it looks like, or how many constraints it breaks.
 */
const NOT_OF_TYPE: i32 = 0x100;
const BREAKS: i32 = 0x200;
/** It breaks `required`. */
const NULL_BREAKS: i32 = 0x400;
/** Beside {@link BREAKS}: it is beyond what was seen so far, too. */
const BREAKS_OUTERMOST: i32 = 0x800;
/** It is of an undeclared column, and is yet to be counted as the type that is below these bits. */
const LOOKS: i32 = 0x1000;

const EACH: u64 = 0x0101010101010101;
const HIGH_BITS: u64 = 0x8080808080808080;
/** The bytes below this one are few: line ends are among them. */
const ABOVE_LINE_ENDS: u64 = 0x0e0e0e0e0e0e0e0e;

/** Ways in which records may end, as bits. */
const BY_FEED: i32 = 1;
const BY_PAIR: i32 = 2;

/**
 * Takes rows from the start of one on, while they are plain and whole.
 *
 * @param from index in the buffer
 * @param length of what is in the buffer; a line feed stands after it
 * @param stopAt index that a row must end before
 * @param lineEnds bits of how a row may end
 * @returns 1 where a row is handed over, and reading goes on after it; 0 where it ends
 */
export function take(from: i32, length: i32, stopAt: i32, lineEnds: i32): i32 {
  const buffer = load<i32>(BUFFER);
  const columns = load<i32>(COLUMNS);
  const count = load<i32>(COUNT);
  const starts = load<i32>(STARTS);
  const ends = load<i32>(ENDS);
  const flags = load<i32>(FLAGS);
  const values = load<i32>(VALUES);
  const nulls = load<i32>(NULLS);
  const left = load<i32>(LEFT);
  const marks = load<i32>(MARKS);
  const outer = load<i32>(OUTER);
  const delimiter = load<i32>(DELIMITER);
  const quote = load<i32>(QUOTE);
  const escapeByte = load<i32>(ESCAPE);
  const comment = load<i32>(COMMENT);
  const doubleQuote = load<i32>(DOUBLE_QUOTE);
  const headerStart = load<i32>(HEADER_START);
  const headerMask = load<i32>(HEADER_MASK);
  const headerOffset = load<i32>(HEADER_OFFSET);
  const otherStart = load<i32>(OTHER_START);
  const otherMask = load<i32>(OTHER_MASK);
  const longest = load<i32>(LONGEST);
  const judgesRows = load<i32>(JUDGES_ROWS);
  const takesKeys = load<i32>(KEY_COUNT) > 0;
  const mostKeyRows = load<i32>(MOST_KEY_ROWS);
  store<i32>(KEY_ROW_COUNT, 0);
  const delimiters = EACH * <u64>delimiter;
  const quotes = quote < 0 ? delimiters : EACH * <u64>quote;
  const escapes = escapeByte < 0 ? quotes : EACH * <u64>escapeByte;
  const limit = buffer + length;
  const stop = buffer + stopAt;
  let pos = buffer + from;
  let lines = 0;
  let lastLines = -1;
  let feeds = 0;
  let pairs = 0;
  let handsOver = 0;

  while (pos < limit) {
    const recordStart = pos;
    const recordLines = lines;
    let byte: i32 = load<u8>(pos);
    if (byte === comment || byte === MARK) break;
    const begin = load<i32>(pos + headerOffset);
    if ((begin & headerMask) === headerStart || (begin & otherMask) === otherStart) break;
    let cell = 0;
    let empty = 0;
    let leftCount = 0;
    let leaves = judgesRows !== 0;
    let outerCount = 0;
    let plain = true;
    let column = columns;
    for (;;) {
      const kind: i32 = load<u8>(column, KIND);
      let start = pos;
      let end = pos;
      let flag = 0;
      let verdict = FINE;
      store<u8>(nulls + cell, 0);
      if (byte === quote) {
        flag = QUOTED;
        start = ++pos;
        byte = load<u8>(pos);
      }

      // First the kinds whose values are read while their end is sought.
      let value: f64 = 0;
      let fraction = -1;
      let parsed = false;
      do {
        if (kind > LAST_PARSED || (load<u8>(column, FACTS) & MAY_BE_MISSING) !== 0) break;
        let at = pos;
        if (kind <= NUMBER) {
          const sign = byte;
          if (sign === MINUS || sign === PLUS) byte = load<u8>(++at);
          let digitsStart = at;
          let digit = byte - ZERO;
          let whole: i64 = 0;
          while (<u32>digit <= 9) {
            whole = whole * 10 + <i64>digit;
            byte = load<u8>(++at);
            digit = byte - ZERO;
          }
          if (byte === POINT && kind === NUMBER) {
            const point = at;
            digitsStart++;
            byte = load<u8>(++at);
            digit = byte - ZERO;
            while (<u32>digit <= 9) {
              whole = whole * 10 + <i64>digit;
              byte = load<u8>(++at);
              digit = byte - ZERO;
            }
            fraction = at - point - 1;
          }
          if (<u32>(at - digitsStart - 1) >= <u32>EXACT_DIGITS) break;
          value = <f64>whole;
          if (fraction > 0) value /= load<f64>(POWERS_OF_TEN + (fraction << 3));
          if (sign === MINUS) value = -value;
        } else {
          const years = load<i32>(at);
          const months = load<i32>(at + 4);
          const digits = years - 0x30303030;
          if ((((years + 0x46464646) | digits) & 0x80808080) !== 0) break;
          if ((months & 0xff0000ff) !== 0x2d00002d) break;
          const year =
            (digits & 0xff) * 1000 +
            ((digits >> 8) & 0xff) * 100 +
            ((digits >> 16) & 0xff) * 10 +
            (digits >>> 24);
          const month1 = ((months >> 8) & 0xff) - ZERO;
          const month2 = ((months >> 16) & 0xff) - ZERO;
          const day1 = <i32>load<u8>(at + 8) - ZERO;
          const day2 = <i32>load<u8>(at + 9) - ZERO;
          if (<u32>month1 > 1 || <u32>month2 > 9 || <u32>day1 > 3 || <u32>day2 > 9) break;
          const month = month1 * 10 + month2 - 1;
          if (<u32>month > 11 || year < FIRST_YEAR || year > LAST_YEAR) break;
          const monthAt = MONTH_STARTS + (((year - FIRST_YEAR) * 12 + month) << 2);
          const first = load<i32>(monthAt);
          const day = first + day1 * 10 + day2 - 1;
          if (day < first || day >= load<i32>(monthAt + 4)) break;
          value = <f64>day * DAY_MS;
          at += 10;
          byte = load<u8>(at);
          if (kind === DATETIME) {
            if (byte !== LETTER_T) break;
            const hour1 = <i32>load<u8>(at + 1) - ZERO;
            const hour2 = <i32>load<u8>(at + 2) - ZERO;
            const minute1 = <i32>load<u8>(at + 4) - ZERO;
            const minute2 = <i32>load<u8>(at + 5) - ZERO;
            const second1 = <i32>load<u8>(at + 7) - ZERO;
            const second2 = <i32>load<u8>(at + 8) - ZERO;
            if (load<u8>(at + 3) !== COLON || load<u8>(at + 6) !== COLON) break;
            if (<u32>hour1 > 2 || <u32>hour2 > 9 || <u32>minute1 > 5) break;
            if (<u32>minute2 > 9 || <u32>second1 > 5 || <u32>second2 > 9) break;
            const hour = hour1 * 10 + hour2;
            if (hour > 23) break;
            const minute = hour * 60 + minute1 * 10 + minute2;
            value += <f64>((minute * 60 + second1 * 10 + second2) * 1000);
            at += 9;
            byte = load<u8>(at);
            if (byte === ZULU) byte = load<u8>(++at);
          }
        }
        end = at;
        if (flag !== 0) {
          if (byte !== quote) break;
          byte = load<u8>(++at);
        }
        if (byte !== delimiter && byte !== LINE_FEED && byte !== CARRIAGE_RETURN) break;
        pos = at;
        parsed = true;
      } while (false);

      if (parsed) {
        store<f64>(values + (cell << 3), value);
        if (load<u8>(column, INFERRED) !== 0) {
          let type = LOOKS_DATE;
          if (kind === DATETIME) type = LOOKS_DATETIME;
          else if (kind === NUMBER) type = fraction < 0 ? LOOKS_INTEGER : LOOKS_NUMBER;
          verdict = LOOKS | type;
        } else {
          if (value < load<f64>(column, LOW) || value > load<f64>(column, HIGH)) {
            verdict = beyond(column, value);
          }
          const asks = verdict === LEFT_OVER || load<u8>(column, RULE) !== 0;
          if (asks) verdict = judge(column, cell, start, end, value, verdict);
        }
      } else {
        // Then those whose end is sought first.
        fraction = -1;
        if (flag === 0) {
          let found = ORDINARY;
          for (;;) {
            const word = load<u64>(pos);
            const special =
              (((word - ABOVE_LINE_ENDS) & ~word) |
                zeroBytes(word ^ delimiters) |
                zeroBytes(word ^ quotes) |
                zeroBytes(word ^ escapes)) &
              HIGH_BITS;
            if (special === 0) {
              pos += 8;
              continue;
            }
            pos += <i32>(ctz(special) >> 3);
            byte = load<u8>(pos);
            found = load<u8>(CLASSES + byte);
            if (found !== ORDINARY) break;
            pos++;
          }
          end = pos;
          if (found === UNUSUAL) {
            plain = false;
            break;
          }
        } else {
          for (;;) {
            const word = load<u64>(pos);
            const special =
              (((word - ABOVE_LINE_ENDS) & ~word) |
                zeroBytes(word ^ quotes) |
                zeroBytes(word ^ escapes)) &
              HIGH_BITS;
            if (special === 0) {
              pos += 8;
              continue;
            }
            pos += <i32>(ctz(special) >> 3);
            byte = load<u8>(pos);
            if (byte === quote) {
              if (load<u8>(pos + 1) !== quote || doubleQuote === 0) break;
              flag |= ESCAPED;
              pos++;
            } else if (byte === escapeByte) {
              break;
            } else if (byte === LINE_FEED) {
              if (pos >= limit) break;
              if (load<u8>(pos - 1) !== CARRIAGE_RETURN) lines++;
            } else if (byte === CARRIAGE_RETURN) {
              lines++;
            }
            pos++;
          }
          end = pos;
          const closed = byte === quote && pos < limit;
          byte = load<u8>(++pos);
          const isEnd = byte === delimiter || byte === LINE_FEED || byte === CARRIAGE_RETURN;
          if (!closed || !isEnd) {
            plain = false;
            break;
          }
        }
        if ((flag & ESCAPED) !== 0) {
          verdict = readEscaped(column, kind, start, end, quote);
          store<f64>(values + (cell << 3), 0);
        } else if (start === end) {
          empty++;
          store<u8>(column, UNCOUNTED, SEEN);
          if (load<u8>(column, MAY_BE_EMPTY) !== 0) {
            store<u8>(nulls + cell, 1);
            store<f64>(column, load<f64>(column, NULL_COUNT) + 1, NULL_COUNT);
          } else if ((load<u8>(column, FACTS) & REQUIRED) !== 0) {
            verdict = settled(column, CONSTRAINT_ERROR, NULL_BREAKS | 1);
          } else {
            verdict = LEFT_OVER;
          }
        } else if (load<u8>(column, INFERRED) !== 0) {
          verdict = readUndeclared(column, cell, values, start, end);
        } else if (kind === LISTED) {
          const entry = find(load<i32>(column, LIST), start, end);
          if (entry === 0) {
            verdict = judgeUnlisted(column, nulls, cell, start, end);
          } else {
            store<f64>(values + (cell << 3), load<f64>(entry, ENTRY_VALUE));
            if (load<i32>(entry, ENTRY_SEEN) === 0) verdict = OUTERMOST;
          }
        } else if (kind === OTHER) {
          verdict = LEFT_OVER;
        } else {
          verdict = readText(column, kind, cell, values, nulls, start, end);
        }
      }

      if ((verdict & LOOKS) !== 0) {
        const seen = load<f64>(values + (cell << 3));
        verdict = infer(column, verdict & 0xff, seen, start, end);
      }
      if (verdict >= LEFT_OVER) {
        store<i32>(left + (leftCount << 2), cell);
        store<i32>(marks + (leftCount++ << 2), verdict);
        if (verdict === LEFT_OVER) leaves = true;
        const isText = kind === LISTED || load<u8>(column, RANGED) !== 0;
        if (isText && (verdict & BREAKS_OUTERMOST) !== 0) verdict = OUTERMOST;
      }
      if (verdict === OUTERMOST) store<i32>(outer + (outerCount++ << 2), cell);
      store<i32>(starts + (cell << 2), start - buffer);
      store<i32>(ends + (cell << 2), end - buffer);
      store<u8>(flags + cell, flag);
      cell++;
      if (byte !== delimiter) break;
      if (cell === count) {
        // One cell too many.
        plain = false;
        break;
      }
      column += COLUMN_BYTES;
      byte = load<u8>(++pos);
    }

    // The row ends here, if it is plain.
    if (plain)
      plain = cell === count && empty < count && pos < stop && pos - recordStart <= longest;
    let isPair = false;
    if (plain) {
      if (byte === CARRIAGE_RETURN) {
        isPair = pos + 1 < limit && load<u8>(pos + 1) === LINE_FEED;
        plain = isPair && (lineEnds & BY_PAIR) !== 0;
      } else {
        plain = (lineEnds & BY_FEED) !== 0;
      }
    }
    if (!plain) {
      takeBack(columns, nulls, cell);
      lines = recordLines;
      pos = recordStart;
      break;
    }
    const recordEnd = pos;
    lines++;
    if (isPair) {
      pairs++;
      pos += 2;
    } else {
      feeds++;
      pos++;
    }
    lastLines = recordLines;
    if (outerCount > 0) widen(outer, outerCount, buffer);
    // The last row of a file may turn out to be none of data: its faults are then taken back.
    if (leftCount > 0 && !leaves && pos < limit) countFaults(columns, left, marks, leftCount);
    else if (leftCount === 0 && takesKeys && takeKeys(recordStart, recordEnd, recordLines)) {
      // What is found of a full batch may be found at its end only.
      if (load<i32>(KEY_ROW_COUNT) === mostKeyRows) break;
    } else if (leftCount > 0 || leaves) {
      store<i32>(RECORD_START, recordStart - buffer);
      store<i32>(RECORD_END, recordEnd - buffer);
      store<i32>(LEFT_COUNT, leftCount);
      handsOver = 1;
      break;
    }
  }
  store<i32>(POSITION, pos - buffer);
  store<i32>(LINES, lines);
  store<i32>(LAST_LINES, lastLines);
  store<i32>(FEEDS, feeds);
  store<i32>(PAIRS, pairs);
  return handsOver;
}

/** Has the high bit set in bytes that are zero, and perhaps in some above the lowest of them. */
function zeroBytes(word: u64): u64 {
  return (word - EACH) & ~word;
}

/** A fault of a kind: counted only where the column lists no more of it. */
function settled(column: i32, kind: i32, fault: i32): i32 {
  return (load<u8>(column, SETTLED) & kind) !== 0 ? fault : LEFT_OVER;
}

/** What becomes of a value that is beyond those so far: where bounds may be broken, that is not seen by the value alone. */
function beyond(column: i32, value: f64): i32 {
  const outside = value < load<f64>(column, LEAST) || value > load<f64>(column, GREATEST);
  return outside ? LEFT_OVER : OUTERMOST;
}

/** What becomes of a value that may break constraints, and would be `verdict` if it does not. */
function judge(column: i32, cell: i32, start: i32, end: i32, value: f64, verdict: i32): i32 {
  const broken = breaks(cell, start, end, value);
  if (broken === 0) return verdict;
  const outermost = verdict === FINE ? 0 : BREAKS_OUTERMOST;
  return settled(column, CONSTRAINT_ERROR, BREAKS | outermost | popcnt(broken));
}

/** What becomes of a cell that is not of its column's type. */
function judgeUnfit(column: i32, start: i32, end: i32): i32 {
  if ((load<u8>(column, SETTLED) & TYPE_ERROR) === 0) return LEFT_OVER;
  let type = LOOKS_STRING;
  const first: i32 = load<u8>(start);
  const size = end - start;
  if (first <= NINE) type = looks(start, end);
  else if ((size === 4 || size === 5) && find(load<i32>(WORDS), start, end) !== 0) {
    type = LOOKS_BOOLEAN;
  }
  return NOT_OF_TYPE | type;
}

/** What becomes of a cell that stands for no value. */
function judgeMissing(column: i32, nulls: i32, cell: i32): i32 {
  if ((load<u8>(column, FACTS) & NULL_IS_FINE) === 0) {
    return settled(column, CONSTRAINT_ERROR, NULL_BREAKS | 1);
  }
  store<u8>(nulls + cell, 1);
  store<f64>(column, load<f64>(column, NULL_COUNT) + 1, NULL_COUNT);
  return FINE;
}

/** What becomes of a cell that its column's list does not have. */
function judgeUnlisted(column: i32, nulls: i32, cell: i32, start: i32, end: i32): i32 {
  const missing = load<i32>(column, MISSING);
  if (missing !== 0 && find(missing, start, end) !== 0) return judgeMissing(column, nulls, cell);
  const facts: i32 = load<u8>(column, FACTS);
  if ((facts & LISTS_TYPE) !== 0) return judgeUnfit(column, start, end);
  if ((facts & LISTS_ENUM) === 0 || isOdd(start, end)) return LEFT_OVER;
  return settled(column, CONSTRAINT_ERROR, BREAKS | BREAKS_OUTERMOST | 1);
}

/** Takes the keys of a row that is sound; false where one of them is for TypeScript to read. */
function takeKeys(start: i32, end: i32, lines: i32): bool {
  const buffer = load<i32>(BUFFER);
  const starts = load<i32>(STARTS);
  const ends = load<i32>(ENDS);
  const values = load<i32>(VALUES);
  const nulls = load<i32>(NULLS);
  const flags = load<i32>(FLAGS);
  const count = load<i32>(KEY_COUNT);
  const number = load<i32>(KEY_ROW_COUNT);
  const row = load<i32>(KEY_ROWS) + number * (KEY_ROW_HASHES + count * HASH_BYTES);
  let key = load<i32>(KEYS);
  for (let i = 0; i < count; i++, key += KEY_BYTES) {
    const cell = load<i32>(key, KEY_CELL);
    const isEscaped = (<i32>load<u8>(flags + cell) & ESCAPED) !== 0;
    if (load<u8>(nulls + cell) !== 0 || isEscaped) return false;
    const from = buffer + load<i32>(starts + (cell << 2));
    const to = buffer + load<i32>(ends + (cell << 2));
    const hash = row + KEY_ROW_HASHES + i * HASH_BYTES;
    if (load<i32>(key, KEY_IS_INTEGER) === 0) {
      hashText(key + KEY_SECRET, from, to, hash);
    } else {
      if (to - from > EXACT_DIGITS) return false;
      store<f64>(hash, load<f64>(values + (cell << 3)));
    }
  }
  store<i32>(row, start - buffer, KEY_ROW_START);
  store<i32>(row, end - buffer, KEY_ROW_END);
  store<i32>(row, lines, KEY_ROW_LINES);
  store<i32>(KEY_ROW_COUNT, number + 1);
  return true;
}

/** The hash of a key that is one text, as KeyHash (key-hash.ts) makes it. */
function hashText(secret: i32, start: i32, end: i32, to: i32): void {
  let v0 = load<i32>(secret);
  let v1 = load<i32>(secret, 4);
  let v2 = load<i32>(secret, 8);
  let v3 = load<i32>(secret, 12);
  let at = start;
  v0 ^= end - start;
  let isFirst = true;
  do {
    if (!isFirst) {
      v0 ^= wordAt(at, end);
      at += 4;
    }
    isFirst = false;
    v1 ^= wordAt(at, end);
    v2 ^= wordAt(at + 4, end);
    v3 ^= wordAt(at + 8, end);
    at += 12;
    for (let round = 0; round < 8; round++) {
      v0 += v1;
      v1 = rotl<i32>(v1, 5) ^ v0;
      v0 = rotl<i32>(v0, 16);
      v2 += v3;
      v3 = rotl<i32>(v3, 8) ^ v2;
      v0 += v3;
      v3 = rotl<i32>(v3, 13) ^ v0;
      v2 += v1;
      v1 = rotl<i32>(v1, 7) ^ v2;
      v2 = rotl<i32>(v2, 16);
    }
  } while (at < end);
  store<i32>(to, v0);
  store<i32>(to, v1, 4);
  store<i32>(to, v2, 8);
  store<i32>(to, v3, 12);
}

/** Four bytes of a text, zeros behind its end. */
function wordAt(at: i32, end: i32): i32 {
  const rest = end - at;
  if (rest <= 0) return 0;
  const word = load<i32>(at);
  return rest >= 4 ? word : word & ((1 << (rest << 3)) - 1);
}

/** Counts the faults of a row all of which are settled. */
function countFaults(columns: i32, left: i32, marks: i32, leftCount: i32): void {
  const onlyWarns = load<i32>(ONLY_WARNS);
  const values = load<i32>(VALUES);
  let kinds = 0;
  for (let i = 0; i < leftCount; i++) {
    const cell = load<i32>(left + (i << 2));
    const column = columns + cell * COLUMN_BYTES;
    const mark = load<i32>(marks + (i << 2));
    if ((mark & NOT_OF_TYPE) !== 0) {
      kinds |= TYPE_ERROR;
      store<f64>(column, load<f64>(column, TYPE_ERRORS) + 1, TYPE_ERRORS);
      const tally = load<i32>(column, TALLIES) + (mark & 0xff) * TALLY_BYTES;
      store<f64>(tally, load<f64>(tally) + 1);
    } else {
      kinds |= CONSTRAINT_ERROR;
      const errors = load<f64>(column, CONSTRAINT_ERRORS) + <f64>(mark & 0xff);
      store<f64>(column, errors, CONSTRAINT_ERRORS);
      if ((mark & NULL_BREAKS) !== 0) {
        store<f64>(column, load<f64>(column, NULL_COUNT) + 1, NULL_COUNT);
      } else if ((mark & BREAKS_OUTERMOST) !== 0) {
        const value = load<f64>(values + (cell << 3));
        store<f64>(column, min(load<f64>(column, FAULTY_LOW), value), FAULTY_LOW);
        store<f64>(column, max(load<f64>(column, FAULTY_HIGH), value), FAULTY_HIGH);
      }
    }
  }
  store<f64>(FAULTY_ROWS, load<f64>(FAULTY_ROWS) + 1);
  if ((kinds & ~onlyWarns) !== 0) store<f64>(FAILING_ROWS, load<f64>(FAILING_ROWS) + 1);
}

/** Reads a cell of a declared column that is not empty, and of which the end is known. */
function readText(
  column: i32,
  kind: i32,
  cell: i32,
  values: i32,
  nulls: i32,
  start: i32,
  end: i32,
): i32 {
  const missing = load<i32>(column, MISSING);
  if (missing !== 0 && find(missing, start, end) !== 0) return judgeMissing(column, nulls, cell);
  const facts: i32 = load<u8>(column, FACTS);
  const size = end - start;
  let value: f64 = 0;
  if ((facts & IS_TEXT) !== 0) {
    if (isOdd(start, end)) return LEFT_OVER;
  } else if (kind <= LAST_PARSED && isWord(kind, start)) {
    return judgeUnfit(column, start, end);
  } else {
    value = read(cell, start, end);
    if (isNaN(value)) return judgeUnfit(column, start, end);
    if (value === UNORDERED) return LEFT_OVER;
  }
  store<f64>(values + (cell << 3), value);
  let verdict = FINE;
  if (load<u8>(column, RANGED) !== 0) {
    const prefix = prefixOf(start, end);
    if (prefix <= load<i32>(column, FIRST_PREFIX) || prefix >= load<i32>(column, LAST_PREFIX)) {
      verdict = OUTERMOST;
    }
  } else if (value < load<f64>(column, LOW) || value > load<f64>(column, HIGH)) {
    verdict = beyond(column, value);
  }
  const rule: i32 = load<u8>(column, RULE);
  // What was not parsed is not a double: the bounds are held against its digits.
  let asks = (rule & RULE_OTHER) !== 0 || verdict === LEFT_OVER || kind <= LAST_PARSED;
  if ((rule & RULE_LENGTH) !== 0) {
    if (size > load<i32>(column, MOST_BYTES) || size < load<i32>(column, FEWEST_BYTES)) asks = true;
  }
  if ((rule & RULE_PATTERN) !== 0 && !asks) {
    const pattern = load<i32>(column, PATTERN);
    const state = match(pattern, start, end);
    const matches = load<u8>(pattern + state, PATTERN_ACCEPTS) !== 0;
    if (state === STATE_UNDECIDED) asks = true;
    else if (!matches && (facts & PATTERN_ALONE) === 0) asks = true;
    else if (!matches) {
      const outermost = verdict === OUTERMOST ? BREAKS_OUTERMOST : 0;
      return settled(column, CONSTRAINT_ERROR, BREAKS | outermost | 1);
    }
  }
  return asks ? judge(column, cell, start, end, value, verdict) : verdict;
}

/** Whether a cell begins with a letter that no value of a parsed kind begins with. */
function isWord(kind: i32, start: i32): bool {
  const first: i32 = load<u8>(start);
  if (first <= NINE) return false;
  // NaN and INF are numbers.
  return kind !== NUMBER || ((first | 0x20) !== 0x6e && (first | 0x20) !== 0x69);
}

/** Reads a text with doubled quotes: where they are in its middle, and nothing is odd, its ends tell enough. */
function readEscaped(column: i32, kind: i32, start: i32, end: i32, quote: i32): i32 {
  store<u8>(column, UNCOUNTED, SEEN);
  const size = end - start;
  const isInferred = load<u8>(column, INFERRED) !== 0;
  if (size < 8 || hasByte(load<i32>(start), quote) || hasByte(load<i32>(end - 4), quote)) {
    return LEFT_OVER;
  }
  const first: i32 = load<u8>(start);
  if (first <= NINE || mayBeOdd(start, end)) return LEFT_OVER;
  if (!isInferred) {
    if (kind !== TEXT || load<i32>(column, MISSING) !== 0) return LEFT_OVER;
    const rule: i32 = load<u8>(column, RULE);
    const isShort = size <= load<i32>(column, MOST_BYTES) && load<i32>(column, FEWEST_BYTES) === 0;
    if (rule !== 0 && (rule !== RULE_LENGTH || !isShort)) return LEFT_OVER;
  }
  const prefix = prefixOf(start, end);
  if (prefix <= load<i32>(column, FIRST_PREFIX) || prefix >= load<i32>(column, LAST_PREFIX)) {
    return LEFT_OVER;
  }
  if (isInferred) {
    const tally = load<i32>(column, TALLIES) + LOOKS_STRING * TALLY_BYTES;
    store<f64>(tally, load<f64>(tally) + 1);
    store<u8>(column, LOOKS_STRING, SEEN);
  }
  return FINE;
}

/** Whether one of four bytes is this one. */
function hasByte(word: i32, byte: i32): bool {
  const different = word ^ (byte * 0x01010101);
  return ((different - 0x01010101) & ~different & 0x80808080) !== 0;
}

/** Reads a cell of an undeclared column that is not empty. */
function readUndeclared(column: i32, cell: i32, values: i32, start: i32, end: i32): i32 {
  const first: i32 = load<u8>(start);
  const size = end - start;
  if (isOdd(start, end)) {
    store<u8>(column, UNCOUNTED, SEEN);
    return LEFT_OVER;
  }
  if (first <= NINE) {
    const type = guess(cell, start, end);
    if (type !== UNCOUNTED) return LOOKS | type;
    store<u8>(column, UNCOUNTED, SEEN);
    return LEFT_OVER;
  }
  let tally = load<i32>(column, TALLIES) + LOOKS_STRING * TALLY_BYTES;
  let type = LOOKS_STRING;
  let value: f64 = 0;
  if (size === 4 || size === 5) {
    const word = find(load<i32>(WORDS), start, end);
    if (word !== 0) {
      type = LOOKS_BOOLEAN;
      tally += (LOOKS_BOOLEAN - LOOKS_STRING) * TALLY_BYTES;
      value = load<f64>(word, ENTRY_VALUE);
    }
  }
  store<f64>(values + (cell << 3), value);
  store<f64>(tally, load<f64>(tally) + 1);
  store<u8>(column, type, SEEN);
  const prefix = prefixOf(start, end);
  if (prefix <= load<i32>(column, FIRST_PREFIX) || prefix >= load<i32>(column, LAST_PREFIX)) {
    return OUTERMOST;
  }
  // Of words both values come soon; a text has none.
  if (type === LOOKS_STRING) return FINE;
  return value < load<f64>(tally, TALLY_LOW) || value > load<f64>(tally, TALLY_HIGH)
    ? OUTERMOST
    : FINE;
}

/** Counts an undeclared cell. */
function infer(column: i32, type: i32, value: f64, start: i32, end: i32): i32 {
  const tally = load<i32>(column, TALLIES) + type * TALLY_BYTES;
  const low = load<f64>(tally, TALLY_LOW);
  const high = load<f64>(tally, TALLY_HIGH);
  store<f64>(tally, load<f64>(tally) + 1);
  store<u8>(column, type, SEEN);
  if (value < low || value > high) return OUTERMOST;
  // Dates are ordered as their texts are, and so are date-times but for a Z.
  if (type === LOOKS_DATE) return FINE;
  if (type === LOOKS_DATETIME) return value === low || value === high ? OUTERMOST : FINE;
  const prefix = prefixOf(start, end);
  const inside =
    prefix > load<i32>(column, FIRST_PREFIX) && prefix < load<i32>(column, LAST_PREFIX);
  return inside ? FINE : OUTERMOST;
}

/** Whether a text is odd; nearly all are not by their first and last bytes. */
function isOdd(start: i32, end: i32): bool {
  return mayBeOdd(start, end) && oddity(start, end) !== 0;
}

/** Whether the first and last bytes of a text are those of one that is odd. */
function mayBeOdd(start: i32, end: i32): bool {
  const edge =
    (<i32>load<u8>(ODD_BYTES + <i32>load<u8>(start)) & ODD_AT_START) |
    (<i32>load<u8>(ODD_BYTES + <i32>load<u8>(end - 1)) & ODD_AT_END);
  if (edge !== 0) return true;
  return end - start > 4 && (load<u8>(end - 3) === PLUS || load<u8>(end - 4) === PLUS);
}

/** The first four bytes of a text, which is not empty, as an integer that is ordered as they are. */
function prefixOf(start: i32, end: i32): i32 {
  const size = end - start;
  const word = bswap(load<i32>(start));
  const mask = size < 4 ? -1 << (32 - (size << 3)) : -1;
  return (word & mask) ^ 0x80000000;
}

/** Address of the entry that a text, which is not empty, is in a list; 0 for none. */
function find(list: i32, start: i32, end: i32): i32 {
  const size = end - start;
  let word = load<u64>(start);
  if (size < 8) word &= ((<u64>1) << ((<u64>size) << 3)) - 1;
  const mask = load<i32>(list, LIST_MASK);
  const entries = load<i32>(list, LIST_ENTRIES);
  let slot = slotOf(word, size) & mask;
  let number: i32 = load<u16>(list + (slot << 1), LIST_SLOTS);
  while (number !== 0) {
    const entry = entries + (number - 1) * ENTRY_BYTES;
    if (load<u64>(entry) === word && load<i32>(entry, ENTRY_LENGTH) === size) {
      if (size <= 8 || memory.compare(start, load<i32>(entry, ENTRY_TEXT), size) === 0)
        return entry;
    }
    slot = (slot + 1) & mask;
    number = load<u16>(list + (slot << 1), LIST_SLOTS);
  }
  return 0;
}

/** Gives an entry of a list its slot. */
export function enter(list: i32, number: i32): void {
  const entry = load<i32>(list, LIST_ENTRIES) + (number - 1) * ENTRY_BYTES;
  const mask = load<i32>(list, LIST_MASK);
  let slot = slotOf(load<u64>(entry), load<i32>(entry, ENTRY_LENGTH)) & mask;
  while (load<u16>(list + (slot << 1), LIST_SLOTS) !== 0) slot = (slot + 1) & mask;
  store<u16>(list + (slot << 1), number, LIST_SLOTS);
}

/** Where a text is looked for first. */
function slotOf(word: u64, size: i32): i32 {
  return <i32>((word * 0x9e3779b97f4a7c15) >> 40) ^ size;
}

/** The state that a pattern is in after a text. */
function match(pattern: i32, start: i32, end: i32): i32 {
  const shift = load<i32>(pattern, PATTERN_SHIFT);
  let state = load<i32>(pattern, PATTERN_START);
  for (let at = start; at < end; at++) {
    const kind: i32 = load<u8>(pattern + <i32>load<u8>(at), PATTERN_CLASSES);
    state = load<u8>(pattern + (state << shift) + kind, PATTERN_LINKS);
    if (state <= STATE_UNDECIDED) break;
  }
  return state;
}

/** Takes back what was counted of a row that is not plain. */
function takeBack(columns: i32, nulls: i32, cells: i32): void {
  let column = columns;
  for (let cell = 0; cell < cells; cell++, column += COLUMN_BYTES) {
    if (load<u8>(column, INFERRED) !== 0) {
      const tally = load<i32>(column, TALLIES) + <i32>load<u8>(column, SEEN) * TALLY_BYTES;
      store<f64>(tally, load<f64>(tally) - 1);
    }
    if (load<u8>(nulls + cell) !== 0) {
      store<f64>(column, load<f64>(column, NULL_COUNT) - 1, NULL_COUNT);
    }
  }
}

/** Widens what was seen so far by the cells of a row that are beyond it. */
function widen(outer: i32, outerCount: i32, buffer: i32): void {
  const columns = load<i32>(COLUMNS);
  const starts = load<i32>(STARTS);
  const ends = load<i32>(ENDS);
  const values = load<i32>(VALUES);
  for (let i = 0; i < outerCount; i++) {
    const cell = load<i32>(outer + (i << 2));
    const column = columns + cell * COLUMN_BYTES;
    const start = buffer + load<i32>(starts + (cell << 2));
    const end = buffer + load<i32>(ends + (cell << 2));
    const value = load<f64>(values + (cell << 3));
    if (load<u8>(column, INFERRED) !== 0) {
      const tally = load<i32>(column, TALLIES) + <i32>load<u8>(column, SEEN) * TALLY_BYTES;
      store<f64>(tally, min(load<f64>(tally, TALLY_LOW), value), TALLY_LOW);
      store<f64>(tally, max(load<f64>(tally, TALLY_HIGH), value), TALLY_HIGH);
      addText(column, start, end);
    } else if (load<u8>(column, KIND) === LISTED) {
      const entry = find(load<i32>(column, LIST), start, end);
      if (entry === 0) addText(column, start, end);
      else store<i32>(entry, 1, ENTRY_SEEN);
    } else if (load<u8>(column, RANGED) !== 0) {
      addText(column, start, end);
    } else {
      store<f64>(column, min(load<f64>(column, LOW), value), LOW);
      store<f64>(column, max(load<f64>(column, HIGH), value), HIGH);
    }
  }
}

/** A text that may be its column's first or last. */
function addText(column: i32, start: i32, end: i32): void {
  const size = min(end - start, LONGEST_TEXT);
  const prefix = prefixOf(start, end);
  const first = load<i32>(column, FIRST_TEXT);
  const last = load<i32>(column, LAST_TEXT);
  const isOnly = load<i32>(first, TEXT_LENGTH) < 0;
  const isFirst = prefix <= load<i32>(column, FIRST_PREFIX);
  const isLast = prefix >= load<i32>(column, LAST_PREFIX);
  if (isOnly || (isFirst && compare(start, size, first) < 0)) {
    store<i32>(column, prefix, FIRST_PREFIX);
    keep(first, start, size);
  }
  if (isOnly || (isLast && compare(start, size, last) > 0)) {
    store<i32>(column, prefix, LAST_PREFIX);
    keep(last, start, size);
  }
}

/** Below 0 where a text comes before the one that is kept, and above 0 where it comes after it. */
function compare(start: i32, size: i32, kept: i32): i32 {
  const length = load<i32>(kept, TEXT_LENGTH);
  const order = memory.compare(start, kept + TEXT_BYTES, min(size, length));
  return order !== 0 ? order : size - length;
}

function keep(kept: i32, start: i32, size: i32): void {
  store<i32>(kept, size, TEXT_LENGTH);
  memory.copy(kept + TEXT_BYTES, start, size);
}
