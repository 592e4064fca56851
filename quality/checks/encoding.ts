import { EncodingGuess } from '../encoding-guess.ts';
import type { EnginePorts } from '../ports.ts';
import { MAX_CELLS } from '../scanner.ts';
import { decodeText, encodeText } from '../text.ts';
import { CUT_OFF, type Encoding } from '../text-source.ts';
import type { Check, InspectedFile, TextSign, Writable } from './check.ts';
import { SUSPECT_TEXT } from './structure.ts';

export const ENCODING_CHECK: Check<'encoding-error' | 'undeclared-encoding'> = {
  kinds: ['encoding-error', 'undeclared-encoding'],
  suspicions: SUSPECT_TEXT,
  begin(file) {
    const guess = new EncodingGuess();
    return {
      head(_, found) {
        const { encoding, by, contradicts } = file.text;
        const name = ENCODING_NAMES[encoding];
        if (contradicts !== undefined) {
          if (!found.count('encoding-error')) return true;
          const evidence = by === 'default' ? 'has no zero bytes' : `begins as ${name} does`;
          const message = `The dialect declares ${ENCODING_NAMES[contradicts]}; the file ${evidence}, and was read as ${name}.`;
          found.listFile('encoding-error', message, { byte: 0 });
        } else if (by === 'zero bytes' && found.count('undeclared-encoding')) {
          const message = `The file is ${name} without a byte order mark, by where its zero bytes are, and was read as such.`;
          found.listFile('undeclared-encoding', message, { byte: 0 });
        }
        return true;
      },
      structure(record, found) {
        if (record.offset(record.recordStart) >= file.suspectUntil) return true;
        let valid = true;
        const { bytes, starts, ends } = record;
        const count = Math.min(record.cellCount, MAX_CELLS);
        for (let cell = 0; cell < count; cell++) {
          const index = firstInvalidByte(bytes, starts[cell] ?? 0, ends[cell] ?? 0);
          if (index < 0) continue;
          valid = false;
          const { encoding } = file.text;
          const byte = bytes[index] ?? 0;
          const isOther = encoding === 'utf-8' && byte >= 0x80;
          if (isOther && !guess.isSettled) {
            guess.see(withoutUtf8(bytes, starts[cell] ?? 0, ends[cell] ?? 0));
          }
          if (!found.count('encoding-error', cell)) continue;
          const plainMessage = messageFor(bytes, index, encoding);
          const message = `${plainMessage}${isOther ? guessedText(guess.of(byte)) : ''}`;
          found.listCell('encoding-error', cell, message, {
            index,
            ...(message === plainMessage ? {} : { plainMessage }),
          });
        }
        if (!valid && isBinary(bytes, record.recordStart, record.recordEnd))
          found.countUnreadable();
        return valid;
      },
    };
  },
};

/** Encodings as people write them. */
const ENCODING_NAMES: Readonly<Record<Encoding, string>> = {
  'utf-8': 'UTF-8',
  'utf-16': 'UTF-16',
  'utf-16le': 'little-endian UTF-16',
  'utf-16be': 'big-endian UTF-16',
  'windows-1252': 'Windows-1252',
  'iso-8859-1': 'ISO-8859-1',
};

const SIGN_MESSAGES: Readonly<Record<TextSign['kind'], (count: number) => string>> = {
  'byte-order-mark': (count) =>
    `${times(count)} a byte order mark stands inside the file, as where files were joined.`,
  'replacement-character': (count) =>
    `${times(count)} U+FFFD stands for a character that was lost before the file was written.`,
  mojibake: (count) =>
    `${times(count)} a character is UTF-8 that was read as Windows-1252, or another single-byte encoding, and encoded anew.`,
};

function times(count: number): string {
  return count === 1 ? 'Once' : `${count} times`;
}

/** Text that is well-formed, and was damaged before: all is counted, and each kind is listed once, with its first place. */
export const SIGN_CHECK: Check<TextSign['kind']> = {
  kinds: ['byte-order-mark', 'replacement-character', 'mojibake'],
  begin: (file) => ({
    end(found) {
      for (const { kind, count, firstByte, place } of file.signs) {
        if (count === 0 || !found.count(kind, -1, count)) continue;
        const message = SIGN_MESSAGES[kind](count);
        found.listFile(kind, message, { byte: file.byteOf(firstByte), ...place });
      }
      return true;
    },
  }),
};

