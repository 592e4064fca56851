import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { COMPILE_CACHE } from '../../support/compile-cache.ts';

const MAIN = fileURLToPath(new URL('../../../listener/src/main.ts', import.meta.url));

/** A process of the listener's command line. */
export interface ListenerChild {
  readonly pid: number;
  /** Log lines so far. */
  readonly lines: readonly Record<string, unknown>[];
  /** What was written to standard error so far. */
  errors(): string;
  /** Waits for a log line, also one that came before; fails when the process ends without it. */
  line(msg: string): Promise<Record<string, unknown>>;
  kill(signal: NodeJS.Signals): void;
  /** The exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
}

/** Starts `file-processing` with nothing of our environment but the path; killed after the test. */
export function startListenerChild(
  parameters: readonly string[],
  environment: Record<string, string>,
): ListenerChild {
  const child = spawn(process.execPath, [MAIN, ...parameters], {
    env: { ...COMPILE_CACHE, PATH: process.env.PATH, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const lines: Record<string, unknown>[] = [];
  const waiting = new Set<() => void>();
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  createInterface({ input: child.stdout }).on('line', (text) => {
    lines.push(text.startsWith('{') ? JSON.parse(text) : { msg: text });
    for (const look of waiting) look();
  });
  const ended = once(child, 'close').then(([code, signal]) => code ?? signal);
  return {
    pid: child.pid ?? 0,
    lines,
    errors: () => stderr,
    line(msg) {
      const found = Promise.withResolvers<Record<string, unknown>>();
      const look = () => {
        const line = lines.find((candidate) => candidate.msg === msg);
        if (line !== undefined) found.resolve(line);
      };
      waiting.add(look);
      look();
      ended.then((how) => found.reject(new Error(`ended (${how}) without '${msg}': ${stderr}`)));
      return found.promise.finally(() => waiting.delete(look));
    },
    kill: (signal) => child.kill(signal),
    ended,
  };
}
