import { plainName } from '../descriptor-error.ts';
import type { CompiledDialect } from '../dialect.ts';
import { type FoundDialect, isTyped, typedColumns } from '../dialect-finder.ts';
import { CELL_QUOTED, MAX_CELLS, type Scanner } from '../scanner.ts';
import { decodeText } from '../text.ts';
import { type Check, cellText } from './check.ts';

type Kind = 'repeated-header' | 'second-header' | 'total-row';

/** Words for it in languages of spreadsheets stand alone, as they may begin a text. */
const TOTAL =
  /^(?:grand\s+|sub-?\s*)?totals?\b|^(?:count|rows|records)\s*:|^(?:sum|(?:gesamt|zwischen)?summe|gesamt|insgesamt|somme|suma|soma|somma|totale|totaal|totalt|summa|razem|celkem|spolu|összesen|yhteensä|toplam|σύνολο|итого|всего|разом|合計|总计|總計|合计|합계|총계|المجموع)\s*:?$/iu;
const MESSAGES: Readonly<Record<Kind, string>> = {
  'repeated-header': 'The row repeats the header, as where files were joined.',
  'second-header':
    'The row under the header looks like a second header: it has words, or dashes alone, where the rows have values.',
  'total-row': 'The row looks like a total of the others.',
};

/**
 * Rows that are none of data. One that would have faults of its own has this one in place of them; one that would have
 * none is a warning, which an undeclared repetition of the header is as well.
 */
export const NO_DATA_CHECK: Check<Kind> = {
  kinds: ['repeated-header', 'second-header', 'total-row'],
  begin(file) {
    let secondHeader: { readonly record: number; readonly line: number } | undefined;
    return {
      dialect({ records, dialect }: FoundDialect) {
        const header = dialect.header ? (dialect.headerRows.at(-1) ?? 1) : 0;
        const row = records[header];
        const isSecond = header > 0 && isSecondHeader(records.slice(header));
        secondHeader =
          isSecond && row !== undefined ? { record: header + 1, line: row.line } : undefined;
      },
      repeatedHeader(found) {
        // One row has one fault.
        if (file.records === secondHeader?.record) secondHeader = undefined;
        const isMild = file.schema === undefined;
        if (!found.count('repeated-header', -1, 1, isMild)) return;
        found.listRecord('repeated-header', MESSAGES['repeated-header']);
      },
      suspectRow(found) {
        if (file.records !== secondHeader?.record) return false;
        secondHeader = undefined;
        if (found.count('second-header')) {
          found.listRecord('second-header', MESSAGES['second-header']);
        }
        return true;
      },
      last(record, found) {
        if (secondHeader !== undefined && found.count('second-header', -1, 1, true)) {
          found.listFile('second-header', MESSAGES['second-header'], secondHeader);
        }
        const isWhole = record.cellCount === file.columns?.length;
        if (file.rows < 2 || !isWhole || !isTotal(record)) return;
        // Only now is it known that no row follows.
        const failed = found.takeBackLastRow();
        if (failed === undefined || !found.countInLastRow('total-row', !failed)) return;
        const place = { record: file.records, line: record.recordLine };
        found.listFile('total-row', MESSAGES['total-row'], place);
      },
    };
  },
};

/** Whether the texts of a row look like a total: the first one that is not empty says so, and another is empty. */
export function looksLikeTotal(cells: readonly string[]): boolean {
  return TOTAL.test(cells.find((cell) => cell !== '') ?? '') && cells.includes('');
}

/** The same of a record. */
function isTotal(record: Scanner): boolean {
  const count = Math.min(record.cellCount, MAX_CELLS);
  if (count < 2 || (record.starts[0] ?? -1) < 0) return false;
  let first = 0;
  while (first < count && record.starts[first] === record.ends[first]) first++;
  if (first >= count || !TOTAL.test(cellText(record, first))) return false;
  for (let cell = 0; cell < count; cell++) {
    if (record.starts[cell] === record.ends[cell]) return true;
  }
  return false;
}

/** Whether the first of some rows has words in each column, two at least, where the others have numbers or dates. */
function isSecondHeader([row, ...others]: FoundDialect['records']): boolean {
  if (row === undefined || others.length === 0) return false;
  // What SQL clients draw under a header.
  if (row.width > 1 && row.cells.every((cell) => /^-{2,}$/.test(cell))) return true;
  if (others.length < 2) return false;
  const typed = typedColumns(others.filter(({ width }) => width === row.width));
  if (typed.length < 2) return false;
  const cells = typed.map((column) => row.cells[column] ?? '');
  return cells.some((cell) => !/\d/.test(cell)) && cells.every(isWord);
}

/** Whether a text is no value: a word, perhaps with a number behind it, as `NUMBER(10)` has one. */
function isWord(cell: string): boolean {
  if (cell === '' || isTyped(cell)) return false;
  if (/\d/.test(cell)) return /^\p{L}{3}/u.test(cell);
  return !/^(?:n\/?a|null|none|nan|unknown|-+|\.)$/i.test(cell);
}

/**
 * What a row that may repeat the header has at an offset, as a little-endian number under a mask, and what it has there
 * where the first label is in quotes: the end of that, since values of `case_id` may begin with `CASE`.
 */
export interface HeaderStart {
  readonly offset: number;
  readonly start: number;
  readonly mask: number;
  readonly otherStart: number;
  readonly otherMask: number;
}

