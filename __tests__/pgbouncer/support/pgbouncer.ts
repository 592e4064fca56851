import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { inject } from 'vitest';
import { serverUser } from '../../../listener/local/postgres/binaries.ts';
import { endChild } from '../../support/child-process.ts';
import { eventually } from '../../support/eventually.ts';
import { freePort } from '../../support/free-port.ts';

/** A PgBouncer in front of the run's PostgreSQL, in transaction mode. */
export interface PgBouncer {
  readonly port: number;
  /** Address of a database through it. */
  urlOf(database: string): string;
  stop(): Promise<void>;
}

/** Connections to PostgreSQL for each database and user: fewer than clients, so that these share them. */
export const POOL_SIZE = 2;

/**
 * Starts Debian's PgBouncer, which takes everybody whom PostgreSQL's own address names.
 *
 * @param users further roles that may sign in, with their passwords
 * @throws Error where the machine has none, or with what it wrote when it does not answer
 */
export async function startPgBouncer(
  users: Readonly<Record<string, string>> = {},
): Promise<PgBouncer> {
  const server = new URL(inject('postgresUrl'));
  const folder = await mkdtemp(join(inject('postgresCluster'), '../pgbouncer-'));
  await chmod(folder, 0o711);
  const port = await freePort();
  const everybody = Object.entries({ [server.username]: server.password, ...users });
  const files = {
    'users.txt': everybody.map(([name, password]) => `"${name}" "${password}"\n`).join(''),
    'pgbouncer.ini': `[databases]
* = host=${server.hostname} port=${server.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = plain
auth_file = ${join(folder, 'users.txt')}
pool_mode = transaction
default_pool_size = ${POOL_SIZE}
`,
  };
  // It refuses to run as root, as PostgreSQL does.
  const user = await serverUser();
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(folder, name), text, { mode: 0o600 });
    if (user) await chown(join(folder, name), user.uid, user.gid);
  }
  const child = spawn('pgbouncer', [join(folder, 'pgbouncer.ini')], {
    ...user,
    cwd: '/',
    env: { PATH: `${process.env.PATH}:/usr/sbin` },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const urlOf = (database: string) => {
    const url = new URL(server);
    url.port = `${port}`;
    url.pathname = `/${database}`;
    return url.href;
  };
  try {
    await answering(child, urlOf('postgres'));
  } catch (error) {
    await rm(folder, { recursive: true });
    throw error;
  }
  return {
    port,
    urlOf,
    async stop() {
      await endChild(child);
      await rm(folder, { recursive: true });
    },
  };
}

async function answering(child: ChildProcess, connectionString: string): Promise<void> {
  let written = '';
  child.stderr?.on('data', (text) => {
    written += text;
  });
  const ended = once(child, 'exit').then(() => {
    throw new Error(`pgbouncer did not start:\n${written}`);
  });
  const missing = once(child, 'error').then(([cause]) => {
    throw new Error("there is no pgbouncer on the path: install Debian's package pgbouncer", {
      cause,
    });
  });
  const started = eventually(async () => {
    const client = new pg.Client({ connectionString });
    await client.connect();
    await client.end();
  });
  for (const failure of [ended, missing]) failure.catch(() => undefined);
  await Promise.race([started, ended, missing]);
}
