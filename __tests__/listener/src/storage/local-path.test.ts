import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { localPath } from '../../../../listener/src/storage/local-path.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** `root` with a file, beside a secret. */
async function folders(): Promise<string> {
  const folder = await temporaryFolder();
  const root = join(folder, 'root');
  await mkdir(join(root, 'a b'), { recursive: true });
  await writeFile(join(root, 'a b', 'file.csv'), 'x');
  await writeFile(join(folder, 'secret.csv'), 'x');
  return root;
}

test('a key is a path below the folder', async () => {
  const root = await folders();
  expect(await localPath(root, 'a b/file.csv')).toEqual({ path: join(root, 'a b', 'file.csv') });
});

test.each([
  ['..', '../secret.csv'],
  ['.. further down', 'a b/../../secret.csv'],
  ['.. that stays inside', 'a b/../a b/file.csv'],
  ['an absolute path', '/etc/passwd'],
  ['a NUL', 'a b/file.csv\0'],
  ['a backslash', '..\\secret.csv'],
  ['an empty segment', 'a b//file.csv'],
  ['a lone dot', 'a b/./file.csv'],
  ['nothing at all', ''],
  ['a file as a folder', 'a b/file.csv/more'],
  ['a name no file system takes', 'x'.repeat(1000)],
])('a key with %s is no file', async (_, key) => {
  expect(await localPath(await folders(), key)).toEqual({ missing: expect.any(String) });
});

test('a link that leads out of the folder is refused', async () => {
  const root = await folders();
  await symlink('../secret.csv', join(root, 'link.csv'));
  expect(await localPath(root, 'link.csv')).toEqual({
    missing: expect.stringContaining('leads out of'),
  });
});

test('a linked folder that leads out of the folder is refused', async () => {
  const root = await folders();
  await symlink('..', join(root, 'up'));
  expect(await localPath(root, 'up/secret.csv')).toHaveProperty('missing');
});

test('a link that stays inside is followed', async () => {
  const root = await folders();
  await symlink('a b/file.csv', join(root, 'link.csv'));
  expect(await localPath(root, 'link.csv')).toEqual({ path: join(root, 'a b', 'file.csv') });
});

test('links that lead to each other are no file', async () => {
  const root = await folders();
  await symlink('two', join(root, 'one'));
  await symlink('one', join(root, 'two'));
  expect(await localPath(root, 'one')).toHaveProperty('missing');
});
