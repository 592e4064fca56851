import { MAX_CELLS, QUOTES_STRAY, QUOTES_VALID, type Scanner } from '../scanner.ts';
import type { Check } from './check.ts';

const SUSPECT_SIZE = 1;
export const SUSPECT_TEXT = 2;
const SUSPECT_QUOTES = 4;
const SUSPECT_BLANK = 8;
const SUSPECT_CELL_COUNT = 16;

/**
 * What is suspect about a row's structure, as bits by which checks are asked; 0 when it is surely intact: no longer
 * than allowed, text with proper quotes, not blank, and with a cell for each column.
 */
export function structureSuspicions(
  record: Scanner,
  columns: number,
  suspectUntil: number,
): number {
  let suspicions = record.tooLarge ? SUSPECT_SIZE : 0;
  if (record.offset(record.recordStart) < suspectUntil) suspicions |= SUSPECT_TEXT;
  if (record.quotes !== QUOTES_VALID) suspicions |= SUSPECT_QUOTES;
  if (record.cellCount !== columns) suspicions |= SUSPECT_CELL_COUNT;
  // The cells are gone through once: here when there is no other suspicion, else when that proved unfounded.
  return suspicions === 0 && !isBlank(record) ? 0 : suspicions | SUSPECT_BLANK;
}

/** The cells of a row whose structure is broken that can be checked nevertheless. */
export interface PlacedCells {
  /** The first so many cells belong to their columns. */
  readonly count: number;
  /** Whether the columns after them have no cell, and are not just out of reach. */
  readonly restIsAbsent: boolean;
}

/**
 * Which cells of a row can be placed whatever is wrong with it. Bytes that are not text, and cells that are missing
 * or too many at its end, leave the others where they are. Broken quotes do so while the row has as many cells as
 * there are columns; else what follows the quote is in doubt. Of a record over the limit the cells before the cut
 * are whole, of a blank row there are none.
 */
export function placedCells(record: Scanner, columns: number): PlacedCells {
  const { cellCount, quoteCell, quotes } = record;
  if (!record.tooLarge && isBlank(record)) return { count: 0, restIsAbsent: false };
  const count = Math.min(cellCount, columns);
  if (record.tooLarge) return { count, restIsAbsent: false };
  if (quotes === QUOTES_VALID) return { count, restIsAbsent: true };
  if (cellCount === columns) return { count, restIsAbsent: true };
  return { count: Math.min(count, quoteCell), restIsAbsent: false };
}

export const SIZE_CHECK: Check<'record-too-large'> = {
  kinds: ['record-too-large'],
  suspicions: SUSPECT_SIZE,
  begin: ({ maxRecordBytes }) => ({
    structure(record, found) {
      if (record.tooLarge && found.count('record-too-large')) {
        const message = `The record is over ${maxRecordBytes} bytes; it was skipped to the next line.`;
        found.listRecord('record-too-large', message);
      }
      return !record.tooLarge;
    },
  }),
};

export const QUOTE_CHECK: Check<'stray-quote' | 'unclosed-quote'> = {
  kinds: ['stray-quote', 'unclosed-quote'],
  suspicions: SUSPECT_QUOTES,
  begin: () => ({
    structure(record, found) {
      if (record.quotes === QUOTES_VALID) return true;
      const stray = record.quotes === QUOTES_STRAY;
      const kind = stray ? 'stray-quote' : 'unclosed-quote';
      if (found.count(kind, record.quoteCell)) {
        const message = stray
          ? 'A quote stands inside an unquoted cell, or text follows a closing quote.'
          : 'The quote is not closed; reading went on at the next cell or line.';
        found.listCell(kind, record.quoteCell, message, { index: record.quoteIndex });
      }
      return false;
    },
  }),
};

export const BLANK_ROW_CHECK: Check<'blank-row'> = {
  kinds: ['blank-row'],
  suspicions: SUSPECT_BLANK,
  begin: (file) => ({
    structure(record, found) {
      // A blank header is a fault of its labels, and a record that was cut may go on with anything.
      if (file.columns === undefined || record.tooLarge || !isBlank(record)) return true;
      if (found.count('blank-row')) found.listRecord('blank-row', 'The row is blank.');
      return false;
    },
  }),
};

export const CELL_COUNT_CHECK: Check<'missing-cell' | 'extra-cell'> = {
  kinds: ['missing-cell', 'extra-cell'],
  suspicions: SUSPECT_CELL_COUNT,
  begin: (file) => ({
    structure(record, found) {
      const cells = record.cellCount;
      const expected = file.columns?.length ?? cells;
      if (cells === expected || record.tooLarge || record.quotes !== QUOTES_VALID) return true;
      if (isBlank(record)) return true;
      const kind = cells > expected ? 'extra-cell' : 'missing-cell';
      const cell = Math.min(cells, expected);
      if (!found.count(kind, cell)) return false;
      const width = file.columnsOfSchema ? 'the schema' : 'the header';
      const parts = file.columnsOfSchema ? 'field' : 'label';
      const message = `The row has ${counted(cells, 'cell')}; ${width} has ${counted(expected, parts)}.`;
      const absent = kind === 'missing-cell' ? { index: record.recordEnd, value: null } : {};
      found.listCell(kind, cell, message, absent);
      return false;
    },
  }),
};

function counted(count: number, noun: string): string {
  return count === 1 ? `1 ${noun}` : `${count} ${noun}s`;
}

/** Whether every cell of the record is empty. */
export function isBlank(record: Scanner): boolean {
  const { cellCount, starts, ends } = record;
  if (cellCount > MAX_CELLS) return false;
  for (let cell = 0; cell < cellCount; cell++) if (starts[cell] !== ends[cell]) return false;
  return true;
}
