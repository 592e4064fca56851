/** A pattern that can't be used; the message says where and why. */
export class PatternError extends Error {
  override readonly name = 'PatternError';
}

/** A pattern, taken apart. */
export type PatternNode =
  | { readonly kind: 'set'; readonly set: CharacterSet }
  | { readonly kind: 'begin' | 'end' }
  | { readonly kind: 'sequence'; readonly nodes: readonly PatternNode[] }
  | { readonly kind: 'choice'; readonly nodes: readonly PatternNode[] }
  | {
      readonly kind: 'repeat';
      readonly node: PatternNode;
      readonly least: number;
      readonly most: number;
    };

/** @throws {PatternError} when the pattern is malformed or asks for what is not supported */
export function parsePattern(source: string): PatternNode {
  return new Parser(source).parse();
}

/** Code points from the first to the last, or the test of a Unicode property. */
export type SetPart = readonly [number, number] | ((character: number) => boolean);

/** Characters that one place of a pattern admits. */
export interface CharacterSet {
  /** All that `has` depends on: characters that are in the same of these parts are alike. */
  readonly parts: readonly SetPart[];
  has(character: number): boolean;
}

/** What is in any of the sets. */
export function unionSet(sets: readonly CharacterSet[]): CharacterSet {
  return {
    parts: sets.flatMap(({ parts }) => parts),
    has: (character) => sets.some((set) => set.has(character)),
  };
}

