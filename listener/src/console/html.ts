import { createHash } from 'node:crypto';

/** A piece of a page, in which everything that came from elsewhere is escaped. Made by {@link html} alone. */
export class Html {
  readonly text: string;

  /** @param text markup of our own */
  constructor(text: string) {
    this.text = text;
  }

  /** Bytes of UTF-8. */
  get bytes(): number {
    return Buffer.byteLength(this.text);
  }
}

/** What stands in a template: pieces stay as they are, texts are escaped, what is absent leaves nothing. */
export type Part = Html | string | number | false | null | undefined | readonly Part[];

/**
 * Makes a piece of a page: `` html`<td>${cell}</td>` ``. Values may stand in elements and in quoted attributes, but not in
 * scripts, styles, names or addresses: escaping makes no value safe there.
 */
export function html(pieces: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(
    pieces
      .map((piece, index) => piece + (index < parts.length ? written(parts[index]) : ''))
      .join(''),
  );
}

function written(part: Part): string {
  if (part instanceof Html) return part.text;
  if (Array.isArray(part)) return part.map(written).join('');
  if (part === null || part === undefined || part === false) return '';
  return escaped(String(part));
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Characters that change how others are shown: control characters, and those that turn the direction of writing. */
const UNSEEN = /[\p{Cc}\p{Cf}\u2028\u2029\p{Cs}]/gu;

/** A text as an element or a quoted attribute may hold it; characters that can't be seen are named, as `\u{202e}`. */
function escaped(text: string): string {
  return text
    .replace(UNSEEN, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`)
    .replace(/[&<>"']/g, (character) => ENTITIES[character] as string);
}

/** What makes a page of its content. */
export interface PageOptions {
  readonly title: string;
  /** The styles; markup of our own. */
  readonly style: string;
  readonly body: Html;
}

/**
 * A whole page in one file that needs nothing else: its policy allows its own styles, and neither scripts nor any
 * address. Source: Content Security Policy Level 3, "The hash-source grammar".
 */
export function selfContainedPage({ title, style, body }: PageOptions): string {
  const digest = createHash('sha256').update(style).digest('base64');
  const policy = `default-src 'none'; style-src 'sha256-${digest}'; base-uri 'none'; form-action 'none'`;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${new Html(style)}</style>
</head>
<body>
${body}
</body>
</html>
`;
  return page.text;
}
