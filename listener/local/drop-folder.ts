import { isUtf8 } from 'node:buffer';
import { copyFile, readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { makeFolder } from '@file-processing/contract/make-folder.ts';
import { watch } from 'chokidar';
import type { KeyFilter, LocalSettings } from './synthesized-settings.ts';

/** A file that has not grown for this long, in milliseconds, was written to its end. */
const STABLE_MS = 300;

/** The watch over a drop folder. */
export interface DropFolder {
  /** Settles when the files that were there have been found. */
  readonly ready: Promise<void>;
  close(): Promise<void>;
}

/** Waits for as long as a file must stay the same; rejects when the signal aborts. */
export type Pause = (signal: AbortSignal) => Promise<void>;

/** What a watch tells of. */
export interface DropFolderReports {
  /** A file was written to its end. */
  readonly onFile: (path: string) => void;
  /** A file or folder has a name that is not UTF-8; the path shows other bytes as `\xE9`. */
  readonly onNotUtf8: (path: string) => void;
  readonly onError: (error: unknown) => void;
  /** @default 300 ms */
  readonly pause?: Pause;
}

/**
 * Reports every file below a folder once it was written to its end: those that are there, and new
 * and changed ones. Hidden files (editors and file managers make them) are not deliveries.
 *
 * chokidar and not `fs.watch`: it says the same on every system. It could wait until a file stops
 * growing, but not for files that are there when it starts.
 */
export function watchDropFolder(
  root: string,
  {
    onFile,
    onNotUtf8,
    onError,
    pause = (signal) => delay(STABLE_MS, undefined, { signal }),
  }: DropFolderReports,
): DropFolder {
  const watcher = watch(root, {
    followSymlinks: false,
    ignored: (path) => path !== root && isHidden(path),
  });
  const closing = new AbortController();
  const growing = new Map<string, Changes>();
  const onChange = async (path: string) => {
    const waiting = growing.get(path);
    if (waiting !== undefined) {
      waiting.seen = true;
      return;
    }
    const changes = { seen: false };
    growing.set(path, changes);
    try {
      await untilStable(path, changes, () => pause(closing.signal));
    } catch (error) {
      if (!closing.signal.aborted && !isGone(error)) onError(error);
      return;
    } finally {
      growing.delete(path);
    }
    onFile(path);
  };
  watcher.on('add', onChange).on('change', onChange).on('error', onError);
  // Node cannot open what has such a name, so that chokidar passes over it.
  let told: readonly string[] = [];
  const tellNotUtf8 = async () => {
    try {
      const { notUtf8 } = await filesIn(root);
      for (const path of notUtf8.filter((one) => !told.includes(one))) onNotUtf8(path);
      told = notUtf8;
    } catch (error) {
      // A folder that went while it was looked at.
      if (!isGone(error)) onError(error);
    }
  };
  let telling = tellNotUtf8();
  watcher.on('raw', (_event, name) => {
    if (name?.includes('\uFFFD')) telling = telling.then(tellNotUtf8);
  });
  return {
    ready: new Promise((resolve) => watcher.once('ready', resolve)),
    async close() {
      closing.abort();
      await watcher.close();
      await telling;
    },
  };
}

/** What chokidar tells of a file that is being waited for. */
interface Changes {
  seen: boolean;
}

async function untilStable(
  path: string,
  changes: Changes,
  pause: () => Promise<void>,
): Promise<void> {
  let before = await stat(path);
  while (true) {
    await pause();
    // Earlier changes are in what is read now; one that comes meanwhile may not be.
    changes.seen = false;
    const after = await stat(path);
    const isSame = after.size === before.size && after.mtimeMs === before.mtimeMs;
    if (isSame && !changes.seen) return;
    before = after;
  }
}

function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/** What is in a drop folder now, in the order of the paths. */
export interface FilesFound {
  readonly paths: readonly string[];
  /** Files and folders whose names are not UTF-8, as keys of S3 are, with their bytes as `\xE9`. */
  readonly notUtf8: readonly string[];
}

/** The files that are there now. */
export async function filesIn(root: string): Promise<FilesFound> {
  const paths: string[] = [];
  const notUtf8: string[] = [];
  for (const entry of await readdir(root, { withFileTypes: true, encoding: 'buffer' })) {
    const path = join(root, entry.name.toString());
    if (isHidden(path)) continue;
    if (!isUtf8(entry.name)) notUtf8.push(join(root, shownBytes(entry.name)));
    else if (entry.isFile()) paths.push(path);
    else if (entry.isDirectory()) {
      const below = await filesIn(path);
      paths.push(...below.paths);
      notUtf8.push(...below.notUtf8);
    }
  }
  return { paths: paths.sort(), notUtf8: notUtf8.sort() };
}

function shownBytes(name: Buffer): string {
  return name
    .toString('latin1')
    .replace(
      /[^ -~]/g,
      (one) => `\\x${one.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
    );
}

function isHidden(path: string): boolean {
  return basename(path).startsWith('.');
}

const SAMPLE = fileURLToPath(new URL('./samples/Officer_Detail.csv', import.meta.url));

/**
 * Makes the drop folder with a file that has faults, so that the first start shows a verdict. A
 * folder that is there stays as it is.
 *
 * @returns where that file lies; undefined when it was removed or changed
 */
export async function prepareDropFolder(
  root: string,
  { buckets }: Pick<LocalSettings, 'buckets'>,
): Promise<string | undefined> {
  const made = makeFolder(root);
  const [path = root] = buckets.map(({ name, filters }) =>
    join(root, name, ...sampleKey(filters).split('/')),
  );
  makeFolder(dirname(path));
  for (const { name, filters } of buckets.slice(1)) {
    makeFolder(join(root, name, filters[0]?.prefix ?? ''));
  }
  if (made) await copyFile(SAMPLE, path);
  const found = await readFile(path).catch(() => undefined);
  return found?.equals(await readFile(SAMPLE)) ? path : undefined;
}

/** A key that the event notification covers. */
export function sampleKey(filters: readonly KeyFilter[]): string {
  const { prefix, suffix } = filters[0] ?? { prefix: '', suffix: '' };
  const name = 'nm_albuquerque/Officer_Detail.csv';
  return `${prefix}${name.endsWith(suffix) ? name : name.replace(/\.csv$/, suffix)}`;
}
