import { createHash, randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import {
  type FileHandle,
  mkdir,
  open,
  realpath,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, sep } from 'node:path';
import { notChecked } from './checksums.ts';
import {
  type ObjectName,
  type ObjectStore,
  ObjectUnavailableError,
  type StoredObjectReference,
  StoreError,
} from './object-store.ts';

const CHUNK_BYTES = 256 * 1024;

/** What a local file has in place of an ETag. It begins so that it is not taken for one of S3. */
export function localETag(stats: { readonly size: bigint; readonly mtimeNs: bigint }): string {
  return `local-${stats.size}-${stats.mtimeNs}`;
}

/**
 * A folder that stands in for S3: `<root>/<bucket>/<key>`, else `<root>/<key>`.
 *
 * A version, and an ETag that S3 made, mean nothing here and are not compared; the size is, and a
 * {@link localETag} before the first byte and after the last. A file is written where it would be read: in the
 * bucket's folder where there is one, else in the root.
 */
export function createLocalStore(root: string): ObjectStore {
  return {
    isLocal: true,
    async open(reference, signal) {
      signal.throwIfAborted();
      const { key, eTag: expected, sizeBytes: expectedBytes } = reference;
      const path = await findFile(root, reference);
      const stats = await stat(path, { bigint: true });
      if (!stats.isFile()) {
        const name = JSON.stringify(key);
        throw new ObjectUnavailableError('object-gone', `${name} is not a regular file`);
      }
      const eTag = localETag(stats);
      const sizeBytes = Number(stats.size);
      if (expected?.startsWith('local-') && expected !== eTag) throw replaced(key);
      if (expectedBytes !== undefined && expectedBytes !== sizeBytes) throw replaced(key);
      return {
        bytes: read(path, { key, eTag, sizeBytes }, signal),
        sizeBytes,
        eTag,
        compareChecksum: async () => notChecked(null, 'A folder keeps no checksums.'),
      };
    },
    async write(name, body, signal) {
      signal.throwIfAborted();
      try {
        await writeFileFor(root, name, body, () => undefined);
      } catch (error) {
        throw new StoreError(`${name.bucket}/${name.key} can't be written in ${root}`, error);
      }
    },
    async copy(source, target, { sha256, signal }) {
      signal.throwIfAborted();
      const { bytes } = await this.open(source, signal);
      const hash = createHash('sha256');
      const hashed = async function* () {
        for await (const chunk of bytes) {
          hash.update(chunk);
          yield chunk;
        }
      };
      const compare = () => {
        if (sha256 === null) return notChecked(null, 'The file was not read to its end.');
        const found = hash.digest('hex');
        if (found !== sha256) throw new Error(`the file has SHA-256 ${found}, and not ${sha256}`);
        return { status: 'compared', algorithm: 'SHA256', reason: null } as const;
      };
      try {
        return await writeFileFor(root, target, hashed(), compare);
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof ObjectUnavailableError) throw error;
        throw new StoreError(`${target.bucket}/${target.key} can't be written in ${root}`, error);
      }
    },
    async deleteVersions({ bucket, key }, signal) {
      signal.throwIfAborted();
      try {
        const inBucket = isFolderName(bucket)
          ? await localPath(join(root, bucket), key)
          : undefined;
        const place =
          inBucket !== undefined && 'path' in inBucket ? inBucket : await localPath(root, key);
        if (!('path' in place)) return 0;
        await rm(place.path);
        return 1;
      } catch (error) {
        throw new StoreError(`${bucket}/${key} can't be deleted in ${root}`, error);
      }
    },
    close() {},
  };
}

/**
 * Under another name first, so that a reader finds all of the file or nothing.
 *
 * @param check looks at what was written before it is there; what it throws keeps it away
 */
