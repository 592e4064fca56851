import {
  ARCHIVE_SIGNATURE_BYTES,
  ArchiveFault,
  archiveOf,
  DEFAULT_MAX_COMPRESSION_RATIO,
  DEFAULT_MAX_UNPACKED_BYTES,
  type LimitNames,
  type UnpackLimits,
  unpack,
} from './archive.ts';
import { ByteReader } from './byte-reader.ts';
import type { RowReader } from './checks/check.ts';
import type { AcceptedDelivery } from './delivery-rules.ts';
import { type CompiledExpectation, compileExpectation, type Expectation } from './expectation.ts';
import { Inspection, type PlainRowsOption } from './inspection.ts';
import { BYTES_AT_ONCE, ParallelReading } from './parallel.ts';
import type { CopyPiece, EnginePorts, RangeSetup, RangeThreadSource, Reference } from './ports.ts';
import { RangeReader } from './ranges.ts';
import type { QualityReport } from './report.ts';
import { useCompiledLoop } from './wasm-rows.ts';

/** Memory for the keys of all uniqueness checks of a file, in bytes, where nothing else is asked for: 128 MiB. */
export const DEFAULT_MAX_KEY_BYTES = 128 * 1024 * 1024;

const DEFAULT_MAX_RECORD_BYTES = 8 * 1024 * 1024;

/** Bytes after which other work of the process (heartbeats, requests) gets its turn. */
const BYTES_PER_TURN = 4 * 1024 * 1024;

/** Milliseconds after which it gets one whatever was read, since patterns and broken rows take longer. */
const TURN_MS = 50;

export interface InspectOptions {
  /** @default structure and profile alone, comma and double quote, one header row */
  expectation?: Expectation;
  /** One that was compiled before, in the place of {@link expectation}. */
  compiled?: CompiledExpectation;
  /** Faults listed in full, from 0, and 20 of each kind and column at most. Totals are always exact. @default 1000 */
  maxFaults?: number;
  /** Longest record in bytes, from 1; a longer one is a fault, and this is what memory is spent on. @default 8 MiB */
  maxRecordBytes?: number;
  /**
   * Memory, in bytes from 0, that the keys of all uniqueness checks may take together: 26 for each key where it is
   * used up, and next to nothing for integers that count up. Keys beyond it go through the port `openScratch`, if there is one.
   *
   * @default 128 MiB
   */
  maxKeyBytes?: number;
  /** Bytes that an archive may hold, from 1; more is a fault of the file. @default 64 GiB */
  maxUnpackedBytes?: number;
  /** Bytes that each byte of an archive may hold, from 1, once it holds 64 MiB; more is a fault. @default 250 */
  maxCompressionRatio?: number;
  /** What messages call these two limits. @default their names here */
  limitNames?: LimitNames;
  /**
   * Deliveries of the same monitored file that were accepted before this one, the last one first. @default not known:
   * rules that look at them are then not judged, and the report says so
   */
  history?: readonly AcceptedDelivery[];
  /** When it was delivered, as ISO 8601 has it: rules of freshness look at it. @default now */
  deliveredAt?: string;
  /** Keys of other files that foreign keys refer to. @default none: such foreign keys are then not judged, and the report says so */
  references?: readonly Reference[];
  /**
   * Whether rows in which nothing is unusual are read by a loop that is made for them, and by which. The report is the
   * same in any case; all but the default are for tests.
   *
   * @default true
   */
  plainRows?: PlainRowsOption;
  /** Whether the report has the distribution of each column's values. @default true */
  distributions?: boolean;
  /**
   * Bytes of the file, as they are delivered; the port `rangeThreads` has those that are read by several threads.
   *
   * @default not known: it is read by one thread
   */
  sizeBytes?: number;
  /**
   * How many chunks of the source hold their content at the same time, the one given last included. Threads read those in
   * shared memory where they are, if there are as many as `blocksInHand` (parallel.ts) says.
   *
   * @default 1
   */
  heldChunks?: number;
  /** Sees the rows whose structure is sound, beside the checks. @default none */
  rowReader?: RowReader;
  /** Called after each chunk with the bytes, as they were delivered, and the rows so far. */
  onProgress?(bytes: number, rows: number): void;
  /** Looked at before each chunk; give it to the stream as well, so that a stalled read ends too. */
  signal?: AbortSignal;
  /** Milliseconds, from any origin. @default performance.now */
  clock?: () => number;
}

