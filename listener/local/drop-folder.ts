import { copyFile, mkdir, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { watch } from 'chokidar';
import type { LocalSettings } from './synthesized-settings.ts';

/** A file that has not grown for this long, in milliseconds, was written to its end. */
const STABLE_MS = 300;
const POLL_MS = 50;

/** The watch over a drop folder. */
export interface DropFolder {
  /** Settles when the files that were there have been found. */
  readonly ready: Promise<void>;
  close(): Promise<void>;
}

/**
 * Reports every file below a folder once it was written to its end: those that are there, and new
 * and changed ones. Hidden files (editors and file managers make them) are no deliveries.
 *
 * chokidar and not `fs.watch`: it waits until a file stops growing, and says the same on every
 * system.
 */
export function watchDropFolder(
  root: string,
  onFile: (path: string) => void,
  onError: (error: unknown) => void,
): DropFolder {
  const watcher = watch(root, {
    followSymlinks: false,
    ignored: (path) => path !== root && isHidden(path),
    awaitWriteFinish: { stabilityThreshold: STABLE_MS, pollInterval: POLL_MS },
  });
  const closing = new AbortController();
  // chokidar does not wait for files that are there when it starts.
  const onFirstFile = (path: string) => {
    staysTheSame(path, closing.signal).then((same) => {
      if (same) onFile(path);
    }, onError);
  };
  watcher.on('add', onFirstFile).on('change', onFile).on('error', onError);
  const ready = new Promise<void>((resolve) => {
    watcher.once('ready', () => {
      watcher.off('add', onFirstFile).on('add', onFile);
      resolve();
    });
  });
  return {
    ready,
    async close() {
      closing.abort();
      await watcher.close();
    },
  };
}

/** False for a file that is being written to: its change is reported once it stops growing. */
async function staysTheSame(path: string, signal: AbortSignal): Promise<boolean> {
  const before = await stat(path);
  if (Date.now() - before.mtimeMs > STABLE_MS) return true;
  await delay(STABLE_MS, undefined, { signal }).catch(() => undefined);
  if (signal.aborted) return false;
  const after = await stat(path);
  return after.size === before.size && after.mtimeMs === before.mtimeMs;
}

/** The files that are there now, in the order of their paths. */
export async function filesIn(root: string): Promise<readonly string[]> {
  const paths: string[] = [];
  for (const entry of await readdir(root, { withFileTypes: true })) {
    const path = join(root, entry.name);
    if (isHidden(path)) continue;
    if (entry.isDirectory()) paths.push(...(await filesIn(path)));
    else if (entry.isFile()) paths.push(path);
  }
  return paths.sort();
}

function isHidden(path: string): boolean {
  return basename(path).startsWith('.');
}

const SAMPLE = fileURLToPath(new URL('./samples/Officer_Detail.csv', import.meta.url));

/**
 * Makes the drop folder with a file that has faults, so that the first start shows a verdict. A
 * folder that is there stays as it is.
 *
 * @returns whether the folder was made
 */
export async function prepareDropFolder(
  root: string,
  { bucket, filters }: Pick<LocalSettings, 'bucket' | 'filters'>,
): Promise<boolean> {
  const made = (await mkdir(root, { recursive: true })) !== undefined;
  const path = join(root, bucket, ...sampleKey(filters).split('/'));
  await mkdir(dirname(path), { recursive: true });
  if (made) await copyFile(SAMPLE, path);
  return made;
}

/** A key that the notification announces. */
export function sampleKey(filters: LocalSettings['filters']): string {
  const { prefix, suffix } = filters[0] ?? { prefix: '', suffix: '' };
  const name = 'nm_albuquerque/Officer_Detail.csv';
  return `${prefix}${name.endsWith(suffix) ? name : name.replace(/\.csv$/, suffix)}`;
}