/** What is looked at in front of a character to tell whether it is a sign, and from its first byte on, in bytes. */
const SIGN_BEFORE = 20;
const SIGN_LENGTH = 16;
/** What of a chunk is kept: signs that end in the next one, and what stands before those. */
const SIGN_TAIL = SIGN_BEFORE + SIGN_LENGTH;

/**
 * Finds {@link TextSign}s in a stream of bytes, one chunk at a time. It looks for one byte of each by a native search:
 * EF begins a byte order mark (EF BB BF) and U+FFFD (EF BF BD); C2, CB and E2 begin the symbols that the second byte of
 * a character becomes where it is read as a single-byte encoding; and 83 ends "Ã", since letters may follow that as well.
 */
export class SignWatch {
  readonly signs: readonly Writable<TextSign>[] = SIGN_CHECK.kinds.map((kind) => ({
    kind,
    count: 0,
    firstByte: Infinity,
    place: undefined,
  }));
  /** The first sign that has no place yet. */
  next = Infinity;
  readonly #edge = new Uint8Array(SIGN_TAIL * 2);
  #tail = 0;

  /** @param offset of the chunk in the file */
  watch(chunk: Uint8Array, offset: number): void {
    this.#watchEdge(chunk, offset);
    const from = this.#tail === 0 ? 0 : SIGN_BEFORE;
    // In English text quotation marks are many, and there are none of these.
    const hasLeads = FIRST_OF_LEADS.some((first) => chunk.includes(first));
    for (const trigger of TRIGGERS) {
      if (NEEDS_LEAD.has(trigger) && !hasLeads) continue;
      for (let at = chunk.indexOf(trigger, from); at >= 0; at = nextOf(trigger, chunk, at + 1)) {
        const sign = signAt(chunk, at, offset + at === 0);
        if (sign !== undefined) this.#count(sign, offset);
      }
    }
    const kept = Math.min(SIGN_TAIL, this.#tail + chunk.length);
    const older = Math.max(0, kept - chunk.length);
    this.#edge.copyWithin(0, this.#tail - older, this.#tail);
    this.#edge.set(chunk.subarray(chunk.length - (kept - older)), older);
    this.#tail = kept;
  }

  /** Judges what ends in this chunk and begins in the one before, or so near to it that what stands before is in that one. */
  #watchEdge(chunk: Uint8Array, offset: number): void {
    const tail = this.#tail;
    if (tail === 0) return;
    const head = chunk.subarray(0, SIGN_TAIL);
    this.#edge.set(head, tail);
    const edge = this.#edge.subarray(0, tail + head.length);
    const base = offset - tail;
    for (let at = 0; at < tail + SIGN_BEFORE && at < edge.length; at++) {
      if (!TRIGGERS.includes(edge[at] as number)) continue;
      const sign = signAt(edge, at, base + at === 0);
      if (sign !== undefined && sign.end > tail) this.#count(sign, base);
    }
  }

  /**
   * Gives the signs up to the end of a record their place in it.
   *
   * @param byteOf as {@link InspectedFile} has it
   */
  place(
    end: number,
    place: { record: number; line: number },
    byteOf: InspectedFile['byteOf'],
  ): void {
    this.next = Infinity;
    for (const sign of this.signs) {
      if (sign.count === 0 || sign.place !== undefined) continue;
      if (sign.firstByte < end) sign.place = { ...place, byte: byteOf(sign.firstByte) };
      else this.next = Math.min(this.next, sign.firstByte);
    }
  }

  #count({ index, start }: Sign, base: number): void {
    const sign = this.signs[index];
    if (sign === undefined) return;
    sign.count++;
    sign.firstByte = Math.min(sign.firstByte, base + start);
    if (sign.place === undefined) this.next = Math.min(this.next, sign.firstByte);
  }
}

const TRIGGERS = [0xef, 0x83, 0xc2, 0xcb, 0xe2];
/** Those that are no sign without one of the leads that begin so, or end with one. */
const NEEDS_LEAD: ReadonlySet<number> = new Set([0x83, 0xcb, 0xe2]);
const FIRST_OF_LEADS = [0xc3, 0xc4, 0xc5, 0xd0];