/**
 * Judges a CSV file by its bytes, in one pass and in constant memory. What is wrong with the file is in the
 * report; nothing about the file throws.
 *
 * @param bytes a chunk may hold something else once the next one is asked for, or as many as {@link InspectOptions.heldChunks}
 * @throws {DescriptorError} with every problem of the expectation, before a byte is read
 * @throws {RangeError} for a limit out of its range
 * @throws whatever the signal was aborted with, or the source or a scratch file throws
 */
export async function inspectCsv(
  bytes: AsyncIterable<Uint8Array>,
  ports: EnginePorts,
  given: InspectOptions = {},
): Promise<QualityReport> {
  // The same for all threads that read the file.
  const options: InspectOptions = {
    deliveredAt: new Date().toISOString(),
    plainRows: loopOfFile(ports, given.sizeBytes),
    ...given,
  };
  const random: Int32Array<ArrayBuffer>[] = [];
  const fillRandom: EnginePorts['fillRandom'] = (words) => {
    ports.fillRandom(words);
    random.push(words.slice());
  };
  const inspection = createInspection({ ...ports, fillRandom }, options);
  try {
    await readContent(bytes, inspection, ports, options, random);
    options.signal?.throwIfAborted();
    for (const _step of inspection.settle()) {
      await ports.nextTurn();
      options.signal?.throwIfAborted();
    }
    return inspection.end();
  } finally {
    inspection.close();
  }
}

/** Reads a file to its end, in turns. */
async function readContent(
  bytes: AsyncIterable<Uint8Array>,
  inspection: Inspection,
  ports: EnginePorts,
  options: InspectOptions,
  random: readonly Int32Array<ArrayBuffer>[],
): Promise<void> {
  const limits = unpackLimits(options);
  let delivered = 0;
  let turn = 0;
  let turnBegan = performance.now();
  const pause = async (read: number): Promise<void> => {
    turn += read;
    if (turn < BYTES_PER_TURN && performance.now() - turnBegan < TURN_MS) return;
    await ports.nextTurn();
    options.signal?.throwIfAborted();
    turn = 0;
    turnBegan = performance.now();
  };
  async function* arriving(): AsyncGenerator<Uint8Array> {
    for await (const chunk of bytes) {
      options.signal?.throwIfAborted();
      inspection.deliver(chunk);
      delivered += chunk.length;
      yield chunk;
      // It was read, or is held until more have come.
      options.onProgress?.(delivered, inspection.rows);
    }
  }
  const arrival = arriving();
  const source = new ByteReader(arrival);
  const parallel = parallelReading(inspection, ports, options, random, pause);
  try {
    for await (const chunk of contentOf(source, inspection, ports, limits)) {
      options.signal?.throwIfAborted();
      if (parallel !== undefined && !inspection.isUnpacked) {
        await parallel.write(chunk);
        continue;
      }
      for (let from = 0; from < chunk.length; from += BYTES_AT_ONCE) {
        const part = chunk.subarray(from, from + BYTES_AT_ONCE);
        for (const _step of inspection.reading(part)) await pause(0);
        await pause(part.length);
      }
    }
    await parallel?.end();
  } catch (error) {
    if (!(error instanceof ArchiveFault)) throw error;
    inspection.refuse(error);
    // Size and SHA-256 are those of the whole file.
    for await (const _ of source.chunks());
  } finally {
    parallel?.close();
    await arrival.return(undefined);
  }
}

/** By the time that a loop in JavaScript has been compiled, a file of as many bytes is past it. */
const LEAST_WEBASSEMBLY_BYTES = 128 * 1024;

/**
 * What reads the plain rows of a file from the first one on.
 *
 * @param sizeBytes as {@link InspectOptions} has it
 */
export function loopOfFile(ports: EnginePorts, sizeBytes = 0): PlainRowsOption {
  const isLarge = sizeBytes >= LEAST_WEBASSEMBLY_BYTES;
  return isLarge || threadsOfFile(ports, sizeBytes) !== undefined ? 'webassembly' : true;
}

/**
 * Where the threads for a file come from; undefined where it is too small for them, or its size is not known.
 *
 * @param sizeBytes as {@link InspectOptions} has it
 */
export function threadsOfFile(
  { rangeThreads }: EnginePorts,
  sizeBytes = 0,
): RangeThreadSource | undefined {
  const isThere = rangeThreads !== undefined && rangeThreads.mostPerFile > 0;
  return isThere && sizeBytes >= rangeThreads.leastBytes ? rangeThreads : undefined;
}

