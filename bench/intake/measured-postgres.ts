import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { startLocalPostgres } from '../../listener/local/postgres/local-postgres.ts';
import { fallbackFolderFor } from '../../listener/local/postgres/place.ts';
import { cpuTimesOf } from './server-process.ts';

/** PostgreSQL as in production, which flushes to disk. */
export interface MeasuredPostgres {
  readonly url: string;
  /** What it logs. */
  readonly logFile: string;
  /** CPU seconds of all its processes so far, those included that have ended; undefined where there is no /proc. */
  cpuSeconds(): Promise<number | undefined>;
  /** Stops it and removes its data. */
  stop(): Promise<void>;
}

/**
 * @param folder an existing one, which another user can reach: as root, PostgreSQL runs as one
 * @param settings of the server. @default PostgreSQL's own
 */
export async function startMeasuredPostgres(
  folder: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<MeasuredPostgres> {
  const wanted = join(folder, 'postgres');
  const postgres = await startLocalPostgres({ folder: wanted, settings });
  const pidFile = await readFile(join(postgres.folder, 'data', 'postmaster.pid'), 'utf8');
  const postmaster = Number.parseInt(pidFile, 10);
  return {
    url: postgres.url,
    logFile: join(postgres.folder, 'server.log'),
    cpuSeconds: () => cpuSecondsOfTree(postmaster),
    async stop() {
      await postgres.stop();
      await rm(fallbackFolderFor(wanted), { recursive: true, force: true });
    },
  };
}

/** The postmaster waits for its children, so the time of those that have ended is among its own. */
async function cpuSecondsOfTree(postmaster: number): Promise<number | undefined> {
  const all = await Promise.all(
    (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name)).map(cpuTimesOf),
  );
  const server = await cpuTimesOf(postmaster);
  if (server === undefined) return undefined;
  return all
    .filter((times) => times?.parent === postmaster)
    .reduce((sum, times) => sum + (times?.own ?? 0), server.own + server.ofEndedChildren);
}
