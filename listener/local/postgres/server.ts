import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { command, type Place, processOptions } from './place.ts';
import { isAlive } from './unfinished.ts';

const run = promisify(execFile);

/** A server that answers. */
export interface RunningServer {
  readonly port: number;
  /** Waits until the process is gone; not at all for one that is not our child. */
  gone(): Promise<void>;
}

/** The server that already runs on this data, found by its postmaster.pid. */
export async function runningServer(place: Place): Promise<RunningServer | undefined> {
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

/** Starts the server and waits until it takes connections. */
export async function startServer(
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

/** Stops the server and waits until it is gone. */
export async function stopServer(place: Place, server: RunningServer): Promise<void> {
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

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port was assigned');
  return address.port;
}
