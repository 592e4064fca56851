import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type LocalPostgres,
  startLocalPostgres,
} from '../../listener/local/postgres/local-postgres.ts';
import { isAlive } from '../../listener/local/postgres/unfinished.ts';

/** A PostgreSQL of the suite's own, to do anything to. */
export interface FaultyServer {
  /** Its port; another one after each start. */
  readonly port: number | undefined;
  /** Address of its database `postgres`; while it does not run, the one that it had. */
  readonly url: string;
  /** kill -9 of all its processes. */
  kill(): void;
  /** kill -9 of one connection's process: the server starts all of them anew. @returns whether there was one */
  killOne(choose: <T>(from: readonly T[]) => T | undefined): boolean;
  /** Stops in good order. */
  stop(): Promise<void>;
  /** Starts again, unless it runs. */
  start(): Promise<void>;
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void;
  /** Takes what is left of the disk; undefined where the disk has no limit. */
  readonly fillDisk: (() => void) | undefined;
  freeDisk(): void;
  remove(): Promise<void>;
}

/** Bytes of the disk whose end a server comes to. */
const DISK = 1536 * 1024 ** 2;

/**
 * @param folder made where it is not there
 * @param environment of its processes
 * @param diskBytes of the disk, where one can be mounted; 512 MiB hold an empty server and its log
 */
export async function startFaultyServer(
  folder: string,
  environment: Readonly<Record<string, string>>,
  diskBytes = DISK,
): Promise<FaultyServer> {
  mkdirSync(folder);
  const isMounted = mountDisk(folder, diskBytes);
  const ballast = join(folder, 'ballast');
  let current: LocalPostgres | undefined;
  let data = '';
  let url = '';

  const start = async () => {
    const before = Object.fromEntries(
      Object.keys(environment).map((name) => [name, process.env[name]]),
    );
    Object.assign(process.env, environment);
    try {
      current = await startLocalPostgres({
        folder,
        settings: {
          // Frozen replicas and killed commands keep theirs for a while, beside those that are started in their place.
          max_connections: '300',
          max_wal_size: '128MB',
          min_wal_size: '48MB',
          // What a power cut would lose is not a fault of this suite: processes are killed, not machines.
          fsync: 'off',
        },
      });
      data = join(current.folder, 'data');
      url = current.url;
    } finally {
      for (const [name, value] of Object.entries(before)) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
    }
  };
  const startAgain = async () => {
    for (let tries = 1; ; tries += 1) {
      if (postmasterOf(data) !== undefined && current !== undefined) return;
      try {
        return await start();
      } catch (error) {
        // The processes of the one before end one after the other.
        if (tries === 60) throw error;
        await delay(500);
      }
    }
  };
  await start();

  return {
    get port() {
      return current && Number(new URL(current.url).port);
    },
    get url() {
      return url;
    },
    kill() {
      for (const pid of processesOf(data)) kill(pid, 'SIGKILL');
      current = undefined;
    },
    killOne(choose) {
      const pid = choose(processesOf(data).slice(1).filter(isConnection));
      return pid !== undefined && kill(pid, 'SIGKILL');
    },
    async stop() {
      const stopping = current;
      current = undefined;
      // One that has died meanwhile is what was wanted.
      await stopping?.stop().catch(() => undefined);
    },
    start: startAgain,
    signal(signal) {
      for (const pid of processesOf(data)) kill(pid, signal);
    },
    fillDisk: isMounted ? () => fill(folder, ballast) : undefined,
    freeDisk: () => rmSync(ballast, { force: true }),
    async remove() {
      rmSync(ballast, { force: true });
      await current?.stop().catch(() => undefined);
      for (const pid of processesOf(data)) kill(pid, 'SIGKILL');
      while (postmasterOf(data) !== undefined) await delay(100);
      if (isMounted) execFileSync('umount', ['-l', folder]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A file system of limited size takes the right to mount one. */
function mountDisk(folder: string, diskBytes: number): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${diskBytes},mode=711`, 'tmpfs', folder], {
      stdio: 'ignore',
    });
    return true;
  } catch {
    return false;
  }
}

/** Takes all but some pages of a disk, to which the server writes meanwhile. */
function fill(folder: string, ballast: string): void {
  for (let pages = 1; pages <= 1024; pages *= 4) {
    const { bavail, bsize } = statfsSync(folder);
    const size = String((bavail - pages) * bsize);
    if (spawnSync('fallocate', ['-l', size, ballast]).status === 0) return;
    rmSync(ballast, { force: true });
  }
  throw new Error(`${folder} could not be filled`);
}

/** The server's own process and then the others; none where it does not run. */
function processesOf(data: string): number[] {
  const postmaster = postmasterOf(data);
  if (postmaster === undefined) return [];
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && parentOf(name) === postmaster)
    .map(Number);
  return [postmaster, ...children];
}

function postmasterOf(data: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(join(data, 'postmaster.pid'), 'utf8'), 10);
    return isAlive(pid) && commandOf(pid).includes(data) ? pid : undefined;
  } catch {
    return undefined;
  }
}

function commandOf(pid: number): string {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
}

function parentOf(pid: string): number | undefined {
  try {
    // The name in parentheses may hold blanks (proc(5), "/proc/pid/stat").
    const [, parent] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return Number(parent);
  } catch {
    return undefined;
  }
}

function isConnection(pid: number): boolean {
  try {
    return commandOf(pid).includes('127.0.0.1');
  } catch {
    return false;
  }
}

/** @returns whether it was there */
function kill(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
