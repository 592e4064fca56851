import { spawnSync } from 'node:child_process';

/** Whether git tracks a file; false where there is no git or no repository. */
export function isTrackedByGit(root: string, file: string): boolean {
  const { status } = spawnSync('git', ['ls-files', '--error-unmatch', '--', file], {
    cwd: root,
    stdio: 'ignore',
  });
  return status === 0;
}
