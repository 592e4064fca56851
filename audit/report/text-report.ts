import { controlsOf, withoutControl } from '../controls.ts';
import { ACCEPTANCE_RULES, type Finding } from '../findings.ts';
import type { AuditResult } from '../judge.ts';
import { commitInWords, type LookSummary, secondScannerOf, summaryOf } from './summary.ts';

/** The result for a terminal: who looked at what, what was found, what was waived, notes. */
export function textReport(result: AuditResult): string {
  const { environment, findings, waived, acceptances = [], notes, looks } = result;
  const regions = looks.map(({ region, partition }) => `${region} (${partition})`).join(' and ');
  return [
    `${environment} in ${regions}, judged for ${result.auditedAt.toISOString().slice(0, 10)}`,
    '',
    ...table([HEADINGS, ...summaryOf(result).map(cells)]),
    ...section('Findings', findings.flatMap(lines(result))),
    ...section(
      'Waived',
      waived.map(
        ({ rule, place, waiver }) =>
          `${controlOf(result, rule)}  ${rule}  ${place}  by ${waiver.owner} until ${waiver.expires}`,
      ),
    ),
    ...section('Controls', controls(result)),
    ...section(
      'Accepted',
      acceptances.map(
        ({ owner, date, version, accepted, gone, reason }) =>
          `${owner}  ${date}  ${version}  ${accepted.length + gone.length} blocks: ${reason}`,
      ),
    ),
    ...section('Notes', notes),
    '',
    ...(result.evidence === undefined ? [] : [`Commit: ${commitInWords(result.evidence)}.`]),
    `${verdict(findings)} ${secondScannerOf(result)}`,
    ...(findings.some(({ rule }) => rule in ACCEPTANCE_RULES) ? [SETTLED_BY_A_PERSON] : []),
    '',
  ].join('\n');
}

const SETTLED_BY_A_PERSON =
  'Undo what nobody accepted, or accept it: --accept --owner NAME --reason TEXT, once no other rule is red.';

const HEADINGS = ['Region', 'By', 'View', 'Resources', 'Passed', 'Failed'];

function cells({ region, by, view, resources, passed, failed }: LookSummary): readonly string[] {
  return [region, by, view, String(resources), String(passed), String(failed)];
}

const lines =
  (result: AuditResult) =>
  ({ severity, rule, place, message }: Finding): readonly string[] => [
    `${severity}  ${controlOf(result, rule)}  ${rule}  ${place}`,
    ...message.split('\n').map((line) => `  ${line}`),
  ];

function controlOf({ rules }: AuditResult, rule: string): string {
  return rules.find(({ id }) => id === rule)?.control ?? 'unmapped';
}

function controls(result: AuditResult): readonly string[] {
  const all = controlsOf(result).filter(({ inBaseline }) => inBaseline);
  const covered = all.filter(({ rules }) => rules.length > 0);
  const red = covered.filter(({ verdict }) => verdict === 'red').map(({ id }) => id);
  const { unmapped } = withoutControl(result);
  return [
    `${result.baseline}: rules look at ${covered.length} of ${all.length} controls; ${all.length - covered.length} are not covered.`,
    ...(red.length === 0 ? [] : [`Red: ${red.join(', ')}.`]),
    ...(unmapped.length === 0 ? [] : [`Checks of no control: ${unmapped.join(', ')}.`]),
  ];
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
