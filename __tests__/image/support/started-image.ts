import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** How a process of the image ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process in the image. */
export interface ImageProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

/** User and group of the pods. */
const USER = '10001:10001';

// As the kubelet has a pod started: a file system that can't be written, /tmp in memory.
const ENTER = `
mount --bind "$ROOT" "$ROOT" && mount -o remount,bind,ro "$ROOT" &&
mount -t tmpfs tmpfs "$ROOT/tmp" && mount -t proc proc "$ROOT/proc" && mount --rbind /dev "$ROOT/dev" &&
exec chroot --userspec=${USER} --groups= "$ROOT" /usr/bin/env -i -C /app "$@"`;

/**
 * Starts a command in an image that is mounted: its root, read-only, in a mount namespace of its own,
 * as the user of the pods, with the image's environment and nothing of ours. The network is this
 * machine's.
 */
export function startInImage(
  root: string,
  command: readonly string[],
  environment: Readonly<Record<string, string>>,
): ImageProcess {
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  const child = spawn(
    'unshare',
    ['--mount', '--propagation', 'private', 'sh', '-c', ENTER, 'enter', ...variables, ...command],
    { env: { PATH: process.env.PATH, ROOT: root }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const written = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      written[name] += text;
    });
  }
  return { child, ended: once(child, 'close').then(([code]) => ({ code, ...written })) };
}
