import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import {
  isAlive,
  makeUnfinished,
  removeUnfinished,
} from '../../../../listener/local/postgres/unfinished.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** Id of a process that has ended. */
async function endedProcess(): Promise<number> {
  const child = fork('-e', ['0'], { execPath: process.execPath });
  await once(child, 'exit');
  return child.pid ?? 0;
}

test('what a process that has ended left is removed, and nothing else', async () => {
  const folder = await temporaryFolder();
  const place = join(folder, 'data');
  const ended = `${place}.unfinished-${await endedProcess()}`;
  for (const path of [`${ended}-abc`, `${ended}-abc.password`, `${ended}.password`, place]) {
    await mkdir(path);
  }
  const nobodys = `${place}.unfinished-`;
  await mkdir(nobodys);
  const own = await makeUnfinished(place);
  await removeUnfinished(place);
  const left = (await readdir(folder)).map((name) => join(folder, name));
  expect(left.sort()).toEqual([place, nobodys, own].sort());
});

test('a process of another user lives', () => {
  // As the system answers everybody but root, who may run this test.
  const kill = vi.spyOn(process, 'kill').mockImplementation(() => {
    throw Object.assign(new Error('kill EPERM'), { code: 'EPERM' });
  });
  try {
    expect(isAlive(1)).toBe(true);
  } finally {
    kill.mockRestore();
  }
});