async function writeFileFor<T>(
  root: string,
  { bucket, key }: ObjectName,
  body: string | AsyncIterable<Uint8Array>,
  check: () => T,
): Promise<T> {
  const inBucket = isFolderName(bucket) ? await localPath(root, bucket) : undefined;
  const folder = inBucket !== undefined && 'path' in inBucket ? inBucket.path : root;
  const path = await newLocalPath(folder, key);
  const unfinished = join(dirname(path), `.${randomUUID()}.unfinished`);
  try {
    await writeFile(unfinished, body, { flag: 'wx' });
    const checked = check();
    await rename(unfinished, path);
    return checked;
  } finally {
    await rm(unfinished, { force: true });
  }
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

async function* read(
  path: string,
  { key, eTag, sizeBytes }: { key: string; eTag: string; sizeBytes: number },
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  let file: FileHandle | undefined;
  let count = 0;
  try {
    // Opened with the first read, so that a reader who reads nothing leaves nothing open. A link that took
    // the file's place since it was looked up is not followed.
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    while (count <= sizeBytes) {
      signal.throwIfAborted();
      // One byte more than there should be shows a file that grows. No more, as most files are small.
      const length = Math.min(CHUNK_BYTES, sizeBytes - count + 1);
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(length));
      if (bytesRead === 0) break;
      count += bytesRead;
      yield buffer.subarray(0, bytesRead);
      // There was not one byte more.
      if (count === sizeBytes && bytesRead < length) break;
    }
    // Also of a file that took its place before it was opened.
    await refuseChange(file, key, eTag);
    if (count !== sizeBytes) throw new Error(`${count} bytes came of ${sizeBytes}`);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ObjectUnavailableError) throw error;
    throw new StoreError(`${path} can't be read`, error);
  } finally {
    await file?.close();
  }
}

/** Written to meanwhile: what was read would never have been one state of the file. */
async function refuseChange(file: FileHandle, key: string, eTag: string): Promise<void> {
  if (localETag(await file.stat({ bigint: true })) !== eTag) throw replaced(key);
}

function replaced(key: string): ObjectUnavailableError {
  return new ObjectUnavailableError(
    'object-replaced',
    `${JSON.stringify(key)} has changed since its event notification`,
  );
}

/**
 * The file below a folder that stands for a key, after all symbolic links.
 *
 * A key is untrusted text, so what leads out of the folder is refused, whether by `..`, by an
 * absolute path or by a link; so are keys that a file system would take for another key (an empty
 * or `.` segment).
 *
 * @returns the path, or why there is none
 */
export async function localPath(
  folder: string,
  key: string,
): Promise<{ path: string } | { missing: string }> {
  const problem = problemOf(key);
  if (problem !== undefined)
    return { missing: `${JSON.stringify(key)} is not a local file: ${problem}` };
  try {
    const root = await realpath(folder);
    const path = await realpath(join(root, ...key.split('/')));
    if (path === root || leadsOut(root, path)) {
      return { missing: `${JSON.stringify(key)} leads out of ${folder}` };
    }
    return { path };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG'].includes(String(code))) {
      return { missing: `there is no ${JSON.stringify(key)} in ${folder}` };
    }
    throw error;
  }
}

/**
 * The path below a folder that a new file for a key gets, its folders made. As in {@link localPath},
 * what leads out of the folder is refused: each part is looked at before the next one is made.
 *
 * @throws Error that says why there is none
 */
async function newLocalPath(folder: string, key: string): Promise<string> {
  const problem = problemOf(key);
  if (problem !== undefined) throw new Error(`it is not a local file: ${problem}`);
  const root = await realpath(folder);
  const segments = key.split('/');
  const name = segments.pop() ?? '';
  let parent = root;
  for (const segment of segments) {
    const path = join(parent, segment);
    await mkdir(path).catch(unlessThere);
    parent = await realpath(path);
    if (leadsOut(root, parent)) throw new Error(`it leads out of ${folder}`);
  }
  return join(parent, name);
}

function unlessThere(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}

function leadsOut(root: string, path: string): boolean {
  const below = relative(root, path);
  return below.split(sep)[0] === '..' || isAbsolute(below);
}

function problemOf(key: string): string | undefined {
  if (key.includes('\0')) return 'it has a NUL';
  if (isAbsolute(key)) return 'it is an absolute path';
  // A separator on some systems, part of a name on others.
  if (key.includes('\\')) return 'it has a backslash';
  const odd = key.split('/').find((segment) => ['', '.', '..'].includes(segment));
  return odd === undefined ? undefined : `it has the segment ${JSON.stringify(odd)}`;
}
