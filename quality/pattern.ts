import {
  type CharacterSet,
  PatternError,
  type PatternNode,
  parsePattern,
} from './pattern-parser.ts';

const MAX_INSTRUCTIONS = 2000;
const MAX_STATES = 1000;

type Instruction =
  | { readonly kind: 'set'; readonly set: CharacterSet }
  | { readonly kind: 'split'; first: number; second: number }
  | { readonly kind: 'begin' | 'end' | 'match' };

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
    this.#program = compile(parsePattern(source));
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

function compile(root: PatternNode): Instruction[] {
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
  const emit = (node: PatternNode): void => {
    // Repeated empty groups unfold to nothing, and take their time over it.
    if (++visits > MAX_INSTRUCTIONS * 10) throw new PatternError('repeats too much');
    if (node.kind === 'sequence') for (const part of node.nodes) emit(part);
    else if (node.kind === 'choice') emitChoice(node.nodes);
    else if (node.kind === 'repeat') emitRepeat(node.node, node.least, node.most);
    else add(node);
  };
  const emitChoice = (nodes: readonly PatternNode[]): void => {
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
  const emitRepeat = (node: PatternNode, least: number, most: number): void => {
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
