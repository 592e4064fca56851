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
  /** Called after each chunk with the bytes and rows so far. */
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
  let total = 0;
  let turn = 0;
  for await (const chunk of bytes) {
    options.signal?.throwIfAborted();
    inspection.write(chunk);
    total += chunk.length;
    options.onProgress?.(total, inspection.rows);
    if (total - turn < BYTES_PER_TURN) continue;
    turn = total;
    await ports.nextTurn();
  }
  options.signal?.throwIfAborted();
  return inspection.end();
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
