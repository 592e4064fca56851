import {
  CJIS_AREAS,
  type ControlOutcome,
  cisOf,
  controlsOf,
  type RuleOutcome,
  SOURCES,
  titleOf,
  WITHOUT_BEARING_REASON,
  withoutControl,
} from '../controls.ts';
import { NOT_LOOKED_AT } from '../evidence.ts';
import type { Examiner } from '../findings.ts';
import type { AuditResult } from '../judge.ts';
import { OWN_ACCOUNT } from '../policy/policies.ts';
import { encryptionOf } from './encryption.ts';
import { type Exposure, exposuresOf } from './exposure.ts';
import { type Html, html, htmlTable, STYLE } from './html.ts';
import { attachedPolicies, type ShownPolicy, shownPolicies, statementInWords } from './policies.ts';
import {
  artifactsOf,
  commitInWords,
  demandsOf,
  inventoryOf,
  secondScannerOf,
  summaryOf,
} from './summary.ts';

/** What the audit was made of, by whom and where, and what it did not see. */
function evidenceSection(result: AuditResult): Html {
  const { evidence } = result;
  const unseen = html`<h3>What was not looked at</h3>
<ul>${NOT_LOOKED_AT.map((sentence) => html`<li>${sentence}</li>`)}</ul>`;
  if (evidence === undefined) return html`<p>Nobody gathered what it was made of.</p>${unseen}`;
  const { product, tools, by, inputs, sboms, missing } = evidence;
  return html`${htmlTable(
    'What, by whom and where',
    ['What', 'Value'],
    [
      ['Commit', commitInWords(evidence)],
      ['Product', `${product.name} ${product.version}`],
      ['Version of the rules: SHA-256 of their sources', code(product.rules)],
      ...Object.entries(tools),
      ['What the JSON demands', demandsOf(result)],
      ['Second scanner', secondScannerOf(result)],
      ['Run by', by.user],
      ['On', by.host],
      ['CI run', by.run ?? 'none'],
    ],
  )}
${htmlTable(
  'What the verdict depends on, beside what was audited',
  ['File', 'SHA-256'],
  inputs.map(({ path, sha256 }) => [code(path), code(sha256)]),
)}
${htmlTable(
  'Lists of packages (CycloneDX), beside this page',
  ['Of', 'File', 'SHA-256'],
  sboms.map(({ of, file, sha256 }) => [of, code(file), code(sha256)]),
)}
${missing.map((sentence) => html`<p>${sentence}</p>`)}
${unseen}`;
}

/** A link to the part of the page on a control. */
function controlLink(control: string | undefined): Html {
  if (control === undefined) return html`unmapped`;
  return html`<a href="#${baseOf(control)}">${control}</a>`;
}

/** The control that an enhancement such as AC-6(5) belongs to. */
function baseOf(control: string): string {
  return control.split('(')[0] ?? control;
}

function controlOfRule({ rules }: AuditResult): (rule: string) => Html {
  const controls = new Map(rules.map(({ id, control }) => [id, control]));
  return (rule) => controlLink(controls.get(rule));
}