/** What reads a file by several threads, where it is read so. */
function parallelReading(
  inspection: Inspection,
  ports: EnginePorts,
  options: InspectOptions,
  random: readonly Int32Array<ArrayBuffer>[],
  pause: (read: number) => Promise<void>,
): ParallelReading | undefined {
  const rangeThreads = threadsOfFile(ports, options.sizeBytes);
  if (rangeThreads === undefined) return undefined;
  const { maxRecordBytes = DEFAULT_MAX_RECORD_BYTES, compiled, expectation } = options;
  const { deliveredAt = '' } = options;
  return new ParallelReading(inspection, {
    setup: {
      ...{ expectation: compiled?.given ?? expectation ?? {}, maxRecordBytes, random },
      deliveredAt,
    },
    threads: rangeThreads,
    openReader: (setup) => openRangeReader(setup, ports.isUtf8, rangeThreads.pieceCopier()),
    heldChunks: options.heldChunks ?? 1,
    pause,
  });
}

/**
 * What reads ranges of a file in a thread of its own.
 *
 * @param isUtf8 as {@link EnginePorts} has it
 */
export function openRangeReader(
  setup: RangeSetup,
  isUtf8: EnginePorts['isUtf8'],
  copyPiece: CopyPiece,
): RangeReader {
  const { deliveredAt, expectation, head, loop, maxRecordBytes } = setup;
  if (loop !== undefined) useCompiledLoop(loop);
  const random = [...setup.random];
  const ports: EnginePorts = {
    createHash: () => ({ update: () => undefined, digest: () => '' }),
    isUtf8,
    nextTurn: async () => {},
    fillRandom: (words) => words.set(random.shift() ?? []),
  };
  const inspection = createInspection(ports, {
    compiled: compileExpectation(expectation),
    maxRecordBytes,
    deliveredAt,
    plainRows: 'webassembly',
  });
  inspection.read(head);
  const context = inspection.rangeContext;
  if (context === undefined) throw new Error('ranges of this file cannot be read');
  return new RangeReader(context, copyPiece);
}

/** What a file holds: its own bytes, or those that it was packed from. */
async function* contentOf(
  source: ByteReader,
  inspection: Inspection,
  ports: EnginePorts,
  limits: UnpackLimits,
): AsyncGenerator<Uint8Array> {
  const head = await source.peek(ARCHIVE_SIGNATURE_BYTES);
  const { decompression } = ports;
  const format = archiveOf(head, decompression);
  if (format === undefined || decompression === undefined) {
    yield* source.chunks();
    return;
  }
  inspection.unpackFrom(format);
  source.copy();
  yield* unpack(format, source, decompression, limits);
}

function unpackLimits(options: InspectOptions): UnpackLimits {
  const {
    maxUnpackedBytes = DEFAULT_MAX_UNPACKED_BYTES,
    maxCompressionRatio = DEFAULT_MAX_COMPRESSION_RATIO,
    limitNames,
  } = options;
  checkLimit('maxUnpackedBytes', maxUnpackedBytes, 1, Number.MAX_SAFE_INTEGER);
  checkLimit('maxCompressionRatio', maxCompressionRatio, 1, 1_000_000);
  return { maxUnpackedBytes, maxCompressionRatio, limitNames };
}

/** The synchronous core of {@link inspectCsv}, for bytes that are pushed; it throws as that does, and is then to be closed. */
export function createInspection(ports: EnginePorts, options: InspectOptions = {}): Inspection {
  const {
    maxFaults = 1000,
    maxRecordBytes = DEFAULT_MAX_RECORD_BYTES,
    maxKeyBytes = DEFAULT_MAX_KEY_BYTES,
  } = options;
  checkLimit('maxFaults', maxFaults, 0, 1_000_000);
  checkLimit('maxRecordBytes', maxRecordBytes, 1, 1024 * 1024 * 1024);
  checkLimit('maxKeyBytes', maxKeyBytes, 0, 64 * 1024 * 1024 * 1024);
  const expectation = options.compiled ?? compileExpectation(options.expectation);
  return new Inspection(expectation, ports, {
    maxFaults,
    maxRecordBytes,
    maxKeyBytes,
    history: options.history,
    deliveredAt: options.deliveredAt === undefined ? Date.now() : Date.parse(options.deliveredAt),
    references: options.references ?? [],
    plainRows: options.plainRows ?? true,
    distributions: options.distributions ?? true,
    rowReader: options.rowReader,
    clock: options.clock ?? (() => performance.now()),
  });
}

function checkLimit(name: string, value: number, least: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  throw new RangeError(`${name} is ${value}; a whole number from ${least} to ${most} is needed`);
}
