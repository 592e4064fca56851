import type { Diagnosis } from '@file-processing/quality/diagnoses.ts';
import { FAULT_TYPES } from '@file-processing/quality/faults.ts';
import type { Fault } from '@file-processing/quality/findings.ts';
import type { QualityReport } from '@file-processing/quality/report.ts';
import { withCommas } from '@file-processing/quality/text.ts';
import type { JobProgress } from '../jobs/job.ts';
import { shapeOf } from '../privacy/withhold.ts';
import type { Output } from './command-context.ts';

/** Faults that a summary shows, and those of one kind and column among them; the whole list is in the report. */
const SHOWN_FAULTS = 20;
const SHOWN_OF_A_KIND = 3;

/** A report for a reader. */
export function reportText(name: string, report: QualityReport): string {
  const { verdict, reasons, rows, bytes, durationMs, faultCounts, faults, faultCount } = report;
  const lines = [
    `${verdict.toUpperCase()}  ${printable(name)}`,
    ...(report.diagnoses ?? []).flatMap(diagnosisLines),
    ...reasons.map((reason) => `  ${reason}`),
    `  ${amount(rows, 'row')}, ${amount(report.columns.length, 'column')}, ` +
      `${amount(bytes, 'byte')} in ${Math.round(durationMs)} ms, ` +
      `${report.schemaApplied ? 'with a schema' : 'structure alone'}, SHA-256 ${report.sha256}`,
    ...compressionLines(report),
    ...(report.rules === undefined ? [] : [rulesLine(report.rules)]),
    ...sourceLines(report),
    ...(report.traceId === undefined ? [] : [`  trace ${report.traceId}`]),
    ...ruleLines(report),
  ];
  for (const [type, count] of Object.entries(faultCounts)) {
    lines.push(`  ${String(count).padStart(9)}  ${type}`);
  }
  const shown = summaryFaults(faults);
  if (shown.some((fault) => hasShape(fault, report))) lines.push(SHAPES);
  lines.push(...shown.map((fault) => `  ${faultText(fault)}`));
  const hidden = faultCount - shown.length;
  const listed = faults.length > shown.length ? '; --json lists more of them' : '';
  if (hidden > 0) lines.push(`  and ${amount(hidden, 'more fault')}${listed}`);
  return `${lines.join('\n')}\n`;
}

const SHAPES =
  '  Values of sensitive columns, and labels and values of columns that no rule names, are shown as shapes: Aaa for letters, 9 for digits, #1 behind equal ones.';

/** Whether a shape stands in the place of a value or a label; see `withhold.ts`. */
function hasShape(
  { value, key, label, field, classification }: Fault,
  { columns, schemaApplied }: QualityReport,
): boolean {
  if (classification === 'public') return false;
  const isShape = (text: string | null) =>
    text !== null && /[Aa9]/.test(text) && shapeOf(text) === text;
  const isNumbered = (text: string | null) =>
    text !== null && / #\d+$/.test(text) && isShape(text.replace(/ #\d+$/, ''));
  const isName = label === columns[(field ?? 0) - 1]?.name;
  return isNumbered(value) || isNumbered(key) || (schemaApplied && !isName && isShape(label));
}

/** The first of each kind and column, so that many of one hide no other. */
function summaryFaults(faults: readonly Fault[]): readonly Fault[] {
  const seen = new Map<string, number>();
  const first = faults.filter(({ type, field }) => {
    const group = `${type} ${field}`;
    const count = (seen.get(group) ?? 0) + 1;
    seen.set(group, count);
    return count <= SHOWN_OF_A_KIND;
  });
  return first.slice(0, SHOWN_FAULTS);
}

function compressionLines({ compression }: QualityReport): string[] {
  if (compression === undefined) return [];
  const { format, unpackedBytes } = compression;
  return [`  packed by ${format}, ${amount(unpackedBytes, 'byte')} unpacked`];
}

function rulesLine(rules: string): string {
  return rules === 'none' ? '  rules: none; structure alone was judged' : `  rules: ${rules}`;
}

function diagnosisLines({ sentence, evidence, faults, remedy }: Diagnosis): string[] {
  const shown =
    evidence === null ? '' : ` ${printable(evidence)}${evidence.endsWith('.') ? '' : '.'}`;
  const explained = faults === 1 ? '' : ` It explains ${amount(faults, 'fault')}.`;
  return [`  ${printable(sentence)}${shown}${explained}`, `    ${printable(remedy)}`];
}