/** No row begins so. */
export const NO_HEADER: HeaderStart = { offset: 0, start: 1, mask: 0, otherStart: 1, otherMask: 0 };

/** Beyond it there may be none of a row's bytes in the buffer. */
const MOST_OFFSET = 24;

/** Letters and digits that labels have together, at the least, where they repeat the header in another spelling: `a,b` is a row under `A,B`. */
const LEAST_ALIKE = 6;

/** Knows a row that repeats the header by its first cell, so that other rows cost no more than a look at that. */
export class HeaderMemory {
  /** How such a row begins. */
  readonly start: HeaderStart;
  readonly #labels: readonly string[];
  readonly #plain: readonly string[];
  readonly #mayDiffer: boolean;

  /** @param record the header */
  constructor(record: Scanner, dialect: CompiledDialect) {
    const { starts, ends, bytes } = record;
    this.start = startOf(bytes.subarray(starts[0], ends[0]), dialect);
    this.#labels = labelsOf(record);
    this.#plain = this.#labels.map(plainLabel);
    this.#mayDiffer = this.#plain.join('').length >= LEAST_ALIKE;
  }

  /**
   * Whether each cell is the label of its column. Upper and lower case, blanks, hyphens, underscores and quotes around it
   * make no difference, as in files that two programs wrote, nor does a byte order mark in front.
   */
  isRepeatedBy(record: Scanner): boolean {
    if (this.#labels.length < 2 || record.cellCount !== this.#labels.length) return false;
    if (!this.#mayBegin(record)) return false;
    const labels = labelsOf(record);
    if (labels.every((label, cell) => label === this.#labels[cell])) return true;
    return (
      this.#mayDiffer && labels.every((label, cell) => plainLabel(label) === this.#plain[cell])
    );
  }

  /** The same look as PlainRows has, so that it is no matter who reads the row. */
  #mayBegin({ bytes, starts, flags }: Scanner): boolean {
    const { offset, start, mask, otherStart, otherMask } = this.start;
    const first = (starts[0] as number) - ((flags[0] as number) & CELL_QUOTED);
    if (this.start === NO_HEADER) return false;
    // A byte order mark.
    if (bytes[first] === 0xef) return true;
    const word = wordOf(bytes, first + offset);
    return (word & mask) === start || (word & otherMask) === otherStart;
  }
}

/**
 * The end of the first label and what follows it, four bytes together, as PlainRows looks for them, and the same where
 * it is in quotes, or behind a blank.
 */
function startOf(label: Uint8Array, { delimiter, quote }: CompiledDialect): HeaderStart {
  if (label.length === 0) return NO_HEADER;
  const offset = Math.min(Math.max(0, label.length - 3), MOST_OFFSET);
  // Of the cells behind it each may be in quotes or not. Some follow: a table of one column repeats nothing.
  const plain = { offset, ...maskedStart([...label, delimiter], offset) };
  if (quote < 0) return { ...NO_HEADER, ...plain };
  const quoted = maskedStart([quote, ...label, quote], offset);
  return { ...plain, otherStart: quoted.start, otherMask: quoted.mask };
}

/** Up to four bytes as a little-endian number. */
function wordOf(bytes: ArrayLike<number>, from: number): number {
  let word = 0;
  for (let at = 0; at < 4; at++) word |= (bytes[from + at] ?? 0) << (at * 8);
  return word;
}

/** The bit by which an ASCII letter in lower case differs from the one in upper case. */
const CASE = 0x20;

function isAsciiLetter(byte: number): boolean {
  return (byte | CASE) >= 0x61 && (byte | CASE) <= 0x7a;
}

function plainLabel(label: string): string {
  return plainName(label.replace(/^\s*(["'`\u2018-\u201e])(.*)["'`\u2018-\u201e]\s*$/s, '$2'));
}

/** Up to four bytes of a text, in any case; hyphens, underscores, blanks and quotes may be others. */
function maskedStart(text: readonly number[], offset: number): { start: number; mask: number } {
  const part = text.slice(offset, offset + 4);
  // A label of nothing else is looked for as it is: no bits at all are those of each row.
  const mask =
    wordOf(part.map(caseBits), 0) ||
    wordOf(
      part.map(() => 0xff),
      0,
    );
  return { start: wordOf(part, 0) & mask, mask };
}

/** The bits of a byte of UTF-8 that are the same in upper and lower case: of ASCII, and of Cyrillic, Greek and Western letters. */
function caseBits(byte: number): number {
  if (byte >= 0xc0) return 0xfe;
  if (byte >= 0x80 || isAsciiLetter(byte)) return 0xff - CASE;
  return BETWEEN.has(byte) ? 0 : 0xff;
}

/** Blank, quotes, hyphen and underscore. */
const BETWEEN: ReadonlySet<number> = new Set([0x20, 0x22, 0x27, 0x2d, 0x5f]);

function labelsOf({ bytes, starts, ends, cellCount }: Scanner): string[] {
  return Array.from({ length: Math.min(cellCount, MAX_CELLS) }, (_, cell) => {
    const text = decodeText(bytes, starts[cell] as number, ends[cell] as number);
    // A quote behind the mark opens no cell, and stands around the label still.
    const marked = cell === 0 && text.startsWith('\ufeff');
    return marked ? text.slice(1).replace(/^(["'])(.*)\1$/s, '$2') : text;
  });
}
