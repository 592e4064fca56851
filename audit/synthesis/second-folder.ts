import { existsSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, sep } from 'node:path';
import type { Model } from '../../src/synthesized/model/model.ts';
import { AuditError } from '../audit-error.ts';
import { reportFolder, shownPath } from '../report-paths.ts';
import { forSecondRegion, SECOND_REGION } from './other-partition.ts';

/** Where an environment's JSON for the second region lies, among its reports. */
export function secondFolder(out: string, environment: string): string {
  return join(reportFolder(out, environment), SECOND_REGION, 'cdktf.out');
}

/**
 * Refuses a folder that is about to be written anew: the audit would clear what it reads.
 *
 * @throws AuditError where `from` is the folder or lies in it
 */
export function refuseOwnInput(from: string, folder: string): void {
  if (!existsSync(folder)) return;
  const below = relative(realpathSync(folder), realpathSync(from));
  if (below.split(sep)[0] === '..' || isAbsolute(below)) return;
  throw new AuditError(`${shownPath(from)} is cleared by this audit, which would read it`, {
    next: 'name another folder with --out, or audit a copy',
  });
}

/** Writes a folder's JSON anew for the second region. */
export function translate(
  { model, region }: { readonly model: Model; readonly region: string },
  from: string,
  folder: string,
): void {
  rmSync(folder, { recursive: true, force: true });
  const copy = (path: string) => {
    const to = join(folder, relative(from, path));
    mkdirSync(dirname(to), { recursive: true });
    writeFileSync(to, forSecondRegion(readFileSync(path, 'utf8'), region));
  };
  copy(join(from, 'manifest.json'));
  for (const stack of model.stacks) copy(stack.path);
}
