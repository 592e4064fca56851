import { availableParallelism } from 'node:os';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import type {
  RangeBlock,
  RangeResult,
  RangeSetup,
  RangeThreadSource,
  RangeThreads,
} from '@file-processing/quality/ports.ts';
import { freshBundle } from '../../bin/bundle.cjs';
import { fillBlock, pieceCopier } from './shared-memory.ts';

const MIB = 1024 * 1024;

/** Threads of one file: more than these are not kept busy by the one that hashes it and judges what they leave. */
const MOST_PER_FILE = 4;

/** What is between two blocks costs nothing then, and two for each thread take little memory. */
const BLOCK_BYTES = 2 * MIB;

/** Memory of a thread, with its blocks; measured are 35 to 50 MiB. */
const THREAD_BYTES = 50 * MIB;
/** Memory of the process beside the keys of files, as the stack has it: the process itself, and what it reads. */
const OTHER_BYTES = 256 * MIB;

/** What the memory of the process is for beside threads. */
export interface MemoryNeeds {
  readonly workerConcurrency: number;
  /** For the keys of one file. */
  readonly keyBytes: number;
}

/**
 * How many threads a process may have beside its own: as many as the machine runs at the same time with it, as far as
 * the memory that it is limited to is not for the keys of files.
 *
 * @param limitBytes of memory; more than the machine has, or 0, is none
 */
export function threadsFor(
  { workerConcurrency, keyBytes }: MemoryNeeds,
  parallelism = availableParallelism(),
  limitBytes = process.constrainedMemory(),
): number {
  const most = parallelism - 1;
  if (limitBytes === 0 || limitBytes > Number.MAX_SAFE_INTEGER) return most;
  const spare = limitBytes - OTHER_BYTES - workerConcurrency * keyBytes;
  return Math.max(0, Math.min(most, Math.floor(spare / THREAD_BYTES)));
}

/** A thread could not be begun, or has died. It says nothing about the file, which is read without it. */
export class RangeThreadError extends Error {
  override readonly name = 'RangeThreadError';
  readonly code = 'range-thread';

  constructor(reason: string, options?: ErrorOptions) {
    super(`a thread that read a part of the file ${reason}`, options);
  }
}

/** The threads that all files in hand share: with the process's own no more than the machine runs at the same time. */
export class RangeThreadPool implements RangeThreadSource {
  readonly leastBytes: number;
  readonly blockBytes: number;
  readonly mostPerFile: number;
  readonly #most: number;
  #used = 0;

  /**
   * @param parallelBytes size from which on a file is read by several threads; 0 is never
   * @param most threads beside that of the process, from 0
   */
  constructor(parallelBytes: number, most = availableParallelism() - 1, blockBytes = BLOCK_BYTES) {
    this.leastBytes = parallelBytes === 0 ? Infinity : parallelBytes;
    this.blockBytes = blockBytes;
    this.#most = most;
    this.mostPerFile = Math.min(most, MOST_PER_FILE);
  }

  /** Threads that have not ended. */
  get used(): number {
    return this.#used;
  }

  newBlock(): RangeBlock {
    return Buffer.from(new SharedArrayBuffer(this.blockBytes));
  }

  readonly fill = fillBlock;
  readonly pieceCopier = pieceCopier;

  /** Begins threads for a file, as far as there are some that no other file has; undefined where there are none. */
  open(setup: RangeSetup): RangeThreads | undefined {
    const count = Math.min(this.#most - this.#used, this.mostPerFile);
    if (count < 1) return undefined;
    const threads = this.#begin(count, setup);
    if (threads.length === 0) return undefined;
    return {
      count: threads.length,
      read: (block) => leastBusy(threads).read(block),
      close: () => {
        for (const thread of threads) thread.end();
      },
    };
  }

  /** As many as the system lets the process have. */
  #begin(count: number, setup: RangeSetup): readonly RangeThread[] {
    const entry = entryOfThread();
    const threads: RangeThread[] = [];
    try {
      while (threads.length < count) {
        const thread = new RangeThread(entry, setup, () => {
          this.#used--;
        });
        this.#used++;
        threads.push(thread);
      }
    } catch (error) {
      process.emitWarning(faultOf('could not be begun', error));
    }
    return threads;
  }
}

/** What a thread runs: from the bundle, where it is made of what runs here, a thread begins in a tenth of the CPU time. */
function entryOfThread(): URL {
  const source = new URL('./range-thread.ts', import.meta.url);
  const bundle = freshBundle(fileURLToPath(new URL('../..', source)), 'range-thread');
  return bundle === undefined ? source : pathToFileURL(bundle);
}

function faultOf(what: string, cause: unknown): RangeThreadError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new RangeThreadError(`${what}: ${reason}`, { cause });
}

function leastBusy(threads: readonly RangeThread[]): RangeThread {
  return threads.reduce((least, thread) => (thread.waiting < least.waiting ? thread : least));
}

/** Settles the promise of a block. */
interface Waiting {
  resolve(range: RangeResult): void;
  reject(error: Error): void;
}

class RangeThread {
  readonly #worker: Worker;
  /** For the blocks that it was sent, in order. */
  #waiting: Waiting[] = [];
  #fault: RangeThreadError | undefined;
  #isEnded = false;

  constructor(entry: URL, setup: RangeSetup, ended: () => void) {
    this.#worker = new Worker(entry, {
      workerData: setup,
      // It has no use for what is secret there.
      env: {},
    });
    this.#worker.on('message', (range: RangeResult) => this.#waiting.shift()?.resolve(range));
    this.#worker.on('messageerror', (error) => this.#fail(error));
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.on('exit', (code) => {
      this.#fail(new Error(`it ended with ${code}`));
      ended();
    });
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  read(block: RangeBlock): Promise<RangeResult> {
    if (this.#fault !== undefined) return Promise.reject(this.#fault);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#worker.postMessage(block);
    });
  }

  end(): void {
    this.#isEnded = true;
    this.#worker.terminate();
  }

  #fail(cause: unknown): void {
    if (this.#fault === undefined) {
      this.#fault = faultOf('died', cause);
      if (!this.#isEnded) process.emitWarning(this.#fault);
    }
    for (const { reject } of this.#waiting) reject(this.#fault);
    this.#waiting = [];
  }
}
