import type { CompiledDialect } from './dialect.ts';
import { CELL_QUOTED, MAX_CELLS, QUOTES_VALID, type RecordHandler, Scanner } from './scanner.ts';
import { decodeText } from './text.ts';

/** First bytes of the text by which the dialect is found, before any record is judged. */
export const HEAD_BYTES = 65_536;
/** Records of them that are looked at, cells of a record, and bytes of a cell. */
const MOST_RECORDS = 100;
const MOST_CELLS = 256;
const MOST_CELL_BYTES = 256;
/** Scanned at a time, until there are records enough. */
const PIECE_BYTES = 8_192;
/** Records before the header that may be none of the table. */
const MOST_BEFORE_HEADER = 20;

const QUOTE = 0x22;
const APOSTROPHE = 0x27;

/** Characters that may stand between cells, and what they are called. */
export const DELIMITERS: readonly { readonly character: string; readonly name: string }[] = [
  { character: ',', name: 'comma' },
  { character: ';', name: 'semicolon' },
  { character: '\t', name: 'tab' },
  { character: '|', name: 'vertical bar' },
  { character: '~', name: 'tilde' },
  { character: '^', name: 'circumflex' },
  { character: '\x1f', name: 'unit separator' },
  // Hive's own.
  { character: '\x01', name: 'start-of-heading character' },
];

/** One way in which a file is written otherwise than declared. */
export interface DialectDifference {
  readonly kind: 'delimiter' | 'header-delimiter' | 'quote' | 'quoted-lines' | 'header-row';
  /** What the file is, as a sentence without its values. */
  readonly sentence: string;
  /** What to declare. */
  readonly remedy: string;
}

/** What the first bytes of a file say of its dialect. */
export interface FoundDialect {
  /** What the file is read by. */
  readonly dialect: CompiledDialect;
  readonly differences: readonly DialectDifference[];
  /** Bytes of Excel's line that names the delimiter; 0 where there is none. */
  readonly sepLine: number;
  /** Whether each line is one quoted cell that holds a record. */
  readonly quotedLines: boolean;
  /** What stands between the labels, where that is something else than between the values. */
  readonly headerDelimiter?: string;
  /** The first records, by that dialect, those before the header included. */
  readonly records: readonly SampleRecord[];
}

/** One of the first records of a file. */
export interface SampleRecord {
  /** Physical line, from 1. */
  readonly line: number;
  readonly width: number;
  /** Texts of the first cells, cut. */
  readonly cells: readonly string[];
  readonly quoted: number;
  readonly valid: boolean;
}

/**
 * Finds out how a file is written. It is read as declared unless its first records say clearly that it is not: a table
 * of at least two columns in which all, or nearly all, records agree is never read otherwise.
 *
 * @param head the first {@link HEAD_BYTES} of the text, or all of it
 * @param whole whether it is all
 * @param names of the schema's fields
 */
export function findDialect(
  head: Uint8Array,
  whole: boolean,
  declared: CompiledDialect,
  names: readonly string[],
): FoundDialect {
  const sep = sepLineOf(head, whole);
  const text = head.subarray(sep.length);
  const line = sep.length > 0 ? 2 : 1;
  const read = (dialect: CompiledDialect, bytes = text): Reading =>
    readingOf(sampleOf(bytes, whole, dialect, line), whole, dialect, names);
  const characters = [...new Set([sep.delimiter, ...DELIMITERS.map(({ character }) => character)])];

  const asDeclared = read(declared);
  const lines = quotedLinesOf(asDeclared, declared, text, whole);
  if (lines !== undefined) {
    const inner = chooseDelimiter(read(declared, lines.text), declared, characters, (dialect) =>
      read(dialect, lines.text),
    );
    if (isTable(inner)) return found(inner, declared, sep.length, names, lines.difference);
  }
  const delimited = chooseDelimiter(asDeclared, declared, characters, read);
  const chosen = chooseQuote(delimited, read);
  const split = isTable(chosen) ? undefined : splitHeader(declared, characters, read);
  if (split !== undefined) {
    const { reading, headerDelimiter, difference } = split;
    const { dialect, records } = reading;
    const differences = [difference];
    return {
      ...{ dialect, differences, records, headerDelimiter },
      sepLine: sep.length,
      quotedLines: false,
    };
  }
  return found(chosen, declared, sep.length, names);
}

