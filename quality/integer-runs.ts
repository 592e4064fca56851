import type { KeyBudget } from './key-index.ts';

/** Start, end and first record of a run. */
const RUN_BYTES = 24;
/** Runs up to which a new one may begin anywhere, and not only behind all others. */
const FEW = 1_024;
/** Integers that a run has on the average at least, where there are many. */
const WORTHWHILE = 16;

/**
 * Remembers integers that count up by one from record to record as runs, so that a column of them costs next to
 * nothing, in time and memory.
 */
export class IntegerRuns {
  /** Integers that are remembered. */
  count = 0;

  readonly #budget: KeyBudget;
  #starts = new Float64Array(16);
  /** After the last integer of each run. */
  #ends = new Float64Array(16);
  /** Record of the first integer of each run. */
  #records = new Float64Array(16);
  #runs = 0;
  /** The run that was added to last. */
  #current = 0;
  /** What would go on with it. */
  #next = Number.NaN;
  #nextRecord = 0;
  /** First integer of the run behind it. */
  #barrier = Infinity;

  constructor(budget: KeyBudget) {
    this.#budget = budget;
  }

  /** Whether the integer goes on with the last run, and so is new, and is remembered now. */
  extend(value: number, record: number): boolean {
    if (this.roomFor(value, record) < 1) return false;
    this.extendBy(1);
    return true;
  }

  /** How many integers from this one on, of one record after the other, go on with the last run. */
  roomFor(value: number, record: number): number {
    return value === this.#next && record === this.#nextRecord ? this.#barrier - value : 0;
  }

  /** Remembers so many more, for which there is room. */
  extendBy(count: number): void {
    this.#next += count;
    this.#nextRecord += count;
    this.#ends[this.#current] = this.#next;
    this.count += count;
  }

  /** The record that had the integer; 0 when none of those that are remembered had. */
  find(value: number): number {
    const run = this.#before(value);
    if (run < 0 || value >= (this.#ends[run] as number)) return 0;
    return (this.#records[run] as number) + (value - (this.#starts[run] as number));
  }

  /** Begins a run with an integer that is new; false where runs are not worth while any more, or out of memory. */
  begin(value: number, record: number): boolean {
    const before = this.#before(value);
    const isLast = before === this.#runs - 1;
    if (this.#runs >= FEW && (!isLast || this.count < this.#runs * WORTHWHILE)) return false;
    if (!this.#budget.take(RUN_BYTES)) return false;
    if (this.#runs === this.#starts.length) this.#grow();
    const at = before + 1;
    if (!isLast) this.#moveFrom(at);
    this.#starts[at] = value;
    this.#ends[at] = value + 1;
    this.#records[at] = record;
    this.#runs++;
    this.count++;
    this.#current = at;
    this.#next = value + 1;
    this.#nextRecord = record + 1;
    this.#barrier = isLast ? Infinity : (this.#starts[at + 1] as number);
    return true;
  }

  /** Each integer with its record. */
  *all(): Generator<[value: number, record: number]> {
    for (let run = 0; run < this.#runs; run++) {
      const start = this.#starts[run] as number;
      const record = this.#records[run] as number;
      const count = (this.#ends[run] as number) - start;
      for (let i = 0; i < count; i++) yield [start + i, record + i];
    }
  }

  clear(): void {
    this.#budget.giveBack(this.#runs * RUN_BYTES);
    this.#runs = 0;
    this.count = 0;
    this.#next = Number.NaN;
  }

  /** The last run that begins at the integer or before; -1 for none. */
  #before(value: number): number {
    const starts = this.#starts;
    let low = 0;
    let high = this.#runs;
    // Most come behind all others.
    if (high > 0 && value >= (starts[high - 1] as number)) return high - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((starts[middle] as number) <= value) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  #moveFrom(run: number): void {
    this.#starts.copyWithin(run + 1, run, this.#runs);
    this.#ends.copyWithin(run + 1, run, this.#runs);
    this.#records.copyWithin(run + 1, run, this.#runs);
  }

  #grow(): void {
    const room = this.#starts.length * 2;
    const [starts, ends, records] = [this.#starts, this.#ends, this.#records];
    this.#starts = new Float64Array(room);
    this.#ends = new Float64Array(room);
    this.#records = new Float64Array(room);
    this.#starts.set(starts);
    this.#ends.set(ends);
    this.#records.set(records);
  }
}