/** A native search costs as much as a look at about so many bytes, and what was found is often found again near by. */
const NEAR_BYTES = 48;

function nextOf(byte: number, bytes: Uint8Array, from: number): number {
  const far = Math.min(from + NEAR_BYTES, bytes.length);
  for (let at = from; at < far; at++) if (bytes[at] === byte) return at;
  return bytes.indexOf(byte, far);
}

/** One that was found: its place among the kinds of {@link SIGN_CHECK}, and where it is in the bytes. */
interface Sign {
  readonly index: number;
  readonly start: number;
  readonly end: number;
}

/**
 * The sign that one of the {@link TRIGGERS} tells; undefined where there is none, or not all of it is in the bytes.
 *
 * @param isFirst whether that byte is the first of the file
 */
function signAt(bytes: Uint8Array, at: number, isFirst: boolean): Sign | undefined {
  const byte = bytes[at] as number;
  const after = bytes[at + 1] as number;
  if (byte === 0xef) {
    const mark = after === 0xbb && bytes[at + 2] === 0xbf;
    const lost = after === 0xbf && bytes[at + 2] === 0xbd;
    // One at the very beginning is what a byte order mark is for.
    if (mark && !isFirst) return { index: 0, start: at, end: at + 3 };
    return lost ? { index: 1, start: at, end: at + 3 } : undefined;
  }
  if (byte === 0x83) {
    const letter = bytes[at - 1] === 0xc3 && LETTERS.has((after << 8) | (bytes[at + 2] ?? 0));
    return letter ? { index: 2, start: at - 1, end: at + 3 } : undefined;
  }
  const lead = leadLength(bytes, at);
  if (lead < 0) return undefined;
  const before = decodeText(bytes, Math.max(0, at - SIGN_BEFORE), at);
  const text = before + decodeText(bytes, at, Math.min(bytes.length, at + SIGN_LENGTH));
  MOJIBAKE.lastIndex = before.length;
  const found = MOJIBAKE.exec(text);
  if (found === null) return undefined;
  // What was looked ahead at belongs to the sign, too: it is not told before that is there.
  const { length } = encodeText(found.join(''));
  return { index: 2, start: at - lead, end: at + length };
}

/**
 * Bytes of the character before, where that is one that a first byte becomes in a single-byte encoding, so that it is
 * worth a closer look: a file may be full of symbols. 0 in front of "‚", which needs none; else -1.
 */
function leadLength(bytes: Uint8Array, at: number): number {
  const lead = ((bytes[at - 2] ?? 0) << 8) | (bytes[at - 1] ?? 0);
  if ((lead >= 0xc382 && lead <= 0xc39f) || LEADS.has(lead)) return 2;
  // "ã" to "í": two symbols follow, and such a letter again.
  if (lead >= 0xc3a3 && lead <= 0xc3ad) {
    const second = at + symbolLength(bytes[at]);
    return bytes[second + symbolLength(bytes[second])] === 0xc3 ? 2 : -1;
  }
  if ((lead === 0x889a || lead === 0x949c) && bytes[at - 3] === 0xe2) return 3;
  return bytes[at] === 0xe2 && bytes[at + 1] === 0x80 && bytes[at + 2] === 0x9a ? 0 : -1;
}

/** "á", "â", "Ă", "Đ", "Ĺ", "Ń", "Ђ", "Р" and "С" in UTF-8. */
const LEADS: ReadonlySet<number> = new Set([
  0xc3a1, 0xc3a2, 0xc482, 0xc490, 0xc4b9, 0xc583, 0xd082, 0xd0a0, 0xd0a1,
]);

function symbolLength(first: number | undefined): number {
  return first === 0xe2 ? 3 : 2;
}

/** Letters that Windows-1252 has at 80 to 9F, in UTF-8, of which no first byte is looked for: Œ œ Š š Ÿ Ž ž ƒ. */
const LETTERS: ReadonlySet<number> = new Set([
  0xc592, 0xc593, 0xc5a0, 0xc5a1, 0xc5b8, 0xc5bd, 0xc5be, 0xc692,
]);

