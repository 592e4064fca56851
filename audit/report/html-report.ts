import {
  CJIS_AREAS,
  type ControlOutcome,
  REPORT_CONTROLS,
  SOURCES,
  titleOf,
  WITHOUT_BEARING_REASON,
} from '../controls.ts';
import { type Examiner, inShort } from '../findings.ts';
import { OWN_ACCOUNT } from '../policy/policies.ts';
import { type Html, type HtmlValue, html, htmlTable, STYLE } from './html.ts';
import { commitInWords, type Report } from './summary.ts';
import words from './words.json' with { type: 'json' };

/** How a column gets its cells: by a member of the row, or by what is made of it. */
type Column<Row> = (keyof Row & string) | ((row: Row) => HtmlValue);

/** A table of rows; each column by its heading. */
function table<Row extends object>(
  caption: string,
  rows: readonly Row[],
  columns: Readonly<Record<string, Column<Row>>>,
): Html {
  const cell = (row: Row, column: Column<Row>) =>
    typeof column === 'string' ? shown(column, row[column]) : column(row);
  return htmlTable(
    caption,
    Object.keys(columns),
    rows.map((row) => Object.values(columns).map((column) => cell(row, column))),
  );
}

/** Members that hold what a machine reads. */
const CODE = ['address', 'file', 'id', 'path', 'place', 'policyArn', 'role', 'rule', 'sha256'];

function shown(name: string, value: unknown): HtmlValue {
  if (Array.isArray(value)) return value.map((one) => html`${shown(name.replace(/s$/, ''), one)} `);
  if (name === 'control') return controlLink(value as string | undefined);
  if (name === 'by') return EXAMINERS[value as Examiner] ?? String(value);
  const text = String(value ?? '');
  return CODE.includes(name) ? code(text) : text;
}

const EXAMINERS: Readonly<Record<string, string>> = words.examiners;

function code(text: string): Html {
  return html`<code>${text}</code>`;
}

/** A link to the part of the page on a control. */
function controlLink(control: string | undefined): Html {
  if (control === undefined || control === 'unmapped') return html`unmapped`;
  return html`<a href="#${baseOf(control)}">${control}</a>`;
}

/** The control that an enhancement such as AC-6(5) belongs to. */
function baseOf(control: string): string {
  return control.split('(')[0] ?? control;
}

const audited = () => controlLink(REPORT_CONTROLS.audited);

/** What the audit was made of, by whom and where, and what it did not see. */
function evidenceSection({ evidence, demands, secondScanner, notLookedAt }: Report): Html {
  const unseen = html`<h3>What was not looked at</h3>
<ul>${notLookedAt.map((sentence) => html`<li>${sentence}</li>`)}</ul>`;
  if (evidence === undefined) return html`<p>Nobody gathered what it was made of.</p>${unseen}`;
  const { product, tools, by, inputs, sboms, missing } = evidence;
  const facts = {
    Commit: commitInWords(evidence),
    Product: `${product.name} ${product.version}`,
    'Version of the rules: SHA-256 of their sources': product.rules,
    ...tools,
    'What the JSON demands': demands,
    'Second scanner': secondScanner,
    'Run by': by.user,
    On: by.host,
    'CI run': by.run ?? 'none',
  };
  return html`${table('What, by whom and where', Object.entries(facts), {
    What: ([name]) => name,
    Value: ([, value]) => value,
    Control: audited,
  })}
${table('What the verdict depends on, beside what was audited', inputs, {
  File: 'path',
  'SHA-256': 'sha256',
  Control: audited,
})}
${table('Lists of packages (CycloneDX), beside this page', sboms, {
  Of: 'of',
  File: 'file',
  'SHA-256': 'sha256',
  Control: () => controlLink(REPORT_CONTROLS.packages),
})}
${missing.map((sentence) => html`<p>${sentence}</p>`)}
${unseen}`;
}

