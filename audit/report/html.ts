/** A piece of HTML, safe to put into another. */
export interface Html {
  readonly html: string;
}

/** What may stand in a template: text is escaped, HTML is not, lists are joined. */
export type HtmlValue = string | number | Html | readonly HtmlValue[];

/** Template of HTML. Every value in it that is not HTML itself is escaped. */
export function html(parts: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  const text = parts.reduce(
    (before, part, at) => `${before}${toText(values[at - 1] ?? '')}${part}`,
  );
  return { html: text };
}

const ESCAPED: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function toText(value: HtmlValue): string {
  if (typeof value === 'string') return value.replaceAll(/[&<>"']/g, (mark) => ESCAPED[mark] ?? '');
  if (typeof value === 'number') return String(value);
  return 'html' in value ? value.html : value.map(toText).join('');
}

/**
 * A table with a caption that says what it is, and headings that belong to their columns.
 *
 * @param rows - a row's first cell is its heading
 */
export function htmlTable(
  caption: string,
  headings: readonly string[],
  rows: readonly (readonly HtmlValue[])[],
): Html {
  if (rows.length === 0) return html`<p>${caption}: none.</p>`;
  const cells = ([first = '', ...others]: readonly HtmlValue[]) =>
    html`<tr><th scope="row">${first}</th>${others.map((cell) => html`<td>${cell}</td>`)}</tr>`;
  return html`<div class="wide"><table>
<caption>${caption}</caption>
<thead><tr>${headings.map((heading) => html`<th scope="col">${heading}</th>`)}</tr></thead>
<tbody>
${rows.map((row) => html`${cells(row)}\n`)}</tbody>
</table></div>`;
}

/** Style of the page: follows the reader's light or dark scheme, and prints. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --line: #c9d1d9; --shade: #f2f4f7;
  --red: #a40e26; --green: #116329; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --paper: #0d1117; --line: #3d444d; --shade: #161b22; --red: #ff7b72;
    --green: #56d364; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 90rem; padding: 1.5rem; color: var(--ink); background: var(--paper);
  font: 1rem/1.5 system-ui, sans-serif; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
h3 { margin-top: 1.5rem; }
a { color: inherit; }
code { font: 0.9em ui-monospace, monospace; overflow-wrap: anywhere; }
nav ul { columns: 2; }
.verdict { padding: 0.75rem 1rem; border-left: 0.4rem solid; background: var(--shade); font-weight: 600; }
.green { color: var(--green); } .red { color: var(--red); font-weight: 600; }
.index { padding: 0; list-style: none; line-height: 1.9; }
.index a { display: inline-block; margin-right: 0.6rem; }
section:target > :is(h2, h3) { background: var(--shade); border-left: 0.4rem solid; padding-left: 0.6rem; }
.wide { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; margin: 0.75rem 0; }
caption { text-align: left; font-weight: 600; padding: 0.25rem 0; }
th, td { padding: 0.3rem 0.6rem; border: 1px solid var(--line); text-align: left; vertical-align: top; }
table { font-size: 0.9rem; }
td { overflow-wrap: anywhere; min-width: 6rem; }
td a { white-space: nowrap; }
tbody th { font-weight: 400; min-width: 7rem; }
td:has(code) { min-width: 10rem; }
thead th { background: var(--shade); }
li { margin: 0.2rem 0; }
@page { size: landscape; margin: 1cm; }
@media print { body { font-size: 8pt; max-width: none; padding: 0; } nav { display: none; }
  .wide { overflow: visible; } tr { break-inside: avoid; } h2, h3 { break-after: avoid; } }
`;
