import { fork } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { embeddedBinaries } from '../../../../listener/local/postgres/binaries.ts';
import {
  type LocalPostgres,
  startLocalPostgres,
} from '../../../../listener/local/postgres/local-postgres.ts';
import { fallbackFolderFor } from '../../../../listener/local/postgres/place.ts';
import { run } from '../../../support/run-program.ts';
import { copyCluster } from '../../support/copy-cluster.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const START_SCRIPT = fileURLToPath(
  new URL('../../support/local-postgres-process.ts', import.meta.url),
);

const STOP_SCRIPT = fileURLToPath(
  new URL('../../support/stopped-local-postgres-process.ts', import.meta.url),
);

let base: string;
let folder: string;
const started: LocalPostgres[] = [];
beforeEach(async () => {
  base = await mkdtemp(join(inject('postgresCluster'), '../local-postgres-'));
  await chmod(base, 0o711);
  folder = join(base, 'postgres');
});
afterEach(async () => {
  await Promise.all(started.splice(0).map((postgres) => postgres.stop()));
  await rm(base, { recursive: true, force: true });
  await rm(fallbackFolderFor(folder), { recursive: true, force: true });
});

/** A cluster that was made before, without the second of work that making one takes. */
const makeCluster = () => copyCluster(inject('postgresCluster'), folder);

async function start(): Promise<LocalPostgres> {
  const postgres = await startLocalPostgres({ folder });
  started.push(postgres);
  return postgres;
}

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

/** Starts it in a process that is then killed, which leaves the server running. */
async function leaveServerBehind(): Promise<{ url: string }> {
  const child = fork(START_SCRIPT, [folder], { execPath: process.execPath });
  const [message] = (await once(child, 'message')) as [{ url: string }];
  child.kill('SIGKILL');
  await once(child, 'exit');
  return message;
}

test('the first start makes the cluster, the second finds its data', async () => {
  const first = await start();
  expect(first.outcome).toBe('created');
  await query(first.url, 'CREATE TABLE kept (x int)');
  await first.stop();
  const second = await start();
  expect(second.outcome).toBe('started');
  expect(await query(second.url, 'SELECT * FROM kept')).toEqual([]);
});

test('a stopped server is gone', async () => {
  await makeCluster();
  const { url, stop, folder: place } = await start();
  const pid = Number(
    (await readFile(join(place, 'data', 'postmaster.pid'), 'utf8')).split('\n')[0],
  );
  await stop();
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  await expect(query(url, 'SELECT 1')).rejects.toThrow('ECONNREFUSED');
});

test('a process that only waits for the server to be gone waits to the end', async () => {
  await makeCluster();
  const binaries = await binariesThatStopLater();
  const { exitCode, stderr } = await run(process.execPath, [STOP_SCRIPT, folder, binaries]);
  expect(stderr).toBe('');
  expect(exitCode).toBe(0);
});

/** PostgreSQL whose pg_ctl does not wait until the server has stopped. @returns the folder */
async function binariesThatStopLater(): Promise<string> {
  // Not beside the data: in memory nothing may be run on some machines.
  const folder = await temporaryFolder();
  const embedded = await embeddedBinaries();
  await symlink(join(embedded, 'postgres'), join(folder, 'postgres'));
  await symlink(join(embedded, 'pg_ctl'), join(folder, 'pg_ctl.real'));
  const wrapper = '#!/bin/sh\nexec "$0.real" "$@" --no-wait\n';
  await writeFile(join(folder, 'pg_ctl'), wrapper, { mode: 0o755 });
  await chmod(folder, 0o755);
  return folder;
}

test('it listens on loopback only and wants the password', async () => {
  await makeCluster();
  const { url } = await start();
  expect(await query(url, 'SHOW listen_addresses')).toStrictEqual([
    { listen_addresses: '127.0.0.1' },
  ]);
  const wrong = new URL(url);
  wrong.password = 'wrong';
  await expect(query(wrong.href, 'SELECT 1')).rejects.toThrow('password authentication failed');
});

test('the server of a killed process is taken over', async () => {
  await makeCluster();
  const left = await leaveServerBehind();
  const postgres = await start();
  expect(postgres).toMatchObject({ outcome: 'reused', url: left.url });
  await postgres.stop();
  await expect(query(left.url, 'SELECT 1')).rejects.toThrow('ECONNREFUSED');
});

test('a folder that a live process uses is refused, and its server runs on', async () => {
  await makeCluster();
  const { url } = await start();
  await expect(startLocalPostgres({ folder })).rejects.toThrow('in use by another process');
  expect(await query(url, 'SELECT 1 AS one')).toStrictEqual([{ one: 1 }]);
});

test("a postmaster.pid whose number is another program's now does not matter", async () => {
  await makeCluster();
  const first = await start();
  await first.stop();
  await writeFile(join(first.folder, 'data', 'postmaster.pid'), `${process.pid}\nx\n0\n1\n`);
  expect((await start()).outcome).toBe('started');
});

test('a half-made cluster is made anew', async () => {
  await mkdir(join(folder, 'data.unfinished-999999999'), { recursive: true });
  expect((await start()).outcome).toBe('created');
});

test('a cluster of another major version is refused with what helps', async () => {
  await makeCluster();
  const first = await start();
  await first.stop();
  await writeFile(join(first.folder, 'data', 'PG_VERSION'), '9\n');
  await expect(startLocalPostgres({ folder })).rejects.toThrow(/PostgreSQL 9.*remove the folder/);
  await writeFile(join(first.folder, 'data', 'PG_VERSION'), '18\n');
});

test('a server that does not start tells the end of its log', async () => {
  await makeCluster();
  const settings = { shared_buffers: 'nonsense' };
  await expect(startLocalPostgres({ folder, settings })).rejects.toThrow(/shared_buffers/);
});

test('a folder that only its owner may enter works', async () => {
  await chmod(base, 0o700);
  const postgres = await start();
  // As root the server runs as another user, who can't come in: the data goes to the fallback folder.
  const expected = process.getuid?.() === 0 ? fallbackFolderFor(folder) : folder;
  expect(postgres.folder).toBe(expected);
  expect(await query(postgres.url, 'SELECT 1 AS one')).toStrictEqual([{ one: 1 }]);
});