/** A way to read the first records, and what they look like by it. */
interface Reading {
  readonly dialect: CompiledDialect;
  readonly records: readonly SampleRecord[];
  /** Index of the record that is probably the header; as declared where nothing speaks against it. */
  readonly header: number;
  readonly headerWidth: number;
  /** Records from the header on that are not blank, and how many of them have as many cells as most. */
  readonly total: number;
  readonly agreeing: number;
  readonly width: number;
  /** Whether there are more records than were looked at. */
  readonly partial: boolean;
}

function found(
  reading: Reading,
  declared: CompiledDialect,
  sepLine: number,
  names: readonly string[],
  lines?: DialectDifference,
): FoundDialect {
  const { dialect, records, header } = reading;
  const differences: DialectDifference[] = lines === undefined ? [] : [lines];
  if (dialect.delimiter !== declared.delimiter)
    differences.push(delimiterDifference(reading, declared));
  if (dialect.quote !== declared.quote) differences.push(quoteDifference(reading));
  const moved = dialect.header && isTable(reading) && header !== declaredHeader(declared);
  if (moved) {
    const { line = header + 1 } = records[header] ?? {};
    differences.push({
      kind: 'header-row',
      sentence: `The header is probably in line ${line}: ${isNamed(records[header]?.cells ?? [], names) ? "its labels are the schema's fields" : 'what stands before it has fewer cells'}.`,
      remedy: `Remove the lines before the header, or declare {"headerRows": [${header + 1}]} in the dialect.`,
    });
  }
  return {
    dialect: moved ? { ...dialect, headerRows: [header + 1] } : dialect,
    differences,
    sepLine,
    quotedLines: lines !== undefined,
    records,
  };
}

function delimiterDifference(
  { dialect, records, width, agreeing, total, partial }: Reading,
  declared: CompiledDialect,
): DialectDifference {
  const character = String.fromCharCode(dialect.delimiter);
  const count = width - 1;
  const shown = delimiterName(character);
  const wanted = delimiterName(String.fromCharCode(declared.delimiter));
  if (isDoubled(records, width)) {
    return {
      kind: 'delimiter',
      sentence: `The file is separated by two ${plural(shown)} at a time: each second cell of its first lines is empty.`,
      remedy: `Export the file ${wanted}-separated: a delimiter of two characters can't be declared.`,
    };
  }
  return {
    kind: 'delimiter',
    sentence: `The file is ${shown}-separated: ${agreeing} of ${partial ? 'the first ' : ''}${counted(total, 'line')} ${total === 1 ? 'has' : 'have'} ${counted(count, shown)}.`,
    remedy: `Export the file ${wanted}-separated, or declare {"delimiter": ${JSON.stringify(character)}} in the dialect.`,
  };
}

/** Whether each second cell is empty, also in the header, as where two characters stand between cells. */
function isDoubled(records: readonly SampleRecord[], width: number): boolean {
  const rows = records.filter((row) => row.width === width);
  return (
    width > 2 &&
    width % 2 === 1 &&
    rows.every(({ cells }) => {
      return cells.every((cell, index) => index % 2 === 0 || cell === '');
    })
  );
}

function delimiterName(character: string): string {
  const known = DELIMITERS.find((one) => one.character === character);
  return known?.name ?? JSON.stringify(character);
}

function quoteDifference({ dialect, records }: Reading): DialectDifference {
  const name = dialect.quote === APOSTROPHE ? 'apostrophes' : 'double quotes';
  const cells = records.reduce((sum, { quoted }) => sum + quoted, 0);
  return {
    kind: 'quote',
    sentence: `The file is quoted by ${name}: ${cells === 1 ? '1 cell of its first lines is' : `${cells} cells of its first lines are`}.`,
    remedy: `Export the file as declared, or declare {"quoteChar": ${JSON.stringify(String.fromCharCode(dialect.quote))}} in the dialect.`,
  };
}

