import { PositionAutomaton } from './pattern-automaton.ts';
import { CharacterClasses } from './pattern-classes.ts';
import { PatternError, parsePattern } from './pattern-parser.ts';

/** As many as the longest list of words has. */
const MAX_STATES = 2048;

/** Links from state to state that are kept: 4 MiB of them. */
const MAX_LINKS = 1024 * 1024;

/** Words that a step may look at, so that a second of CPU reads 5 MB and more of any text. */
const MAX_STEP_COST = 80;

/** Words looked at to find all states of a pattern whose steps cost more, before it is refused. */
const MAX_EXPLORATION = 50_000_000;

/** Characters read without new states, before it is tried with a new set of them. */
const CHARACTERS_UNTIL_RETRY = 1024 * 1024;

/** Bytes of a long text that are matched before other work may have its turn: at most 15 ms. */
const STEP_BYTES = 65_536;

/** A link that is not known yet. */
const UNKNOWN = 0;
/** The link to where no text can match any more. */
const DEAD = -1;

/** States of an {@link AsciiTable} that end a text: none can match any more, or a character is not ASCII. */
const DEAD_STATE = 0;
const UNDECIDED_STATE = 1;
const FIRST_STATE = 2;

/** A pattern as a table, which tells of texts of ASCII alone whether they match. */
export interface AsciiTable {
  /** By byte; 0 for those that are not ASCII. */
  readonly classes: Uint8Array;
  /**
   * For each state from 2 on, the first of which is that of the empty text, the states that the classes lead to: 0
   * where no text can match any more, 1 where a byte is not ASCII.
   */
  readonly links: readonly (readonly number[])[];
  /** By state. */
  readonly accepts: Uint8Array;
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
 * A text leads to a set of the pattern's positions. Each set that is met becomes a state, and is kept with its links to
 * others, up to 2,048 (K. Thompson, "Regular Expression Search Algorithm", 1968). Where a text needs more, the rest of
 * it is read with sets of positions alone; that is bounded, too, since patterns for which it would be slow are refused
 * unless those states are all that they have.
 */
export class LinearPattern {
  readonly #automaton: PositionAutomaton;
  readonly #classes: CharacterClasses;
  readonly #states = new Map<string, number>();
  /** Where the states are in {@link #next}, as a power of 2: as many links as each has room for. */
  #shift = 3;
  /** Links of each state by the class of a character; a state is the place where its links begin. */
  #next = new Int32Array(0);
  #positions = new Int32Array(0);
  #accepts = new Uint8Array(0);
  #generation = 0;
  #full = false;
  #charactersWithout = 0;
  #from: Int32Array;
  #to: Int32Array;
  /** Of the text that was matched in steps. */
  #answer: Answer | undefined;

