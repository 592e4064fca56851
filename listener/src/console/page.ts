import { createHash } from 'node:crypto';
import { Html, html, type Part } from './html.ts';
import { type ReportPage, reportBody } from './report-body.ts';
import { STYLE } from './style.ts';

/** What makes a page of its content. */
export interface PageOptions {
  readonly title: string;
  readonly body: Html;
  /**
   * A script that runs at the end of the page, and may start workers of its own text and WebAssembly.
   *
   * @default none, and none may run
   */
  readonly script?: string;
}

/** What a page may load and do: its own styles, and no address. Source: Content Security Policy Level 3, "The hash-source grammar". */
export const POLICY = `default-src 'none'; style-src ${hashSource(STYLE)}; base-uri 'none'`;

/**
 * A whole page in one file that needs nothing else. Its policy allows its own styles, its own script where it has one, and no
 * address whatever: what it is given can't leave it.
 */
export function selfContainedPage({ title, body, script }: PageOptions): string {
  const scripts =
    script === undefined
      ? ''
      : `; script-src ${hashSource(script)} 'wasm-unsafe-eval'; worker-src blob:; connect-src 'none'`;
  const policy = html`
<meta name="referrer" content="no-referrer">
<meta http-equiv="Content-Security-Policy" content="${`${POLICY}${scripts}; form-action 'none'`}">`;
  const end =
    script === undefined
      ? undefined
      : html`
<script>${new Html(script)}</script>`;
  return documentOf(title, policy, html`${body}${end}`);
}

/** A page of the console, whose policy comes as a header. @param refreshSeconds until a browser asks again. @default never */
export function servedPage(title: string, body: Html, refreshSeconds?: number): string {
  const refresh =
    refreshSeconds === undefined
      ? undefined
      : html`
<meta http-equiv="refresh" content="${refreshSeconds}">`;
  return documentOf(title, refresh, body);
}

function documentOf(title: string, head: Part, body: Html): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">${head}
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${new Html(STYLE)}</style>
</head>
<body>
${body}
</body>
</html>
`.text;
}

function hashSource(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

/** One report as a page that needs nothing else: it can be mailed, printed and kept. At most `MOST_PAGE_BYTES`. */
export function reportPage(page: ReportPage): string {
  const title = `${page.report.verdict}: ${page.name.slice(0, 160)}`;
  return selfContainedPage({ title, body: html`<main>${reportBody(page)}</main>` });
}
