import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { endChild } from '../../support/child-process.ts';
import { GO_MEMORY } from '../../support/go-memory.ts';

/** A program in the background that ends with this process at the latest. */
export interface GuardedProcess {
  readonly name: string;
  /** What it writes. */
  readonly logFile: string;
  /** Rejects when it ends before anybody stopped it. */
  readonly failure: Promise<never>;
  stop(): Promise<void>;
}

/** Starts a program of a folder; its log is `<program>.log` in the work folder. */
export function startGuarded(
  program: string,
  parameters: readonly string[],
  workFolder: string,
): GuardedProcess {
  const name = program.split('/').at(-1) ?? program;
  const logFile = join(workFolder, `${name}.log`);
  const child = launch([program, ...parameters], workFolder, logFile);
  let stopped = false;
  const failure = once(child, 'exit').then(([code, signal]) => {
    if (stopped) return new Promise<never>(() => undefined);
    throw new Error(`${name} ended with ${code ?? signal}`);
  });
  // Nobody may be waiting for it any more.
  failure.catch(() => undefined);
  return {
    name,
    logFile,
    failure,
    async stop() {
      stopped = true;
      await endChild(child);
    },
  };
}

function launch(command: readonly string[], folder: string, logFile: string): ChildProcess {
  const log = openSync(logFile, 'w');
  try {
    return spawn(
      process.execPath,
      [join(import.meta.dirname, '../../support/run-guarded.ts'), ...command],
      {
        cwd: folder,
        // None of ours: neither a kubeconfig nor a proxy nor kwok's own settings.
        env: { PATH: process.env.PATH, HOME: folder, ...GO_MEMORY },
        stdio: ['ignore', log, log, 'ipc'],
      },
    );
  } finally {
    closeSync(log);
  }
}
