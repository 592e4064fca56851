import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { localPath } from './local-path.ts';
import {
  type ObjectStore,
  ObjectUnavailableError,
  type OpenedObject,
  type StoredObjectReference,
} from './object-store.ts';

const CHUNK_BYTES = 256 * 1024;

/** What a local file has in place of an ETag. Begins so that nobody takes it for one of S3. */
export function localETag(stats: { readonly size: bigint; readonly mtimeNs: bigint }): string {
  return `local-${stats.size}-${stats.mtimeNs}`;
}

/**
 * A folder that stands in for S3: `<root>/<bucket>/<key>`, else `<root>/<key>`.
 *
 * A version, and an ETag that S3 made, mean nothing here and are not compared; a {@link localETag}
 * is, before the first byte and after the last.
 */
export function createLocalStore(root: string): ObjectStore {
  return {
    async open(reference, signal) {
      signal.throwIfAborted();
      const path = await findFile(root, reference);
      // Not following a link that took the file's place since it was looked up.
      const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
      try {
        return await openedFile(file, reference, signal);
      } catch (error) {
        await file.close();
        throw error;
      }
    },
    close() {},
  };
}

async function findFile(root: string, { bucket, key }: StoredObjectReference): Promise<string> {
  const inBucket = isFolderName(bucket) ? await localPath(join(root, bucket), key) : undefined;
  if (inBucket !== undefined && 'path' in inBucket) return inBucket.path;
  const inRoot = await localPath(root, key);
  if ('path' in inRoot) return inRoot.path;
  throw new ObjectUnavailableError('object-gone', (inBucket ?? inRoot).missing);
}

function isFolderName(bucket: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(bucket);
}

async function openedFile(
  file: FileHandle,
  { key, eTag: announced }: StoredObjectReference,
  signal: AbortSignal,
): Promise<OpenedObject> {
  const stats = await file.stat({ bigint: true });
  if (!stats.isFile()) {
    throw new ObjectUnavailableError('object-gone', `${JSON.stringify(key)} is no regular file`);
  }
  const eTag = localETag(stats);
  if (announced?.startsWith('local-') && announced !== eTag) throw replaced(key);
  return { bytes: read(file, key, eTag, signal), sizeBytes: Number(stats.size), eTag };
}

async function* read(
  file: FileHandle,
  key: string,
  eTag: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  try {
    for (;;) {
      signal.throwIfAborted();
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(CHUNK_BYTES));
      if (bytesRead === 0) break;
      yield buffer.subarray(0, bytesRead);
    }
    // Written to while it was read: what was judged was never one state of the file.
    if (localETag(await file.stat({ bigint: true })) !== eTag) throw replaced(key);
  } finally {
    await file.close();
  }
}

function replaced(key: string): ObjectUnavailableError {
  return new ObjectUnavailableError(
    'object-replaced',
    `${JSON.stringify(key)} has changed since it was announced`,
  );
}
