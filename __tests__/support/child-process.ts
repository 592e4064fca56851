import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/**
 * Ends this process and nothing else: first asks it to, and kills it when that takes too long.
 *
 * @param milliseconds how long it may take to end by itself @default 20000
 * @returns its exit code, or the signal that ended it
 */
export async function endChild(
  child: ChildProcess,
  milliseconds = 20_000,
): Promise<number | NodeJS.Signals | null> {
  if (child.exitCode === null && child.signalCode === null) {
    const exited = once(child, 'exit');
    const timer = setTimeout(() => child.kill('SIGKILL'), milliseconds);
    child.kill('SIGTERM');
    await exited;
    clearTimeout(timer);
  }
  return child.exitCode ?? child.signalCode;
}
