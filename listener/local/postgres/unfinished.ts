import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/**
 * Makes an empty folder beside the place that it takes by a rename once it is whole. Its name says
 * which process fills it, and is new each time.
 */
export function makeUnfinished(place: string): Promise<string> {
  return mkdtemp(`${place}.unfinished-${process.pid}-`);
}

/** Removes what processes that have ended left unfinished beside a place. */
export async function removeUnfinished(place: string): Promise<void> {
  const prefix = `${basename(place)}.unfinished-`;
  for (const name of await readdir(dirname(place))) {
    const [pid] = (name.startsWith(prefix) && /^\d+/.exec(name.slice(prefix.length))) || [];
    if (pid === undefined || isAlive(Number(pid))) continue;
    await rm(join(dirname(place), name), { recursive: true, force: true });
  }
}

/** Whether a process lives, whoever it belongs to. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It lives, and belongs to somebody else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
