/**
 * Seconds until `npm start` says that it is ready, synth included: with nothing there yet, and for the second
 * time. Data and state are in a folder of their own, which is removed again.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fallbackFolderFor } from '../listener/local/postgres/place.ts';

const ROOT = join(import.meta.dirname, '..');
const LIMIT_MS = 60_000;

const folder = mkdtempSync(join(tmpdir(), 'bench-start-'));
// As root, PostgreSQL runs as another user, who has to get to its data.
chmodSync(folder, 0o711);
const state = join(folder, 'state');
const folders = ['--data', join(folder, 'data'), '--state', state];
const stack = join(folder, 'synth', 'stacks', 'file-processing', 'cdk.tf.json');
const npmStart = ['npm', 'start', '--silent', '--', ...folders];
const localFlow = [process.execPath, 'listener/local/start.ts', ...folders, '--stack', stack];

try {
  console.log(`${(await secondsUntilReady(npmStart)).toFixed(2)} s  first npm start`);
  console.log(`${(await secondsUntilReady(npmStart)).toFixed(2)} s  second npm start (at most 4)`);
  console.log(`${(await secondsUntilReady(localFlow)).toFixed(2)} s  the same without the synth`);
} finally {
  rmSync(fallbackFolderFor(join(state, 'postgres')), { recursive: true, force: true });
  rmSync(folder, { recursive: true, force: true });
}

/** Starts it, waits for its first line "ready", and stops it as Ctrl-C does. */
async function secondsUntilReady([command = '', ...args]: readonly string[]): Promise<number> {
  const begin = performance.now();
  const child = spawn(command, args, {
    cwd: ROOT,
    env: {
      ...process.env,
      CDKTF_OUTDIR: join(folder, 'synth'),
      PORT: '0',
      METRICS_PORT: '0',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
    // A process group of its own, so that the signal reaches all of it, as from a terminal.
    detached: true,
  });
  const closed = once(child, 'close');
  const interrupt = () => signalGroup(child, 'SIGINT');
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, interrupt);
  const limit = setTimeout(interrupt, LIMIT_MS);
  let seconds: number | undefined;
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (seconds !== undefined || !line.startsWith('ready')) return;
    seconds = (performance.now() - begin) / 1000;
    interrupt();
  });
  const [code] = await closed;
  clearTimeout(limit);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, interrupt);
  if (seconds === undefined) {
    throw new Error(`${command} ${args.join(' ')} ended with ${code} before it was ready`);
  }
  return seconds;
}

function signalGroup({ pid, exitCode, signalCode }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, signal);
}
