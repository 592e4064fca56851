import { HASH_WORDS } from './key-hash.ts';
import { KeyBudget, KeyIndex } from './key-index.ts';
import type { ScratchFile } from './ports.ts';

/** What a row that has ended has so far; each state stands for the ones before it as well. */
export const ROW_SOUND = 0;
/** It has faults, which only warn. */
export const ROW_FAULTY = 1;
/** And not each of its cells could be checked. */
export const ROW_INCOMPLETE = 2;
/** It has a fault that does not only warn. */
export const ROW_FAILS = 3;

export type RowState =
  | typeof ROW_SOUND
  | typeof ROW_FAULTY
  | typeof ROW_INCOMPLETE
  | typeof ROW_FAILS;

/** A key that is to be compared with others at the end of the file. */
export interface DeferredKey {
  /** Which key of the schema it is one of, from 0 to 65,535. */
  readonly key: number;
  readonly record: number;
  /** Line, from 1 and below 2^32, on which its first cell starts. */
  readonly line: number;
  /** Offset in the file where it starts, below 2^46 - 1, which is 64 TiB; null where it is not known. */
  readonly byte: number | null;
  readonly row: RowState;
}

/** A key that came in an earlier row. */
export interface DeferredDuplicate extends DeferredKey {
  readonly firstRecord: number;
}

/** Hash, record, line, lower half of the offset; and its upper 14 bits, 2 of the row, 16 of the key. */
const ENTRY_WORDS = HASH_WORDS + 4;
const BLOCK_ENTRIES = 256;
const BLOCK_WORDS = BLOCK_ENTRIES * ENTRY_WORDS;
const BLOCK_BYTES = BLOCK_WORDS * 4;
const PARTITIONS = 256;
const WORD = 2 ** 32;
const NO_BYTE = 2 ** 46 - 1;

/**
 * Finds duplicates among the keys that had no place in memory: they are written down in partitions, each of which is
 * compared by itself when all have come. Of a key there are its hash and its place, 32 bytes, and never its value.
 *
 * It takes 2 MiB of memory, and while partitions are compared what a 256th part of the keys needs.
 */
export class DeferredKeys {
  readonly #scratch: ScratchFile;
  /** A block of each partition. */
  readonly #words = new Int32Array(PARTITIONS * BLOCK_WORDS);
  /** Words in use of each block. */
  readonly #used = new Int32Array(PARTITIONS);
  /** Numbers of the blocks that were written, by partition. */
  readonly #written: readonly number[][] = Array.from({ length: PARTITIONS }, () => []);
  #blocks = 0;

  constructor(scratch: ScratchFile) {
    this.#scratch = scratch;
  }

  /** @throws what the scratch file throws, as where there is no room left */
  add(hash: Int32Array, { key, record, line, byte, row }: DeferredKey): void {
    const partition = (hash[2] as number) & (PARTITIONS - 1);
    const used = this.#used[partition] as number;
    const at = partition * BLOCK_WORDS + used;
    const words = this.#words;
    words[at] = hash[0] as number;
    words[at + 1] = hash[1] as number;
    words[at + 2] = hash[2] as number;
    words[at + 3] = hash[3] as number;
    words[at + 4] = record;
    words[at + 5] = line;
    const offset = byte ?? NO_BYTE;
    words[at + 6] = offset % WORD;
    words[at + 7] = Math.floor(offset / WORD) | (row << 14) | (key << 16);
    if (used + ENTRY_WORDS < BLOCK_WORDS) {
      this.#used[partition] = used + ENTRY_WORDS;
      return;
    }
    const from = partition * BLOCK_BYTES;
    this.#scratch.write(
      new Uint8Array(words.buffer, from, BLOCK_BYTES),
      this.#blocks * BLOCK_BYTES,
    );
    this.#written[partition]?.push(this.#blocks);
    this.#blocks++;
    this.#used[partition] = 0;
  }

  /**
   * Hands over every duplicate, those of a partition in the order of the file, and stops after each partition, so
   * that other work gets its turn.
   */
  *duplicates(found: (duplicate: DeferredDuplicate) => void): Generator<void> {
    const index = new KeyIndex(new KeyBudget(Infinity));
    const block = new Int32Array(BLOCK_WORDS);
    for (let partition = 0; partition < PARTITIONS; partition++) {
      for (const number of this.#written[partition] as number[]) {
        this.#scratch.read(new Uint8Array(block.buffer), number * BLOCK_BYTES);
        compare(index, block, 0, BLOCK_WORDS, found);
      }
      const from = partition * BLOCK_WORDS;
      compare(index, this.#words, from, from + (this.#used[partition] as number), found);
      index.clear();
      yield;
    }
  }

  /**
   * Hands over every reference that nothing was found for: a key of an odd number whose hash none of the number before
   * it has, nor `isKnown`. They come in order, and it stops, as {@link duplicates} says.
   */
  *unmatched(
    isKnown: (key: number, hash: Int32Array, at: number) => boolean,
    found: (reference: DeferredKey) => void,
  ): Generator<void> {
    const index = new KeyIndex(new KeyBudget(Infinity));
    for (let partition = 0; partition < PARTITIONS; partition++) {
      this.#visit(partition, (words, at) => {
        const { key, record } = entryAt(words, at);
        if (key % 2 === 0) index.find(words, at, record);
      });
      this.#visit(partition, (words, at) => {
        const reference = entryAt(words, at);
        const { key } = reference;
        if (key % 2 === 0 || index.get(words, at) > 0 || isKnown(key, words, at)) return;
        found(reference);
      });
      index.clear();
      yield;
    }
  }

  #visit(partition: number, take: (words: Int32Array, at: number) => void): void {
    const block = new Int32Array(BLOCK_WORDS);
    for (const number of this.#written[partition] as number[]) {
      this.#scratch.read(new Uint8Array(block.buffer), number * BLOCK_BYTES);
      for (let at = 0; at < BLOCK_WORDS; at += ENTRY_WORDS) take(block, at);
    }
    const from = partition * BLOCK_WORDS;
    const to = from + (this.#used[partition] as number);
    for (let at = from; at < to; at += ENTRY_WORDS) take(this.#words, at);
  }
}

function compare(
  index: KeyIndex,
  words: Int32Array,
  from: number,
  to: number,
  found: (duplicate: DeferredDuplicate) => void,
): void {
  for (let at = from; at < to; at += ENTRY_WORDS) {
    const record = (words[at + 4] as number) >>> 0;
    const firstRecord = index.find(words, at, record);
    if (firstRecord === 0) continue;
    found({ ...entryAt(words, at), firstRecord });
  }
}

function entryAt(words: Int32Array, at: number): DeferredKey {
  const last = words[at + 7] as number;
  const byte = (last & 0x3fff) * WORD + ((words[at + 6] as number) >>> 0);
  return {
    key: last >>> 16,
    record: (words[at + 4] as number) >>> 0,
    line: (words[at + 5] as number) >>> 0,
    byte: byte === NO_BYTE ? null : byte,
    row: ((last >>> 14) & 3) as RowState,
  };
}
