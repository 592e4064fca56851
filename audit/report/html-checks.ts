import type { AuditResult } from '../audit-result.ts';
import type { Examiner } from '../finding.ts';
import { artifactsOf } from './artifact.ts';
import { type Html, html, htmlTable } from './html.ts';
import { summaryOf } from './summary.ts';

/** Who looked at what, and the files that were looked at. */
export function summarySection(result: AuditResult): Html {
  const { from, looks } = result;
  const source =
    from === undefined
      ? 'The JSON was synthesized for this audit.'
      : html`The JSON was given, in <code>${from}</code>.`;
  const second =
    looks.length > 1
      ? 'Scanners compare some ARNs with literals of the partition aws, so the stacks were looked at a second time as they would be in a region of that partition.'
      : '';
  return html`<p>${source} ${second}</p>
${htmlTable(
  'Who looked at what',
  ['By', 'View', 'Region', 'Resources', 'Passed', 'Failed (waived or not)'],
  summaryOf(result).map(({ by, view, region, resources, passed, failed }) => [
    by,
    view,
    region,
    resources,
    passed,
    failed,
  ]),
)}
${htmlTable(
  'Files',
  ['Stack', 'Region', 'File', 'SHA-256'],
  looks
    .flatMap(artifactsOf)
    .map(({ stack, region, path, sha256 }) => [stack, region, code(path), code(sha256)]),
)}`;
}

/** What must be changed or waived. */
export function findingsSection({ findings }: AuditResult): Html {
  return htmlTable(
    'Findings',
    ['Severity', 'Rule', 'Where', 'What is wrong', 'Regions'],
    findings.map(({ severity, rule, place, message, regions }) => [
      severity,
      code(rule),
      code(place),
      message,
      regions.join(', '),
    ]),
  );
}

/** What somebody decided to live with. */
export function waivedSection({ waived }: AuditResult): Html {
  return htmlTable(
    'Waived findings',
    ['Rule', 'Where', 'What was found', 'Why it is acceptable', 'Owner', 'Until'],
    waived.map(({ rule, place, message, waiver }) => [
      code(rule),
      code(place),
      message,
      waiver.reason,
      waiver.owner,
      waiver.expires,
    ]),
  );
}

const EXAMINERS: Readonly<Record<Examiner, string>> = {
  rules: 'own rules',
  checkov: 'checkov',
  audit: 'the audit of itself',
};

/** Every rule that was run, and how often it looked. */
export function rulesSection({ rules, looks }: AuditResult): Html {
  const [{ checks }] = looks;
  return htmlTable(
    'Rules that were run (controls of NIST SP 800-53 Rev. 5)',
    ['Rule', 'By', 'What holds where it is kept', 'Why', 'Control', 'Looked at'],
    rules.map(({ id, by, title, reason, control }) => [
      code(id),
      EXAMINERS[by],
      title,
      reason ?? '',
      control ?? '',
      by === 'audit' ? '' : checks.filter(({ rule }) => rule === id).length,
    ]),
  );
}

function code(text: string): Html {
  return html`<code>${text}</code>`;
}
