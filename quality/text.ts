const DECODER = new TextDecoder('utf-8', { ignoreBOM: true });
const ENCODER = new TextEncoder();
/** Up to so many bytes a loop over them is faster than the decoder. */
const SHORT = 10;

/** The text as UTF-8. */
export function encodeText(text: string): Uint8Array {
  return ENCODER.encode(text);
}

/** The text of `bytes[start, end)`; what is not UTF-8 becomes U+FFFD. */
export function decodeText(bytes: Uint8Array, start: number, end: number): string {
  const long = end - start > SHORT;
  return (
    (long ? undefined : asciiText(bytes, start, end)) ?? DECODER.decode(bytes.subarray(start, end))
  );
}

/** The text of `bytes[start, end)`, or undefined when not all of it is ASCII. */
function asciiText(bytes: Uint8Array, start: number, end: number): string | undefined {
  let text = '';
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number;
    if (byte >= 0x80) return undefined;
    text += String.fromCharCode(byte);
  }
  return text;
}

/** Whether the cell is exactly this text, given as bytes. */
export function equalsBytes(
  bytes: Uint8Array,
  start: number,
  end: number,
  text: Uint8Array,
): boolean {
  if (end - start !== text.length) return false;
  for (let i = 0; i < text.length; i++) if (bytes[start + i] !== text[i]) return false;
  return true;
}

/** Characters (code points) in well-formed UTF-8. */
export function countCharacters(bytes: Uint8Array, start: number, end: number): number {
  let count = 0;
  for (let i = start; i < end; i++) if (((bytes[i] as number) & 0xc0) !== 0x80) count++;
  return count;
}

/** A cell's text for a report: at most `limit` characters, NUL as U+2400 since PostgreSQL's jsonb has none. */
export function reportText(bytes: Uint8Array, start: number, end: number, limit: number): string {
  const cut = Math.min(end, start + limit * 4);
  const characters = Array.from(decodeText(bytes, start, cut).replaceAll('\0', '\u2400'));
  if (cut === end && characters.length <= limit) return characters.join('');
  return `${characters.slice(0, limit).join('')}\u2026`;
}

/** Characters of a value, or of a label, that a report shows. */
export const LONGEST_VALUE = 256;

/** A text for a report, cut to {@link LONGEST_VALUE} characters. */
export function shorten(text: string): string {
  if (text.length <= LONGEST_VALUE) return text;
  const characters = Array.from(text.slice(0, LONGEST_VALUE * 2));
  return `${characters.slice(0, LONGEST_VALUE).join('')}\u2026`;
}

/** Up to so many texts it is faster to compare each than to hash the cell. */
const FEW = 12;

/** Texts that a cell is looked up in by its bytes. */
export class TextSet {
  readonly #few: readonly Uint8Array[];
  readonly #many = new Map<number, Uint8Array[]>();

  constructor(texts: readonly string[]) {
    const all = [...new Set(texts)].map(encodeText);
    this.#few = all.length <= FEW ? all : [];
    for (const text of all.length <= FEW ? [] : all) {
      const hash = hashBytes(text, 0, text.length);
      const same = this.#many.get(hash);
      if (same === undefined) this.#many.set(hash, [text]);
      else same.push(text);
    }
  }

  has(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#many.size === 0) return isOneOf(this.#few, bytes, start, end);
    const same = this.#many.get(hashBytes(bytes, start, end));
    return same !== undefined && isOneOf(same, bytes, start, end);
  }
}

function isOneOf(
  texts: readonly Uint8Array[],
  bytes: Uint8Array,
  start: number,
  end: number,
): boolean {
  for (const text of texts) if (equalsBytes(bytes, start, end, text)) return true;
  return false;
}

/** FNV-1a, cut to what the engine keeps out of the heap. */
function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
  return hash >> 2;
}
