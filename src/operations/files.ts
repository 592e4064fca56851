import { realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import process from 'node:process';

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
