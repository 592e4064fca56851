import type { OperationContext } from '../operation.ts';
import { EXIT, OperationError } from '../operation-error.ts';

/** What an image is built from. */
export interface GitRevision {
  /** The commit, 40 hexadecimal digits. */
  readonly commit: string;
  /** Files that the image is made from and that differ from the commit. */
  readonly changedFiles: readonly string[];
  /** Address of the repository, without credentials; absent without a remote. */
  readonly source?: string;
}

/** What the image is made from: a change elsewhere in the checkout makes no other image. */
const SOURCES = [
  'package.json',
  'package-lock.json',
  '.dockerignore',
  'contract',
  'quality',
  'listener',
];

/**
 * Asks git for the commit and for what was changed since.
 *
 * @throws OperationError where there is no commit
 */
export async function gitRevision({ root, run }: OperationContext): Promise<GitRevision> {
  const git = (...parameters: string[]) => run('git', parameters, { cwd: root });
  const head = await git('rev-parse', '--verify', 'HEAD');
  if (head.code !== 0) {
    throw new OperationError(`git finds no commit here: ${head.stderr.trim()}`, {
      next: 'the image is tagged with its commit: run this in a clone of the repository',
      code: EXIT.usage,
    });
  }
  const status = await git('status', '--porcelain', '--untracked-files=all', '--', ...SOURCES);
  const remote = await git('remote', 'get-url', 'origin');
  const source = remote.code === 0 ? withoutCredentials(remote.stdout.trim()) : undefined;
  return {
    commit: head.stdout.trim(),
    changedFiles: status.stdout.split('\n').flatMap((line) => line.slice(3) || []),
    ...(source !== undefined && { source }),
  };
}

/** A remote may hold a user's token, which must not get into a label. */
function withoutCredentials(remote: string): string | undefined {
  if (!URL.canParse(remote)) return /^[\w.-]+@[\w.-]+:[^\s]+$/.test(remote) ? remote : undefined;
  const url = new URL(remote);
  url.username = '';
  url.password = '';
  url.search = '';
  return url.protocol === 'file:' ? undefined : url.href;
}

/**
 * The tag of a build: twelve digits of its commit; for a build of changed files with their number
 * of the moment behind it, since a tag of the stack's repository can be given once only.
 *
 * @param allowDirty - whether files that differ from the commit may be built
 * @throws OperationError (EXIT.refused) with the files that differ
 */
export function revisionTag(
  { commit, changedFiles }: GitRevision,
  now: Date,
  allowDirty: boolean,
): string {
  const short = commit.slice(0, 12);
  if (changedFiles.length === 0) return short;
  if (!allowDirty) {
    const shown = changedFiles.slice(0, 5).join(', ');
    const more = changedFiles.length > 5 ? ` and ${changedFiles.length - 5} more` : '';
    throw new OperationError(`not committed: ${shown}${more}`, {
      next: 'commit them, so that the tag tells what is in the image; --allow-dirty marks the tag instead',
      code: EXIT.refused,
    });
  }
  const moment = now.toISOString().replaceAll(/\D/g, '').slice(0, 14);
  return `${short}-dirty-${moment}`;
}
