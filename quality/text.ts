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
  readonly all: readonly string[];
  readonly #few: readonly Uint8Array[];
  readonly #many = new Map<number, Uint8Array[]>();

  constructor(texts: readonly string[]) {
    this.all = [...new Set(texts)];
    const all = this.all.map(encodeText);
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

/** The text begins or ends with blanks, and holds something else. */
export const ODD_PADDED = 1;
/** The text is of blanks only. */
export const ODD_BLANK = 2;
/** A number as a spreadsheet shows one of more than eleven digits, the others lost: `2.01E+16`. */
export const ODD_SCIENTIFIC = 4;
/** A text that was wrapped in a formula, so that a spreadsheet keeps its zeros: `="001"`. */
export const ODD_FORMULA = 8;
/** What a spreadsheet shows in place of a value that it could not compute: `#REF!`. */
export const ODD_ERROR = 16;

const SPACE = 0x20;
const NUMBER_SIGN = 0x23;
const PLUS = 0x2b;
const EQUALS = 0x3d;

const SCIENTIFIC = /^-?\d(?:[.,]\d+)?E\+(?:1[1-9]|[2-9]\d|[12]\d\d)$/;
/** One text and nothing else: ="x" & "y" is a formula that somebody meant. */
const FORMULA = /^="(?:[^"]|"")*"$/;
/** Errors of Excel and its like in English, then by what they are called in other languages, and cells that are too narrow. */
const ERRORS = [
  'N/A,REF!,VALUE!,DIV/0!,NAME?,NUM!,NULL!,SPILL!,CALC!,FIELD!,BLOCKED!,CONNECT!,UNKNOWN!,BUSY!,EXTERNAL!',
  'NV,N/D,N/D!,N/B,I/T,N/DISP,Н/Д',
  'WERT!,VALEUR!,¡VALOR!,VALOR!,VALORE!,WAARDE!,ARG!,VÆRDI!,VÄRDEFEL!,ARVO!,ÉRTÉK!,HODNOTA!,DEĞER!,ЗНАЧ!',
  'BEZUG!,¡REF!,RIF!,VERW!,ADR!,REFERENCE!,REFERENS!,VIITTAUS!,HIV!,ODKAZ!,BAŞV!,ССЫЛКА!',
  '¡DIV/0!,DEEL/0!,DZIEL/0!,DIVISION/0!,JAKO/0!,ZÉRÓOSZTÓ!,DĚLENÍ_NULOU!,SAYI/0!,ДЕЛ/0!',
  'NOM?,¿NOMBRE?,NOME?,NAAM?,NAZWA?,NAVN?,NAMN?,NIMI?,NÉV?,NÁZEV?,AD?,ИМЯ?',
  'ZAHL!,NOMBRE!,¡NUM!,NÚM!,GETAL!,LICZBA!,OGILTIGT!,LUKU!,SZÁM!,ČÍSLO!,SAYI!,ЧИСЛО!',
  'NUL!,¡NULO!,NULO!,NULLO!,LEEG!,ZERO!,SKÄRNING!,TYHJÄ!,NULLA!,BOŞ!,ПУСТО!',
].flatMap((names) => names.split(','));
const KNOWN_ERRORS: ReadonlySet<string> = new Set(ERRORS.map((name) => `#${name}`));

/** Whether a text is what a spreadsheet shows in place of a value that it could not compute, or had no room for. */
export function isSpreadsheetError(text: string): boolean {
  return KNOWN_ERRORS.has(text) || /^#{4,}$/.test(text);
}
/** Blanks and what is as invisible (zero-width space, joiners); a byte order mark has a kind of its own. */
const BLANK_EDGE = /^(?!\uFEFF)[\s\u200B-\u200D\u2060]|(?!\uFEFF)[\s\u200B-\u200D\u2060]$/;
const BLANK = /^[\s\u200B-\u200D\u2060\uFEFF]+$/;

/** What is odd about a text, as one of the bits above; 0 for nothing, and for an empty text. */
export function oddityOf(bytes: Uint8Array, start: number, end: number): number {
  if (start >= end) return 0;
  const first = bytes[start] as number;
  const last = bytes[end - 1] as number;
  if (last <= SPACE || first <= SPACE) return slowOddity(bytes, start, end);
  if (first === EQUALS || first === NUMBER_SIGN) return slowOddity(bytes, start, end);
  if (end - start > 4 && (bytes[end - 3] === PLUS || bytes[end - 4] === PLUS)) {
    return slowOddity(bytes, start, end);
  }
  const blank =
    (first >= 0xc2 && isWideBlank(bytes, start, end)) ||
    (last >= 0x80 && (isWideBlank(bytes, end - 2, end) || isWideBlank(bytes, end - 3, end)));
  return blank ? slowOddity(bytes, start, end) : 0;
}

/** Whether what begins at `at` may be a blank beyond ASCII: U+00A0, U+1680, U+2000 and after, U+3000, U+FEFF. */
function isWideBlank(bytes: Uint8Array, at: number, end: number): boolean {
  if (at < 0 || at + 1 >= end) return false;
  const second = bytes[at + 1] as number;
  switch (bytes[at] as number) {
    case 0xc2:
      return second === 0xa0;
    case 0xe1:
      return second === 0x9a;
    case 0xe2:
      return second === 0x80 || second === 0x81;
    case 0xe3:
      return second === 0x80;
    case 0xef:
      return second === 0xbb;
    default:
      return false;
  }
}

/** Blanks and signs of spreadsheets stand at the ends: of a long text the middle need not be read. */
const LONGEST_EDGE = 32;

function slowOddity(bytes: Uint8Array, start: number, end: number): number {
  const long = end - start > LONGEST_EDGE * 2;
  if (long) {
    const head = decodeText(bytes, start, start + LONGEST_EDGE);
    const tail = decodeText(bytes, end - LONGEST_EDGE, end);
    if (!BLANK_EDGE.test(`${head[0]}.`) && !BLANK_EDGE.test(`.${tail.at(-1)}`)) {
      const mayBeFormula = head.startsWith('="') && tail.endsWith('"');
      return mayBeFormula && FORMULA.test(decodeText(bytes, start, end)) ? ODD_FORMULA : 0;
    }
    return BLANK.test(decodeText(bytes, start, end)) ? ODD_BLANK : ODD_PADDED;
  }
  const text = decodeText(bytes, start, end);
  if (BLANK.test(text)) return ODD_BLANK;
  if (BLANK_EDGE.test(text)) return ODD_PADDED;
  if (SCIENTIFIC.test(text)) return ODD_SCIENTIFIC;
  if (isSpreadsheetError(text)) return ODD_ERROR;
  return FORMULA.test(text) ? ODD_FORMULA : 0;
}

/** A whole number as the `toLocaleString` of English has it, which takes 15 ms where it is called for the first time. */
export function withCommas(number: number): string {
  return String(number).replace(/\B(?=(\d{3})+$)/g, ',');
}