const SETS: Readonly<Record<string, string>> = {
  // What single-byte encodings have at 80 to BF, where the second byte of a character is, but for letters.
  SYMBOLS: '\u0080-\u00bf\u02c6-\u02dd\u2010-\u203a\u20ac\u2122',
  // Of these what no sender means right behind a letter: others may close a quotation, mark a brand or raise a unit.
  UNMEANT: '\u0080-\u009f¡-¨¬¯µ¶¸¿\u02c6-\u02dd‚„‡‰€',
  // First bytes of characters that come in words: one alone may be a letter that is meant, and two in a row are not.
  FIRST_OF_WORDS: 'ÎÏÐÑÙÚÛĐŃ',
  // The same of Hebrew, Armenian and Arabic, which are also signs of diameter and multiplication before fractions.
  FIRST_OF_SIGNS: 'ÔÕÖ×Ø',
  NO_FRACTIONS: '\u0080-\u00bb\u00bf\u02c6-\u02dd\u2010-\u203a\u20ac\u2122',
};

/**
 * The symbol, from its beginning on, that only stands behind what precedes it where UTF-8 was read as Windows-1252, 1250
 * or 1251, Mac Roman, or a code page of DOS.
 */
const MOJIBAKE = new RegExp(
  [
    '(?<=Â)[\u0080-\u00bf]|(?<=â)€|(?<=â)[‚„](?=([¬¢]))|(?<=Ĺ|вЂ)[SYMBOLS]|(?<=[ÃÅĂ]|(?<!‚)Ä)[UNMEANT]',
    // Words in capitals may end with this letter, and with "»" or a superscript behind it.
    String.raw`(?<=(?<!\p{Lu}{2})Ã)[SYMBOLS]`,
    String.raw`(?<=[a-z][ÄÅÆÇÈÉĂ])[SYMBOLS]|(?<=(?<![\p{L}«»‚‘“„‹›])[ÄÅ])[°¹»¼½¾†‘›]`,
    '(?<=[FIRST_OF_WORDSÒÓØ][SYMBOLSŒœŠšŸŽžƒ][FIRST_OF_WORDS])[SYMBOLS]',
    '(?<=(?:[FIRST_OF_SIGNS][NO_FRACTIONSŒœŠšŸŽžƒ]){2}[FIRST_OF_SIGNS])[NO_FRACTIONS]',
    '(?<=[РС][SYMBOLSЁ-Џё-џҐґ№][РС])[°±µ¶·¤¦§¬‚„†‡‰‹€]',
    // Vietnamese letters, and two of Chinese, Japanese or Korean.
    '(?<=á)[º»](?=([UNMEANT]|[SYMBOLSŒœŠšŸŽžƒ][a-z]))',
    '(?<=[ã-í])[SYMBOLS](?=([SYMBOLSŒœŠšŸŽžƒ][ã-í][SYMBOLSŒœŠšŸŽžƒ]{2}))',
    String.raw`(?<=\p{L}[√├])[¡-¿]|‚(?=(Ä[ôúùìî¢¶]|Ç¨))`,
  ]
    .join('|')
    .replace(/[A-Z_]{5,}/g, (name) => SETS[name] ?? ''),
  'uy',
);

/** What is wrong with a byte that is not text; of UTF-16 and others it is what {@link TextSource} made of it. */
function messageFor(bytes: Uint8Array, index: number, encoding: Encoding): string {
  const byte = bytes[index] ?? 0;
  if (byte === 0) return 'A NUL byte is not text.';
  if (encoding === 'windows-1252') return `Byte ${hex(byte)} has no character in Windows-1252.`;
  if (encoding !== 'utf-8') {
    if (byte === CUT_OFF) return 'The file ends in the middle of a character of UTF-16.';
    const unit =
      0xd000 | (((bytes[index + 1] ?? 0) & 0x3f) << 6) | ((bytes[index + 2] ?? 0) & 0x3f);
    return `${hex(unit)} is half of a surrogate pair of UTF-16, without the other half.`;
  }
  return `Byte ${hex(byte)} is not UTF-8 where it stands.`;
}

/** What a byte would be in another encoding, as another sentence. */
function guessedText(guessed: ReturnType<EncodingGuess['of']>): string {
  if (guessed === undefined) return '';
  const { name, character } = guessed;
  const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  return ` In ${name} it would be ${character} (U+${code}).`;
}

