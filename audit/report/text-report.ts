import { ACCEPTANCE_RULES, inShort } from '../findings.ts';
import { commitInWords, type Report } from './summary.ts';

/** The result for a terminal: who looked at what, what was found, what was waived, notes. */
export function textReport(report: Report): string {
  const { environment, evidence, findings, waived, acceptances = [], notes, regions } = report;
  const where = regions.map(({ region, partition }) => `${region} (${partition})`).join(' and ');
  return [
    `${environment} in ${where}, judged for ${report.auditedAt.slice(0, 10)}`,
    '',
    ...table([HEADINGS, ...report.summary.map((row) => COLUMNS.map((name) => String(row[name])))]),
    ...section(
      'Findings',
      findings.flatMap(({ severity, control, rule, place, message }) => [
        `${severity}  ${control}  ${rule}  ${place}`,
        ...inShort(message)
          .split('\n')
          .map((line) => `  ${line}`),
      ]),
    ),
    ...section(
      'Waived',
      waived.map(
        ({ control, rule, place, waiver }) =>
          `${control}  ${rule}  ${place}  by ${waiver.owner} until ${waiver.expires}`,
      ),
    ),
    ...section('Controls', controls(report)),
    ...section(
      'Accepted',
      acceptances.map(
        ({ control, owner, date, version, accepted, gone, reason }) =>
          `${control}  ${owner}  ${date}  ${version}  ${accepted.length + gone.length} blocks: ${reason}`,
      ),
    ),
    ...section('Notes', notes),
    '',
    ...(evidence === undefined ? [] : [`Commit: ${commitInWords(evidence)}.`]),
    `${verdict(findings.length)} ${report.secondScanner}`,
    ...(findings.some(({ rule }) => rule in ACCEPTANCE_RULES) ? [SETTLED_BY_A_PERSON] : []),
    '',
  ].join('\n');
}

const SETTLED_BY_A_PERSON =
  'Undo what nobody accepted, or accept it: --accept --owner NAME --reason TEXT, once no other rule is red.';

const HEADINGS = ['Control', 'Region', 'By', 'View', 'Resources', 'Passed', 'Failed'];
const COLUMNS = ['control', 'region', 'by', 'view', 'resources', 'passed', 'failed'] as const;

function controls(report: Report): readonly string[] {
  const all = report.controls.filter(({ inBaseline }) => inBaseline);
  const covered = all.filter(({ rules }) => rules.length > 0);
  const red = covered.filter(({ verdict }) => verdict === 'red').map(({ id }) => id);
  const { unmapped } = report.withoutControl;
  return [
    `${report.baseline}: rules look at ${covered.length} of ${all.length} controls; ${all.length - covered.length} are not covered.`,
    ...(red.length === 0 ? [] : [`Red: ${red.join(', ')}.`]),
    ...(unmapped.length === 0 ? [] : [`Checks of no control: ${unmapped.join(', ')}.`]),
  ];
}

function section(title: string, content: readonly string[]): readonly string[] {
  return content.length === 0 ? [] : ['', title, ...content.map((line) => `  ${line}`)];
}

/** Columns side by side; the last three are numbers. */
function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = HEADINGS.map((_, at) => Math.max(...rows.map((row) => (row[at] ?? '').length)));
  return rows.map((row) => {
    const cells = row.map((cell, at) =>
      at < HEADINGS.length - 3 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0),
    );
    return `  ${cells.join('  ')}`;
  });
}

function verdict(findings: number): string {
  if (findings === 0) return 'Green: nothing is wrong that is not waived.';
  return `Red: ${findings} ${findings === 1 ? 'finding' : 'findings'}.`;
}
