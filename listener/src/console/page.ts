import { createHash } from 'node:crypto';
import { Html, html } from './html.ts';
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

/**
 * A whole page in one file that needs nothing else. Its policy allows its own styles, its own script where it has one, and no
 * address whatever: what it is given can't leave it. Source: Content Security Policy Level 3, "The hash-source grammar".
 */
export function selfContainedPage({ title, body, script }: PageOptions): string {
  const scripts =
    script === undefined
      ? ''
      : ` script-src ${hashSource(script)} 'wasm-unsafe-eval'; worker-src blob:; connect-src 'none';`;
  const policy = `default-src 'none'; style-src ${hashSource(STYLE)};${scripts} base-uri 'none'; form-action 'none'`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${new Html(STYLE)}</style>
</head>
<body>
${body}${
  script !== undefined &&
  html`
<script>${new Html(script)}</script>`
}
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
