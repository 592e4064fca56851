import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { gitRevision, revisionTag } from '../../../../src/operations/image/git-revision.ts';
import { processRunner } from '../../../../src/operations/runner.ts';
import { operationContext } from '../../../support/manage.ts';

const NOW = new Date('2026-01-02T03:04:05Z');
const COMMIT = '0123456789abcdef0123456789abcdef01234567';

const QUIET = { write: () => undefined };

/** A real repository of git with one commit, in a temporary folder. */
function repository({ commit = true } = {}) {
  const root = mkdtempSync(join(tmpdir(), 'git-revision-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const env = { PATH: process.env.PATH, HOME: root, GIT_CONFIG_NOSYSTEM: '1' };
  const git = (...parameters: string[]) =>
    execFileSync('git', parameters, { cwd: root, env, encoding: 'utf8', stdio: 'pipe' });
  const write = (path: string, text: string) => writeFileSync(join(root, path), text);
  mkdirSync(join(root, 'listener'));
  write('listener/a.ts', '1');
  write('README.md', '1');
  git('init', '--quiet');
  git('add', '.');
  const author = ['-c', 'user.name=a', '-c', 'user.email=a@example.org'];
  if (commit) git(...author, 'commit', '--quiet', '--message', 'one');
  const run = processRunner(env, { stdout: QUIET, stderr: QUIET });
  return { git, write, revision: () => gitRevision(operationContext({ root, run })) };
}

describe('the revision of a checkout', () => {
  it('is its commit', async () => {
    const { git, revision } = repository();
    expect(await revision()).toStrictEqual({
      commit: git('rev-parse', 'HEAD').trim(),
      changedFiles: [],
    });
  });

  it('names the files of the image that were changed, and no others', async () => {
    const { write, revision } = repository();
    write('listener/a.ts', '2');
    write('listener/new.ts', '1');
    write('README.md', '2');
    const { changedFiles } = await revision();
    expect(changedFiles).toEqual(['listener/a.ts', 'listener/new.ts']);
  });

  it.each([
    [
      'https://user:marker@git.example.org/team/app.git?token=marker',
      'https://git.example.org/team/app.git',
    ],
    ['git@git.example.org:team/app.git', 'git@git.example.org:team/app.git'],
    ['/srv/private/app.git', undefined],
    ['file:///srv/private/app.git', undefined],
  ])('tells the source of %s without what is not for a label', async (remote, source) => {
    const { git, revision } = repository();
    git('remote', 'add', 'origin', remote);
    expect((await revision()).source).toBe(source);
  });

  it('is asked for where there is no commit', async () => {
    await expect(repository({ commit: false }).revision()).rejects.toThrow(
      'git finds no commit here',
    );
  });
});

describe('the tag of a revision', () => {
  it('is the start of the commit', () => {
    expect(revisionTag({ commit: COMMIT, changedFiles: [] }, NOW, false)).toBe('0123456789ab');
  });

  it('is none for files that are not committed', () => {
    const changedFiles = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
    expect(() => revisionTag({ commit: COMMIT, changedFiles }, NOW, false)).toThrow(
      'not committed: a, b, c, d, e and 2 more',
    );
  });

  it('is marked, and unlike the one before, where they are allowed', () => {
    const dirty = { commit: COMMIT, changedFiles: ['a'] };
    expect(revisionTag(dirty, NOW, true)).toBe('0123456789ab-dirty-20260102030405');
  });
});
