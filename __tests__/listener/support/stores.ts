import { notChecked } from '../../../listener/src/storage/checksums.ts';
import type { ObjectName, ObjectStore } from '../../../listener/src/storage/object-store.ts';

/** A store in which every object has this content, or cannot be opened for this reason. */
export function storeOf(content: string | Error): ObjectStore {
  return {
    async open() {
      if (content instanceof Error) throw content;
      return {
        bytes: bytesOf(content),
        sizeBytes: Buffer.byteLength(content),
        compareChecksum: async () => notChecked(null, 'It is the store of a test.'),
      };
    },
    write: neverWritten,
    copy: neverWritten,
    deleteVersions: async () => 0,
    close() {},
  };
}

/** A store that keeps what is written, and refuses what a test says. */
export interface WritableStore extends ObjectStore {
  readonly written: readonly WrittenObject[];
  /** What the next writing ends with, instead of being kept. */
  refuseNext(error: Error): void;
}

/** An object as it was written. */
export interface WrittenObject extends ObjectName {
  readonly body: string;
}

/**
 * A {@link storeOf} that can be written to.
 *
 * @param onWrite called before a writing, which may take its time
 */
export function writableStoreOf(
  content: string | Error,
  onWrite?: () => Promise<void>,
): WritableStore {
  const written: WrittenObject[] = [];
  const refusals: Error[] = [];
  return {
    ...storeOf(content),
    written,
    refuseNext: (error) => refusals.push(error),
    async write(name, body, signal) {
      await onWrite?.();
      signal.throwIfAborted();
      const refusal = refusals.shift();
      if (refusal !== undefined) throw refusal;
      written.push({ ...name, body });
    },
  };
}

/** Of a store that is only read. */
export async function neverWritten(): Promise<never> {
  throw new Error('must not be written to');
}

async function* bytesOf(content: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(content);
}
