import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../../support/run-main.ts';

/** A temporary folder, and what removes it. */
export interface TemporaryFolder {
  readonly path: string;
  readonly remove: () => void;
}

/** An empty temporary folder. */
export function temporaryFolder(): TemporaryFolder {
  const path = mkdtempSync(join(tmpdir(), 'audit-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** A synthesis of an environment, made by main.ts. */
export function synthesizedFolder(environment: string): TemporaryFolder {
  const folder = temporaryFolder();
  const { status, stderr } = spawnSync(process.execPath, [join(ROOT, 'main.ts')], {
    cwd: ROOT,
    env: { ...process.env, ENVIRONMENT: environment, CDKTF_OUTDIR: folder.path },
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  return folder;
}

/** A copy of a folder, to be changed. */
export function copyOf(source: TemporaryFolder): TemporaryFolder {
  const copy = temporaryFolder();
  cpSync(source.path, copy.path, { recursive: true });
  return copy;
}
