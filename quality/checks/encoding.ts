import type { EnginePorts } from '../ports.ts';
import { MAX_CELLS } from '../scanner.ts';
import { CUT_OFF, type Encoding, windows1252Character } from '../text-source.ts';
import type { Check, InspectedFile, TextSign, Writable } from './check.ts';
import { SUSPECT_TEXT } from './structure.ts';

export const ENCODING_CHECK: Check<'encoding-error' | 'undeclared-encoding'> = {
  kinds: ['encoding-error', 'undeclared-encoding'],
  suspicions: SUSPECT_TEXT,
  begin: (file) => ({
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
        if (!found.count('encoding-error', cell)) continue;
        const { encoding } = file.text;
        const plainMessage = messageFor(bytes, index, encoding);
        const message = `${plainMessage}${encoding === 'utf-8' ? windows1252Of(bytes[index] ?? 0) : ''}`;
        found.listCell('encoding-error', cell, message, {
          index,
          ...(message === plainMessage ? {} : { plainMessage }),
        });
      }
      if (!valid) found.countUnreadable();
      return valid;
    },
  }),
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
    `${times(count)} a character is UTF-8 that was read as Windows-1252 and encoded anew.`,
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

/** Bytes of the longest sign, less one: what of a chunk may begin one that ends in the next. */
const SIGN_TAIL = 4;

/**
 * Finds {@link TextSign}s in a stream of bytes, one chunk at a time. It looks for one byte of each by a native
 * search: EF begins a byte order mark (EF BB BF) and U+FFFD (EF BF BD); 82 and 83 are rare in Latin scripts, and stand
 * in what becomes of UTF-8 that is read as Windows-1252: C3 82 and C3 83 ("Â", "Ã") in front of what was the second
 * byte of a character, and C3 A2 E2 82 AC ("â€", of a dash or a quotation mark).
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
    for (const trigger of TRIGGERS) {
      for (let at = chunk.indexOf(trigger); at >= 0; at = chunk.indexOf(trigger, at + 1)) {
        this.#judge(chunk, at, 0, offset);
      }
    }
    const kept = Math.min(SIGN_TAIL, this.#tail + chunk.length);
    const older = Math.max(0, kept - chunk.length);
    this.#edge.copyWithin(0, this.#tail - older, this.#tail);
    this.#edge.set(chunk.subarray(chunk.length - (kept - older)), older);
    this.#tail = kept;
  }

  /** Judges what begins in the chunk before and ends in this one. */
  #watchEdge(chunk: Uint8Array, offset: number): void {
    const tail = this.#tail;
    const head = chunk.subarray(0, SIGN_TAIL);
    this.#edge.set(head, tail);
    const edge = this.#edge.subarray(0, tail + head.length);
    for (let at = 0; tail > 0 && at < edge.length; at++) {
      if (TRIGGERS.includes(edge[at] as number)) this.#judge(edge, at, tail, offset - tail);
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

  #judge(bytes: Uint8Array, at: number, tail: number, base: number): void {
    const before = bytes[at - 1];
    const after = bytes[at + 1];
    if (bytes[at] === 0xef) {
      const mark = after === 0xbb && bytes[at + 2] === 0xbf;
      const lost = after === 0xbf && bytes[at + 2] === 0xbd;
      // One at the very beginning is what a byte order mark is for.
      if (mark && base + at > 0) this.#count(0, at, at + 3, tail, base);
      else if (lost) this.#count(1, at, at + 3, tail, base);
    } else if (before === 0xc3) {
      const symbol = after === 0xc2 && isContinuation(bytes[at + 2]);
      const letter = bytes[at] === 0x83 && isWindows1252(bytes, at + 1);
      if (symbol || letter)
        this.#count(2, at - 1, at + (bytes[at + 1] === 0xe2 ? 4 : 3), tail, base);
    } else if (before === 0xe2 && bytes[at] === 0x82 && after === 0xac) {
      const dash = bytes[at - 2] === 0xa2 && bytes[at - 3] === 0xc3;
      if (dash) this.#count(2, at - 3, at + 2, tail, base);
    }
  }

  /** Counts a sign; of those at the edge of two chunks only what neither of them holds whole. */
  #count(index: number, start: number, end: number, tail: number, base: number): void {
    const sign = this.signs[index];
    if (sign === undefined || (tail > 0 && (end <= tail || start >= tail))) return;
    sign.count++;
    sign.firstByte = Math.min(sign.firstByte, base + start);
    if (sign.place === undefined) this.next = Math.min(this.next, sign.firstByte);
  }
}

const TRIGGERS = [0xef, 0x82, 0x83];

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x80 && byte <= 0xbf;
}

/** Letters that Windows-1252 has at 80 to 9F, in UTF-8 (Œ œ Š š Ÿ Ž ž ƒ ˆ ˜), and of its signs those after "Ã" for À and É. */
const WINDOWS_1252: ReadonlySet<number> = new Set([
  0xc592, 0xc593, 0xc5a0, 0xc5a1, 0xc5b8, 0xc5bd, 0xc5be, 0xc692, 0xcb86, 0xcb9c, 0xe282ac,
  0xe280b0,
]);

function isWindows1252(bytes: Uint8Array, at: number): boolean {
  const two = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  return WINDOWS_1252.has(two) || WINDOWS_1252.has((two << 8) | (bytes[at + 2] ?? 0));
}

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

/** What a byte would be in Windows-1252, which most old files are in, as another sentence. */
function windows1252Of(byte: number): string {
  const character = byte < 0x80 ? undefined : windows1252Character(byte);
  if (character === undefined) return '';
  const code = character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
  return ` In Windows-1252 it would be ${character} (U+${code}).`;
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
