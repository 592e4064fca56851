import { accessSync, constants } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { AuditError } from '../audit-error.ts';

/** Virtual environment in the checkout that checkov may be installed in. */
export const CHECKOV_FOLDER = '.checkov';

/**
 * Finds checkov: the program that `CHECKOV` names, else the one in the checkout's `.checkov`, else the
 * first one on the path.
 *
 * @param root - the checkout
 * @returns undefined where it is not installed
 * @throws AuditError when `CHECKOV` names no program
 */
export function findCheckov(
  root: string,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  if (env.CHECKOV) {
    if (isExecutable(env.CHECKOV)) return resolve(env.CHECKOV);
    throw new AuditError(`CHECKOV = ${env.CHECKOV} must be a program`, {
      next: 'correct the variable, or unset it',
    });
  }
  const onPath = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return [join(root, CHECKOV_FOLDER, 'bin'), ...onPath]
    .map((folder) => join(folder, 'checkov'))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
