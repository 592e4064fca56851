import { IntegerRuns } from './integer-runs.ts';
import { KeyHash } from './key-hash.ts';
import { type KeyBudget, KeyIndex } from './key-index.ts';

/** What {@link KeyTable.firstRecord} answers of a key that it does not know, and has no memory left for. */
export const UNKNOWN = -1;

/** Integers from which on one more is perhaps not told from it. */
export const LAST_INTEGER = 2 ** 52;

/** Integers in runs that are worth being moved into the index, when runs have proved not to be. */
const FEW = 65_536;

/**
 * Remembers the keys of one column, or of one combination of columns, with the record that had each first: integers
 * that count up as runs, all others by a hash of 128 bits ({@link KeyHash}).
 *
 * When the budget is spent no new keys are remembered. Those that are stay known, and each other one is answered by
 * {@link UNKNOWN}: what is to be done with its {@link hash} is up to the caller.
 */
export class KeyTable {
  readonly #hash: KeyHash;
  readonly #index: KeyIndex;
  readonly #runs: IntegerRuns;
  /** No integer is anywhere but in the runs. */
  #runsOnly = true;

  /** @param secret of {@link KeyHash} */
  constructor(budget: KeyBudget, secret: Int32Array) {
    this.#hash = new KeyHash(secret);
    this.#index = new KeyIndex(budget);
    this.#runs = new IntegerRuns(budget);
  }

  /** The hash of the key that was asked for last, where it was none of integers in runs. */
  get hash(): Int32Array {
    return this.#hash.words;
  }

  /** Begins a key; its parts follow by {@link addBytes}, {@link addNumber} and {@link addKey}. */
  begin(): void {
    this.#hash.begin();
  }

  addBytes(bytes: Uint8Array, start: number, end: number): void {
    this.#hash.addBytes(bytes, start, end);
  }

  addNumber(value: number): void {
    this.#hash.addNumber(value);
  }

  /** Adds what tells a value from all others of its type: a number, or a text of ASCII characters. */
  addKey(key: number | string): void {
    this.#hash.addKey(key);
  }

  /**
   * Looks the key up whose parts were added.
   *
   * @param record from 1 to `LAST_RECORD` (key-index.ts)
   * @returns the record that had it first; 0 when none had, and then it is remembered; or {@link UNKNOWN}
   */
  firstRecord(record: number): number {
    this.#hash.finish();
    return this.#index.find(this.#hash.words, 0, record);
  }

  /** Says that keys will be asked for soon by {@link firstRecordOfHash} or {@link rememberNew}; see `KeyIndex`. */
  approach(hashes: Int32Array, at: number, stride: number, count: number): void {
    this.#index.approach(hashes, at, stride, count);
  }

  /**
   * Remembers keys as {@link firstRecordOfHash} does, one after the other while each is new.
   *
   * @param stride words from one to the next
   * @param record that of the first one; each of the others has the next
   * @returns how many were new
   */
  rememberNew(
    hashes: Int32Array,
    at: number,
    stride: number,
    count: number,
    record: number,
  ): number {
    return this.#index.rememberNew(hashes, at, stride, count, record);
  }

  /** The same for a key that was hashed elsewhere. */
  firstRecordOfHash(hash: Int32Array, at: number, record: number): number {
    const first = this.#index.find(hash, at, record);
    if (first === UNKNOWN) this.#hash.set(hash, at);
    return first;
  }

  /**
   * The same for a key that is one integer, in the place of all calls above. Of one table either all keys that are
   * numbers are asked for by this, or none.
   *
   * @param value a whole number
   */
  firstRecordOfInteger(value: number, record: number): number {
    if (this.#runsOnly && this.#runs.extend(value, record)) return 0;
    if (value < LAST_INTEGER && value > -LAST_INTEGER) {
      const first = this.#runs.find(value);
      if (first > 0) return first;
      if (this.#runsOnly) {
        if (this.#runs.begin(value, record)) return 0;
        this.#leaveRuns();
      }
    }
    return this.#firstRecordOfNumber(value, record);
  }

  /** How many integers that count up from this one are known to be new, of records that do as well. */
  roomFor(value: number, record: number): number {
    return this.#runsOnly ? this.#runs.roomFor(value, record) : 0;
  }

  /** Remembers so many of them, up to all. */
  extendBy(count: number): void {
    this.#runs.extendBy(count);
  }

  /** Forgets all keys, and gives their memory back. */
  clear(): void {
    this.#runs.clear();
    this.#index.clear();
  }

  #firstRecordOfNumber(value: number, record: number): number {
    this.#hash.begin();
    this.#hash.addNumber(value);
    return this.firstRecord(record);
  }

  /** From now on integers are hashed. Runs with many are kept, since they take less memory as they are. */
  #leaveRuns(): void {
    this.#runsOnly = false;
    if (this.#runs.count > FEW) return;
    for (const [value, record] of this.#runs.all()) {
      // They are found in the runs first, so that it does no harm that some are in both.
      if (this.#firstRecordOfNumber(value, record) === UNKNOWN) return;
    }
    this.#runs.clear();
  }
}
