/** A piece of a page, in which everything that came from elsewhere is escaped. Made by {@link html} alone. */
export class Html {
  readonly text: string;

  /** @param text markup of our own */
  constructor(text: string) {
    this.text = text;
  }

  /** Bytes of UTF-8. */
  get bytes(): number {
    return new TextEncoder().encode(this.text).length;
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