function counted(count: number, noun: string): string {
  return count === 1 ? `1 ${noun}` : `${count} ${plural(noun)}`;
}

function plural(noun: string): string {
  return noun.endsWith('x') ? `${noun}es` : `${noun}s`;
}

/** Blanks may follow, and delimiters, where a program has made the line as wide as the others. */
const SEP_LINE = /^"?sep=([^\r\n"])[ \t]*"?(?:\1|[ \t])*(?:\r\n|\n|\r)/i;
const LONGEST_SEP_LINE = 1_024;

function sepLineOf(head: Uint8Array, whole: boolean): { length: number; delimiter: string } {
  const start = decodeText(head, 0, Math.min(head.length, LONGEST_SEP_LINE));
  const match = SEP_LINE.exec(start);
  const delimiter = match?.[1] ?? ',';
  // A CR at the end of what is known may be half of a CRLF; a file is not read by a character that no dialect allows.
  if (match === null || (match[0].length >= head.length && !whole)) return NO_SEP_LINE;
  return delimiter.charCodeAt(0) < 0x80 ? { length: match[0].length, delimiter } : NO_SEP_LINE;
}

const NO_SEP_LINE = { length: 0, delimiter: ',' };

/** The first records by a dialect. What is cut off by the end of the head is none, unless the file ends there. */
function sampleOf(
  text: Uint8Array,
  whole: boolean,
  dialect: CompiledDialect,
  firstLine: number,
): SampleRecord[] {
  const records: SampleRecord[] = [];
  const handler: RecordHandler = {
    record(scanner) {
      if (records.length < MOST_RECORDS) records.push(sampleRecord(scanner, firstLine));
    },
  };
  const scanner = new Scanner(handler, dialect, HEAD_BYTES);
  for (let from = 0; from < text.length && records.length < MOST_RECORDS; from += PIECE_BYTES) {
    scanner.write(text.subarray(from, from + PIECE_BYTES));
  }
  if (whole) scanner.end();
  const { footerRows } = dialect;
  return whole && footerRows > 0 ? records.slice(0, -footerRows) : records;
}

function sampleRecord(scanner: Scanner, firstLine: number): SampleRecord {
  const cells: string[] = [];
  let quoted = 0;
  for (let cell = 0; cell < Math.min(scanner.cellCount, MOST_CELLS, MAX_CELLS); cell++) {
    const start = scanner.starts[cell] as number;
    const end = scanner.ends[cell] as number;
    if (((scanner.flags[cell] as number) & CELL_QUOTED) !== 0) quoted++;
    cells.push(decodeText(scanner.bytes, start, Math.min(end, start + MOST_CELL_BYTES)).trim());
  }
  return {
    line: scanner.recordLine + firstLine - 1,
    width: scanner.cellCount,
    cells,
    quoted,
    valid: scanner.quotes === QUOTES_VALID && !scanner.tooLarge,
  };
}

function readingOf(
  records: readonly SampleRecord[],
  whole: boolean,
  dialect: CompiledDialect,
  names: readonly string[],
): Reading {
  const declared = declaredHeader(dialect);
  const isOneRow = dialect.header && dialect.headerRows.length === 1;
  const header = isOneRow ? headerOf(records, declared, names) : declared;
  const rows = records.slice(header).filter((record) => !isBlank(record));
  const width = commonWidth(rows);
  return {
    dialect,
    records,
    header,
    headerWidth: rows[0]?.width ?? 0,
    total: rows.length,
    agreeing: rows.filter((row) => row.width === width && row.valid).length,
    width,
    partial: !whole || records.length === MOST_RECORDS,
  };
}

/** Index of the record that is, or ends, the header as it is declared; of the first record without one. */
function declaredHeader({ header, headerRows }: CompiledDialect): number {
  return header ? (headerRows.at(-1) ?? 1) - 1 : 0;
}

