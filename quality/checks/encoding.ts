import type { EnginePorts } from '../ports.ts';
import { MAX_CELLS } from '../scanner.ts';
import type { Check } from './check.ts';
import { SUSPECT_TEXT } from './structure.ts';

export const ENCODING_CHECK: Check<'encoding-error'> = {
  kinds: ['encoding-error'],
  suspicions: SUSPECT_TEXT,
  begin: (file) => ({
    structure(record, found) {
      if (record.offset(record.recordStart) >= file.suspectUntil) return true;
      let valid = true;
      const { bytes, starts, ends } = record;
      const count = Math.min(record.cellCount, MAX_CELLS);
      for (let cell = 0; cell < count; cell++) {
        const index = firstInvalidByte(bytes, starts[cell] ?? 0, ends[cell] ?? 0);
        if (index < 0) continue;
        valid = false;
        if (!found.count('encoding-error')) continue;
        found.listCell('encoding-error', cell, messageFor(bytes[index] ?? 0), { index });
      }
      if (!valid) found.countUnreadable();
      return valid;
    },
  }),
};

function messageFor(byte: number): string {
  if (byte === 0) return 'A NUL byte is not text.';
  return `Byte 0x${byte.toString(16).toUpperCase().padStart(2, '0')} is not UTF-8 where it stands.`;
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
