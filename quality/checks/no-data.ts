import type { CompiledDialect } from '../dialect.ts';
import { type FoundDialect, isTyped, typedColumns } from '../dialect-finder.ts';
import { MAX_CELLS, type Scanner } from '../scanner.ts';
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

/** How a row begins that may repeat the header, as a little-endian number under a mask, and how it does in quotes. */
export interface HeaderStart {
  readonly start: number;
  readonly mask: number;
  readonly otherStart: number;
  readonly otherMask: number;
}

/** No row begins so. */
export const NO_HEADER: HeaderStart = { start: 1, mask: 0, otherStart: 1, otherMask: 0 };

/** Knows a row that repeats the header by its first cell, so that other rows cost no more than a look at that. */
export class HeaderMemory {
  readonly #labels: readonly string[];
  readonly #length: number;
  readonly #first: number;

  /** @param record the header */
  constructor(record: Scanner) {
    const { starts, ends, bytes } = record;
    this.#length = (ends[0] ?? 0) - (starts[0] ?? 0);
    this.#first = bytes[starts[0] ?? 0] ?? 0;
    this.#labels = labelsOf(record);
  }

  /** Up to four bytes of the first label and what ends it, as PlainRows looks for them, and the same in quotes. */
  static startOf(
    { bytes, starts, ends }: Scanner,
    { delimiter, quote }: CompiledDialect,
  ): HeaderStart {
    const label = bytes.subarray(starts[0], ends[0]);
    if (label.length === 0) return NO_HEADER;
    // Of the cells behind it each may be in quotes or not. Some follow: a table of one column repeats nothing.
    const plain = maskedStart([...label.subarray(0, 4), delimiter]);
    if (quote < 0) return { ...NO_HEADER, ...plain };
    const quoted = maskedStart([quote, ...label.subarray(0, 3), quote]);
    return { ...plain, otherStart: quoted.start, otherMask: quoted.mask };
  }

  /** A byte order mark in front of it, as of a file that was joined, makes no difference. */
  isRepeatedBy(record: Scanner): boolean {
    const { starts, ends, bytes } = record;
    const start = starts[0] as number;
    const length = (ends[0] as number) - start;
    const first = bytes[start];
    if (first === this.#first ? length !== this.#length : first !== 0xef) return false;
    if (this.#length === 0 || this.#labels.length < 2) return false;
    if (record.cellCount !== this.#labels.length) return false;
    const labels = labelsOf(record);
    return labels.every((label, cell) => label === this.#labels[cell]);
  }
}

function maskedStart(text: ArrayLike<number>): { start: number; mask: number } {
  const length = Math.min(4, text.length);
  let start = 0;
  for (let at = 0; at < length; at++) start |= (text[at] as number) << (at * 8);
  return { start, mask: length === 4 ? -1 : (1 << (length * 8)) - 1 };
}

function labelsOf({ bytes, starts, ends, cellCount }: Scanner): string[] {
  return Array.from({ length: Math.min(cellCount, MAX_CELLS) }, (_, cell) => {
    const text = decodeText(bytes, starts[cell] as number, ends[cell] as number);
    // A quote behind the mark opens no cell, and stands around the label still.
    const marked = cell === 0 && text.startsWith('\ufeff');
    return marked ? text.slice(1).replace(/^(["'])(.*)\1$/s, '$2') : text;
  });
}
