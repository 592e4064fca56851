import { type CharacterSet, characterSet, propertySet, type SetPart } from './character-set.ts';

/** A pattern that can't be used; the message says where and why. */
export class PatternError extends Error {
  override readonly name = 'PatternError';
}

const MAX_INSTRUCTIONS = 2000;
const MAX_STATES = 1000;

type Instruction =
  | { readonly kind: 'set'; readonly set: CharacterSet }
  | { readonly kind: 'split'; first: number; second: number }
  | { readonly kind: 'begin' | 'end' | 'match' };

type Node =
  | { readonly kind: 'set'; readonly set: CharacterSet }
  | { readonly kind: 'begin' | 'end' }
  | { readonly kind: 'sequence'; readonly nodes: readonly Node[] }
  | { readonly kind: 'choice'; readonly nodes: readonly Node[] }
  | { readonly kind: 'repeat'; readonly node: Node; readonly least: number; readonly most: number };

interface State {
  readonly places: readonly number[];
  readonly accepts: boolean;
  readonly next: (State | undefined)[];
}

/**
 * A regular expression that is matched in time proportional to the text, so that no pattern and no cell can
 * hang the worker as a backtracking engine can be hung. Cells are matched as UTF-8 bytes.
 *
 * The language is XML Schema's, which Table Schema prescribes, and what JavaScript shares with it: literals,
 * `.`, classes, `\d \w \s` (Unicode), `\p{..}`, groups, `|`, `* + ? {n,m}`, `^` and `$`. The whole cell must
 * match. What no linear-time matcher has (back references, look-around, word boundaries) is refused. A
 * pattern may unfold to 2,000 instructions.
 *
 * The expression becomes a nondeterministic automaton whose states are joined on demand and kept, up to
 * 1,000 of them (K. Thompson, "Regular Expression Search Algorithm", 1968).
 */
export class LinearPattern {
  readonly #program: readonly Instruction[];
  readonly #states = new Map<string, State>();
  #start: State;

  /** @throws {PatternError} when the pattern is malformed, too large, or asks for what is not supported */
  constructor(source: string) {
    this.#program = compile(new Parser(source).parse());
    this.#start = this.#state([0], true);
  }

  /** Whether the whole cell, which must be well-formed UTF-8, matches. */
  matches(bytes: Uint8Array, start: number, end: number): boolean {
    let state = this.#start;
    for (let i = start; i < end; ) {
      const byte = bytes[i] as number;
      if (byte < 0x80) {
        i++;
        let next = state.next[byte];
        if (next === undefined) {
          next = this.#step(state, byte);
          state.next[byte] = next;
        }
        state = next;
      } else {
        const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
        state = this.#step(state, codePoint(bytes, i, length));
        i += length;
      }
      if (state.places.length === 0) return false;
    }
    return state.accepts;
  }

  #step(state: State, character: number): State {
    const places: number[] = [];
    for (const place of state.places) {
      const instruction = this.#program[place];
      if (instruction?.kind === 'set' && instruction.set.has(character)) places.push(place + 1);
    }
    return this.#state(places, false);
  }

  #state(entries: readonly number[], atBegin: boolean): State {
    const places = this.#reach(entries, atBegin, false);
    // At the beginning `^` may still be passed behind a `$`, so the same places can accept differently.
    const key = `${atBegin}:${places.join()}`;
    const known = this.#states.get(key);
    if (known !== undefined) return known;
    if (this.#states.size >= MAX_STATES) this.#forget();
    const final = this.#reach(entries, atBegin, true);
    const accepts = final.some((place) => this.#program[place]?.kind === 'match');
    const state: State = { places, accepts, next: new Array(128).fill(undefined) };
    this.#states.set(key, state);
    return state;
  }

  /** Drops the kept states, and with them every link between them. */
  #forget(): void {
    for (const state of this.#states.values()) state.next.fill(undefined);
    this.#states.clear();
    this.#start = this.#state([0], true);
  }

  /** Places that read a character, end or accept, reachable without reading one. */
  #reach(entries: readonly number[], atBegin: boolean, atEnd: boolean): number[] {
    const seen = new Set<number>();
    const open = [...entries];
    for (let place = open.pop(); place !== undefined; place = open.pop()) {
      if (seen.has(place)) continue;
      seen.add(place);
      const instruction = this.#program[place];
      if (instruction?.kind === 'split') open.push(instruction.second, instruction.first);
      else if (instruction?.kind === 'begin' && atBegin) open.push(place + 1);
      else if (instruction?.kind === 'end' && atEnd) open.push(place + 1);
    }
    const kept = [...seen].filter((place) => this.#program[place]?.kind !== 'split');
    return kept.sort((a, b) => a - b);
  }
}

function codePoint(bytes: Uint8Array, at: number, length: number): number {
  let value = (bytes[at] as number) & (0xff >> (length + 1));
  for (let i = at + 1; i < at + length; i++) value = (value << 6) | ((bytes[i] as number) & 0x3f);
  return value;
}

