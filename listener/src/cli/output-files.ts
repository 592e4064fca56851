import { readlink, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { makeFolder } from '@file-processing/contract/make-folder.ts';
import { UsageError } from './command-context.ts';

/**
 * Makes the folder that a command writes to; one that is there stays as it is.
 *
 * @throws {UsageError} where it can't be made
 */
export function makeOutputFolder(folder: string): void {
  try {
    makeFolder(folder);
  } catch (error) {
    throw unwritable(folder, error);
  }
}

/**
 * Writes a file in place of what is there: all of it or, on a full disk, nothing. A link is followed, also one that
 * leads to nothing yet; a device or a pipe, such as /dev/stdout, is written to and stays what it is.
 *
 * @throws {UsageError} where it can't be written
 */
export async function writeOutputFile(path: string, text: string): Promise<void> {
  if (path.includes('\uFFFD')) throw new UsageError(`${path} can't be written to: ${NOT_UTF8}`);
  try {
    const there = await stat(path).catch(() => undefined);
    if (there !== undefined && !there.isFile()) return await writeFile(path, text);
    await replaceFile(await destinationOf(path), text);
  } catch (error) {
    throw unwritable(path, error);
  }
}

async function destinationOf(path: string): Promise<string> {
  return realpath(path).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    const target = await readlink(path).catch(() => undefined);
    return target === undefined ? path : destinationOf(resolve(dirname(path), target));
  });
}

async function replaceFile(path: string, text: string): Promise<void> {
  const unfinished = `${path}.unfinished`;
  try {
    await writeFile(unfinished, text);
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}

const NOT_UTF8 = 'its name is not UTF-8';

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'this process may not write there',
  EDQUOT: 'the disk quota is used up',
  EEXIST: 'something that is not a folder has that name',
  EILSEQ: NOT_UTF8,
  EISDIR: 'it is a folder',
  ENOENT: 'there is no folder for it',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'part of its path is not a folder',
  EPERM: 'this process may not write there',
  EROFS: 'the file system is read-only',
};

/** An error of the file system as one of the caller. @param path as it was named */
export function unwritable(path: string, error: unknown): UsageError {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return new UsageError(`${path} can't be written to: ${REASONS[code] ?? message}`);
}