/** How many cells most records have that have more than one; 1 where none has. */
function commonWidth(records: readonly SampleRecord[]): number {
  const tally = new Map<number, number>();
  for (const { width } of records) if (width > 1) tally.set(width, (tally.get(width) ?? 0) + 1);
  const [most] = [...tally].sort(([a, times], [b, others]) => others - times || b - a);
  return most?.[0] ?? 1;
}

/**
 * Index of the record that holds the labels. It is another than declared only where that one and all up to the other
 * have few cells that are not blank, the other has as many as the rows, all of them words, and the rows under it have
 * numbers or dates.
 */
function headerOf(
  records: readonly SampleRecord[],
  declared: number,
  names: readonly string[],
): number {
  const width = commonWidth(records.slice(declared));
  const first = records[declared];
  if (first === undefined || width < 2) return declared;
  if (first.cells.some((label) => names.includes(label))) return declared;
  const last = Math.min(records.length, declared + MOST_BEFORE_HEADER);
  // Under rows of data it would be a repetition.
  const under = records.slice(declared + 1, last);
  const next = under.find((record) => !standsBeforeHeader(record, width));
  if (next !== undefined && names.length > 1 && isNamed(next.cells, names)) {
    return records.indexOf(next);
  }
  if (!standsBeforeHeader(first, width)) return declared;
  for (let at = declared + 1; at < last; at++) {
    const record = records[at] as SampleRecord;
    if (standsBeforeHeader(record, width)) continue;
    const rows = records.slice(at + 1).filter((row) => !isBlank(row));
    const fits = rows.filter((row) => row.width === width).length >= rows.length * 0.9;
    const isHalfNamed = record.cells.filter((label) => names.includes(label)).length * 2 >= width;
    return areLabels(record, width) && fits && (isHalfNamed || typedColumns(rows).length > 0)
      ? at
      : declared;
  }
  return declared;
}

function standsBeforeHeader({ cells, width }: SampleRecord, common: number): boolean {
  const filled = cells.filter((cell) => cell !== '').length;
  if (width === common) return common > 2 && filled <= 1;
  return filled < common;
}

/** Whether all cells are names of the schema, and all of these are there. */
function isNamed(cells: readonly string[], names: readonly string[]): boolean {
  return cells.length === names.length && names.every((name) => cells.includes(name));
}

function areLabels({ cells, width, valid }: SampleRecord, common: number): boolean {
  const distinct = new Set(cells);
  if (!valid || width !== common || distinct.size !== cells.length || distinct.has(''))
    return false;
  return !cells.some(isTyped);
}

/** A number or a date: what a label rarely is. */
const TYPED =
  /^[-+]?[\d.,\s]*\d%?$|^\d{1,4}[-/.]\d{1,2}([-/.]\d{1,4})?([T ][\d:.]+(Z|[+-][\d:]+)?)?$/;

/** Whether a text is a number or a date. */
export function isTyped(text: string): boolean {
  return TYPED.test(text);
}

/** Columns of which nearly all values are numbers or dates. */
export function typedColumns(rows: readonly SampleRecord[]): number[] {
  const [first] = rows;
  return (first?.cells ?? []).flatMap((_, column) => {
    const values = rows.map(({ cells }) => cells[column] ?? '').filter((cell) => cell !== '');
    const typed = values.filter(isTyped).length;
    return values.length > 0 && typed >= values.length * 0.9 ? [column] : [];
  });
}

function isBlank({ cells }: SampleRecord): boolean {
  return cells.every((cell) => cell === '');
}

/** Whether nearly all records of a reading are as wide as its header, which has several cells. */
function isTable({ dialect, headerWidth, width, agreeing, total }: Reading): boolean {
  const headed = !dialect.header || headerWidth === width;
  return width > 1 && headed && agreeing >= total * 0.9;
}

