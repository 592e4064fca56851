import type { Fault } from '@file-processing/quality/faults.ts';
import type { QualityReport } from '@file-processing/quality/report.ts';

/** Faults that a summary shows; the whole list is in the report. */
const SHOWN_FAULTS = 20;

/** A report for a reader. */
export function reportText(name: string, report: QualityReport): string {
  const { verdict, reasons, rows, bytes, durationMs, faultCounts, faults, faultCount } = report;
  const lines = [
    `${verdict.toUpperCase()}  ${printable(name)}`,
    ...reasons.map((reason) => `  ${reason}`),
    `  ${amount(rows, 'row')}, ${amount(report.columns.length, 'column')}, ` +
      `${amount(bytes, 'byte')} in ${Math.round(durationMs)} ms, ` +
      `${report.schemaApplied ? 'with a schema' : 'structure alone'}, SHA-256 ${report.sha256}`,
  ];
  for (const [type, count] of Object.entries(faultCounts)) {
    lines.push(`  ${String(count).padStart(9)}  ${type}`);
  }
  lines.push(...faults.slice(0, SHOWN_FAULTS).map((fault) => `  ${faultText(fault)}`));
  const hidden = faultCount - Math.min(faults.length, SHOWN_FAULTS);
  if (hidden > 0) lines.push(`  and ${amount(hidden, 'more fault')}`);
  return `${lines.join('\n')}\n`;
}

function faultText({ type, line, field, label, value, message }: Fault): string {
  const place = [
    line === null ? undefined : `line ${line}`,
    field === null ? undefined : `column ${field}`,
    label === null ? undefined : `(${printable(label)})`,
  ].filter((part) => part !== undefined);
  const where = place.length === 0 ? 'file' : place.join(' ');
  const shown = value === null ? '' : ` (value ${printable(JSON.stringify(value))})`;
  return `${where}: ${type}: ${printable(message)}${shown}`;
}

/** Names and cells are somebody else's text: no control character gets to the terminal. */
export function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\u2028\u2029]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}

function amount(count: number, unit: string): string {
  return `${count.toLocaleString('en-US')} ${unit}${count === 1 ? '' : 's'}`;
}
