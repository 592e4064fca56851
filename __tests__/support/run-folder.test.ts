import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../listener/support/temporary-folder.ts';
import {
  abandonedFolders,
  isAbandoned,
  makeRunFolder,
  memoryOr,
  mountPointsIn,
  startRunFolder,
} from './run-folder.ts';

const SCRIPT = join(import.meta.dirname, 'run-folder-process.ts');

/** The folder of a run that was killed. */
async function killedRun(parent: string): Promise<string> {
  const child = fork(SCRIPT, [parent], { execPath: process.execPath });
  const [path] = await once(child, 'message');
  child.kill('SIGKILL');
  await once(child, 'exit');
  return path;
}

describe('a folder of another run', () => {
  it.each([
    ['whose owner listens', { uid: 5, refusal: undefined }, false],
    ['whose owner has ended', { uid: 5, refusal: 'ECONNREFUSED' }, true],
    ['whose owner may not be asked', { uid: 5, refusal: 'EACCES' }, false],
    ['whose owner is busy', { uid: 5, refusal: 'EAGAIN' }, false],
    ['without an owner', { uid: 5, refusal: 'ENOENT' }, false],
    ["of another user's that has ended", { uid: 6, refusal: 'ECONNREFUSED' }, false],
  ])('%s: %o is abandoned: %s', (_, found, abandoned) => {
    expect(isAbandoned(found, 5)).toBe(abandoned);
  });

  it('is removed by the next run once its own was killed', async () => {
    const parent = await temporaryFolder();
    const killed = await killedRun(parent);
    writeFileSync(join(killed, 'file'), '');
    expect(await abandonedFolders(parent)).toEqual([killed]);
    const { path, remove } = await startRunFolder(parent);
    onTestFinished(remove);
    expect(readdirSync(parent)).toEqual([basename(path)]);
  });

  it('stays while the run lives', async () => {
    const parent = await temporaryFolder();
    const living = await makeRunFolder(parent);
    onTestFinished(living.remove);
    expect(await abandonedFolders(parent)).toEqual([]);
  });

  it('stays when it is not made by a run, or not yet owned', async () => {
    const parent = await temporaryFolder();
    mkdirSync(join(parent, 'other'));
    mkdirSync(join(parent, 'tests-abcdef'));
    expect(await abandonedFolders(parent)).toEqual([]);
  });

  it('stays when what is called owner is a file', async () => {
    const parent = await temporaryFolder();
    mkdirSync(join(parent, 'tests-mine'));
    writeFileSync(join(parent, 'tests-mine', 'owner'), 'somebody');
    expect(await abandonedFolders(parent)).toEqual([]);
  });

  it('is not found through a link, whatever that leads to', async () => {
    const parent = await temporaryFolder();
    symlinkSync(await killedRun(await temporaryFolder()), join(parent, 'tests-linked'));
    symlinkSync('tests-loop', join(parent, 'tests-loop'));
    expect(await abandonedFolders(parent)).toEqual([]);
  });
});

describe('the own folder', () => {
  it('is gone with the run', async () => {
    const { path, remove } = await makeRunFolder(await temporaryFolder());
    mkdirSync(join(path, 'a'));
    await remove();
    expect(existsSync(path)).toBe(false);
  });

  it('needs no socket', async () => {
    const parent = join(await temporaryFolder(), 'a-name-too-long-for-a-socket'.repeat(5));
    mkdirSync(parent);
    const { path, remove } = await makeRunFolder(parent);
    onTestFinished(remove);
    expect(readdirSync(path)).toEqual([]);
    expect(await abandonedFolders(parent)).toEqual([]);
  });
});

describe('a folder in memory', () => {
  it('is taken where there is enough of it', async () => {
    const folder = await temporaryFolder();
    expect(memoryOr('/other', folder, 1)).toBe(folder);
    expect(memoryOr('/other', folder, Number.POSITIVE_INFINITY)).toBe('/other');
  });

  it('is not needed', () => {
    expect(memoryOr('/other', '/nowhere')).toBe('/other');
  });
});

describe('what is mounted in a folder', () => {
  const MOUNTS = `proc /proc proc rw 0 0
tmpfs /tmp/tests-a/image\\040x tmpfs rw 0 0
overlay /tmp/tests-a/image\\040x/merged overlay rw 0 0
tmpfs /tmp/tests-ab tmpfs rw 0 0
`;

  it('is named from the inside out', () => {
    expect(mountPointsIn('/tmp/tests-a', MOUNTS)).toEqual([
      '/tmp/tests-a/image x/merged',
      '/tmp/tests-a/image x',
    ]);
  });

  it('is nothing where nothing is mounted', () => {
    expect(mountPointsIn('/tmp/tests-b', MOUNTS)).toEqual([]);
  });
});
