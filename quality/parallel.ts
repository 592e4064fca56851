import type { Inspection } from './inspection.ts';
import type {
  RangeBlock,
  RangeResult,
  RangeSetup,
  RangeThreadSource,
  RangeThreads,
} from './ports.ts';
import { NOTHING_READ, type RangeReader } from './ranges.ts';
import { compiledLoop } from './wasm-rows.ts';

/** Blocks that a thread was sent at most: one that it reads, and two behind it. */
const BLOCKS_PER_THREAD = 3;
/** Blocks that this thread reads ahead of their turn at most, while the others have as many as that. */
const OWN_BLOCKS = 3;
/** Bytes read at once, so that what a source delivers in one piece is not a turn by itself. */
export const BYTES_AT_ONCE = 256 * 1024;
/** The columns are settled within so many bytes, or the file is read by one thread. */
const MOST_HEAD_BYTES = 1024 * 1024;
/** After so many blocks in a row of which the file's thread reads most, threads are of no use to the file. */
const USELESS_BLOCKS = 16;

/**
 * How many blocks of a file hold their content at the same time, the one that came last included, where so many
 * threads read it beside its own.
 */
export function blocksInHand(threads: number): number {
  return threads * BLOCKS_PER_THREAD + OWN_BLOCKS;
}

/** A block that waits for its turn. */
interface Pending {
  readonly block: RangeBlock;
  /** Whether it is to be filled again; a chunk of the source is not. */
  readonly isFilledHere: boolean;
  readonly range: Promise<RangeResult>;
  isRead: boolean;
}

/** How a large file is read by several threads. */
export interface ParallelOptions {
  readonly setup: Omit<RangeSetup, 'head' | 'loop'>;
  readonly threads: RangeThreadSource;
  /** Opens what reads ranges in this thread. */
  readonly openReader: (setup: RangeSetup) => RangeReader;
  /** As `InspectOptions` has it. */
  readonly heldChunks: number;
  /** Called after each piece of work; other work of the process gets its turn in it. */
  readonly pause: (bytes: number) => Promise<void> | undefined;
}

/**
 * Reads one file by several threads. Each block of it is read by one of them as if it began outside of
 * quotes, and so by this one, where all others have enough to do: it would only wait. This one takes what was made of
 * the blocks in the order of the file, where that assumption is what the file's state is by then, and reads what was
 * left, and any block that was read wrongly, as it reads a file by itself. Where a thread dies, it reads the rest alone.
 *
 * That a block begins outside of quotes is never concluded from how many quotes come before it: in a file with a broken
 * quote, which is what is looked for, their number tells nothing.
 *
 * A block is a chunk of the source where that is shared memory and stays as it is, else a copy. There are {@link blocksInHand}
 * at any time, and the one that is being filled.
 */
export class ParallelReading {
  readonly #inspection: Inspection;
  readonly #options: ParallelOptions;
  /** The first bytes, while it is not settled whether the file is read by several threads. */
  #head: Uint8Array[] | undefined = [];
  #headLength = 0;
  #threads: RangeThreads | undefined;
  #own: RangeReader | undefined;
  /** Blocks that the other threads have to read. */
  #sent = 0;
  /** The block that is being filled. */
  #block: RangeBlock | undefined;
  #length = 0;
  #spare: RangeBlock[] = [];
  /** In the order of the file. */
  readonly #pending: Pending[] = [];
  #useless = 0;
  #hasThreadDied = false;

  constructor(inspection: Inspection, options: ParallelOptions) {
    this.#inspection = inspection;
    this.#options = options;
  }