/** Joins parts into one set; with `negated`, the set of everything else. */
export function characterSet(parts: readonly SetPart[], negated: boolean): CharacterSet {
  return {
    parts,
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

const PROPERTIES = new Map<string, (character: number) => boolean>();

/**
 * The set behind `\d \D \w \W \s \S` or, given as `p{Lu}`, a Unicode property; the same function for the same name.
 *
 * @throws {SyntaxError} when there is no such property
 */
export function propertySet(name: string): (character: number) => boolean {
  const known = PROPERTIES.get(name);
  if (known !== undefined) return known;
  const expression = new RegExp(`^${SHORTHANDS[name] ?? `\\${name}`}$`, 'u');
  const has = (character: number) => expression.test(String.fromCodePoint(character));
  PROPERTIES.set(name, has);
  return has;
}

const ESCAPED_CONTROLS: Record<string, number> = { t: 9, n: 10, v: 11, f: 12, r: 13, 0: 0 };

/** Groups and classes within each other; each takes room on the stack. */
const MAX_DEPTH = 100;

/** Reads a pattern by recursive descent. */
class Parser {
  readonly #characters: readonly string[];
  #at = 0;
  #depth = 0;

  constructor(source: string) {
    this.#characters = Array.from(source);
  }

  parse(): PatternNode {
    const node = this.#choice();
    if (this.#at < this.#characters.length) throw this.#error('has a ")" without a "("');
    return node;
  }

  /** @param at index of the character that is at fault */
  #error(what: string, at = this.#at): PatternError {
    return new PatternError(`${what} (character ${at + 1})`);
  }

  #take(expected: string): boolean {
    if (
      !this.#characters
        .slice(this.#at, this.#at + expected.length)
        .join('')
        .startsWith(expected)
    ) {
      return false;
    }
    this.#at += expected.length;
    return true;
  }

  #choice(): PatternNode {
    const nodes = [this.#sequence()];
    while (this.#take('|')) nodes.push(this.#sequence());
    // One place for what would be several: (a|b) is [ab].
    const sets = nodes.map(onlySet).filter((set) => set !== undefined);
    if (nodes.length > 1 && sets.length === nodes.length)
      return { kind: 'set', set: unionSet(sets) };
    return nodes.length === 1 && nodes[0] !== undefined ? nodes[0] : { kind: 'choice', nodes };
  }

  #sequence(): PatternNode {
    const nodes: PatternNode[] = [];
    for (;;) {
      const next = this.#characters[this.#at];
      if (next === undefined || next === '|' || next === ')') return { kind: 'sequence', nodes };
      nodes.push(this.#repeated(this.#atom()));
    }
  }

  #repeated(node: PatternNode): PatternNode {
    let repeated = node;
    for (;;) {
      const bounds = this.#bounds();
      if (bounds === undefined) return repeated;
      // Lazy and greedy match the same texts when the whole cell must match.
      this.#take('?');
      repeated = { kind: 'repeat', node: repeated, ...bounds };
    }
  }

  #bounds(): { least: number; most: number } | undefined {
    if (this.#take('*')) return { least: 0, most: Infinity };
    if (this.#take('+')) return { least: 1, most: Infinity };
    if (this.#take('?')) return { least: 0, most: 1 };
    if (this.#characters[this.#at] !== '{') return undefined;
    const text = this.#characters.slice(this.#at, this.#at + 24).join('');
    const found = /^\{(\d+)(,(\d*))?\}/.exec(text);
    if (found === null) throw this.#error('has a "{" that begins no {n}, {n,} or {n,m}');
    this.#at += found[0].length;
    const least = Number(found[1]);
    const most = found[2] === undefined ? least : found[3] === '' ? Infinity : Number(found[3]);
    if (most < least) throw this.#error(`has {${least},${most}}, which is out of order`);
    return { least, most };
  }

  #atom(): PatternNode {
    const character = this.#characters[this.#at] ?? '';
    if ('*+?{'.includes(character))
      throw this.#error(`has a "${character}" with nothing to repeat`);
    if (character === ']' || character === '}') {
      const opening = character === ']' ? '[' : '{';
      throw this.#error(`has a "${character}" without a "${opening}"; escape it: \\${character}`);
    }
    this.#at++;
    if (character === '(') return this.#group();
    if (character === '[') return { kind: 'set', set: this.#class() };
    if (character === '^') return { kind: 'begin' };
    if (character === '$') return { kind: 'end' };
    if (character === '.')
      return {
        kind: 'set',
        set: characterSet(
          [
            [10, 10],
            [13, 13],
          ],
          true,
        ),
      };
    if (character === '\\') return { kind: 'set', set: characterSet([this.#escape()], false) };
    return { kind: 'set', set: characterSet([single(character)], false) };
  }

  #group(): PatternNode {
    if (++this.#depth > MAX_DEPTH) throw this.#error('nests groups more than 100 deep');
    if (this.#take('?')) {
      const named = /^<[A-Za-z_]\w*>/.exec(
        this.#characters.slice(this.#at, this.#at + 64).join(''),
      );
      if (named !== null) this.#at += named[0].length;
      else if (!this.#take(':'))
        throw this.#error('has a look-around or flag group, which is not supported');
    }
    const node = this.#choice();
    if (!this.#take(')')) throw this.#error('has a "(" without a ")"');
    this.#depth--;
    return node;
  }

  /** What follows a "[": characters and ranges, and at the end, as XML Schema has it, a class to subtract. */
  #class(): CharacterSet {
    const start = this.#at - 1;
    const negated = this.#take('^');
    const parts: SetPart[] = [];
    while (!this.#take(']')) {
      if (parts.length > 0 && this.#take('-[')) return this.#subtraction(parts, negated);
      const first = this.#classPart();
      const next = this.#characters[this.#at + 1];
      if (this.#characters[this.#at] !== '-' || next === ']' || next === '[') {
        parts.push(first);
        continue;
      }
      this.#at++;
      const last = this.#classPart();
      if (!Array.isArray(first) || !Array.isArray(last) || last[0] < first[0]) {
        throw this.#error('has a range that is out of order');
      }
      parts.push([first[0], last[0]]);
    }
    // Some engines take "[]a]" for a class that holds "]": better refused than misread.
    if (parts.length === 0) throw this.#error('has a class that is empty', start);
    return characterSet(parts, negated);
  }

  #subtraction(parts: readonly SetPart[], negated: boolean): CharacterSet {
    if (++this.#depth > MAX_DEPTH) throw this.#error('nests classes too deep');
    const from = characterSet(parts, negated);
    const less = this.#class();
    this.#depth--;
    if (!this.#take(']')) throw this.#error('goes on after a class is subtracted; a "]" is needed');
    return {
      parts: [...from.parts, ...less.parts],
      has: (character) => from.has(character) && !less.has(character),
    };
  }

  #classPart(): SetPart {
    const character = this.#characters[this.#at++];
    if (character === undefined) throw this.#error('has a "[" without a "]"');
    if (character === '[') {
      const named = /^[:.=][^\]]{0,32}[:.=]\]/.exec(
        this.#characters.slice(this.#at, this.#at + 64).join(''),
      );
      const what =
        named === null
          ? 'has a "[" in a class; escape it: \\['
          : `has "[${named[0]}", which is not supported; use a Unicode property such as \\p{L}`;
      throw this.#error(what, this.#at - 1);
    }
    return character === '\\' ? this.#escape() : single(character);
  }

  #escape(): SetPart {
    const letter = this.#characters[this.#at++];
    if (letter === undefined) throw this.#error('ends in a lone "\\"');
    if ('dDwWsS'.includes(letter)) return propertySet(letter);
    if (letter === 'p' || letter === 'P') return this.#property(letter);
    const control = ESCAPED_CONTROLS[letter];
    if (control !== undefined) return [control, control];
    if (letter === 'x') return this.#hexadecimal(2);
    if (letter === 'u') return this.#hexadecimal(4);
    if (/[A-Za-z1-9]/.test(letter)) {
      throw this.#error(`has "\\${letter}", which is not supported`, this.#at - 2);
    }
    return single(letter);
  }

  #property(letter: string): SetPart {
    const text = this.#characters.slice(this.#at, this.#at + 64).join('');
    const name = /^\{([A-Za-z_=]+)\}/.exec(text)?.[1];
    if (name === undefined) throw this.#error(`has "\\${letter}" without a {property}`);
    this.#at += name.length + 2;
    try {
      return propertySet(`${letter}{${name}}`);
    } catch {
      throw this.#error(`has "\\${letter}{${name}}", which is not a Unicode property`);
    }
  }

  #hexadecimal(count: number): SetPart {
    const text = this.#characters.slice(this.#at, this.#at + count).join('');
    if (text.length !== count || !/^[0-9A-Fa-f]+$/.test(text)) {
      throw this.#error(`needs ${count} hexadecimal digits`);
    }
    const code = Number.parseInt(text, 16);
    if (code >= 0xd800 && code <= 0xdfff) {
      throw this.#error('has half of a character; write the character itself');
    }
    this.#at += count;
    return [code, code];
  }
}

/** The set that a node consists of, where it is no more than one. */
function onlySet(node: PatternNode): CharacterSet | undefined {
  if (node.kind === 'set') return node.set;
  const [only] = node.kind === 'sequence' && node.nodes.length === 1 ? node.nodes : [];
  return only === undefined ? undefined : onlySet(only);
}

function single(character: string): [number, number] {
  const code = character.codePointAt(0) ?? 0;
  return [code, code];
}
