import type { Examiner } from '../findings.ts';
import type { AuditResult } from '../judge.ts';
import { OWN_ACCOUNT } from '../policy/policies.ts';
import { encryptionOf } from './encryption.ts';
import { type Exposure, exposuresOf } from './exposure.ts';
import { type Html, html, htmlTable, STYLE } from './html.ts';
import { attachedPolicies, type ShownPolicy, shownPolicies, statementInWords } from './policies.ts';
import { artifactsOf, inventoryOf, summaryOf } from './summary.ts';

/** Who looked at what, and the files that were looked at. */
function summarySection(result: AuditResult): Html {
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
function findingsSection({ findings }: AuditResult): Html {
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
function waivedSection({ waived }: AuditResult): Html {
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
function rulesSection({ rules, looks }: AuditResult): Html {
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

/** Every statement of every policy as a sentence. */
function policySection({ looks }: AuditResult): Html {
  const [{ model }] = looks;
  return html`<p><code>${OWN_ACCOUNT}</code> is the account that the stacks are deployed to.</p>
${model.stacks.map(
  ({ name }) => html`<h3>${name}</h3>
${htmlTable(
  'Policies in words',
  ['Policy of', 'Statements'],
  shownPolicies(model)
    .filter(({ stack }) => stack === name)
    .map((policy) => [code(policy.address), statements(policy)]),
)}
${htmlTable(
  'Policies of others that are attached',
  ['Attachment', 'Role', 'Policy'],
  attachedPolicies(model)
    .filter(({ stack }) => stack === name)
    .map(({ address, role, policyArn }) => [code(address), code(role), code(policyArn)]),
)}
`,
)}`;
}

function statements(policy: ShownPolicy): Html {
  if (policy.document === undefined) {
    return html`The JSON does not tell: Terraform computes it when it applies.`;
  }
  const sentences = policy.document.statements.map((statement) =>
    statementInWords(statement, policy),
  );
  return html`<ul>${sentences.map((sentence) => html`<li>${sentence}</li>`)}</ul>`;
}

const DIRECTIONS: Readonly<Record<Exposure['direction'], string>> = {
  in: 'Can be reached from the internet, or allows it',
  out: 'Reaches the internet',
  private: 'Kept away from the internet',
};

/** What the internet reaches, and what reaches it. */
function exposureSection({ looks }: AuditResult): Html {
  const [{ model, objects }] = looks;
  const exposures = exposuresOf(model, objects);
  return html`${Object.entries(DIRECTIONS).map(
    ([direction, caption]) =>
      html`${htmlTable(
        caption,
        ['Resource', 'Stack', 'How'],
        exposures
          .filter((exposure) => exposure.direction === direction)
          .map(({ stack, address, text }) => [code(address), stack, text]),
      )}\n`,
  )}`;
}

/** What is encrypted at rest. */
function encryptionSection({ looks }: AuditResult): Html {
  const [{ model }] = looks;
  return htmlTable(
    'Data at rest',
    ['Resource', 'Stack', 'Data', 'Key'],
    encryptionOf(model).map(({ stack, address, data, key }) => [code(address), stack, data, key]),
  );
}

/** Every resource by stack. */
function inventorySection(result: AuditResult): Html {
  const items = inventoryOf(result);
  const [{ model }] = result.looks;
  return html`${model.stacks.map(({ name }) => {
    const own = items.filter(({ stack }) => stack === name);
    return html`${htmlTable(
      `${name}: ${own.length} resources`,
      ['Address', 'Name', 'Passed checks', 'Findings', 'Waived'],
      own.map(({ address, name, passed, findings, waived }) => [
        code(address),
        name,
        passed,
        findings,
        waived,
      ]),
    )}\n`;
  })}`;
}

function code(text: string): Html {
  return html`<code>${text}</code>`;
}

interface Section {
  readonly id: string;
  readonly title: string;
  readonly content: (result: AuditResult) => Html;
}

const SECTIONS: readonly Section[] = [
  { id: 'checked', title: 'What was checked, and by whom', content: summarySection },
  { id: 'findings', title: 'Findings', content: findingsSection },
  { id: 'waived', title: 'Waived, and why', content: waivedSection },
  { id: 'policies', title: 'Who may do what', content: policySection },
  { id: 'internet', title: 'Ways to and from the internet', content: exposureSection },
  { id: 'encryption', title: 'What is encrypted, and with which key', content: encryptionSection },
  { id: 'inventory', title: 'Resources', content: inventorySection },
  { id: 'rules', title: 'Rules', content: rulesSection },
];

/** The result as one page that needs nothing else: no script, no font, no address outside of it. */
export function htmlReport(result: AuditResult): string {
  const { environment, auditedAt, findings, waived, notes } = result;
  const title = `Audit of ${environment}`;
  const verdict =
    findings.length === 0
      ? html`<p class="verdict green">Green: nothing is wrong that is not waived (${waived.length} waived).</p>`
      : html`<p class="verdict red">Red: findings: ${findings.length}. Waived: ${waived.length}.</p>`;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${{ html: STYLE }}</style>
</head>
<body>
<header>
<h1>${title}</h1>
<p>Made on <time datetime="${auditedAt.toISOString()}">${day(auditedAt)}</time> from the synthesized Terraform JSON.</p>
${verdict}
${notes.map((note) => html`<p>Note: ${note}</p>\n`)}</header>
<nav aria-label="Sections"><ul>
${SECTIONS.map((section) => html`<li><a href="#${section.id}">${section.title}</a></li>\n`)}</ul></nav>
<main>
${SECTIONS.map(
  (section) => html`<section id="${section.id}">
<h2>${section.title}</h2>
${section.content(result)}
</section>\n`,
)}</main>
</body>
</html>
`;
  return page.html;
}

function day(date: Date): string {
  return `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
