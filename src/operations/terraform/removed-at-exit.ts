import { rmSync } from 'node:fs';
import process from 'node:process';

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