/** Every control that a rule serves, by family: where an assessor begins. */
function indexSection(report: Report): Html {
  const families = Map.groupBy(bases(report).values(), ([first]) => first.family);
  return html`<p>Each leads to its rules, verdicts, findings and waivers. One that is not green says so.</p>
<ul class="index">${[...families].map(
    ([family, controls]) => html`<li>${family}: ${controls.map(indexEntry)}</li>\n`,
  )}</ul>`;
}

function indexEntry(controls: Controls): Html {
  const base = baseOf(controls[0].id);
  const worst = WORDS.find((word) => controls.some(({ verdict }) => verdict === word));
  const word = worst === 'green' || worst === undefined ? '' : ` (${worst})`;
  return html`<a href="#${base}" title="${titleOf(base)}">${base}${word}</a> `;
}

type Controls = readonly [ControlOutcome, ...ControlOutcome[]];

/** Controls with their enhancements, as far as rules serve them or tables bear on them. */
function bases({ controls }: Report): ReadonlyMap<string, Controls> {
  const borne = Object.values(REPORT_CONTROLS);
  const shown = controls.filter(({ id, rules }) => rules.length > 0 || borne.includes(id));
  return Map.groupBy(shown, ({ id }) => baseOf(id)) as Map<string, ControlOutcome[] & Controls>;
}

/** Everything by control: a part for each control that a rule serves. */
function controlsSection(report: Report): Html {
  const { controls, baseline, withoutControl } = report;
  const missing = controls.filter((one) => one.inBaseline && one.verdict === 'not covered');
  return html`<p>Held against the baseline <code>${baseline}</code>. That a control is green says that what
its rules look at is as it should be, and not that the control is met as a whole.</p>
${[...bases(report)].map(([base, of]) => controlPart(base, of, report))}
<section id="not-covered"><h3>Not covered</h3>
${table(`Controls of ${baseline} that no rule looks at`, missing, {
  Control: ({ id }) => id,
  Title: 'title',
  Family: 'family',
})}
</section>
<section id="unmapped"><h3>Checks of no control</h3>
<p>Unmapped, since our table has no row for them: ${listed(withoutControl.unmapped)}.</p>
<p>Reviewed, and of no bearing on these stacks: ${listed(withoutControl.withoutBearing)}. ${WITHOUT_BEARING_REASON}</p>
</section>
${SOURCES.map((source) => html`<p>${source}</p>\n`)}`;
}

function listed(ids: readonly string[]): string {
  return ids.join(', ') || 'none';
}

function controlPart(base: string, controls: Controls, report: Report): Html {
  const elsewhere = SECTIONS.filter((section) => section.controls?.includes(base));
  const rules = controls
    .flatMap(({ id, rules: serving }) => serving.map((rule) => ({ ...rule, control: id })))
    .sort((one, other) => WORDS.indexOf(one.verdict) - WORDS.indexOf(other.verdict));
  const said = (found: Report['findings'], rule: string) =>
    found.filter((finding) => finding.rule === rule);
  return html`<section id="${base}"><h3>${base} ${titleOf(base)}</h3>
<p>${elsewhere.length === 0 ? '' : html`See also: ${elsewhere.map(({ id, title }) => html`<a href="#${id}">${title}</a>, `)}`}<a href="#index">all controls</a></p>
${table(`Rules that serve ${base}`, rules, {
  Control: ({ control }) => control,
  Verdict: ({ verdict }) => html`<span class="${verdict}">${verdict}</span>`,
  Rule: 'id',
  'What holds where it is kept': 'title',
  Findings: ({ id }) =>
    said(report.findings, id).map(
      ({ place, message }) => html`${code(place)}: ${inShort(message)} `,
    ),
  Waivers: ({ id, waived }) =>
    waived.map(({ place, owner, until }) => {
      const [finding] = report.waived.filter((one) => one.rule === id && one.place === place);
      return html`${code(place)} by ${owner} until ${until}: ${finding?.waiver.reason ?? ''} `;
    }),
  'Looked at': ({ by, looked }) => (by === 'audit' ? '' : looked),
  By: 'by',
  CIS: 'cis',
})}
</section>
`;
}

