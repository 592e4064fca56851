import { realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';

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
