import { decodeText } from '../text.ts';
import { DAY_MS, dayMilliseconds, isDigit } from './cell-type.ts';

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
  isTwelveHours: boolean;
  isAfternoon: boolean;
  zoneMinutes: number;
}

/** One directive of a pattern, or text between them. */
interface Directive {
  /** The end of the longest text from `at` on that it may stand for and that ends at `most` or before; -1 where there is none. */
  readonly end: (text: string, at: number, most: number) => number;
  readonly set?: (parts: Parts, text: string) => void;
  /** The most digits it stands for; absent where it stands for no number. */
  readonly digits?: number;
}

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
  d: blankPadded(
    digits(1, 2, 1, 31, (parts, value) => {
      parts.day = value;
    }),
  ),
  j: digits(1, 3, 1, 366, (parts, value) => {
    parts.dayOfYear = value;
  }),
  H: digits(1, 2, 0, 23, (parts, value) => {
    parts.hour = value;
  }),
  I: digits(1, 2, 1, 12, (parts, value) => {
    parts.hour = value % 12;
    parts.isTwelveHours = true;
  }),
  M: digits(1, 2, 0, 59, (parts, value) => {
    parts.minute = value;
  }),
  S: digits(1, 2, 0, 59, (parts, value) => {
    parts.second = value;
  }),
  f: digits(1, 6, 0, 999_999, (parts, value, length) => {
    parts.microseconds = value * 10 ** (6 - length);
  }),
  p: names(['am', 'pm'], (parts, index) => {
    parts.isAfternoon = index === 1;
  }),
  z: {
    end: (text, at, most) => {
      const [found = ''] = ZONE.exec(text.slice(at, at + LONGEST_ZONE)) ?? [];
      const end = at + found.length;
      return found === '' || end > most || Math.abs(zoneMinutes(found)) > 14 * 60 ? -1 : end;
    },
    set: (parts, text) => {
      parts.zoneMinutes = zoneMinutes(text);
    },
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
  a: names(DAYS.map((name) => name.slice(0, 3))),
  A: names(DAYS),
  '%': literal('%'),
};

const ZONE = /^(?:Z|[+-]\d\d:?\d\d)/;
const LONGEST_ZONE = '+14:00'.length;

function zoneMinutes(text: string): number {
  if (text === 'Z') return 0;
  const minutes = Number(text.slice(1, 3)) * 60 + Number(text.slice(-2));
  return text.startsWith('-') ? -minutes : minutes;
}

const BLANKS: Directive = {
  end: (text, at, most) => {
    let end = at;
    while (end < most && /\s/.test(text.charAt(end))) end++;
    return end > at ? end : -1;
  },
};

/** Directives a pattern may use, those of Python's strptime that Table Schema refers to. */
export const STRPTIME_DIRECTIVES = Object.keys(DIRECTIVES).map((letter) => `%${letter}`);

/** Directives in the pattern that are not known; a lone `%` at the end counts as one. */
export function unknownDirectives(pattern: string): string[] {
  return (pattern.match(/%.?/gs) ?? []).filter((found) => !(found.slice(1) in DIRECTIVES));
}

/** What is wrong with a pattern whose directives are all known, in words that follow its text; undefined where nothing is. */
export function patternProblem(
  pattern: string,
  type: 'date' | 'time' | 'datetime',
): string | undefined {
  const found = (pattern.match(/%./gs) ?? []).filter((directive) => directive !== '%%');
  const twice = found.find((directive, index) => found.indexOf(directive) < index);
  if (twice !== undefined) return `has ${twice} twice; a directive may come once`;
  const says = found.some((directive) => SAYING[type].includes(directive.slice(1)));
  return says ? undefined : `has no directive that says something of a ${type}`;
}

const SAYING = { date: 'YymdjbB', time: 'HIMSf', datetime: 'YymdjbBHIMSf' };

/**
 * A reader for a strptime pattern with English month and day names, letters compared without case. As in Python's, blanks
 * of the pattern stand for one or more of any kind, a day may have a blank for its first digit, `%p` counts beside `%I` alone,
 * and digits without anything between them are divided as they can be (`4051968` by `%d%m%Y`). What the pattern leaves
 * out is the first of January 1900, midnight, UTC.
 *
 * @param only what alone counts of the day with its time; a date is the one that is written, whatever the zone
 */
export function strptimeType(pattern: string, only?: 'date' | 'time'): PatternReader {
  return readerOf([pattern], [directivesOf(pattern)], only);
}

/** The first of several patterns that fits; digits that nothing divides have all their places (`20240111`, not `2024111`). */
export function anyOf(patterns: readonly string[]): PatternReader {
  return readerOf(patterns, patterns.map(directivesOf).map(withAllPlaces));
}

