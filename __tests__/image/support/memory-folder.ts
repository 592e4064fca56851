import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Makes an empty folder in memory, which everybody may enter. An image is tens of thousands of small
 * files, written and deleted several times over: on a disk that is most of the kernel's work.
 *
 * @param prefix - what its name begins with
 */
export function makeMemoryFolder(prefix: string): string {
  const folder = mkdtempSync(join(tmpdir(), prefix));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', folder]);
  return folder;
}

/** Removes it, with what it holds and what is mounted in it. Nobody may use it any longer. */
export function removeMemoryFolder(folder: string): void {
  execFileSync('umount', ['--recursive', folder]);
  rmSync(folder, { recursive: true });
}