/** Bytes of a cell by which its encoding is guessed. */
const LONGEST_GUESSED = 256;
const BLANK = 0x20;

/** Control characters that text of any encoding may hold: tabs, line and page ends, marks of DOS and delimiters. */
const TEXT_CONTROLS: ReadonlySet<number> = new Set([
  0x01, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x1a, 0x1b, 0x1f,
]);

/** Whether bytes that are not UTF-8 are no text in another encoding either. */
function isBinary(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte < 0x20 && !TEXT_CONTROLS.has(byte)) return true;
  }
  return false;
}

function hex(code: number): string {
  return `0x${code.toString(16).toUpperCase().padStart(2, '0')}`;
}

/**
 * Watches a stream for bytes that are not UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing over
 * U+10FFFF) or are NUL, one chunk at a time, at the cost of a native scan.
 */
export class Utf8Watch {
  readonly #isUtf8: EnginePorts['isUtf8'];
  readonly #tail = new Uint8Array(8);
  #tailLength = 0;

  constructor(isUtf8: EnginePorts['isUtf8']) {
    this.#isUtf8 = isUtf8;
  }

  /** Whether the chunk, together with what an earlier one left unfinished, is valid text. */
  isValid(chunk: Uint8Array): boolean {
    let from = 0;
    let valid = chunk.indexOf(0) < 0;
    while (this.#tailLength > 0 && from < chunk.length) {
      const byte = chunk[from] ?? 0;
      if (byte < 0x80 || byte > 0xbf || this.#tailLength === 4) break;
      this.#tail[this.#tailLength++] = byte;
      from++;
    }
    if (this.#tailLength > 0) {
      const tail = this.#tail.subarray(0, this.#tailLength);
      if (from === chunk.length && unfinishedBytes(tail) > 0) return valid;
      valid = this.#isUtf8(tail) && valid;
      this.#tailLength = 0;
    }
    const rest = chunk.subarray(from);
    const unfinished = unfinishedBytes(rest);
    const whole = rest.length - unfinished;
    this.#tail.set(rest.subarray(whole));
    this.#tailLength = unfinished;
    return this.#isUtf8(rest.subarray(0, whole)) && valid;
  }

  /** Whether the stream may end here; false when a character is cut off. */
  complete(): boolean {
    return this.#tailLength === 0;
  }
}

/** Bytes at the end that begin a character without finishing it. */
function unfinishedBytes(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte >= 0xc0) return sequenceLength(byte) > back ? back : 0;
    if (byte < 0x80) return 0;
  }
  return 0;
}

function sequenceLength(lead: number): number {
  if (lead >= 0xf0) return 4;
  return lead >= 0xe0 ? 3 : 2;
}

/** Index of the first byte that is not text (invalid UTF-8, or NUL), or -1. */
export function firstInvalidByte(bytes: Uint8Array, start: number, end: number): number {
  for (let i = start; i < end; ) {
    const length = characterLength(bytes, i, end);
    if (length === 0) return i;
    i += length;
  }
  return -1;
}

/** A cell of which some bytes are not UTF-8, with a blank in the place of each character beyond ASCII that is. */
function withoutUtf8(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const others: number[] = [];
  const stop = Math.min(end, start + LONGEST_GUESSED);
  for (let at = start; at < stop; ) {
    const length = characterLength(bytes, at, end);
    others.push(length > 1 ? BLANK : (bytes[at] as number));
    at += Math.max(1, length);
  }
  return Uint8Array.from(others);
}

/** Length of the well-formed character at `at`, by RFC 3629's syntax; 0 when there is none. */
function characterLength(bytes: Uint8Array, at: number, end: number): number {
  const lead = bytes[at] ?? 0;
  if (lead < 0x80) return lead === 0 ? 0 : 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const length = sequenceLength(lead);
  if (at + length > end) return 0;
  const second = bytes[at + 1] ?? 0;
  const lowest = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const highest = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  if (second < lowest || second > highest) return 0;
  for (let i = at + 2; i < at + length; i++) {
    const byte = bytes[i] ?? 0;
    if (byte < 0x80 || byte > 0xbf) return 0;
  }
  return length;
}