  /** @throws {PatternError} when the pattern is malformed, too large, or asks for what is not supported */
  constructor(source: string) {
    this.#automaton = new PositionAutomaton(parsePattern(source));
    this.#classes = new CharacterClasses(this.#automaton);
    this.#from = new Int32Array(this.#automaton.words);
    this.#to = new Int32Array(this.#automaton.words);
    this.#forget();
    if (this.#automaton.cost > MAX_STEP_COST) this.#findAllStates();
  }

  /** Whether the whole cell, which must be well-formed UTF-8, matches. */
  matches(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#answer !== undefined && isOf(this.#answer, bytes, start, end)) {
      return this.#answer.matches;
    }
    if (this.#charactersWithout > CHARACTERS_UNTIL_RETRY) this.#forget();
    const state = this.#read(this.#start, bytes, start, end);
    if (state === UNKNOWN) return this.#automaton.accepts(this.#from);
    return state !== DEAD && this.#accepts[state >>> this.#shift] === 1;
  }

  /**
   * Matches a long text in steps between which other work may have its turn, and other texts may be matched; until
   * {@link forgetAnswer}, {@link matches} then knows the answer for what lies at that place.
   */
  *matching(bytes: Uint8Array, start: number, end: number): Generator<void> {
    let positions: Int32Array | undefined = firstPositions(this.#automaton.words);
    for (let from = start; from < end && positions !== undefined; ) {
      let to = Math.min(from + STEP_BYTES, end);
      // Up to where a character begins.
      while (to < end && ((bytes[to] as number) & 0xc0) === 0x80) to++;
      positions = this.#reach(positions, bytes, from, to);
      from = to;
      yield;
    }
    const matches = positions !== undefined && this.#automaton.accepts(positions);
    this.#answer = {
      buffer: bytes.buffer,
      start: bytes.byteOffset + start,
      length: end - start,
      matches,
    };
  }

  /** To be called once the memory that holds the text may hold another. */
  forgetAnswer(): void {
    this.#answer = undefined;
  }

  /** The positions that a text leads to from others; undefined where no text can match any more. */
  #reach(
    positions: Int32Array,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): Int32Array | undefined {
    if (this.#charactersWithout > CHARACTERS_UNTIL_RETRY || !this.#fits) this.#forget();
    const first = this.#state(positions);
    this.#from.set(positions);
    const state =
      first === UNKNOWN
        ? this.#withoutStates(bytes, start, end)
        : this.#read(first, bytes, start, end);
    if (state === DEAD) return undefined;
    return state === UNKNOWN ? this.#from.slice() : this.#positionsOf(state).slice();
  }

  #positionsOf(state: number): Int32Array {
    const { words } = this.#automaton;
    const at = (state >>> this.#shift) * words;
    return this.#positions.subarray(at, at + words);
  }

  /** The state that a text leads to, or {@link DEAD}; {@link UNKNOWN} where more than can be kept, and the positions are in {@link #from}. */
  #read(first: number, bytes: Uint8Array, start: number, end: number): number {
    const { ascii, pages } = this.#classes;
    let { paged } = this.#classes;
    let next = this.#next;
    let state = first;
    for (let i = start; i < end; ) {
      const from = i;
      const byte = bytes[i] as number;
      let kind: number;
      if (byte < 0x80) {
        kind = ascii[byte] as number;
        i++;
      } else {
        let page: number;
        if (byte < 0xe0) {
          page = byte & 0x1f;
          i += 2;
        } else if (byte < 0xf0) {
          page = ((byte & 0x0f) << 6) | ((bytes[i + 1] as number) & 0x3f);
          i += 3;
        } else {
          page =
            ((byte & 0x07) << 12) |
            (((bytes[i + 1] as number) & 0x3f) << 6) |
            ((bytes[i + 2] as number) & 0x3f);
          i += 4;
        }
        kind = paged[((pages[page] as number) << 6) | ((bytes[i - 1] as number) & 0x3f)] as number;
      }
      // A character whose class is not known yet has class 0, and a state's link 0 is never known.
      let to = next[state + kind] as number;
      if (to === UNKNOWN) {
        to = this.#advance(state, codePoint(bytes, from));
        if (to === UNKNOWN) {
          this.#from.set(this.#positionsOf(state));
          return this.#withoutStates(bytes, from, end);
        }
        next = this.#next;
        paged = this.#classes.paged;
      }
      if (to === DEAD) return DEAD;
      state = to;
    }
    return state;
  }

