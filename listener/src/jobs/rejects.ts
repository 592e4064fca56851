import { cellText, type RowReader } from '@file-processing/quality/checks/check.ts';
import type { Classification } from '@file-processing/quality/classification.ts';
import type { CompiledExpectation } from '@file-processing/quality/expectation.ts';
import type { Fault } from '@file-processing/quality/findings.ts';
import { inspectCsv } from '@file-processing/quality/inspect.ts';
import type { ObjectStore, StoredObjectReference } from '../storage/object-store.ts';
import type { Engine } from './engine-ports.ts';

/** What stands in the place of a cell that the file's readers may not see. */
const WITHHELD = '[withheld]';

/** Characters of a row that are shown. */
const LONGEST_ROW = 4_096;

/** What {@link readRows} works with. */
export interface RowsOptions {
  readonly store: Pick<ObjectStore, 'open'>;
  readonly object: StoredObjectReference;
  readonly engine: Engine;
  readonly compiled: CompiledExpectation;
  /** Numbers of the records that are wanted. */
  readonly records: ReadonlySet<number>;
  /** Of the columns whose values may be shown. */
  readonly shown: ReadonlySet<Classification>;
  readonly signal: AbortSignal;
}

/**
 * Reads an object again for the rows of some records, each as a line of CSV in which only cells of columns that may be
 * shown have their text. Rows that could not be split into cells, for a broken quote or a wrong number of them, are left out. Columns that no
 * schema declares are sensitive.
 *
 * @throws what {@link ObjectStore.open} throws
 */
export async function readRows(options: RowsOptions): Promise<ReadonlyMap<number, string>> {
  const { store, object, engine, compiled, records, shown, signal } = options;
  const rows = new Map<number, string>();
  const rowReader: RowReader = (file, columns) => {
    rows.clear();
    const visible = columns.map(({ classification }) => shown.has(classification ?? 'sensitive'));
    return (record) => {
      if (!records.has(file.records)) return;
      const cells = visible.map((isVisible, cell) =>
        isVisible ? cellText(record, cell) : WITHHELD,
      );
      rows.set(file.records, shortened(cells.map(quotedIfNeeded).join(',')));
    };
  };
  const end = new AbortController();
  try {
    const { bytes } = await store.open(object, AbortSignal.any([signal, end.signal]));
    const { ports, maxKeyBytes } = engine;
    await inspectCsv(bytes, ports, { compiled, maxKeyBytes, maxFaults: 0, rowReader, signal });
  } finally {
    // Frees the connection of what was not read to its end.
    end.abort();
  }
  return rows;
}

function quotedIfNeeded(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

function shortened(row: string): string {
  return row.length > LONGEST_ROW ? `${row.slice(0, LONGEST_ROW)}...` : row;
}

/** One fault a line; the header says what is in it. */
const COLUMNS = ['row', 'line', 'kind', 'field', 'row_content'];

/**
 * The faults of a report as CSV, for people who mend the file in a spreadsheet.
 *
 * @param faults as a report in the bucket shows them
 * @param rows by the numbers of their records
 */
export function rejectsCsv(
  faults: readonly Pick<Fault, 'record' | 'line' | 'type' | 'label'>[],
  rows: ReadonlyMap<number, string>,
): string {
  const lines = faults.map(({ record, line, type, label }) => [
    `${record ?? ''}`,
    `${line ?? ''}`,
    type,
    label ?? '',
    (record === null ? undefined : rows.get(record)) ?? '',
  ]);
  return [COLUMNS, ...lines]
    .map(
      (cells) =>
        `${cells.map((cell) => `"${harmless(cell).replaceAll('"', '""')}"`).join(',')}\r\n`,
    )
    .join('');
}

/** What begins a formula, in the wide forms of Chinese and Japanese input too. */
const FORMULA = '=+\\-@\\uFF1D\\uFF0B\\uFF0D\\uFF20';

/**
 * A text that no spreadsheet takes for a formula: an apostrophe comes before what would begin one. Also behind everything
 * that may end a cell, since a spreadsheet of another locale separates by semicolons or tabs. A negative number is none.
 * Source: OWASP, "CSV Injection".
 */
function harmless(text: string): string {
  const start = new RegExp(
    `(^|[,;|\\t\\r\\n"'])([ \\t\\r\\n]*)(?=[${FORMULA}])(?!-\\d+(?:\\.\\d+)?(?:[,;|\\t\\r\\n"]|$))`,
    'g',
  );
  return text.replace(start, "$1$2'");
}
