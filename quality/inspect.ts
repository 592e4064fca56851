import {
  ARCHIVE_SIGNATURE_BYTES,
  ArchiveFault,
  archiveOf,
  DEFAULT_MAX_COMPRESSION_RATIO,
  DEFAULT_MAX_UNPACKED_BYTES,
  type UnpackLimits,
  unpack,
} from './archive.ts';
import { ByteReader } from './byte-reader.ts';
import { compileExpectation, type Expectation } from './expectation.ts';
import { Inspection } from './inspection.ts';
import type { EnginePorts } from './ports.ts';
import type { QualityReport } from './report.ts';
import { DEFAULT_MAX_KEYS } from './uniqueness.ts';

/** Bytes after which other work of the process (heartbeats, requests) gets its turn. */
const BYTES_PER_TURN = 4 * 1024 * 1024;

export interface InspectOptions {
  /** @default structure and profile alone, comma and double quote, one header row */
  expectation?: Expectation;
  /** Faults listed in full, from 0, and 20 of each kind and column at most. Totals are always exact. @default 1000 */
  maxFaults?: number;
  /** Longest record in bytes, from 1; a longer one is a fault, and this is what memory is spent on. @default 8 MiB */
  maxRecordBytes?: number;
  /** Keys that uniqueness checks remember, from 0; see {@link DEFAULT_MAX_KEYS}. @default 6,291,456 */
  maxKeys?: number;
  /** Bytes that an archive may hold, from 1; more is a fault of the file. @default 64 GiB */
  maxUnpackedBytes?: number;
  /** Bytes that each byte of an archive may hold, from 1, once it holds 64 MiB; more is a fault. @default 250 */
  maxCompressionRatio?: number;
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
 * @throws {DescriptorError} with every problem of the expectation, before a byte is read
 * @throws {RangeError} for a limit out of its range
 * @throws whatever the signal was aborted with, or the source throws
 */
export async function inspectCsv(
  bytes: AsyncIterable<Uint8Array>,
  ports: EnginePorts,
  options: InspectOptions = {},
): Promise<QualityReport> {
  const inspection = createInspection(ports, options);
  const limits = unpackLimits(options);
  let delivered = 0;
  let turn = 0;
  async function* arriving(): AsyncGenerator<Uint8Array> {
    for await (const chunk of bytes) {
      options.signal?.throwIfAborted();
      inspection.deliver(chunk);
      delivered += chunk.length;
      yield chunk;
    }
  }
  const arrival = arriving();
  const source = new ByteReader(arrival);
  try {
    for await (const chunk of contentOf(source, inspection, ports, limits)) {
      options.signal?.throwIfAborted();
      inspection.read(chunk);
      options.onProgress?.(delivered, inspection.rows);
      turn += chunk.length;
      if (turn < BYTES_PER_TURN) continue;
      turn = 0;
      await ports.nextTurn();
    }
  } catch (error) {
    if (!(error instanceof ArchiveFault)) throw error;
    inspection.refuse(error);
    // Size and SHA-256 are those of the whole file.
    for await (const _ of source.chunks()) options.onProgress?.(delivered, 0);
  } finally {
    await arrival.return(undefined);
  }
  options.signal?.throwIfAborted();
  return inspection.end();
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
  yield* unpack(format, source, decompression, limits);
}

function unpackLimits(options: InspectOptions): UnpackLimits {
  const {
    maxUnpackedBytes = DEFAULT_MAX_UNPACKED_BYTES,
    maxCompressionRatio = DEFAULT_MAX_COMPRESSION_RATIO,
  } = options;
  checkLimit('maxUnpackedBytes', maxUnpackedBytes, 1, Number.MAX_SAFE_INTEGER);
  checkLimit('maxCompressionRatio', maxCompressionRatio, 1, 1_000_000);
  return { maxUnpackedBytes, maxCompressionRatio };
}

/** The synchronous core of {@link inspectCsv}, for bytes that are pushed; throws as it does. */
export function createInspection(ports: EnginePorts, options: InspectOptions = {}): Inspection {
  const {
    maxFaults = 1000,
    maxRecordBytes = 8 * 1024 * 1024,
    maxKeys = DEFAULT_MAX_KEYS,
  } = options;
  checkLimit('maxFaults', maxFaults, 0, 1_000_000);
  checkLimit('maxRecordBytes', maxRecordBytes, 1, 1024 * 1024 * 1024);
  checkLimit('maxKeys', maxKeys, 0, 1_000_000_000);
  return new Inspection(compileExpectation(options.expectation), ports, {
    maxFaults,
    maxRecordBytes,
    maxKeys,
    clock: options.clock ?? (() => performance.now()),
  });
}

function checkLimit(name: string, value: number, least: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  throw new RangeError(`${name} is ${value}; a whole number from ${least} to ${most} is needed`);
}