  /** All states that texts of ASCII lead to, where they are no more than `most`, which is below 255. */
  asciiTable(most: number): AsciiTable | undefined {
    const characters = Array.from({ length: 0x80 }, (_, character) => character);
    const kinds = [...new Set(characters.map((character) => this.#classes.of(character)))];
    const classes = new Uint8Array(256);
    for (const character of characters) {
      classes[character] = 1 + kinds.indexOf(this.#classes.of(character));
    }
    this.#forget();
    const first = this.#start;
    const rows: number[][] = [];
    for (let state = first; state <= this.#states.size << this.#shift; state += first) {
      if (this.#states.size > most) return undefined;
      const row = [UNDECIDED_STATE];
      for (const kind of kinds) {
        const to = this.#advance(state, classes.indexOf(kinds.indexOf(kind) + 1));
        if (to === UNKNOWN || !this.#fits) return undefined;
        row.push(to === DEAD ? DEAD_STATE : FIRST_STATE + (to >>> this.#shift) - 1);
      }
      rows.push(row);
    }
    const accepts = rows.map((_, index) => this.#accepts[index + 1] as number);
    return { classes, links: rows, accepts: Uint8Array.from([0, 0, ...accepts]) };
  }

  /** The first state: position 0 alone. Nothing is at 0, so that a link can be unknown. */
  get #start(): number {
    return 1 << this.#shift;
  }

  /** The state that a character leads to; {@link UNKNOWN} when no more can be kept, and then `state` is untouched. */
  #advance(state: number, character: number): number {
    const { words } = this.#automaton;
    this.#from.set(this.#positionsOf(state));
    const kind = this.#classes.of(character);
    if (this.#full && this.#fits) return this.#next[state + kind] as number;
    let origin = state;
    if (!this.#fits) {
      this.#forget();
      origin = this.#state(this.#from);
    }
    const { allowed } = this.#classes;
    let to = DEAD;
    if (this.#automaton.step(this.#from, this.#to, allowed, kind * words))
      to = this.#state(this.#to);
    if (to !== UNKNOWN) this.#next[origin + kind] = to;
    return to;
  }

  /** The state of a set of positions; {@link UNKNOWN} when it is a new one and no more can be kept. */
  #state(positions: Int32Array): number {
    const key = positions.join();
    const known = this.#states.get(key);
    if (known !== undefined) return known;
    const index = this.#states.size + 1;
    if (index > MAX_STATES || (index + 1) << this.#shift > MAX_LINKS) {
      this.#full = true;
      return UNKNOWN;
    }
    const { words } = this.#automaton;
    if (index >= this.#accepts.length) {
      const room = this.#accepts.length * 2;
      this.#accepts = enlarged(this.#accepts, new Uint8Array(room));
      this.#next = enlarged(this.#next, new Int32Array(room << this.#shift));
      this.#positions = enlarged(this.#positions, new Int32Array(room * words));
    }
    this.#states.set(key, index << this.#shift);
    this.#positions.set(positions, index * words);
    this.#accepts[index] = this.#automaton.accepts(positions) ? 1 : 0;
    return index << this.#shift;
  }

  /** Drops the kept states, and with them every link between them. */
  #forget(): void {
    while (1 << this.#shift < this.#classes.count) this.#shift++;
    this.#generation = this.#classes.generation;
    this.#states.clear();
    this.#full = false;
    this.#charactersWithout = 0;
    this.#accepts = new Uint8Array(8);
    this.#next = new Int32Array(8 << this.#shift);
    this.#positions = new Int32Array(8 * this.#automaton.words);
    this.#state(firstPositions(this.#automaton.words));
  }

  /** Reads the rest of a text without new states, from and to the positions in {@link #from}: {@link UNKNOWN}, or {@link DEAD}. */
  #withoutStates(bytes: Uint8Array, start: number, end: number): typeof UNKNOWN | typeof DEAD {
    const isAlive = this.#simulate(bytes, start, end);
    this.#charactersWithout += end - start;
    // States of other classes would be misread.
    if (!this.#fits) this.#forget();
    return isAlive ? UNKNOWN : DEAD;
  }

  /** Whether there is a link of each state for every class. */
  get #fits(): boolean {
    const { count, generation } = this.#classes;
    return generation === this.#generation && count <= 1 << this.#shift;
  }

  #simulate(bytes: Uint8Array, start: number, end: number): boolean {
    const { words } = this.#automaton;
    for (let i = start; i < end; i += lengthOf(bytes[i] as number)) {
      const kind = this.#classes.of(codePoint(bytes, i));
      const { allowed } = this.#classes;
      if (!this.#automaton.step(this.#from, this.#to, allowed, kind * words)) return false;
      [this.#from, this.#to] = [this.#to, this.#from];
    }
    return true;
  }

  /** @throws {PatternError} when there are too many to be kept */
  #findAllStates(): void {
    const kinds = new Map<number, number>();
    for (const character of this.#classes.representatives()) {
      const kind = this.#classes.of(character);
      if (!kinds.has(kind)) kinds.set(kind, character);
    }
    this.#forget();
    let spent = 0;
    for (let state = this.#start; state <= this.#states.size << this.#shift; state += this.#start) {
      for (const character of kinds.values()) {
        spent += this.#automaton.cost;
        if (spent < MAX_EXPLORATION && this.#advance(state, character) !== UNKNOWN && this.#fits)
          continue;
        throw new PatternError(
          'can be matched in too many ways at once; make parts that follow each other begin with different characters',
        );
      }
    }
  }
}

/** Whether a text that was matched in steps matches, and where it lies. */
interface Answer {
  readonly buffer: ArrayBufferLike;
  readonly start: number;
  readonly length: number;
  readonly matches: boolean;
}

function isOf(answer: Answer, bytes: Uint8Array, start: number, end: number): boolean {
  const { buffer, length } = answer;
  return (
    buffer === bytes.buffer && answer.start === bytes.byteOffset + start && length === end - start
  );
}

/** Position 0 alone, which is before the text. */
function firstPositions(words: number): Int32Array {
  const first = new Int32Array(words);
  first[0] = 1;
  return first;
}

function enlarged<T extends Int32Array | Uint8Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

/** Bytes of the character that begins with a byte. */
function lengthOf(byte: number): number {
  return byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}

function codePoint(bytes: Uint8Array, at: number): number {
  const first = bytes[at] as number;
  if (first < 0x80) return first;
  const length = lengthOf(first);
  let value = first & (0xff >> (length + 1));
  for (let i = at + 1; i < at + length; i++) value = (value << 6) | ((bytes[i] as number) & 0x3f);
  return value;
}
