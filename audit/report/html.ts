import { readFileSync } from 'node:fs';
import { join } from 'node:path';

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

/** Style of the page. */
export const STYLE = readFileSync(join(import.meta.dirname, 'page.css'), 'utf8');
