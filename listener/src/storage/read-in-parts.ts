import { inSpan } from '../tracing/tracing.ts';

const MIB = 1024 * 1024;

/** Objects below it are read by one request: parts would only add requests. */
export const PARTS_FROM_BYTES = 16 * MIB;
/** Size of each part but the last. */
export const PART_BYTES = 8 * MIB;
/** Parts that are in hand at the same time: 64 MiB. */
export const PARTS_IN_HAND = 8;
/** How often one part goes on after its connection broke; a job's next attempt begins anew. */
const RESUMPTIONS_OF_A_PART = 3;

/** An object that is read by {@link readInParts}. */
export interface PartedObject {
  readonly sizeBytes: number;
  /** The whole object, as it was opened; in parts, no more than the first is read of it. */
  readonly opened: AsyncIterable<Uint8Array>;
  /** Asks for the bytes from `start` to before `end`. What it throws ends the reading. */
  request(start: number, end: number, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
}

/**
 * Reads an object to its end: a small one as it was opened, a large one by parts that are fetched at the same time
 * and given in order, since one connection to S3 brings 85 to 90 MB/s (Amazon S3 user guide, "Performance design
 * patterns for Amazon S3", on concurrent byte-range requests of 8 to 16 MB). A part whose connection breaks goes on
 * where it ended.
 *
 * @param slots bounds the parts in memory, of all objects that share it
 * @throws Error where connections of one part broke too often, what `request` throws, or the signal's reason
 */
export async function* readInParts(
  object: PartedObject,
  slots: Slots,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const { sizeBytes, opened } = object;
  if (sizeBytes < PARTS_FROM_BYTES) {
    yield* readPart(object, 0, sizeBytes, signal, opened);
    return;
  }
  const abandoned = new AbortController();
  const ending = AbortSignal.any([signal, abandoned.signal]);
  const fetched: Promise<FetchedPart>[] = [];
  let next = PART_BYTES;
  const fetchMore = () => {
    while (fetched.length < PARTS_IN_HAND && next < sizeBytes) {
      const part = fetchPart(object, next, Math.min(next + PART_BYTES, sizeBytes), slots, ending);
      // Its error is thrown in its turn; until then it is not an unhandled one.
      part.catch(() => undefined);
      fetched.push(part);
      next += PART_BYTES;
    }
  };
  try {
    fetchMore();
    yield* readPart(object, 0, PART_BYTES, ending, opened);
    for (let part = fetched.shift(); part !== undefined; part = fetched.shift()) {
      const { chunks, release } = await part;
      try {
        yield* chunks;
      } finally {
        release();
      }
      fetchMore();
    }
  } finally {
    abandoned.abort();
    for (const part of fetched) {
      part.then(
        ({ release }) => release(),
        () => undefined,
      );
    }
  }
}

interface FetchedPart {
  readonly chunks: readonly Uint8Array[];
  /** Gives its slot back, once its bytes are no longer needed. */
  release(): void;
}

async function fetchPart(
  object: PartedObject,
  start: number,
  end: number,
  slots: Slots,
  signal: AbortSignal,
): Promise<FetchedPart> {
  const release = await slots.take(signal);
  try {
    const attributes = { 'file_processing.range': `${start}-${end - 1}` };
    const chunks = await inSpan('read part', { attributes }, async () => {
      const read: Uint8Array[] = [];
      for await (const chunk of readPart(object, start, end, signal)) read.push(chunk);
      return read;
    });
    return { chunks, release };
  } catch (error) {
    release();
    throw error;
  }
}

async function* readPart(
  object: PartedObject,
  start: number,
  end: number,
  signal: AbortSignal,
  opened?: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let source: AsyncIterable<Uint8Array> | readonly Uint8Array[] | undefined = opened;
  let at = start;
  for (let cuts = 0; ; cuts += 1) {
    // Cut short only where more follows: a connection that was read to its end is used again.
    const goesOn = source !== undefined && end < object.sizeBytes;
    source ??= at < end ? await object.request(at, end, signal) : [];
    let cause: unknown = 'it ended';
    try {
      for await (const chunk of source) {
        const wanted = chunk.subarray(0, end - at);
        at += wanted.length;
        yield wanted;
        if (at === end && goesOn) return;
      }
    } catch (error) {
      cause = error;
    }
    signal.throwIfAborted();
    if (at === end) return;
    if (cuts === RESUMPTIONS_OF_A_PART) {
      const reason = cause instanceof Error ? cause.message : cause;
      throw new Error(
        `the connection broke ${cuts + 1} times, the last time after ${at} of ${object.sizeBytes} bytes: ${reason}`,
        { cause },
      );
    }
    source = undefined;
  }
}

/** A number of slots that are given to whoever has waited longest. */
export class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  /** Waits for a slot. @returns what gives it back @throws the signal's reason */
  async take(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#free > 0) this.#free -= 1;
    else await this.#turn(signal);
    let held = true;
    return () => {
      if (held) this.#giveBack();
      held = false;
    };
  }

  async #turn(signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const abort = () => {
      const index = this.#waiting.indexOf(resolve);
      if (index >= 0) this.#waiting.splice(index, 1);
      reject(signal.reason);
    };
    signal.addEventListener('abort', abort, { once: true });
    this.#waiting.push(resolve);
    await promise.finally(() => signal.removeEventListener('abort', abort));
  }

  #giveBack(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}