/** Everything by control: an index, and a part for each control that a rule serves. */
function controlsSection(result: AuditResult): Html {
  const all = controlsOf(result);
  const served = all.filter(({ rules }) => rules.length > 0);
  const byBase = Map.groupBy(served, ({ id }) => baseOf(id));
  const families = Map.groupBy(byBase.keys(), (base) => base.split('-')[0]);
  const missing = all.filter(({ verdict }) => verdict === 'not covered');
  const { unmapped, withoutBearing } = withoutControl(result);
  return html`<p>Held against the baseline <code>${result.baseline}</code>. That a control is green says that what
its rules look at is as it should be, and not that the control is met as a whole.</p>
<ul class="index">${[...families.values()].map(
    (bases) =>
      html`<li>${served.find(({ id }) => id === bases[0] || baseOf(id) === bases[0])?.family ?? ''}: ${bases.map(
        (base) => html`<a href="#${base}">${base}</a> `,
      )}</li>\n`,
  )}</ul>
${[...byBase].map(([base, controls]) => controlPart(base, controls))}
<section id="not-covered"><h3>Not covered</h3>
${htmlTable(
  `Controls of ${result.baseline} that no rule looks at`,
  ['Control', 'Title', 'Family'],
  missing.map(({ id, title, family }) => [id, title, family]),
)}
</section>
<section id="unmapped"><h3>Checks of no control</h3>
<p>Unmapped, since our table has no row for them: ${listed(unmapped)}.</p>
<p>Reviewed, and of no bearing on these stacks: ${listed(withoutBearing)}. ${WITHOUT_BEARING_REASON}</p>
</section>
${SOURCES.map((source) => html`<p>${source}</p>\n`)}`;
}

function listed(ids: readonly string[]): string {
  return ids.join(', ') || 'none';
}

function controlPart(base: string, controls: readonly ControlOutcome[]): Html {
  const elsewhere = SECTIONS.filter((section) => section.controls?.includes(base));
  return html`<section id="${base}"><h3>${base} ${titleOf(base)}</h3>
${elsewhere.length === 0 ? '' : html`<p>See also: ${elsewhere.map(({ id, title }) => html`<a href="#${id}">${title}</a> `)}</p>`}
${htmlTable(
  `Rules that serve ${base}`,
  [
    'Control',
    'Rule',
    'By',
    'What holds where it is kept',
    'CIS',
    'Looked at',
    'Verdict',
    'Findings',
    'Waivers',
  ],
  controls.flatMap(({ id, rules }) =>
    rules.map((rule) => [
      id,
      code(rule.id),
      EXAMINERS[rule.by],
      rule.title,
      rule.cis,
      rule.by === 'audit' ? '' : rule.looked,
      rule.verdict,
      rule.findings.map((place) => html`${code(place)} `),
      waiversInWords(rule),
    ]),
  ),
)}
</section>
`;
}

function waiversInWords({ waived }: RuleOutcome): Html {
  return html`${waived.map(({ place, owner, until }) => html`${code(place)} by ${owner} until ${until}; `)}`;
}

const WORDS = ['red', 'waived', 'green', 'nothing to look at', 'not covered'] as const;

/** The same by families, as the CJIS Security Policy has them. */
function cjisSection(result: AuditResult): Html {
  const families = Map.groupBy(controlsOf(result), ({ family }) => family);
  return html`<p>The CJIS Security Policy 6.0 is organized by families of NIST SP 800-53. Its own areas beside them are not
covered: ${CJIS_AREAS.join(', ')}. Neither is what it asks of a control in its own words.</p>
${htmlTable(
  `Controls of ${result.baseline}, and others that a rule serves, by family`,
  ['Family', 'Controls', ...WORDS],
  [...families].map(([family, controls]) => [
    family,
    controls.filter(({ rules }) => rules.length > 0).map(({ id }) => html`${controlLink(id)} `),
    ...WORDS.map((word) => controls.filter(({ verdict }) => verdict === word).length),
  ]),
)}`;
}

/** What looked at what, and the files that were looked at. */
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
function findingsSection(result: AuditResult): Html {
  const { findings } = result;
  const control = controlOfRule(result);
  return htmlTable(
    'Findings',
    ['Severity', 'Control', 'Rule', 'Where', 'What is wrong', 'Regions'],
    findings.map(({ severity, rule, place, message, regions }) => [
      severity,
      control(rule),
      code(rule),
      code(place),
      message,
      regions.join(', '),
    ]),
  );
}

