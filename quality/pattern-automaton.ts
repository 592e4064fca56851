import { type CharacterSet, PatternError, type PatternNode } from './pattern-parser.ts';

const MAX_INSTRUCTIONS = 2000;

/** More places to go on to than these are joined for all at once, instead of one by one. */
const MAX_SINGLE_STEPS = 8;

type Instruction =
  | { readonly kind: 'set'; readonly set: CharacterSet }
  | { readonly kind: 'split'; first: number; second: number }
  | { readonly kind: 'begin' | 'end' | 'match' };

/**
 * A pattern's positions: each reads a character of its set, position 0 apart, which is before the text. What a text
 * can have led to is a set of positions, kept as bits (V. Glushkov, "The abstract theory of automata", 1961).
 */
export class PositionAutomaton {
  /** Words of 32 bits that a set of positions takes. */
  readonly words: number;
  /** Those of every position but 0, in order. */
  readonly sets: readonly CharacterSet[];
  /** Words that a step looks at, at most; each takes two nanoseconds or less. */
  readonly cost: number;
  /** Positions in which a text may end. */
  readonly #accepting: Int32Array;
  /** Positions from which the following one is got to. */
  readonly #chain: Int32Array;
  /** Other steps, four numbers each: a source word, a mask for it, the target word and how far left to turn into it. */
  readonly #shifts: Int32Array;
  /** Sources and targets as `words` words each; from any of the sources to all the targets. */
  readonly #joins: Int32Array;

  /** @throws {PatternError} when the pattern unfolds to too much */
  constructor(root: PatternNode) {
    const program = unfold(root);
    const places = program.flatMap(({ kind }, place) => (kind === 'set' ? [place] : []));
    this.sets = program.flatMap((instruction) =>
      instruction.kind === 'set' ? [instruction.set] : [],
    );
    this.words = (places.length + 32) >>> 5;
    const positionOf = new Int32Array(program.length);
    places.forEach((place, index) => {
      positionOf[place] = index + 1;
    });
    const next = [0, ...places.map((place) => place + 1)].map((entry, position) =>
      reach(program, entry, { begin: position === 0, end: false })
        .filter((place) => program[place]?.kind === 'set')
        .map((place) => positionOf[place] as number),
    );
    const match = program.length - 1;
    this.#accepting = new Int32Array(this.words);
    [0, ...places.map((place) => place + 1)].forEach((entry, position) => {
      const reached = reach(program, entry, { begin: position === 0, end: true });
      if (reached.includes(match)) add(this.#accepting, 0, position);
    });
    this.#chain = new Int32Array(this.words);
    const few = next.map((to) => (to.length > MAX_SINGLE_STEPS ? [] : to));
    few.forEach((to, position) => {
      if (to.includes(position + 1)) add(this.#chain, 0, position);
    });
    this.#shifts = shiftsOf(
      few.map((to, position) => to.filter((target) => target !== position + 1)),
    );
    this.#joins = joinsOf(
      next.map((to) => (to.length > MAX_SINGLE_STEPS ? to : [])),
      this.words,
    );
    this.cost = this.words + this.#shifts.length / 4 + this.#joins.length;
  }

  /** Whether a text may end here. */
  accepts(positions: Int32Array): boolean {
    for (let word = 0; word < this.words; word++) {
      if (((positions[word] as number) & (this.#accepting[word] as number)) !== 0) return true;
    }
    return false;
  }

  /**
   * Reads a character.
   *
   * @param to is overwritten; not `from`
   * @param allowed begins, at `at`, with the positions that read this character
   * @returns whether any position is left
   */
  step(from: Int32Array, to: Int32Array, allowed: Int32Array, at: number): boolean {
    const words = this.words;
    const chain = this.#chain;
    let carried = 0;
    for (let word = 0; word < words; word++) {
      const bits = (from[word] as number) & (chain[word] as number);
      to[word] = (bits << 1) | carried;
      carried = bits >>> 31;
    }
    const shifts = this.#shifts;
    for (let i = 0; i < shifts.length; i += 4) {
      const bits = (from[shifts[i] as number] as number) & (shifts[i + 1] as number);
      if (bits === 0) continue;
      const word = shifts[i + 2] as number;
      const left = shifts[i + 3] as number;
      // An entry's bits stay within one target word.
      to[word] = (to[word] as number) | (left >= 0 ? bits << left : bits >>> -left);
    }
    const joins = this.#joins;
    for (let i = 0; i < joins.length; i += 2 * words) {
      let any = 0;
      for (let word = 0; word < words; word++)
        any |= (from[word] as number) & (joins[i + word] as number);
      if (any === 0) continue;
      for (let word = 0; word < words; word++)
        to[word] = (to[word] as number) | (joins[i + words + word] as number);
    }
    let left = 0;
    for (let word = 0; word < words; word++) {
      const bits = (to[word] as number) & (allowed[at + word] as number);
      to[word] = bits;
      left |= bits;
    }
    return left !== 0;
  }
}

/** Puts a position into the set that begins at `at`. */
export function add(positions: Int32Array, at: number, position: number): void {
  const word = at + (position >>> 5);
  positions[word] = (positions[word] as number) | (1 << (position & 31));
}

/** Steps that lead equally far, a word of them at a time. */
function shiftsOf(next: readonly (readonly number[])[]): Int32Array {
  const masks = new Map<string, [number, number, number, number]>();
  next.forEach((targets, position) => {
    for (const target of targets) {
      const from = position >>> 5;
      const to = target >>> 5;
      const left = (target & 31) - (position & 31);
      const key = `${from} ${to} ${left}`;
      const entry = masks.get(key) ?? [from, 0, to, left];
      entry[1] |= 1 << (position & 31);
      masks.set(key, entry);
    }
  });
  return Int32Array.from([...masks.values()].flat());
}

/** Steps to many places, once for all positions that have the same ones. */
function joinsOf(next: readonly (readonly number[])[], words: number): Int32Array {
  const groups = new Map<string, { from: number[]; to: readonly number[] }>();
  next.forEach((to, position) => {
    if (to.length === 0) return;
    const key = to.join();
    const group = groups.get(key) ?? { from: [], to };
    group.from.push(position);
    groups.set(key, group);
  });
  const joins = new Int32Array(groups.size * 2 * words);
  [...groups.values()].forEach(({ from, to }, index) => {
    for (const position of from) add(joins, index * 2 * words, position);
    for (const position of to) add(joins, (index * 2 + 1) * words, position);
  });
  return joins;
}

/** Places, in order, that can be got to without reading a character. */
function reach(
  program: readonly Instruction[],
  entry: number,
  passes: { readonly begin: boolean; readonly end: boolean },
): number[] {
  const seen = new Set<number>();
  const open = [entry];
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    if (seen.has(place)) continue;
    seen.add(place);
    const instruction = program[place];
    if (instruction?.kind === 'split') open.push(instruction.second, instruction.first);
    else if (instruction?.kind === 'begin' && passes.begin) open.push(place + 1);
    else if (instruction?.kind === 'end' && passes.end) open.push(place + 1);
  }
  return [...seen].sort((a, b) => a - b);
}

function unfold(root: PatternNode): Instruction[] {
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
