import type { ObjectStore } from '../../../listener/src/storage/object-store.ts';

/** A store in which every object has this content, or cannot be opened for this reason. */
export function storeOf(content: string | Error): ObjectStore {
  return {
    async open() {
      if (content instanceof Error) throw content;
      return { bytes: bytesOf(content), sizeBytes: Buffer.byteLength(content) };
    },
    close() {},
  };
}

async function* bytesOf(content: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(content);
}
