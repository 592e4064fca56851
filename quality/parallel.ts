import type { Inspection } from './inspection.ts';
import type { RangeResult, RangeSetup, RangeThreadSource, RangeThreads } from './ports.ts';

/** Blocks of a thread that wait for it or for their turn: one that it reads, and one behind it. */
const BLOCKS_PER_THREAD = 2;
/** The columns are settled within so many bytes, or the file is read by one thread. */
const MOST_HEAD_BYTES = 1024 * 1024;
/** After so many blocks in a row of which the file's thread reads most, threads are of no use to the file. */
const USELESS_BLOCKS = 16;

/** A block that was sent to a thread. */
interface Pending {
  readonly block: Block;
  readonly range: Promise<RangeResult>;
}

/** Shared with the threads: one that changes hands counts as new memory on each side, and has all of it collected. */
type Block = Uint8Array<SharedArrayBuffer>;

/** How a large file is read by several threads. */
export interface ParallelOptions {
  readonly setup: Omit<RangeSetup, 'head'>;
  readonly threads: RangeThreadSource;
  /** Called after each piece of work; other work of the process gets its turn in it. */
  readonly pause: (bytes: number) => Promise<void> | undefined;
}

/**
 * Reads one file by several threads. Blocks of it go to them in turn, each of which reads its block as if it began
 * outside of quotes; this one takes what they made of the blocks in the order of the file, where that assumption is
 * what the file's state is by then, and reads by itself what they have left, and any block that was read wrongly.
 *
 * That a block begins outside of quotes is never concluded from how many quotes come before it: in a file with a broken
 * quote, which is what is looked for, their number tells nothing.
 *
 * Of blocks there are at any time two for each thread, and one more.
 */
export class ParallelReading {
  readonly #inspection: Inspection;
  readonly #options: ParallelOptions;
  /** The first bytes, while it is not settled whether the file is read by several threads. */
  #head: Uint8Array[] | undefined = [];
  #headLength = 0;
  #threads: RangeThreads | undefined;
  /** The block that is being filled. */
  #block: Block = newBlock(0);
  #length = 0;
  #spare: Block[] = [];
  /** In the order of the file. */
  readonly #pending: Pending[] = [];
  #useless = 0;

  constructor(inspection: Inspection, options: ParallelOptions) {
    this.#inspection = inspection;
    this.#options = options;
  }

  /** Takes the next bytes of the text, which are the caller's again afterwards. */
  async write(chunk: Uint8Array): Promise<void> {
    if (this.#threads === undefined) {
      this.#inspection.read(chunk);
      await this.#options.pause(chunk.length);
      this.#mayBegin(chunk);
      return;
    }
    const { blockBytes } = this.#options.threads;
    for (let from = 0; from < chunk.length; ) {
      const part = chunk.subarray(from, from + blockBytes - this.#length);
      this.#block.set(part, this.#length);
      this.#length += part.length;
      from += part.length;
      if (this.#length < blockBytes) continue;
      await this.#send();
      if (this.#threads !== undefined) continue;
      await this.write(chunk.subarray(from));
      return;
    }
  }

  /** Judges what is left. */
  async end(): Promise<void> {
    await this.#settle();
    const rest = this.#block.subarray(0, this.#length);
    this.#length = 0;
    this.#inspection.read(rest);
    await this.#options.pause(rest.length);
  }

  /** Ends the threads; to be called in any case. */
  close(): void {
    this.#threads?.close();
    this.#threads = undefined;
  }

  #mayBegin(chunk: Uint8Array): void {
    const head = this.#head;
    if (head === undefined) return;
    head.push(Uint8Array.from(chunk));
    this.#headLength += chunk.length;
    const { setup, threads } = this.#options;
    if (this.#inspection.rangeContext !== undefined) {
      this.#threads = threads.open({ ...setup, head: joined(head, this.#headLength) });
      if (this.#threads !== undefined) this.#block = newBlock(threads.blockBytes);
      this.#head = undefined;
    } else if (this.#headLength > MOST_HEAD_BYTES) {
      this.#head = undefined;
    }
  }

  async #send(): Promise<void> {
    const threads = this.#threads as RangeThreads;
    const range = threads.read(this.#block);
    // It is waited for in its turn.
    range.catch(() => {});
    this.#pending.push({ block: this.#block, range });
    this.#length = 0;
    if (this.#pending.length >= threads.count * BLOCKS_PER_THREAD) await this.#take();
    if (this.#useless >= USELESS_BLOCKS) {
      await this.#settle();
      this.close();
    } else {
      this.#block = this.#spare.pop() ?? newBlock(this.#options.threads.blockBytes);
    }
  }

  async #settle(): Promise<void> {
    while (this.#pending.length > 0) await this.#take();
  }

  async #take(): Promise<void> {
    const { block, range } = this.#pending.shift() as Pending;
    const reading = this.#inspection.readRange(block, await range);
    let step = reading.next();
    for (; step.done !== true; step = reading.next()) await this.#options.pause(0);
    const isUseless = step.value * 2 > block.length;
    this.#useless = isUseless ? this.#useless + 1 : 0;
    this.#spare.push(block);
    await this.#options.pause(block.length);
  }
}

function newBlock(bytes: number): Block {
  return new Uint8Array(new SharedArrayBuffer(bytes));
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
