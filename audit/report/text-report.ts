import type { Finding } from '../findings.ts';
import type { AuditResult } from '../judge.ts';
import { type LookSummary, summaryOf } from './summary.ts';

/** The result for a terminal: who looked at what, what was found, what was waived, notes. */
export function textReport(result: AuditResult): string {
  const { environment, findings, waived, notes, looks } = result;
  const regions = looks.map(({ region, partition }) => `${region} (${partition})`).join(' and ');
  return [
    `${environment} in ${regions}`,
    '',
    ...table([HEADINGS, ...summaryOf(result).map(cells)]),
    ...section('Findings', findings.flatMap(lines)),
    ...section(
      'Waived',
      waived.map(({ rule, place, waiver }) => `${rule}  ${place}  until ${waiver.expires}`),
    ),
    ...section('Notes', notes),
    '',
    verdict(findings),
    '',
  ].join('\n');
}

const HEADINGS = ['Region', 'By', 'View', 'Resources', 'Passed', 'Failed'];

function cells({ region, by, view, resources, passed, failed }: LookSummary): readonly string[] {
  return [region, by, view, String(resources), String(passed), String(failed)];
}

function lines({ severity, rule, place, message }: Finding): readonly string[] {
  return [`${severity}  ${rule}  ${place}`, ...message.split('\n').map((line) => `  ${line}`)];
}

function section(title: string, content: readonly string[]): readonly string[] {
  return content.length === 0 ? [] : ['', title, ...content.map((line) => `  ${line}`)];
}

/** Columns side by side; the last three are numbers. */
function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = HEADINGS.map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return column < 3 ? cell.padEnd(width) : cell.padStart(width);
      })
      .join('  ')
      .replace(/^/, '  ')
      .trimEnd(),
  );
}

function verdict(findings: readonly Finding[]): string {
  if (findings.length === 0) return 'Green: nothing is wrong that is not waived.';
  return `Red: ${findings.length} ${findings.length === 1 ? 'finding' : 'findings'}.`;
}
