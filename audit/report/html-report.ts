import type { AuditResult } from '../audit-result.ts';
import { type Html, html } from './html.ts';
import { findingsSection, rulesSection, summarySection, waivedSection } from './html-checks.ts';
import {
  encryptionSection,
  exposureSection,
  inventorySection,
  policySection,
} from './html-stacks.ts';
import { STYLE } from './html-style.ts';

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
