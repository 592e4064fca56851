import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Makes a folder and those that it lies in; a folder that is there stays as it is.
 *
 * In place of Node's own recursive `mkdir`, which never returns where the system answers ENOENT below a folder that exists,
 * as /proc does.
 *
 * @returns whether the folder was made
 * @throws as `node:fs` does; EEXIST where a file, or a link to nothing, has the name; EILSEQ for a name that is not UTF-8:
 * Node has replaced its bytes by U+FFFD, so that another folder would be made
 */
export function makeFolder(path: string): boolean {
  if (path.includes('\uFFFD')) {
    const details = { code: 'EILSEQ', path, syscall: 'mkdir' };
    throw Object.assign(new Error(`EILSEQ: the name is not UTF-8, mkdir '${path}'`), details);
  }
  const parent = dirname(resolve(path));
  if (statSync(parent, { throwIfNoEntry: false }) === undefined) makeFolder(parent);
  try {
    mkdirSync(path);
    return true;
  } catch (error) {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return false;
    throw error;
  }
}
