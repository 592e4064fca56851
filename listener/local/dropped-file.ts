import { stat } from 'node:fs/promises';
import { relative, sep } from 'node:path';
import { localETag } from '../src/storage/local-store.ts';

/** One state of a file in the drop folder, as the object that S3 would have made of it. */
export interface DroppedFile {
  /** The folder's first level. */
  readonly bucket: string;
  readonly key: string;
  readonly sizeBytes: number;
  /** Changes with the content, as far as size and time tell. */
  readonly eTag: string;
  /** Hexadecimal; grows with the time of the last change. */
  readonly sequencer: string;
}

/**
 * Describes a file of the drop folder.
 *
 * @returns undefined when it is gone by now, is not a regular file, or is not in a bucket
 */
export async function droppedFile(root: string, path: string): Promise<DroppedFile | undefined> {
  const [bucket, ...segments] = relative(root, path).split(sep);
  if (bucket === undefined || segments.length === 0) return undefined;
  const stats = await stat(path, { bigint: true }).catch(() => undefined);
  if (!stats?.isFile()) return undefined;
  return {
    bucket,
    key: segments.join('/'),
    sizeBytes: Number(stats.size),
    eTag: localETag(stats),
    sequencer: stats.mtimeNs.toString(16).toUpperCase().padStart(16, '0'),
  };
}
