import { decodeText } from '../text.ts';
import { DAY_MS, dayMilliseconds } from './cell-type.ts';

/** Milliseconds since 1970 up to the second, and the fraction of that second. */
export interface Instant {
  readonly second: number;
  readonly microseconds: number;
}

/** Reads by strptime patterns. */
export interface PatternReader {
  /** Milliseconds since 1970, or NaN where no pattern fits. */
  readonly read: (bytes: Uint8Array, start: number, end: number) => number;
  /** The same to the microsecond, for which a double has no room; undefined where {@link read} is exact. */
  readonly instant:
    | ((bytes: Uint8Array, start: number, end: number) => Instant | undefined)
    | undefined;
}

interface Parts {
  year: number;
  month: number;
  day: number;
  dayOfYear: number;
  hour: number;
  minute: number;
  second: number;
  microseconds: number;
  afternoon: number;
  zoneMinutes: number;
}

/** Reads one directive at the head of `text`; gives what is left, or undefined when it does not fit. */
type Directive = (text: string, parts: Parts) => string | undefined;

const MONTHS = [
  'january',
  'february',
  'march',
  'april',
  'may',
  'june',
  'july',
  'august',
  'september',
  'october',
  'november',
  'december',
];
const DAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];

/** The longest text that is tried: no date is longer, and a cell may be. */
const LONGEST = 128;

const DIRECTIVES: Record<string, Directive> = {
  Y: digits(4, 4, 0, 9999, (parts, value) => {
    parts.year = value;
  }),
  y: digits(2, 2, 0, 99, (parts, value) => {
    parts.year = value < 69 ? 2000 + value : 1900 + value;
  }),
  m: digits(1, 2, 1, 12, (parts, value) => {
    parts.month = value;
  }),
  d: digits(1, 2, 1, 31, (parts, value) => {
    parts.day = value;
  }),
  j: digits(1, 3, 1, 366, (parts, value) => {
    parts.dayOfYear = value;
  }),
  H: digits(1, 2, 0, 23, (parts, value) => {
    parts.hour = value;
  }),
  I: digits(1, 2, 1, 12, (parts, value) => {
    parts.hour = value % 12;
    if (parts.afternoon < 0) parts.afternoon = 0;
  }),
  M: digits(1, 2, 0, 59, (parts, value) => {
    parts.minute = value;
  }),
  S: digits(1, 2, 0, 59, (parts, value) => {
    parts.second = value;
  }),
  f: (text, parts) => {
    const found = /^\d{1,6}/.exec(text)?.[0];
    if (found === undefined) return undefined;
    parts.microseconds = Number(found.padEnd(6, '0'));
    return text.slice(found.length);
  },
  p: (text, parts) => {
    const found = /^[ap]m/i.exec(text)?.[0];
    if (found === undefined) return undefined;
    parts.afternoon = found.toLowerCase() === 'pm' ? 1 : 0;
    return text.slice(2);
  },
  z: (text, parts) => {
    const found = /^(?:Z|([+-])(\d\d):?(\d\d))/.exec(text);
    if (found === null) return undefined;
    const minutes = Number(found[2] ?? 0) * 60 + Number(found[3] ?? 0);
    if (minutes > 14 * 60) return undefined;
    parts.zoneMinutes = found[1] === '-' ? -minutes : minutes;
    return text.slice(found[0].length);
  },
  b: names(
    MONTHS.map((name) => name.slice(0, 3)),
    (parts, index) => {
      parts.month = index + 1;
    },
  ),
  B: names(MONTHS, (parts, index) => {
    parts.month = index + 1;
  }),
  a: names(
    DAYS.map((name) => name.slice(0, 3)),
    () => {},
  ),
  A: names(DAYS, () => {}),
  '%': (text) => (text.startsWith('%') ? text.slice(1) : undefined),
};

/** Directives a pattern may use, those of Python's strptime that Table Schema refers to. */
export const STRPTIME_DIRECTIVES = Object.keys(DIRECTIVES).map((letter) => `%${letter}`);

/** Directives in the pattern that are not known; a lone `%` at the end counts as one. */
export function unknownDirectives(pattern: string): string[] {
  return (pattern.match(/%.?/gs) ?? []).filter((found) => !(found.slice(1) in DIRECTIVES));
}

/**
 * A reader for a strptime pattern with English month and day names, letters compared without case. What the
 * pattern leaves out is the first of January 1900, midnight, UTC.
 */
export function strptimeType(pattern: string): PatternReader {
  return anyOf([pattern]);
}

/** The first of several patterns that fits. */
export function anyOf(patterns: readonly string[]): PatternReader {
  const all = patterns.map(directivesOf);
  const instant = (bytes: Uint8Array, start: number, end: number): Instant | undefined => {
    if (end - start > LONGEST) return undefined;
    const text = decodeText(bytes, start, end);
    for (const directives of all) {
      const found = readWith(directives, text);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return {
    read: (bytes, start, end) => {
      const found = instant(bytes, start, end);
      return found === undefined ? Number.NaN : found.second + found.microseconds / 1000;
    },
    instant: patterns.some((pattern) => pattern.includes('%f')) ? instant : undefined,
  };
}

function directivesOf(pattern: string): Directive[] {
  return (pattern.match(/%.|[^%]+/gs) ?? []).map((piece) => {
    const directive = piece.startsWith('%') ? DIRECTIVES[piece.slice(1)] : undefined;
    return directive ?? ((text) => (text.startsWith(piece) ? text.slice(piece.length) : undefined));
  });
}

function readWith(directives: readonly Directive[], text: string): Instant | undefined {
  const parts: Parts = {
    year: 1900,
    month: 1,
    day: 1,
    dayOfYear: 0,
    hour: 0,
    minute: 0,
    second: 0,
    microseconds: 0,
    afternoon: -1,
    zoneMinutes: 0,
  };
  let rest: string | undefined = text;
  for (const directive of directives) {
    rest = directive(rest, parts);
    if (rest === undefined) return undefined;
  }
  const second = rest === '' ? secondOf(parts) : Number.NaN;
  return Number.isNaN(second) ? undefined : { second, microseconds: parts.microseconds };
}

function secondOf(parts: Parts): number {
  const hour = parts.afternoon === 1 ? parts.hour + 12 : parts.hour;
  if (hour > 23) return Number.NaN;
  let day = dayMilliseconds(parts.year, parts.month, parts.day);
  if (parts.dayOfYear > 0) {
    day = dayMilliseconds(parts.year, 1, 1) + (parts.dayOfYear - 1) * DAY_MS;
    if (day >= dayMilliseconds(parts.year + 1, 1, 1)) return Number.NaN;
  }
  const minutes = hour * 60 + parts.minute - parts.zoneMinutes;
  return day + (minutes * 60 + parts.second) * 1000;
}

function digits(
  fewest: number,
  most: number,
  lowest: number,
  highest: number,
  set: (parts: Parts, value: number) => void,
): Directive {
  return (text, parts) => {
    let length = 0;
    while (length < most && /\d/.test(text.charAt(length))) length++;
    const value = Number(text.slice(0, length));
    if (length < fewest || value < lowest || value > highest) return undefined;
    set(parts, value);
    return text.slice(length);
  };
}

function names(known: readonly string[], set: (parts: Parts, index: number) => void): Directive {
  return (text, parts) => {
    const lower = text.toLowerCase();
    const index = known.findIndex((name) => lower.startsWith(name));
    if (index < 0) return undefined;
    set(parts, index);
    return text.slice((known[index] ?? '').length);
  };
}
