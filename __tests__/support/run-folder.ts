import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  statSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join, sep } from 'node:path';
import type { TestProject } from 'vitest/node';

/** What the name of a run's folder begins with. */
const PREFIX = 'tests-';

/** A socket in a run's folder, on which the run listens for as long as it lives. */
const OWNER = 'owner';

/** A folder for the temporary files of one run. */
export interface RunFolder {
  readonly path: string;
  /** Removes it. */
  remove(): Promise<void>;
}

/** What is known of a folder that another run has made. */
export interface FoundFolder {
  /** Id of the user that it belongs to. */
  readonly uid: number;
  /** How the attempt to connect to its owner failed; undefined when somebody listens. */
  readonly refusal: string | undefined;
}

/** Makes a folder of this process's own, as open as the one that it lies in. */
export async function makeRunFolder(parent: string): Promise<RunFolder> {
  const path = mkdtempSync(join(parent, PREFIX));
  // PostgreSQL and the image's user are not who runs the tests.
  chmodSync(path, 0o1777);
  const owner = createServer((socket) => socket.destroy()).unref();
  const bound = join(path, `${OWNER}.new`);
  await new Promise<void>((resolve) => {
    // Where no socket can be made, nobody ever takes the folder for an abandoned one.
    owner.once('error', () => resolve()).listen(bound, resolve);
  });
  // It has the name only now: before it listens, it refuses as the socket of an ended run does.
  if (owner.listening) renameSync(bound, join(path, OWNER));
  return {
    path,
    async remove() {
      owner.close();
      // A program that ends with the run may still be writing.
      await rm(path, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}

/** The folder that the set-up of temporary folders has made for a run. */
export function runFolderOf(project: TestProject): string {
  const { TMPDIR } = project.config.env;
  if (TMPDIR === undefined) throw new Error('temporary-folder-global-setup.ts has to run first');
  return TMPDIR;
}

/**
 * Whether the run that made a folder has certainly ended: the folder is this user's, and the system
 * has closed the socket on which its owner listened. A process id would prove neither: it may have
 * been given to another process since, or be that of a container with ids of its own.
 */
export function isAbandoned({ uid, refusal }: FoundFolder, ownUid: number | undefined): boolean {
  return uid === ownUid && refusal === 'ECONNREFUSED';
}

/** Folders of runs that were killed before they could remove them. */
export async function abandonedFolders(parent: string): Promise<string[]> {
  const ownUid = process.getuid?.();
  const names = readdirSync(parent).filter((name) => name.startsWith(PREFIX));
  const found = await Promise.all(
    names.map(async (name) => {
      const path = join(parent, name);
      const uid = statSync(path, { throwIfNoEntry: false })?.uid;
      // Nothing of another user's is even asked.
      if (uid === undefined || uid !== ownUid) return [];
      return isAbandoned({ uid, refusal: await refusalOf(join(path, OWNER)) }, ownUid)
        ? [path]
        : [];
    }),
  );
  return found.flat();
}

/**
 * Removes an abandoned folder. What is mounted in it is unmounted first: whatever a mount shows
 * belongs to somebody else.
 *
 * @throws where something can't be unmounted or removed
 */
export async function removeAbandoned(folder: string): Promise<void> {
  const mounts = process.platform === 'linux' ? readFileSync('/proc/self/mounts', 'utf8') : '';
  for (const mountPoint of mountPointsIn(realpathSync(folder), mounts)) {
    execFileSync('umount', [mountPoint]);
  }
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
}

/**
 * What is mounted in a folder, the last mount first.
 *
 * @param mounts the system's list of mounts (proc(5), "/proc/mounts")
 */
export function mountPointsIn(folder: string, mounts: string): string[] {
  return mounts
    .split('\n')
    .map((line) => (line.split(' ')[1] ?? '').replace(/\\([0-7]{3})/g, unescaped))
    .filter((mountPoint) => mountPoint.startsWith(folder + sep))
    .reverse();
}

function unescaped(_: string, octal: string): string {
  return String.fromCharCode(Number.parseInt(octal, 8));
}

function refusalOf(socketPath: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    socket.once('connect', () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code));
  });
}