function readerOf(
  patterns: readonly string[],
  all: readonly (readonly Directive[])[],
  only?: 'date' | 'time',
): PatternReader {
  const instant = (bytes: Uint8Array, start: number, end: number): Instant | undefined => {
    if (end - start > LONGEST) return undefined;
    const text = decodeText(bytes, start, end);
    for (const directives of all) {
      const found = readWith(directives, text, only);
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
  return (pattern.match(/%.|\s+|[^%\s]+/gs) ?? []).map((piece) => {
    if (/^\s/.test(piece)) return BLANKS;
    const directive = piece.startsWith('%') ? DIRECTIVES[piece.slice(1)] : undefined;
    return directive ?? literal(piece);
  });
}

function withAllPlaces(directives: readonly Directive[]): Directive[] {
  return directives.map((directive, index) => {
    const { digits: places } = directive;
    const isBeside = [index - 1, index + 1].some((at) => directives[at]?.digits !== undefined);
    if (places === undefined || !isBeside) return directive;
    const end: Directive['end'] = (text, at, most) => {
      const found = directive.end(text, at, most);
      return found === at + places ? found : -1;
    };
    return { ...directive, end };
  });
}

function readWith(
  directives: readonly Directive[],
  text: string,
  only: 'date' | 'time' | undefined,
): Instant | undefined {
  const parts: Parts = {
    year: 1900,
    month: 1,
    day: 1,
    dayOfYear: 0,
    hour: 0,
    minute: 0,
    second: 0,
    microseconds: 0,
    isTwelveHours: false,
    isAfternoon: false,
    zoneMinutes: 0,
  };
  // Places in the text from which on the rest of the directives is known not to fit.
  let dead: Set<number> | undefined;
  const fits = (index: number, at: number): boolean => {
    const directive = directives[index];
    if (directive === undefined) return at === text.length;
    const place = index * (LONGEST + 1) + at;
    if (dead?.has(place) === true) return false;
    let end = directive.end(text, at, text.length);
    for (; end >= 0; end = directive.end(text, at, end - 1)) {
      directive.set?.(parts, text.slice(at, end));
      if (fits(index + 1, end)) return true;
    }
    dead ??= new Set();
    dead.add(place);
    return false;
  };
  const second = fits(0, 0) ? secondOf(parts) : Number.NaN;
  if (Number.isNaN(second)) return undefined;
  if (only === undefined) return { second, microseconds: parts.microseconds };
  Object.assign(parts, only === 'date' ? NO_TIME : NO_DATE);
  return { second: secondOf(parts), microseconds: parts.microseconds };
}

const NO_TIME = {
  hour: 0,
  minute: 0,
  second: 0,
  microseconds: 0,
  isAfternoon: false,
  zoneMinutes: 0,
};
const NO_DATE = { year: 1900, month: 1, day: 1, dayOfYear: 0 };

function secondOf(parts: Parts): number {
  const hour = parts.isTwelveHours && parts.isAfternoon ? parts.hour + 12 : parts.hour;
  let day = dayMilliseconds(parts.year, parts.month, parts.day);
  if (parts.dayOfYear > 0) {
    day = dayMilliseconds(parts.year, 1, 1) + (parts.dayOfYear - 1) * DAY_MS;
    if (day >= dayMilliseconds(parts.year + 1, 1, 1)) return Number.NaN;
  }
  const minutes = hour * 60 + parts.minute - parts.zoneMinutes;
  return day + (minutes * 60 + parts.second) * 1000;
}

/** @param set gets the value, and how many digits it is written in */
function digits(
  fewest: number,
  most: number,
  lowest: number,
  highest: number,
  set: (parts: Parts, value: number, length: number) => void,
): Directive {
  return {
    digits: most,
    end: (text, at, end) => {
      let to = at;
      while (to < Math.min(end, at + most) && isDigit(text.charCodeAt(to))) to++;
      for (; to - at >= fewest; to--) {
        const value = Number(text.slice(at, to));
        if (value >= lowest && value <= highest) return to;
      }
      return -1;
    },
    set: (parts, text) => set(parts, Number(text), text.length),
  };
}

/** The same where a blank stands for the first of two digits. */
function blankPadded(number: Directive): Directive {
  return {
    ...number,
    end: (text, at, end) =>
      text.charAt(at) === ' '
        ? number.end(text, at + 1, Math.min(end, at + 2))
        : number.end(text, at, end),
  };
}

function names(known: readonly string[], set?: (parts: Parts, index: number) => void): Directive {
  const longest = Math.max(...known.map(({ length }) => length));
  const find = (text: string): number => known.findIndex((name) => text.startsWith(name));
  return {
    end: (text, at, most) => {
      const name = known[find(text.slice(at, at + longest).toLowerCase())];
      const end = at + (name?.length ?? 0);
      return name === undefined || end > most ? -1 : end;
    },
    set: (parts, text) => set?.(parts, find(text.toLowerCase())),
  };
}

function literal(piece: string): Directive {
  return {
    end: (text, at, most) => {
      const end = at + piece.length;
      return end <= most && text.startsWith(piece, at) ? end : -1;
    },
  };
}
