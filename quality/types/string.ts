import { decodeText } from '../text.ts';
import type { CellType } from './cell-type.ts';
import { isDigit } from './cell-type.ts';

export const STRING_FORMATS = ['default', 'email', 'uri', 'binary', 'uuid'] as const;
export type StringFormat = (typeof STRING_FORMATS)[number];

const HYPHEN = 0x2d;
const AT = 0x40;
const POINT = 0x2e;
const PLUS = 0x2b;
const SLASH = 0x2f;
const COLON = 0x3a;
const EQUALS = 0x3d;
const PERCENT = 0x25;

/** Text has no order value. */
const VALID = 0;

const URI_CHARACTERS = characterSet(
  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:/?#[]@!$&'()*+,;=%",
);
const EMAIL_LOCAL_CHARACTERS = characterSet(
  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-/=?^_`{|}~.",
);

/** Table Schema `string` with its formats; all of them are checked on bytes, in one pass. */
export function stringType(format: StringFormat): CellType {
  if (format === 'default') return { read: readText, key: decodeText, show: () => null };
  const valid = { email: isEmail, uri: isUri, binary: isBase64, uuid: isUuid }[format];
  return {
    read: (bytes, start, end) => (valid(bytes, start, end) ? VALID : Number.NaN),
    key: decodeText,
    show: () => null,
  };
}

/** Any text is valid. */
export function readText(): number {
  return VALID;
}

/**
 * An addr-spec of RFC 5322 in its dot-atom form, letters beyond ASCII allowed (RFC 6531): no comments, no
 * quoted local part, at most 254 bytes, and a domain of at least two labels.
 */
function isEmail(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start > 254) return false;
  const at = bytes.subarray(start, end).indexOf(AT) + start;
  if (at <= start || at - start > 64) return false;
  for (let i = start; i < at; i++) {
    const byte = bytes[i] as number;
    if (byte < 0x80 && EMAIL_LOCAL_CHARACTERS[byte] === 0) return false;
    if (byte === POINT && (i === start || i === at - 1 || bytes[i - 1] === POINT)) return false;
  }
  return isDomain(bytes, at + 1, end);
}

function isDomain(bytes: Uint8Array, start: number, end: number): boolean {
  let labels = 1;
  let labelStart = start;
  for (let i = start; i <= end; i++) {
    const byte = bytes[i];
    if (i === end || byte === POINT) {
      if (i === labelStart || i - labelStart > 63 || bytes[i - 1] === HYPHEN) return false;
      if (i < end) labels++;
      labelStart = i + 1;
    } else if (byte === HYPHEN ? i === labelStart : !isDigit(byte) && !isLetter(byte as number)) {
      return false;
    }
  }
  return labels > 1;
}

/** RFC 3986: a scheme, a colon, and only characters that a URI may hold. */
function isUri(bytes: Uint8Array, start: number, end: number): boolean {
  const colon = bytes.subarray(start, end).indexOf(COLON) + start;
  if (colon <= start || colon === end - 1) return false;
  for (let i = start; i < colon; i++) {
    const byte = bytes[i] as number;
    const letter = byte < 0x80 && isLetter(byte);
    const later = isDigit(byte) || byte === HYPHEN || byte === POINT || byte === 0x2b;
    if (!letter && !(i > start && later)) return false;
  }
  for (let i = colon + 1; i < end; i++) {
    const byte = bytes[i] as number;
    if (byte >= 0x80 || URI_CHARACTERS[byte] === 0) return false;
    if (byte === PERCENT && !(i + 2 < end && isHex(bytes[i + 1]) && isHex(bytes[i + 2]))) {
      return false;
    }
  }
  return true;
}

/** RFC 4648, 4: groups of four letters of its alphabet, the last one filled up by `=`; no blanks and no line ends. */
function isBase64(bytes: Uint8Array, start: number, end: number): boolean {
  if ((end - start) % 4 !== 0) return false;
  let last = end;
  while (last > end - 2 && bytes[last - 1] === EQUALS) last--;
  for (let i = start; i < last; i++) {
    const byte = bytes[i] as number;
    const letter = byte < 0x80 && isLetter(byte);
    if (!letter && !isDigit(byte) && byte !== PLUS && byte !== SLASH) return false;
  }
  return true;
}

/** RFC 9562's text form: 8-4-4-4-12 hexadecimal digits. */
function isUuid(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start !== 36) return false;
  for (let i = 0; i < 36; i++) {
    const byte = bytes[start + i];
    const hyphen = i === 8 || i === 13 || i === 18 || i === 23;
    if (hyphen ? byte !== HYPHEN : !isHex(byte)) return false;
  }
  return true;
}

function isLetter(byte: number): boolean {
  return byte >= 0x80 || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a);
}

function isHex(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  return isDigit(byte) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66);
}

function characterSet(characters: string): Uint8Array {
  const set = new Uint8Array(128);
  for (const character of characters) set[character.charCodeAt(0)] = 1;
  return set;
}