function chooseDelimiter(
  asDeclared: Reading,
  declared: CompiledDialect,
  characters: readonly string[],
  read: (dialect: CompiledDialect) => Reading,
): Reading {
  const { records, header } = asDeclared;
  // What separates the labels stands in them, or in the first record under what comes before them.
  const first = records
    .slice(header, header + 1 + MOST_BEFORE_HEADER)
    .map(({ cells }) => cells.join(' '))
    .join(' ');
  const used = new Set([declared.delimiter, declared.quote, declared.escape, declared.comment]);
  const others = characters.filter(
    (character) => !used.has(character.charCodeAt(0)) && first.includes(character),
  );
  const readings = others
    .map((character) => {
      const reading = read({ ...declared, delimiter: character.charCodeAt(0) });
      // Quotes that are none may hide the delimiter between them.
      return isBetter(reading, asDeclared) ? reading : chooseQuote(reading, read);
    })
    .filter((reading) => isBetter(reading, asDeclared))
    .sort((a, b) => b.agreeing / b.total - a.agreeing / a.total || b.width - a.width);
  return readings[0] ?? asDeclared;
}

function isBetter(reading: Reading, asDeclared: Reading): boolean {
  const { dialect, width, headerWidth, agreeing, total } = reading;
  const share = agreeing / total;
  if (width < 2 || (dialect.header && headerWidth !== width)) return false;
  // One line alone says little: a single label may hold a semicolon.
  if (total < 2 && width < 3) return false;
  if (isTable(asDeclared)) return share === 1 && total > 2 && width >= asDeclared.width * 2;
  if (asDeclared.headerWidth === 1) return share >= 2 / 3;
  return share >= 0.9 && width > asDeclared.headerWidth && share > shareOf(asDeclared);
}

function shareOf({ agreeing, total, headerWidth, width }: Reading): number {
  return headerWidth === width ? agreeing / total : 0;
}

/** A header of one label by what separates the rows, which something else separates into as many labels as they have cells. */
function splitHeader(
  declared: CompiledDialect,
  characters: readonly string[],
  read: (dialect: CompiledDialect) => Reading,
): { reading: Reading; headerDelimiter: string; difference: DialectDifference } | undefined {
  const { header, headerRows, quote, escape: escapeByte, comment } = declared;
  if (!header || headerRows.length !== 1) return undefined;
  const readings = [...new Set([String.fromCharCode(declared.delimiter), ...characters])]
    .map((character) => ({ character, code: character.charCodeAt(0) }))
    .filter(({ code }) => ![quote, escapeByte, comment].includes(code))
    .map(({ character, code }) => ({ character, reading: read({ ...declared, delimiter: code }) }));
  const place = declaredHeader(declared);
  for (const { character, reading } of readings) {
    const first = reading.records[place];
    const rows = reading.records.slice(place + 1).filter((record) => !isBlank(record));
    const width = commonWidth(rows);
    const agreeing = rows.filter((row) => row.width === width && row.valid).length;
    // By its own character the labels may be quoted, which breaks the quotes of the whole.
    const isOne = first?.width === 1 && first.quoted === 0;
    // One row of two cells says little.
    const isTold = width > 2 || (width === 2 && rows.length > 1);
    if (!isOne || !isTold || agreeing < (rows.length * 2) / 3) continue;
    const labels = readings.find(({ reading: { records } }) => {
      const record = records[place];
      return record !== undefined && areLabels(record, width);
    });
    if (labels === undefined) continue;
    const [wanted, shown] = [labels.character, character].map(delimiterName);
    const lines = `${agreeing} of ${reading.partial ? 'the first ' : ''}${counted(rows.length, 'line')} ${rows.length === 1 ? 'has' : 'have'}`;
    return {
      reading,
      headerDelimiter: labels.character,
      difference: {
        kind: 'header-delimiter',
        sentence: `The header is ${wanted}-separated, and the rows are ${shown}-separated: ${lines} ${counted(width - 1, shown ?? '')}.`,
        remedy: 'Export labels and values with the same character between them.',
      },
    };
  }
}

