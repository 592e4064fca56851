import { execFileSync } from 'node:child_process';
import {
  accessSync,
  chmodSync,
  constants,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  statfsSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join, sep } from 'node:path';
import { stopServersIn } from '../listener/support/stop-servers-in.ts';

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

/** Removes what killed runs have left, and makes a folder of this run's own. */
export async function startRunFolder(parent: string): Promise<RunFolder> {
  for (const folder of await abandonedFolders(parent)) {
    try {
      await stopServersIn(folder);
      await removeAbandoned(folder);
    } catch (error) {
      // It stays: no run fails by the remains of another.
      console.warn(`${folder} of a run that was killed can't be removed:`, error);
    }
  }
  return makeRunFolder(parent);
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

/** How much a folder in memory must have room for, so that a run's databases fit several times. */
const ENOUGH_MEMORY = 2 * 1024 ** 3;

/**
 * Where databases belong: in memory, where there is enough of it. A database is hundreds of small
 * files, and making and deleting them on a disk is most of a short test's work.
 *
 * @param otherwise a folder for machines without
 */
export function memoryOr(otherwise: string, memory = '/dev/shm', enough = ENOUGH_MEMORY): string {
  try {
    accessSync(memory, constants.W_OK | constants.X_OK);
    const { bavail, bsize } = statfsSync(memory);
    return bavail * bsize < enough ? otherwise : memory;
  } catch {
    return otherwise;
  }
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
      const owner = join(path, OWNER);
      const folder = lstatSync(path, { throwIfNoEntry: false });
      // Nothing of another user's is even asked.
      if (folder?.isDirectory() !== true || folder.uid !== ownUid) return [];
      // A file refuses a connection too.
      if (lstatSync(owner, { throwIfNoEntry: false })?.isSocket() !== true) return [];
      return isAbandoned({ uid: folder.uid, refusal: await refusalOf(owner) }, ownUid)
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
async function removeAbandoned(folder: string): Promise<void> {
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