/** What somebody decided to live with. */
function waivedSection(result: AuditResult): Html {
  const { waived } = result;
  const control = controlOfRule(result);
  return htmlTable(
    'Waived findings',
    ['Rule', 'Control', 'Where', 'What was found', 'Why it is acceptable', 'Owner', 'Until'],
    waived.map(({ rule, place, message, waiver }) => [
      code(rule),
      control(rule),
      code(place),
      message,
      waiver.reason,
      waiver.owner,
      waiver.expires,
    ]),
  );
}

/** Who accepted what of the JSON. */
function acceptedSection({ acceptances }: AuditResult): Html {
  if (acceptances === undefined) return html`<p>What was accepted was left out of this audit.</p>`;
  return htmlTable(
    'Accepted blocks; each is with whoever accepted it last',
    ['Owner', 'Day', 'Commit', 'Judged then by', 'Why', 'Accepted', 'Accepted that they are gone'],
    acceptances.map(({ owner, date, version, judgedBy, reason, accepted, gone }) => [
      owner,
      date,
      code(version),
      judgedBy.join(', '),
      reason,
      code(accepted.join(' ')),
      code(gone.join(' ')),
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
    ['Rule', 'By', 'What holds where it is kept', 'Why', 'Control', 'CIS', 'Looked at'],
    rules.map(({ id, by, title, reason, control }) => [
      code(id),
      EXAMINERS[by],
      title,
      reason ?? '',
      controlLink(control),
      cisOf(id),
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
  /** Controls that it bears on, beside those that its rows name. */
  readonly controls?: readonly string[];
  readonly content: (result: AuditResult) => Html;
}

const SECTIONS: readonly Section[] = [
  {
    id: 'evidence',
    title: 'What this report is made of',
    controls: ['CA-2', 'SR-4'],
    content: evidenceSection,
  },
  {
    id: 'checked',
    title: 'What was checked, and with what',
    controls: ['CA-2'],
    content: summarySection,
  },
  { id: 'findings', title: 'Findings', content: findingsSection },
  { id: 'waived', title: 'Waived, and why', content: waivedSection },
  { id: 'accepted', title: 'Accepted, and by whom', controls: ['CM-3'], content: acceptedSection },
  { id: 'controls', title: 'Controls', content: controlsSection },
  { id: 'cjis', title: 'By the families of the CJIS Security Policy', content: cjisSection },
  { id: 'policies', title: 'Who may do what', controls: ['AC-3', 'AC-6'], content: policySection },
  {
    id: 'internet',
    title: 'Ways to and from the internet',
    controls: ['AC-4', 'SC-7'],
    content: exposureSection,
  },
  {
    id: 'encryption',
    title: 'What is encrypted, and with which key',
    controls: ['SC-12', 'SC-28'],
    content: encryptionSection,
  },
  { id: 'inventory', title: 'Resources', controls: ['CM-8'], content: inventorySection },
  { id: 'rules', title: 'Rules', content: rulesSection },
];

/** The result as one page that needs nothing else: no script, no font, no address outside of it. */
export function htmlReport(result: AuditResult): string {
  const { environment, auditedAt, findings, waived, notes } = result;
  const title = `Audit of ${environment}`;
  const scanner = secondScannerOf(result);
  const verdict =
    findings.length === 0
      ? html`<p class="verdict green">Green: nothing is wrong that is not waived (${waived.length} waived). ${scanner}</p>`
      : html`<p class="verdict red">Red: findings: ${findings.length}. Waived: ${waived.length}. ${scanner}</p>`;
  const served = new Set(result.rules.flatMap(({ control }) => (control ? [baseOf(control)] : [])));
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
${section.controls === undefined ? '' : html`<p>Bears on ${section.controls.map((id) => html`${linkWhereServed(id, served)} `)}</p>`}
${section.content(result)}
</section>\n`,
)}</main>
</body>
</html>
`;
  return page.html;
}

function linkWhereServed(control: string, served: ReadonlySet<string>): Html {
  return served.has(control) ? controlLink(control) : html`${control}`;
}

function day(date: Date): string {
  return `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
