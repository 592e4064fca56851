import type { TfvarsValue } from './tfvars-value.ts';

/** An identifier of the HCL specification, as the source of a `u` regular expression. */
export const IDENTIFIER = '[\\p{ID_Start}_][\\p{ID_Continue}-]*';

/** Opens every message about an expression that is not a literal. */
export const LITERALS_ONLY =
  'a tfvars file holds literal values only: strings in double quotes, numbers, true, false, null, ' +
  'lists [] and maps {}';

/** What is wrong at an offset of the text. */
export class HclProblem extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/** A heredoc's place in the text. */
export interface Heredoc {
  readonly bodyStart: number;
  /** Where the line of the end marker starts. */
  readonly bodyEnd: number;
  /** Behind the end marker, before the newline that must follow it. */
  readonly end: number;
  /** `<<-`: the indent that all lines share is taken off. */
  readonly indented: boolean;
}

/** Go's unicode.IsSpace, by which HCL trims; `\s` is not the same (U+FEFF, U+0085). */
const SPACES = '[\\t\\v\\f\\r \\u0085\\p{Z}]*';
const ONLY_SPACES = new RegExp(`^${SPACES}$`, 'u');
const LEADING_SPACES = new RegExp(`^${SPACES}`, 'u');
const HEREDOC_OPENER = new RegExp(`<<(-?)(${IDENTIFIER})\\r?\\n`, 'uy');

const SIMPLE_ESCAPES: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['"', '"'],
  ['\\', '\\'],
]);

/**
 * Finds the heredoc that opens at `start`.
 *
 * @returns undefined where no heredoc opens there
 * @throws HclProblem where it is never closed
 */
export function heredocAt(text: string, start: number): Heredoc | undefined {
  HEREDOC_OPENER.lastIndex = start;
  const opener = HEREDOC_OPENER.exec(text);
  if (opener === null) return undefined;
  const [whole, dash, marker = ''] = opener;

  const bodyStart = start + whole.length;
  let lineStart = bodyStart;
  for (;;) {
    const newline = text.indexOf('\n', lineStart);
    // Terraform too wants a newline behind the marker, at the end of the file as well.
    if (newline === -1) break;
    if (isMarkerLine(text.slice(lineStart, newline), marker)) {
      const end = text[newline - 1] === '\r' ? newline - 1 : newline;
      return { bodyStart, bodyEnd: lineStart, end, indented: dash === '-' };
    }
    lineStart = newline + 1;
  }
  throw new HclProblem(
    `the heredoc is not closed: a line with only ${marker}, and a newline after it, must end it; ` +
      'the rest of the file was taken for its text',
    start,
  );
}

function isMarkerLine(line: string, marker: string): boolean {
  const at = line.indexOf(marker);
  return (
    at !== -1 &&
    ONLY_SPACES.test(line.slice(0, at)) &&
    ONLY_SPACES.test(line.slice(at + marker.length))
  );
}

/**
 * Reads a heredoc's text: no backslash escapes, only `$${` and `%%{`.
 *
 * @throws HclProblem at an interpolation, a directive or a lone carriage return
 */
export function heredocText(text: string, heredoc: Heredoc): string {
  const body = text.slice(heredoc.bodyStart, heredoc.bodyEnd);
  const lone = /\r(?!\n)/.exec(body);
  if (lone !== null) {
    throw new HclProblem('a lone carriage return in a heredoc', heredoc.bodyStart + lone.index);
  }
  rejectTemplate(body, heredoc.bodyStart);
  const value = heredoc.indented ? withoutIndent(body) : body;
  return value.replace(/([$%])\1\{/g, '$1{').normalize('NFC');
}

/** HCL leaves lines of nothing but white space as they are, and doesn't count their indent. */
function withoutIndent(body: string): string {
  const lines = body.split(/(?<=\n)/);
  const isBlank = (line: string) => ONLY_SPACES.test(line.replace('\n', ''));
  const indent = lines.reduce(
    (least, line) =>
      isBlank(line) ? least : Math.min(least, LEADING_SPACES.exec(line)?.[0].length ?? 0),
    Number.POSITIVE_INFINITY,
  );
  return lines.map((line) => (isBlank(line) ? line : line.slice(indent))).join('');
}

/**
 * Reads what stands between a string's quotes.
 *
 * @param start - the offset of `raw` in the file
 * @throws HclProblem at an interpolation, a directive or an unknown escape
 */
export function quotedText(raw: string, start: number): string {
  rejectTemplate(raw, start);
  const value = raw.replace(
    /([$%])\1\{|\\(?:u[\da-fA-F]{4}|U[\da-fA-F]{8}|[\s\S])/g,
    (sequence: string, doubled: string | undefined, offset: number) =>
      doubled === undefined ? unescaped(sequence, start + offset) : `${doubled}{`,
  );
  // Strings are NFC in Terraform (cty).
  return value.normalize('NFC');
}

/** Writes a value as a literal that is read back as the same value. */
export function hclLiteral(value: TfvarsValue): string {
  if (typeof value === 'string') return quoted(value);
  if (Array.isArray(value)) return `[${value.map(hclLiteral).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  const items = Object.entries(value).map(([key, item]) => {
    const name = /^[A-Za-z_][\w-]*$/.test(key) ? key : quoted(key);
    return `${name} = ${hclLiteral(item)}`;
  });
  return `{ ${items.join(', ')} }`;
}

function quoted(text: string): string {
  return `"${escapedText(text).replace(/([$%])\{/g, '$1$1{')}"`;
}

/** What stands between the quotes of a text: JSON's escapes, but for the two that HCL does not know. */
export function escapedText(text: string): string {
  return JSON.stringify(text)
    .slice(1, -1)
    .replace(/\\(.)/g, (sequence, sign: string) => JSON_ONLY_ESCAPES.get(sign) ?? sequence);
}

const JSON_ONLY_ESCAPES: ReadonlyMap<string, string> = new Map([
  ['b', '\\u0008'],
  ['f', '\\u000c'],
]);

function rejectTemplate(raw: string, start: number): void {
  const template = /(?<!\$)\$\{|(?<!%)%\{/.exec(raw);
  if (template === null) return;
  throw new HclProblem(
    `${LITERALS_ONLY}; \${ and %{ start an expression: double the sign ($\${, %%{) to mean the ` +
      'characters themselves',
    start + template.index,
  );
}

function unescaped(sequence: string, offset: number): string {
  const simple = SIMPLE_ESCAPES.get(sequence.slice(1));
  if (simple !== undefined) return simple;
  const codePoint = sequence.length > 2 ? Number.parseInt(sequence.slice(2), 16) : Number.NaN;
  const isSurrogate = codePoint >= 0xd800 && codePoint <= 0xdfff;
  if (codePoint <= 0x10ffff && !isSurrogate) return String.fromCodePoint(codePoint);
  throw new HclProblem(
    'an unknown escape in a string: allowed are \\n, \\r, \\t, \\", \\\\, \\uNNNN and \\UNNNNNNNN ' +
      '(a Unicode code point in hexadecimal)',
    offset,
  );
}
