import { existsSync } from 'node:fs';
import { lstat, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { writeOutputFile } from '../../../../listener/src/cli/output-files.ts';
import { cli } from '../../support/cli.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

describe('a file that a command writes', () => {
  test('takes the place of the one that is there', async () => {
    const path = join(await temporaryFolder(), 'a.html');
    await writeOutputFile(path, 'old');
    await writeOutputFile(path, 'new');
    expect(await readFile(path, 'utf8')).toBe('new');
  });

  test('and cannot be leaves nothing half-written behind', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'a.html'));
    await expect(writeOutputFile(join(folder, 'a.html'), 'new')).rejects.toThrow('it is a folder');
    expect(await readdir(folder)).toEqual(['a.html']);
  });

  test('is made where a link leads that leads to nothing yet, and the link stays one', async () => {
    const folder = await temporaryFolder();
    await symlink('target', join(folder, 'link'));
    await symlink('link', join(folder, 'link to it'));
    await writeOutputFile(join(folder, 'link to it'), 'new');
    expect((await lstat(join(folder, 'link'))).isSymbolicLink()).toBe(true);
    expect((await lstat(join(folder, 'link to it'))).isSymbolicLink()).toBe(true);
    expect(await readFile(join(folder, 'target'), 'utf8')).toBe('new');
  });

  test('is refused where links lead to each other', async () => {
    const link = join(await temporaryFolder(), 'link');
    await symlink('link', link);
    await expect(writeOutputFile(link, 'new')).rejects.toThrow("can't be written to: ELOOP");
  });

  test('goes where a link leads, and the link stays one', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'target'), 'old');
    await symlink('target', join(folder, 'link'));
    await writeOutputFile(join(folder, 'link'), 'new');
    expect((await lstat(join(folder, 'link'))).isSymbolicLink()).toBe(true);
    expect(await readFile(join(folder, 'target'), 'utf8')).toBe('new');
  });

  test.skipIf(!existsSync('/dev/full'))('goes into a device, which stays one', async () => {
    // Through a link: were it replaced, the machine's own device would stay.
    const link = join(await temporaryFolder(), 'full');
    await symlink('/dev/full', link);
    await expect(writeOutputFile(link, 'new')).rejects.toThrow('the disk is full');
    expect((await lstat(link)).isSymbolicLink()).toBe(true);
  });

  test('is refused where its name is not UTF-8, which would be that of another file', async () => {
    const folder = await temporaryFolder();
    await expect(writeOutputFile(join(folder, 'caf\uFFFD'), 'new')).rejects.toThrow('not UTF-8');
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('a folder that a command writes to', () => {
  const CSV = 'id,name\n1,Ada\n';
  const CONTRACT = {
    ...{ apiVersion: 'v3.1.0', kind: 'DataContract', id: 'visits', version: '1.0.0' },
    status: 'active',
    schema: [{ name: 'visits', properties: [{ name: 'id', logicalType: 'integer' }] }],
  };
  const commands = [
    ['validate', 'a.csv', '--html'],
    ['onboard', 'a.csv', '--into'],
    ['rules', 'import', 'contract.json', '--into'],
  ];
  async function called(parameters: readonly string[], into: (folder: string) => string) {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'a.csv'), CSV);
    await writeFile(join(folder, 'contract.json'), JSON.stringify(CONTRACT));
    await symlink('nowhere', join(folder, 'dangling'));
    const before = await readdir(folder);
    const files = parameters.map((one) => (one.includes('.') ? join(folder, one) : one));
    const result = await cli([...files, into(folder)]);
    return { ...result, isLeftAlone: (await readdir(folder)).join() === before.join() };
  }

  test.skipIf(!existsSync('/proc')).each(commands)(
    'and that no file system has is refused at once: %s %s',
    async (...parameters) => {
      const { code, err } = await called(parameters, () => '/proc/none/reports');
      expect([code, err]).toEqual([
        2,
        "/proc/none/reports can't be written to: there is no folder for it\n",
      ]);
    },
  );

  test.each(commands)('and is a link to nothing is refused: %s %s', async (...parameters) => {
    const { code, err, isLeftAlone } = await called(parameters, (one) => join(one, 'dangling'));
    expect([code, isLeftAlone]).toEqual([2, true]);
    expect(err).toContain('something that is not a folder has that name');
  });

  test.each(commands)('and has a name that is not UTF-8 is refused: %s %s', async (...given) => {
    const { code, err, isLeftAlone } = await called(given, (one) => join(one, 'caf\uFFFD'));
    expect([code, isLeftAlone]).toEqual([2, true]);
    expect(err).toContain('its name is not UTF-8');
  });
});
