import { MAX_CELLS, QUOTES_STRAY, QUOTES_VALID, type Scanner } from '../scanner.ts';
import type { Check } from './check.ts';

/**
 * Whether a row is surely intact, so that no check of its structure need be asked: it is no longer than allowed,
 * is text with proper quotes, is not blank, and has a cell for each column.
 */
export function looksIntact(record: Scanner, columns: number, suspectUntil: number): boolean {
  return (
    record.cellCount === columns &&
    record.quotes === QUOTES_VALID &&
    !record.tooLarge &&
    record.offset(record.recordStart) >= suspectUntil &&
    !isBlank(record)
  );
}

export const SIZE_CHECK: Check<'record-too-large'> = {
  kinds: ['record-too-large'],
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
  begin: () => ({
    structure(record, found) {
      if (record.quotes === QUOTES_VALID) return true;
      const stray = record.quotes === QUOTES_STRAY;
      const kind = stray ? 'stray-quote' : 'unclosed-quote';
      if (found.count(kind)) {
        const message = stray
          ? 'A quote stands inside an unquoted cell, or text follows a closing quote.'
          : 'The quote is not closed; reading went on at the next line.';
        found.listCell(kind, record.quoteCell, message, { index: record.quoteIndex });
      }
      return false;
    },
  }),
};

export const BLANK_ROW_CHECK: Check<'blank-row'> = {
  kinds: ['blank-row'],
  begin: (file) => ({
    structure(record, found) {
      // A blank header is a fault of its labels.
      if (file.columns === undefined || !isBlank(record)) return true;
      if (found.count('blank-row')) found.listRecord('blank-row', 'The row is blank.');
      return false;
    },
  }),
};

export const CELL_COUNT_CHECK: Check<'missing-cell' | 'extra-cell'> = {
  kinds: ['missing-cell', 'extra-cell'],
  begin: (file) => ({
    structure(record, found) {
      const cells = record.cellCount;
      const expected = file.columns?.length ?? cells;
      if (cells === expected) return true;
      const kind = cells > expected ? 'extra-cell' : 'missing-cell';
      if (!found.count(kind, Math.abs(cells - expected))) return false;
      const message = `The row has ${cells} cells; the header has ${expected} labels.`;
      if (kind === 'extra-cell') {
        for (let cell = expected; cell < cells && !found.full; cell++) {
          found.listCell('extra-cell', cell, message);
        }
        return false;
      }
      for (let cell = cells; cell < expected && !found.full; cell++) {
        found.listCell('missing-cell', cell, message, { index: record.recordEnd, value: null });
      }
      return false;
    },
  }),
};

function isBlank(record: Scanner): boolean {
  const { cellCount, starts, ends } = record;
  if (cellCount > MAX_CELLS) return false;
  for (let cell = 0; cell < cellCount; cell++) if (starts[cell] !== ends[cell]) return false;
  return true;
}
