import { decodeText, encodeText } from '../text.ts';
import type { CellType } from './cell-type.ts';
import { numberKey } from './number.ts';

/** JSON has no order value. */
const VALID = 0;

/**
 * The longest JSON text that is read, in bytes, and the deepest one: what judges a value recurses into it.
 * A cell beyond either is not of its type.
 */
export const LONGEST_JSON = 1024 * 1024;
export const DEEPEST_JSON = 100;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** What JSON.parse gives; a type of cells whose values are JSON. */
export interface JsonType extends CellType {
  /** The value of a cell that was read; what was parsed last is not parsed again. */
  readonly json: (bytes: Uint8Array, start: number, end: number) => unknown;
}

/** A type of cells that hold JSON (RFC 8259) which passes the test. */
export function jsonType(test: (value: unknown) => boolean): JsonType {
  let lastText: string | undefined;
  let lastValue: unknown;
  const json = (bytes: Uint8Array, start: number, end: number): unknown => {
    if (end - start > LONGEST_JSON) return undefined;
    const text = decodeText(bytes, start, end);
    if (text !== lastText) {
      lastValue = parseJson(text);
      lastText = text;
    }
    return lastValue;
  };
  return {
    json,
    read: (bytes, start, end) => {
      const value = json(bytes, start, end);
      return value !== undefined && test(value) ? VALID : Number.NaN;
    },
    key: (bytes, start, end) => jsonKey(decodeText(bytes, start, end)),
    show: () => null,
  };
}

/** Table Schema `object`: a JSON object. Its length is the number of its properties. */
export function objectType(): CellType {
  const type = jsonType(isJsonObject);
  return {
    ...type,
    length: (bytes, start, end) => Object.keys(type.json(bytes, start, end) as object).length,
  };
}

/** Table Schema `array`: a JSON array. Its length is the number of its items. */
export function arrayType(): CellType {
  const type = jsonType(Array.isArray);
  return {
    ...type,
    length: (bytes, start, end) => (type.json(bytes, start, end) as unknown[]).length,
  };
}

export function isJsonObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value of a JSON text, or undefined when it is none or nested too deeply. */
export function parseJson(text: string): unknown {
  if (depthOf(text) > DEEPEST_JSON) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** How deeply brackets are nested, strings left out; of a text that is not JSON, any number. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text.charCodeAt(i);
    if (character === QUOTE) {
      for (i++; i < text.length && text.charCodeAt(i) !== QUOTE; i++) {
        if (text.charCodeAt(i) === BACKSLASH) i++;
      }
      continue;
    }
    // Both kinds of brackets differ by the same bit from each other.
    const bracket = character & ~0x20;
    if (bracket === 0x5b) deepest = Math.max(deepest, ++depth);
    else if (bracket === 0x5d) depth--;
  }
  return deepest;
}

/** A number as it was written, which a double may not hold. */
class WrittenNumber {
  readonly key: string;

  constructor(source: string) {
    const bytes = encodeText(source);
    this.key = String(numberKey(bytes, 0, bytes.length, Number(source) || 0));
  }
}

/**
 * What equal JSON values share, however they are written: no blanks, properties in the order of their names, numbers
 * by their value at any length, ASCII alone.
 */
export function jsonKey(text: string): string {
  const value: unknown = JSON.parse(
    text,
    // The third argument, the text of a number, is younger than the types that are known here.
    ((_name: string, item: unknown, context?: { source?: string }) =>
      typeof item === 'number' ? new WrittenNumber(context?.source ?? String(item)) : item) as (
      name: string,
      item: unknown,
    ) => unknown,
  );
  return asciiKey(canonicalText(value));
}

/** RFC 8785's form of a value, but for its numbers. */
function canonicalText(value: unknown): string {
  if (value instanceof WrittenNumber) return value.key;
  if (Array.isArray(value)) return `[${value.map(canonicalText).join()}]`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  const members = Object.keys(value).sort();
  return `{${members.map((name) => `${JSON.stringify(name)}:${canonicalText(value[name])}`).join()}}`;
}

/** A text with what is not ASCII escaped, as keys must be. */
export function asciiKey(text: string): string {
  return text.replace(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
