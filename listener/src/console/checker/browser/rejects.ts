import type { QualityReport } from '@file-processing/quality/report.ts';

const TITLES = ['record', 'line', 'fault', 'column', 'label', 'value', 'message'];

/** A program for spreadsheets takes a cell that begins so for a formula (OWASP, "CSV Injection"). */
const FORMULA = /^[=+\-@\t\r]/;

/**
 * The faults of a report as CSV (RFC 4180), one a row, with a byte order mark, without which Excel does not read UTF-8. A
 * cell that a spreadsheet would take for a formula has an apostrophe before it.
 */
export function rejectsOf({ faults }: Pick<QualityReport, 'faults'>): string {
  const rows = faults.map(({ record, line, type, field, label, value, message }) =>
    [record, line, type, field, label, value, message].map(cell).join(),
  );
  return `\ufeff${[TITLES.join(), ...rows].join('\r\n')}\r\n`;
}

function cell(value: string | number | null): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  return `"${(FORMULA.test(value) ? `'${value}` : value).replaceAll('"', '""')}"`;
}