const WORDS = ['red', 'waived', 'green', 'nothing to look at', 'not covered'] as const;

/** The same by families, as the CJIS Security Policy has them. */
function cjisSection({ baseline, controls }: Report): Html {
  const families = Map.groupBy(controls, ({ family }) => family);
  return html`<p>The CJIS Security Policy 6.0 is organized by families of NIST SP 800-53. Its own areas beside them are not
covered: ${CJIS_AREAS.join(', ')}. Neither is what it asks of a control in its own words.</p>
${table(
  `Controls of ${baseline}, and others that a rule serves, by family`,
  [...families].map(([family, of]) => ({
    family,
    of,
    controls: of.filter(({ rules }) => rules.length > 0).map(({ id }) => id),
  })),
  {
    Family: 'family',
    Controls: 'controls',
    ...Object.fromEntries(
      WORDS.map((word) => [
        word,
        ({ of }: { readonly of: readonly ControlOutcome[] }) =>
          of.filter(({ verdict }) => verdict === word).length,
      ]),
    ),
  },
)}`;
}

/** What looked at what, and the files that were looked at. */
function summarySection({ from, regions, summary, files }: Report): Html {
  const source =
    from === undefined
      ? 'The JSON was synthesized for this audit.'
      : html`The JSON was given, in <code>${from}</code>.`;
  const second =
    regions.length > 1
      ? 'Scanners compare some ARNs with literals of the partition aws, so the stacks were looked at a second time as they would be in a region of that partition.'
      : '';
  return html`<p>${source} ${second}</p>
${table('Who looked at what', summary, {
  By: 'by',
  View: 'view',
  Region: 'region',
  Resources: 'resources',
  Passed: 'passed',
  'Failed (waived or not)': 'failed',
  Control: 'control',
})}
${table('Files', files, {
  Stack: 'stack',
  Region: 'region',
  File: 'path',
  'SHA-256': 'sha256',
  Control: audited,
})}`;
}

/** What must be changed or waived. */
function findingsSection({ findings }: Report): Html {
  return table('Findings', findings, {
    Severity: 'severity',
    Control: 'control',
    Rule: 'rule',
    Where: 'place',
    'What is wrong': ({ message }) => inShort(message),
    Regions: 'regions',
  });
}

/** What somebody decided to live with. */
function waivedSection({ waived }: Report): Html {
  return table('Waived findings', waived, {
    Rule: 'rule',
    Control: 'control',
    Where: 'place',
    'What was found': ({ message }) => inShort(message),
    'Why it is acceptable': ({ waiver }) => waiver.reason,
    Owner: ({ waiver }) => waiver.owner,
    Until: ({ waiver }) => waiver.expires,
  });
}

/** Who accepted what of the JSON. */
function acceptedSection({ acceptances }: Report): Html {
  if (acceptances === undefined) return html`<p>What was accepted was left out of this audit.</p>`;
  return table('Accepted blocks; each is with whoever accepted it last', acceptances, {
    Owner: 'owner',
    Control: 'control',
    Day: 'date',
    Commit: ({ version }) => code(version),
    'Judged then by': ({ judgedBy }) => judgedBy.join(', '),
    Why: 'reason',
    Accepted: ({ accepted }) => code(accepted.join(' ')),
    'Accepted that they are gone': ({ gone }) => code(gone.join(' ')),
  });
}

/** Every rule that was run, and how often it looked. */
function rulesSection({ rules }: Report): Html {
  return table('Rules that were run (controls of NIST SP 800-53 Rev. 5)', rules, {
    Rule: 'id',
    By: 'by',
    'What holds where it is kept': 'title',
    Why: 'reason',
    Control: 'control',
    CIS: 'cis',
    'Looked at': ({ by, looked }) => (by === 'audit' ? '' : looked),
  });
}

