/** Code points from the first to the last, or the test of a Unicode property. */
export type SetPart = readonly [number, number] | ((character: number) => boolean);

/** Characters that one place of a pattern admits. */
export interface CharacterSet {
  has(character: number): boolean;
}

/** Joins parts into one set; with `negated`, the set of everything else. */
export function characterSet(parts: readonly SetPart[], negated: boolean): CharacterSet {
  return {
    has: (character) =>
      negated !==
      parts.some((part) =>
        typeof part === 'function' ? part(character) : character >= part[0] && character <= part[1],
      ),
  };
}

const SHORTHANDS: Record<string, string> = {
  d: '\\p{Nd}',
  D: '\\P{Nd}',
  w: '[\\p{L}\\p{M}\\p{N}_]',
  W: '[^\\p{L}\\p{M}\\p{N}_]',
  s: '\\s',
  S: '\\S',
};

/**
 * The set behind `\d \D \w \W \s \S` or, given as `p{Lu}`, a Unicode property.
 *
 * @throws {SyntaxError} when there is no such property
 */
export function propertySet(name: string): (character: number) => boolean {
  const expression = new RegExp(`^${SHORTHANDS[name] ?? `\\${name}`}$`, 'u');
  return (character) => expression.test(String.fromCodePoint(character));
}
