import { encodeText } from './text.ts';

const WORDS_PER_SLOT = 3;
const SEGMENTS = 64;
const FIRST_SLOTS = 16;
/** A segment grows when it is fuller than this. */
const MAX_LOAD = 0.8;
const GROWTH = 1.25;

/**
 * How many keys all uniqueness checks of one file may remember together. A key takes 15 to 19 bytes, so the
 * default is about 115 MiB at the most.
 *
 * @default 6,291,456
 */
export const DEFAULT_MAX_KEYS = 6_291_456;

/** Keys that the tables of one file may still take, so that several can't each take the whole memory. */
export class KeyBudget {
  #left: number;

  constructor(maxKeys: number) {
    this.#left = maxKeys;
  }

  /** Takes one key when one is left. */
  take(): boolean {
    if (this.#left <= 0) return false;
    this.#left--;
    return true;
  }
}

/**
 * Remembers keys by a 64-bit hash of their values, with the record that had each first.
 *
 * Two different keys are taken for the same one with a chance of n^2 / 2^65 in a file of n keys: 3 in a million
 * at ten million keys. The hash is not secret: a sender who wants a false `unique-error` in his own file can
 * make one. When the budget is spent, no new keys are remembered, and {@link complete} says so.
 *
 * The table is cut into segments that grow one by one and by a quarter, so growing takes little more memory
 * than the keys need.
 */
export class KeyTable {
  /** False once a key could not be remembered: duplicates of it will go unseen. */
  complete = true;

  readonly #budget: KeyBudget;
  readonly #segments = Array.from({ length: SEGMENTS }, () => new Segment());
  #low = 0;
  #high = 0;

  constructor(budget: KeyBudget) {
    this.#budget = budget;
  }

  /** Begins a key; its parts follow by {@link addBytes}, {@link addNumber} and {@link addKey}. */
  begin(): void {
    this.#low = 0x9e3779b9;
    this.#high = 0x85ebca6b;
  }

  addBytes(bytes: Uint8Array, start: number, end: number): void {
    let low = this.#low;
    let high = this.#high;
    for (let i = start; i < end; i++) {
      low = Math.imul(low ^ (bytes[i] as number), 0x01000193);
      high = Math.imul(high ^ (bytes[i] as number) ^ (low >>> 15), 0x85ebca77);
    }
    this.#low = low;
    this.#high = high;
    this.#addWord(end - start);
  }

  /** Adds what tells a value from all others of its type: a number, or a text of ASCII characters. */
  addKey(key: number | string): void {
    if (typeof key === 'number') this.addNumber(key);
    else this.addBytes(encodeText(key), 0, key.length);
  }

  addNumber(value: number): void {
    // Minus zero is zero.
    NUMBER[0] = value === 0 ? 0 : value;
    this.#addWord(NUMBER_WORDS[0] as number);
    this.#addWord(NUMBER_WORDS[1] as number);
  }

  /** The record that had this key first; 0 when none had, and then this one, from 1 to 2^31 - 1, is remembered. */
  firstRecord(record: number): number {
    // Zero marks an empty slot.
    const low = finish(this.#low ^ Math.imul(this.#high, 0xc2b2ae35)) || 1;
    const high = finish(this.#high ^ low);
    const segment = this.#segments[high & (SEGMENTS - 1)] as Segment;
    const first = segment.find(low, high);
    if (first !== 0) return first;
    if (this.#budget.take()) segment.add(low, high, record);
    else this.complete = false;
    return 0;
  }

  #addWord(word: number): void {
    this.#low = Math.imul(this.#low ^ word, 0x27d4eb2f);
    this.#low ^= this.#low >>> 15;
    this.#high = Math.imul(this.#high ^ word ^ (this.#low >>> 13), 0x165667b1);
    this.#high ^= this.#high >>> 16;
  }
}

/** An open-addressing hash table with linear probing: two words of hash and one of record a slot. */
class Segment {
  #slots = FIRST_SLOTS;
  #words = new Int32Array(FIRST_SLOTS * WORDS_PER_SLOT);
  #used = 0;

  find(low: number, high: number): number {
    return this.#words[this.#slot(low, high) + 2] as number;
  }

  add(low: number, high: number, record: number): void {
    if (this.#used + 1 > this.#slots * MAX_LOAD) this.#grow();
    this.#put(low, high, record);
    this.#used++;
  }

  #put(low: number, high: number, record: number): void {
    const at = this.#slot(low, high);
    this.#words[at] = low;
    this.#words[at + 1] = high;
    this.#words[at + 2] = record;
  }

  /** Index of the key's words, or of the empty slot where they would go. */
  #slot(low: number, high: number): number {
    const words = this.#words;
    const end = this.#slots * WORDS_PER_SLOT;
    let at = Math.floor(((low >>> 0) / 0x1_0000_0000) * this.#slots) * WORDS_PER_SLOT;
    for (;;) {
      const found = words[at];
      if (found === 0 || (found === low && words[at + 1] === high)) return at;
      at += WORDS_PER_SLOT;
      if (at === end) at = 0;
    }
  }

  #grow(): void {
    const old = this.#words;
    this.#slots = Math.ceil(this.#slots * GROWTH);
    this.#words = new Int32Array(this.#slots * WORDS_PER_SLOT);
    for (let at = 0; at < old.length; at += WORDS_PER_SLOT) {
      const low = old[at] as number;
      if (low !== 0) this.#put(low, old[at + 1] as number, old[at + 2] as number);
    }
    // Gives the memory back at once; a garbage collection may be a long way off.
    old.buffer.transfer(0);
  }
}

const NUMBER = new Float64Array(1);
const NUMBER_WORDS = new Int32Array(NUMBER.buffer);

/** MurmurHash3's finalizer (A. Appleby, public domain algorithm), as a signed word, which the engine keeps out of the heap. */
function finish(word: number): number {
  let h = word;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