/** Every statement of every policy as a sentence. */
function policySection({ policies, attachedPolicies }: Report): Html {
  return html`<p><code>${OWN_ACCOUNT}</code> is the account that the stacks are deployed to.</p>
${table('Policies in words', policies, {
  'Policy of': 'address',
  Stack: 'stack',
  Control: 'control',
  Statements: ({ statements }) =>
    html`<ul>${statements.map((sentence) => html`<li>${sentence}</li>`)}</ul>`,
})}
${table('Policies of others that are attached', attachedPolicies, {
  Attachment: 'address',
  Stack: 'stack',
  Control: 'control',
  Role: 'role',
  Policy: 'policyArn',
})}`;
}

/** What the internet reaches, and what reaches it. */
function exposureSection({ exposures }: Report): Html {
  const columns = { Resource: 'address', Stack: 'stack', Control: 'control', How: 'text' } as const;
  return html`${Object.entries(words.directions).map(([direction, caption]) =>
    table(
      caption,
      exposures.filter((exposure) => exposure.direction === direction),
      columns,
    ),
  )}`;
}

/** What is encrypted at rest. */
function encryptionSection({ encryption }: Report): Html {
  return table('Data at rest', encryption, {
    Resource: 'address',
    Stack: 'stack',
    Control: 'control',
    Data: 'data',
    Key: 'key',
  });
}

/** Every resource, and what looked at it. */
function inventorySection({ inventory }: Report): Html {
  return table(`${inventory.length} resources`, inventory, {
    Address: 'address',
    Stack: 'stack',
    Name: 'name',
    'Passed checks': 'passed',
    Findings: 'findings',
    Waived: 'waived',
    'Controls of the rules that looked at it': 'controls',
  });
}

/** The parts of the page, in their order. */
const SECTIONS: readonly Section[] = words.sections;

interface Section {
  readonly id: string;
  readonly title: string;
  readonly controls?: readonly string[];
}

/** What each part holds, by its id. */
const CONTENT: Readonly<Record<string, (report: Report) => Html>> = {
  index: indexSection,
  findings: findingsSection,
  waived: waivedSection,
  controls: controlsSection,
  policies: policySection,
  internet: exposureSection,
  encryption: encryptionSection,
  accepted: acceptedSection,
  cjis: cjisSection,
  inventory: inventorySection,
  rules: rulesSection,
  checked: summarySection,
  evidence: evidenceSection,
};

/** The result as one page that needs nothing else: no script, no font, no address outside of it. */
export function htmlReport(report: Report): string {
  const { environment, auditedAt, findings, waived, notes, secondScanner, evidence } = report;
  const title = `Audit of ${environment}`;
  const verdict = report.green
    ? html`<p class="verdict green">Green: nothing is wrong that is not waived (${waived.length} waived). ${secondScanner}</p>`
    : html`<p class="verdict red">Red: findings: ${findings.length}. Waived: ${waived.length}. ${secondScanner}</p>`;
  const commit = evidence === undefined ? '' : ` Commit: ${commitInWords(evidence)}.`;
  const served = bases(report);
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
<p>Made on <time datetime="${auditedAt}">${auditedAt.slice(0, 16).replace('T', ' ')} UTC</time> from the synthesized Terraform JSON.${commit}</p>
${verdict}
${notes.map((note) => html`<p>Note: ${note}</p>\n`)}</header>
<nav aria-label="Sections"><ul>
${SECTIONS.map((section) => html`<li><a href="#${section.id}">${section.title}</a></li>\n`)}</ul></nav>
<main>
${SECTIONS.map(
  (section) => html`<section id="${section.id}">
<h2>${section.title}</h2>
${section.controls === undefined ? '' : html`<p>Bears on ${section.controls.map((id) => html`${served.has(id) ? controlLink(id) : id} `)}</p>`}
${CONTENT[section.id]?.(report) ?? ''}
</section>\n`,
)}</main>
</body>
</html>
`;
  return page.html;
}