  /** Takes the next bytes of the text, which are the caller's again afterwards. */
  async write(chunk: Uint8Array): Promise<void> {
    for (let rest = chunk; rest.length > 0; ) {
      if (this.#threads === undefined) rest = await this.#readHere(rest);
      else if (this.#staysInPlace(rest)) return this.#send(rest, false);
      else rest = await this.#fill(rest);
    }
  }

  /** What these return is left of the chunk. */
  async #readHere(chunk: Uint8Array): Promise<Uint8Array> {
    const part = chunk.subarray(0, BYTES_AT_ONCE);
    await this.#inTurns(this.#inspection.reading(part));
    await this.#options.pause(part.length);
    this.#mayBegin(part);
    return chunk.subarray(part.length);
  }

  /** Whether threads see the chunk as it is, for as long as they may need it. */
  #staysInPlace(chunk: Uint8Array): chunk is RangeBlock {
    return (
      this.#length === 0 &&
      this.#options.heldChunks >= blocksInHand(this.#threads?.count ?? Infinity) &&
      chunk.buffer instanceof SharedArrayBuffer
    );
  }

  async #fill(chunk: Uint8Array): Promise<Uint8Array> {
    const { threads } = this.#options;
    this.#block ??= this.#spare.pop() ?? threads.newBlock();
    const part = chunk.subarray(0, threads.blockBytes - this.#length);
    threads.fill(this.#block, part, this.#length);
    this.#length += part.length;
    if (this.#length === threads.blockBytes) await this.#send(this.#block, true);
    return chunk.subarray(part.length);
  }

  /** Judges what is left. */
  async end(): Promise<void> {
    await this.#settle();
    const rest = this.#block?.subarray(0, this.#length);
    if (rest === undefined) return;
    await this.#inTurns(this.#inspection.reading(rest));
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
      const whole = { ...setup, head: joined(head, this.#headLength), loop: compiledLoop() };
      this.#threads = threads.open(whole);
      if (this.#threads !== undefined) this.#own = this.#options.openReader(whole);
      this.#head = undefined;
    } else if (this.#headLength > MOST_HEAD_BYTES) {
      this.#head = undefined;
    }
  }

  /** Gives a block to a thread, or reads it. */
  async #send(block: RangeBlock, isFilledHere: boolean): Promise<void> {
    const threads = this.#threads as RangeThreads;
    this.#block = undefined;
    this.#length = 0;
    const isSent = this.#sent < threads.count * BLOCKS_PER_THREAD;
    const range = isSent ? this.#readThere(block) : Promise.resolve(await this.#readAhead(block));
    const pending = { block, isFilledHere, range, isRead: !isSent };
    this.#pending.push(pending);
    if (isSent) this.#awaitSent(pending);
    while (this.#pending[0]?.isRead === true) await this.#take();
    if (this.#pending.length >= blocksInHand(threads.count)) await this.#take();
    if (this.#hasThreadDied || this.#useless >= USELESS_BLOCKS) {
      await this.#settle();
      this.close();
    }
  }

  async #readThere(block: RangeBlock): Promise<RangeResult> {
    this.#sent++;
    try {
      return await (this.#threads as RangeThreads).read(block);
    } catch {
      // That says nothing about the file, of which the block is still here.
      this.#hasThreadDied = true;
      return NOTHING_READ;
    } finally {
      this.#sent--;
    }
  }

  async #awaitSent(pending: Pending): Promise<void> {
    await pending.range;
    pending.isRead = true;
  }

  #readAhead(block: RangeBlock): Promise<RangeResult> {
    return this.#inTurns((this.#own as RangeReader).steps(block));
  }

  /** Does work to its end, and has other work of the process done between its steps. */
  async #inTurns<T>(work: Generator<void, T>): Promise<T> {
    let step = work.next();
    for (; step.done !== true; step = work.next()) await this.#options.pause(0);
    return step.value;
  }

  async #settle(): Promise<void> {
    while (this.#pending.length > 0) await this.#take();
  }

  async #take(): Promise<void> {
    const { block, isFilledHere, range } = this.#pending.shift() as Pending;
    const readHere = await this.#inTurns(this.#inspection.readRange(block, await range));
    const isUseless = readHere * 2 > block.length;
    this.#useless = isUseless ? this.#useless + 1 : 0;
    if (isFilledHere) this.#spare.push(block);
    await this.#options.pause(block.length);
  }
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
