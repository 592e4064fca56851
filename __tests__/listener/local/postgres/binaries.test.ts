import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  canReach,
  embeddedBinaries,
  reachableBinaries,
  restoreLinks,
  serverUser,
} from '../../../../listener/local/postgres/binaries.ts';

let base: string;
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'postgres-binaries-'));
});
afterEach(() => rm(base, { recursive: true, force: true }));

/** Something that looks like a PostgreSQL. */
async function installation(mode: number): Promise<string> {
  const bin = join(base, 'repository', 'bin');
  await mkdir(bin, { recursive: true });
  await writeFile(join(bin, 'postgres'), 'a server', { mode: 0o755 });
  await chmod(base, 0o711);
  await chmod(join(base, 'repository'), mode);
  return bin;
}

async function makeFallbackFolder(): Promise<string> {
  const fallback = join(base, 'fallback');
  await mkdir(fallback, { recursive: true, mode: 0o711 });
  return fallback;
}

test('the package brings a server for this machine', async () => {
  expect(await canReach(undefined, join(await embeddedBinaries(), 'postgres'))).toBe(true);
});

test('the server runs as another user when this process is root, and only then', async () => {
  const user = await serverUser();
  expect(user === undefined).toBe(process.getuid?.() !== 0);
  expect(user?.uid).not.toBe(0);
});

test('binaries that can be reached are used where they are', async () => {
  const bin = await installation(0o755);
  expect(await reachableBinaries(bin, await serverUser(), makeFallbackFolder)).toBe(bin);
});

test("binaries that the server's user cannot reach are copied, once", async () => {
  const bin = await installation(0o700);
  const user = await serverUser();
  const first = await reachableBinaries(bin, user, makeFallbackFolder);
  expect(await canReach(user, join(first, 'postgres'))).toBe(true);
  await writeFile(join(bin, 'postgres'), 'another server');
  expect(await reachableBinaries(bin, user, makeFallbackFolder)).toBe(first);
  expect(first === bin).toBe(user === undefined);
  expect(await readFile(join(first, 'postgres'), 'utf8')).toMatch(/server/);
});

test('what is not there cannot be reached', async () => {
  expect(await canReach(undefined, join(base, 'missing'))).toBe(false);
  expect(await canReach(await serverUser(), join(base, 'missing'))).toBe(false);
});

test('links that the install script did not make are made, and kept the second time', async () => {
  const lib = join(base, 'native', 'lib');
  await mkdir(lib, { recursive: true });
  await writeFile(join(lib, 'libx.so.1.2'), 'a library');
  const links = [{ source: 'native/lib/libx.so.1.2', target: 'native/lib/libx.so.1' }];
  await writeFile(join(base, 'native', 'pg-symlinks.json'), JSON.stringify(links));
  await restoreLinks(base);
  await restoreLinks(base);
  expect(await readFile(join(lib, 'libx.so.1'), 'utf8')).toBe('a library');
});

test('a package without a list of links is left alone', async () => {
  await expect(restoreLinks(base)).resolves.toBeUndefined();
});