function sourceLines({ source }: QualityReport): string[] {
  if (source === undefined) return [];
  const { algorithm, reason } = source.checksum;
  const encoding = source.contentEncoding;
  return [
    `  checksum ${reason === null ? `compared (${algorithm})` : `not checked: ${printable(reason)}`}`,
    ...(encoding === null ? [] : [`  Content-Encoding ${printable(encoding)}`]),
  ];
}

/** Rules that were kept need no words; those that were not judged did not pass. */
function ruleLines({ deliveryRules = [] }: QualityReport): string[] {
  return deliveryRules
    .filter(({ outcome }) => outcome !== 'passed')
    .map(({ outcome, message }) => `  rule ${outcome}: ${printable(message)}`);
}

/** The gravest faults, a line each: in the order of the kinds of fault, one of each kind while there are others. */
export function worstFaults({ faults }: Pick<QualityReport, 'faults'>, count: number): string[] {
  const firstOfKind = FAULT_TYPES.flatMap(
    (type) => faults.find((fault) => fault.type === type) ?? [],
  );
  const others = faults.filter((fault) => !firstOfKind.includes(fault));
  return [...firstOfKind, ...others].slice(0, count).map(faultText);
}

function faultText({ type, record, line, field, label, value, message, key }: Fault): string {
  const place = [
    record === null ? undefined : `record ${record}`,
    line === null ? undefined : `line ${line}`,
    field === null ? undefined : `column ${field}${label === null ? '' : ` (${printable(label)})`}`,
    field === null && label !== null ? `column ${printable(label)}` : undefined,
    key === null ? undefined : `key ${printable(JSON.stringify(key))}`,
  ].filter((part) => part !== undefined);
  const where = place.length === 0 ? 'file' : place.join(', ');
  const shown = value === null ? '' : ` (value ${printable(JSON.stringify(value))})`;
  return `${where}: ${type}: ${printable(message)}${shown}`;
}

/** Names and cells are untrusted text: no control character reaches the terminal. */
export function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\u2028\u2029]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}

/** Names that somebody may have meant, each once. */
export function namesText(names: readonly string[]): string {
  return names.length === 0 ? 'none' : [...new Set(names)].sort().map(printable).join(', ');
}

/** A number with its unit, as `1 row` or `1,234 rows`. */
export function amount(count: number, unit: string): string {
  return `${withCommas(count)} ${unit}${count === 1 ? '' : 's'}`;
}

/** A terminal's line is written over this often, in milliseconds; else a new line is due. */
const TERMINAL_MS = 250;
const LINE_MS = 5_000;

/** Shows the progress on a long file; nothing for a short one. */
export interface Progress {
  update(progress: JobProgress): void;
  /** Clears the terminal's line. */
  end(): void;
}

/** @param now milliseconds, from any origin */
export function showProgress(
  name: string,
  output: Output,
  now: () => number = () => performance.now(),
): Progress {
  const everyMs = output.isTTY ? TERMINAL_MS : LINE_MS;
  const startedAt = now();
  let shownAt = startedAt;
  let shown = false;
  return {
    update({ bytes, rows, sizeBytes }) {
      const time = now();
      if (time - shownAt < everyMs) return;
      shownAt = time;
      shown = true;
      const share = sizeBytes > 0 ? ` ${Math.floor((bytes / sizeBytes) * 100)} %,` : '';
      const speed = Math.round(bytes / 1e3 / (time - startedAt));
      const text = `${name}:${share} ${Math.round(bytes / 1e6)} MB, ${rows} rows, ${speed} MB/s`;
      output.write(output.isTTY ? `\r\u001b[2K${text}` : `${text}\n`);
    },
    end() {
      if (shown && output.isTTY) output.write('\r\u001b[2K');
    },
  };
}

/** Rows below their titles; cells are printable text. */
export function tableText(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = titles.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  return [titles, ...rows]
    .map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}

/** Lists count no further than this: nobody reads on, and a count must not read every row. */
const COUNTED = 10_000;

/** The most rows that a list needs to have counted. */
export const COUNT_AT_MOST = COUNTED + 1;

/**
 * How many of all are shown: `3`, `50 of 1,234`, `50 of more than 10,000`.
 *
 * @param counted how far was counted. @default that of lists
 */
export function countText(shown: number, all: number, counted = COUNTED): string {
  const many = all > counted;
  if (many && shown === all) return `more than ${withCommas(counted)}`;
  if (many) return `${withCommas(shown)} of more than ${withCommas(counted)}`;
  return shown === all ? withCommas(all) : `${withCommas(shown)} of ${withCommas(all)}`;
}