function compile(root: Node): Instruction[] {
  const program: Instruction[] = [];
  const add = <T extends Instruction>(instruction: T): T => {
    if (program.length >= MAX_INSTRUCTIONS) {
      throw new PatternError(`unfolds to more than ${MAX_INSTRUCTIONS} instructions`);
    }
    program.push(instruction);
    return instruction;
  };
  const split = () => add({ kind: 'split', first: 0, second: 0 });

  let visits = 0;
  const emit = (node: Node): void => {
    // Repeated empty groups unfold to nothing, and take their time over it.
    if (++visits > MAX_INSTRUCTIONS * 10) throw new PatternError('repeats too much');
    if (node.kind === 'sequence') for (const part of node.nodes) emit(part);
    else if (node.kind === 'choice') emitChoice(node.nodes);
    else if (node.kind === 'repeat') emitRepeat(node.node, node.least, node.most);
    else add(node);
  };
  const emitChoice = (nodes: readonly Node[]): void => {
    const exits: { first: number; second: number }[] = [];
    nodes.forEach((node, index) => {
      const fork = index < nodes.length - 1 ? split() : undefined;
      if (fork !== undefined) fork.first = program.length;
      emit(node);
      if (fork === undefined) return;
      exits.push(split());
      fork.second = program.length;
    });
    for (const exit of exits) {
      exit.first = program.length;
      exit.second = program.length;
    }
  };
  const emitRepeat = (node: Node, least: number, most: number): void => {
    for (let i = 0; i < least; i++) emit(node);
    if (most === Infinity) {
      const loop = program.length;
      const fork = split();
      fork.first = program.length;
      emit(node);
      const back = split();
      back.first = loop;
      back.second = loop;
      fork.second = program.length;
      return;
    }
    const forks: { first: number; second: number }[] = [];
    for (let i = least; i < most; i++) {
      const fork = split();
      fork.first = program.length;
      forks.push(fork);
      emit(node);
    }
    for (const fork of forks) fork.second = program.length;
  };

  emit(root);
  add({ kind: 'match' });
  return program;
}

const ESCAPED_CONTROLS: Record<string, number> = { t: 9, n: 10, v: 11, f: 12, r: 13, 0: 0 };

class Parser {
  readonly #characters: readonly string[];
  #at = 0;
  #depth = 0;

  constructor(source: string) {
    this.#characters = Array.from(source);
  }

  parse(): Node {
    const node = this.#choice();
    if (this.#at < this.#characters.length) throw this.#error('has a ")" without a "("');
    return node;
  }

  #error(what: string): PatternError {
    return new PatternError(`${what} (character ${this.#at + 1})`);
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

  #choice(): Node {
    const nodes = [this.#sequence()];
    while (this.#take('|')) nodes.push(this.#sequence());
    return nodes.length === 1 && nodes[0] !== undefined ? nodes[0] : { kind: 'choice', nodes };
  }

  #sequence(): Node {
    const nodes: Node[] = [];
    for (;;) {
      const next = this.#characters[this.#at];
      if (next === undefined || next === '|' || next === ')') return { kind: 'sequence', nodes };
      nodes.push(this.#repeated(this.#atom()));
    }
  }

  #repeated(node: Node): Node {
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

  #atom(): Node {
    const character = this.#characters[this.#at] ?? '';
    if ('*+?{'.includes(character))
      throw this.#error(`has a "${character}" with nothing to repeat`);
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

  #group(): Node {
    if (++this.#depth > 100) throw this.#error('nests groups more than 100 deep');
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

  #class(): CharacterSet {
    const negated = this.#take('^');
    const parts: SetPart[] = [];
    while (!this.#take(']')) {
      const first = this.#classPart();
      if (this.#characters[this.#at] !== '-' || this.#characters[this.#at + 1] === ']') {
        parts.push(first);
        continue;
      }
      this.#at++;
      if (this.#characters[this.#at] === '[')
        throw this.#error('subtracts a class, which is not supported');
      const last = this.#classPart();
      if (!Array.isArray(first) || !Array.isArray(last) || last[0] < first[0]) {
        throw this.#error('has a range that is out of order');
      }
      parts.push([first[0], last[0]]);
    }
    return characterSet(parts, negated);
  }

  #classPart(): SetPart {
    const character = this.#characters[this.#at++];
    if (character === undefined) throw this.#error('has a "[" without a "]"');
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
    if (/[A-Za-z1-9]/.test(letter)) throw this.#error(`has "\\${letter}", which is not supported`);
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
      throw this.#error(`has "\\${letter}{${name}}", which is no Unicode property`);
    }
  }

  #hexadecimal(count: number): SetPart {
    const text = this.#characters.slice(this.#at, this.#at + count).join('');
    if (text.length !== count || !/^[0-9A-Fa-f]+$/.test(text)) {
      throw this.#error(`needs ${count} hexadecimal digits`);
    }
    this.#at += count;
    return [Number.parseInt(text, 16), Number.parseInt(text, 16)];
  }
}

function single(character: string): [number, number] {
  const code = character.codePointAt(0) ?? 0;
  return [code, code];
}
