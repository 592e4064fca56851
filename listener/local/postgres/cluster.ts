import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chown, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { command, type Place } from './place.ts';
import { makeUnfinished, removeUnfinished } from './unfinished.ts';

/** Makes the cluster when there is none; the rename at the end keeps a half-made one from use. */
export async function createCluster(place: Place): Promise<boolean> {
  await removeUnfinished(place.data);
  if (existsSync(join(place.data, 'PG_VERSION'))) {
    await checkMajorVersion(place);
    return false;
  }
  const unfinished = await makeUnfinished(place.data);
  const passwordFile = `${unfinished}.password`;
  await writeFile(passwordFile, randomBytes(24).toString('hex'), { mode: 0o600 });
  if (place.user) {
    await chown(unfinished, place.user.uid, place.user.gid);
    await chown(passwordFile, place.user.uid, place.user.gid);
  }
  await command(place, 'initdb', [
    `--pgdata=${unfinished}`,
    '--username=postgres',
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    // Byte order: the same on every machine, and no system locale has to exist.
    '--locale=C',
    // A crash of the machine during initdb leaves nothing worth keeping.
    '--no-sync',
  ]);
  await rename(passwordFile, join(unfinished, 'password'));
  try {
    await rename(unfinished, place.data);
    return true;
  } catch (error) {
    // Another process was faster; its cluster is the one.
    await rm(unfinished, { recursive: true, force: true });
    if (existsSync(join(place.data, 'PG_VERSION'))) return false;
    throw error;
  }
}

async function checkMajorVersion(place: Place): Promise<void> {
  const made = (await readFile(join(place.data, 'PG_VERSION'), 'utf8')).trim();
  const { stdout } = await command(place, 'postgres', ['--version']);
  const [, brought] = /(\d+)/.exec(stdout) ?? [];
  if (made !== brought) {
    throw new Error(
      `the local database in ${place.folder} was made by PostgreSQL ${made}, this one is ` +
        `${brought}: remove the folder to begin with an empty database`,
    );
  }
}