/** Tries the other quote where cells of the first lines begin with it, and none with the one that is declared. */
function chooseQuote(reading: Reading, read: (dialect: CompiledDialect) => Reading): Reading {
  const { dialect, records, header } = reading;
  if (dialect.quote !== QUOTE && dialect.quote !== APOSTROPHE) return reading;
  const code = dialect.quote === QUOTE ? APOSTROPHE : QUOTE;
  const used = [dialect.delimiter, dialect.escape, dialect.comment];
  const character = String.fromCharCode(code);
  const begins = records.some(({ cells }) => cells.some((cell) => cell.startsWith(character)));
  if (used.includes(code) || !begins || records.some(({ quoted }) => quoted > 0)) return reading;
  const other = read({ ...dialect, quote: code });
  if (!isTable(other) || !other.records.every(({ valid }) => valid)) return reading;
  const labels = other.records[header];
  const quotedHeader = labels !== undefined && labels.quoted === labels.width;
  const better = other.agreeing / other.total > shareOf(reading);
  return better || quotedHeader ? other : reading;
}

/** Text in which each line was one quoted cell. */
function quotedLinesOf(
  { records, header }: Reading,
  { quote, delimiter }: CompiledDialect,
  text: Uint8Array,
  whole: boolean,
): { text: Uint8Array; difference: DialectDifference } | undefined {
  const rows = records.slice(header).filter((record) => !isBlank(record));
  const all = rows.every(({ width, quoted, valid }) => width === 1 && quoted === 1 && valid);
  const [first] = rows;
  if (quote < 0 || !all || first === undefined) return undefined;
  const delimiters = [delimiter, ...DELIMITERS.map(({ character }) => character.charCodeAt(0))];
  if (!delimiters.some((code) => first.cells[0]?.includes(String.fromCharCode(code)))) {
    return undefined;
  }
  const pieces: Uint8Array[] = [];
  const unwrapped = new QuotedLines(quote, HEAD_BYTES, (piece) =>
    pieces.push(Uint8Array.from(piece)),
  );
  unwrapped.write(text);
  if (whole) unwrapped.end();
  const inner = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let length = 0;
  for (const piece of pieces) {
    inner.set(piece, length);
    length += piece.length;
  }
  const lines = counted(rows.length, 'line');
  const sentence = `Each line is quoted as a whole: ${rows.length} of ${lines} ${rows.length === 1 ? 'is' : 'are'} one quoted cell.`;
  const remedy = 'Export the file with quotes around cells, not around lines.';
  return { text: inner, difference: { kind: 'quoted-lines', sentence, remedy } };
}

/** Takes the quotes off lines that are quoted as a whole, in a stream of bytes. A line that is not passes as it is. */
export class QuotedLines {
  readonly #scanner: Scanner;

  /** @param sink gets each line, its line end included; the bytes are its own until it returns */
  constructor(quote: number, maxLineBytes: number, sink: (line: Uint8Array) => void) {
    const dialect = {
      declared: false,
      encoding: undefined,
      nullSequence: undefined,
      header: false,
      headerRows: [1],
      headerJoin: ' ',
      commentRows: new Set<number>(),
      footerRows: 0,
      // No line holds it outside of its quotes but by mistake, and then all of the line is passed on.
      delimiter: 0,
      quote,
      doubleQuote: true,
      escape: -1,
      comment: -1,
      skipInitialSpace: false,
    } satisfies CompiledDialect;
    this.#scanner = new Scanner(
      {
        record(scanner) {
          const { bytes, recordStart, recordEnd, cellCount, quotes } = scanner;
          const whole = cellCount === 1 && quotes === QUOTES_VALID;
          sink(whole ? scanner.unescape(0) : bytes.subarray(recordStart, recordEnd));
          sink(LINE_FEED);
        },
      },
      dialect,
      maxLineBytes,
    );
  }

  write(text: Uint8Array): void {
    this.#scanner.write(text);
  }

  end(): void {
    this.#scanner.end();
  }
}

const LINE_FEED = Uint8Array.of(0x0a);
