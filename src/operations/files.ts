import { realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import process from 'node:process';
import { EXIT, OperationError } from './operation-error.ts';

/**
 * Replaces the text of a file that exists, in one step: whoever reads it meanwhile, or a disk that
 * is full, finds the old text. A link stays one, and so does who may read it: a tfvars file may hold
 * a password.
 */
export function replaceFile(path: string, text: string): void {
  const file = realpathSync(path);
  const unfinished = `${file}.new`;
  try {
    writeFileSync(unfinished, text, { mode: statSync(file).mode & 0o777, flag: 'wx' });
    renameSync(unfinished, file);
  } catch (error) {
    if (!isExisting(error)) rmSync(unfinished, { force: true });
    throw error;
  }
}

/** Somebody else's file of that name is not ours to remove. */
function isExisting(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EEXIST';
}

/**
 * Writes the file that --output names.
 *
 * @throws OperationError (usage) where it can't be written
 */
export async function writeOutput(path: string, text: string): Promise<void> {
  try {
    // Node has replaced bytes that are not UTF-8: another file would be written.
    if (path.includes('\uFFFD')) throw Object.assign(new Error('not UTF-8'), { code: 'EILSEQ' });
    await writeFile(path, text);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new OperationError(`--output ${path} can't be written (${code})`, {
      next: 'name a file in a folder that is there and that this user may write to',
      code: EXIT.usage,
      cause,
    });
  }
}

/**
 * Works with a file or folder that must not be left behind, whatever happens: it is removed after the
 * work, and when an interrupt ends the process before.
 *
 * @param path - need not exist yet
 */
export async function removedAtExit<T>(path: string, work: () => Promise<T>): Promise<T> {
  const remove = () => rmSync(path, { recursive: true, force: true });
  process.once('exit', remove);
  try {
    return await work();
  } finally {
    process.off('exit', remove);
    remove();
  }
}
