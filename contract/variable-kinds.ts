/** How the text of a variable becomes a value. */
export interface Kind<T> {
  /** What is allowed, as a phrase that fits behind `allowed:`. */
  readonly allowed: string;
  /** The same of an item of a list. @default allowed */
  readonly allowedOfItem?: string;
  /** The value, or undefined when the text is not allowed. */
  read(text: string): T | undefined;
}

/** Any text that is not empty. */
export function text(allowed = 'text'): Kind<string> {
  return { allowed, read: (value) => value };
}

/** Text that fits, as it is. */
export function textThat(fits: (value: string) => boolean, allowed: string): Kind<string> {
  return { allowed, read: (value) => (fits(value) ? value : undefined) };
}

/** Text that a pattern accepts as a whole. */
export function matching(pattern: RegExp, allowed: string): Kind<string> {
  return textThat((value) => pattern.test(value), allowed);
}

/** A decimal whole number between two bounds, both included. */
export function wholeNumber(lowest: number, highest: number): Kind<number> {
  return {
    allowed: `a whole number from ${lowest} to ${highest}`,
    read(value) {
      const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
      return number >= lowest && number <= highest ? number : undefined;
    },
  };
}

/** A decimal number from 0 to 1. */
export function share(): Kind<number> {
  return {
    allowed: 'a number from 0 to 1',
    read: (value) => (/^(0(\.\d{1,9})?|1(\.0{1,9})?)$/.test(value) ? Number(value) : undefined),
  };
}

/** One of a few words. */
export function oneOf<const T extends string>(...words: readonly T[]): Kind<T> {
  return {
    allowed: words.join(', '),
    allowedOfItem: `one of ${words.join(', ')}`,
    read: (value) => words.find((word) => word === value),
  };
}

/** An http or https address without user, query or fragment; the trailing slash is dropped. */
export function httpAddress(): Kind<string> {
  return {
    allowed: 'an http or https address without user name, query or fragment',
    read(value) {
      const url = URL.parse(value);
      if (url === null || !['http:', 'https:'].includes(url.protocol)) return undefined;
      if (url.username || url.password || url.search || url.hash) return undefined;
      return url.href.replace(/\/$/, '');
    },
  };
}

/** A comma-separated list without blanks or repetition; every item must be allowed. */
export function listOf<T>(item: Kind<T>): Kind<readonly T[]> {
  return {
    allowed: `a comma-separated list, each ${item.allowedOfItem ?? item.allowed}`,
    read(value) {
      const parts = value.split(',').map((part) => part.trim());
      if (parts.includes('') || new Set(parts).size < parts.length) return undefined;
      const items = parts.map((part) => item.read(part)).filter((read) => read !== undefined);
      return items.length === parts.length ? Object.freeze(items) : undefined;
    },
  };
}

/** A JSON object of names and whole numbers between two bounds, both included; at least one and at most 1,000 of them. */
export function wholeNumbersByName(
  lowest: number,
  highest: number,
): Kind<ReadonlyMap<string, number>> {
  const isAllowed = (value: unknown) =>
    Number.isInteger(value) && Number(value) >= lowest && Number(value) <= highest;
  return {
    allowed: `a JSON object of 1 to 1000 names, each with a whole number from ${lowest} to ${highest}`,
    read(text) {
      let value: unknown;
      try {
        value = JSON.parse(text);
      } catch {
        return undefined;
      }
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
      const entries = Object.entries(value);
      const fits = entries.length >= 1 && entries.length <= 1_000;
      return fits && entries.every(([, number]) => isAllowed(number))
        ? new Map(entries)
        : undefined;
    },
  };
}
