import { isUtf8 } from 'node:buffer';
import { createHash, randomFillSync } from 'node:crypto';
import { open } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { type InspectOptions, threadsOfFile } from '@file-processing/quality/inspect.ts';
import { blocksInHand } from '@file-processing/quality/parallel.ts';
import type { EnginePorts } from '@file-processing/quality/ports.ts';
import type { Config } from '../config.ts';
import { NODE_DECOMPRESSION } from './decompression.ts';
import { RangeThreadPool, threadsFor } from './range-threads.ts';
import { ScratchSpace } from './scratch-space.ts';

/** What Node gives to the quality engine; all inspections of a process share its scratch space and its threads. */
export function nodePorts(scratch: ScratchSpace, threads: RangeThreadPool): EnginePorts {
  return {
    createHash: () => createHash('sha256'),
    isUtf8,
    decompression: NODE_DECOMPRESSION,
    nextTurn: () => setImmediate(),
    // The getRandomValues of node:crypto would load all of Web Crypto.
    fillRandom: randomFillSync,
    openScratch: () => scratch.open(),
    rangeThreads: threads,
  };
}

/** What judges the files of one process. */
export interface Engine {
  readonly ports: EnginePorts;
  /** Memory for the keys of one file. */
  readonly maxKeyBytes: number;
  /** @default the engine's */
  readonly unpackLimits?: UnpackLimits;
}

type UnpackLimits = Pick<InspectOptions, 'maxUnpackedBytes' | 'maxCompressionRatio' | 'limitNames'>;

/** Made once: all files in hand share the scratch space and the threads. */
export function createEngine({
  keys,
  parallelBytes,
  unpack,
  workerConcurrency,
}: Pick<Config, 'keys' | 'parallelBytes' | 'unpack' | 'workerConcurrency'>): Engine {
  const scratch = new ScratchSpace({ maxBytes: keys.scratchBytes });
  const threads = threadsFor({ workerConcurrency, keyBytes: keys.memoryBytes });
  return {
    ports: nodePorts(scratch, new RangeThreadPool(parallelBytes, threads)),
    maxKeyBytes: keys.memoryBytes,
    unpackLimits: {
      maxUnpackedBytes: unpack.maxBytes,
      maxCompressionRatio: unpack.maxRatio,
      limitNames: {
        maxUnpackedBytes: 'MAX_UNPACKED_MIB (max_unpacked of the stack)',
        maxCompressionRatio: 'MAX_COMPRESSION_RATIO (max_compression_ratio of the stack)',
      },
    },
  };
}

const CHUNK_BYTES = 256 * 1024;

/** A file of this machine, as `inspectCsv` takes it. */
export interface FileSource {
  readonly chunks: AsyncGenerator<Uint8Array>;
  /** How many chunks hold their content at the same time. */
  readonly heldChunks: number;
}

/**
 * A file of this machine, read ahead by a chunk into the same memory over and over: what new memory for each chunk costs to
 * collect is as much as half of reading a file by several threads. Where several read it, they share that memory.
 *
 * @param sizeBytes as `InspectOptions` has it
 */
export function fileSource(path: string, ports: EnginePorts, sizeBytes?: number): FileSource {
  const rangeThreads = threadsOfFile(ports, sizeBytes);
  const isShared = rangeThreads !== undefined;
  const heldChunks = isShared ? blocksInHand(rangeThreads.mostPerFile) : 1;
  const memory = Array.from({ length: heldChunks + 1 }, () =>
    isShared ? rangeThreads.newBlock() : Buffer.allocUnsafeSlow(CHUNK_BYTES),
  );
  return { chunks: chunksInto(memory, path), heldChunks };
}

/** Each chunk holds its content until the memory's turn comes again. */
async function* chunksInto(
  memory: readonly Uint8Array[],
  path: string,
): AsyncGenerator<Uint8Array> {
  const file = await open(path);
  let turn = 0;
  const readNext = () => {
    const reading = file
      .read(memory[turn++ % memory.length] as Uint8Array)
      // The error of opening has the path, too; by it others tell of which file it is.
      .catch((error: Error) => Promise.reject(Object.assign(error, { path })));
    // It is seen in its turn, and must not end the process before.
    reading.catch(() => undefined);
    return reading;
  };
  let next = readNext();
  try {
    for (;;) {
      const { bytesRead, buffer } = await next;
      if (bytesRead === 0) return;
      next = readNext();
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await next.catch(() => undefined);
    await file.close();
  }
}

/** The ports with a scratch space of 1 GiB, and no threads. */
export const NODE_PORTS: EnginePorts = nodePorts(
  new ScratchSpace({ maxBytes: 2 ** 30 }),
  new RangeThreadPool(0),
);
