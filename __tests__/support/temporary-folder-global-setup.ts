import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startRunFolder } from './run-folder.ts';

/**
 * Gives the workers, and what they start, a folder for temporary files that is gone after the run:
 * a worker that stays for all its files is ended without a word, and so removes nothing itself.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await startRunFolder(tmpdir());
  project.config.env = {
    ...project.config.env,
    TMPDIR: folder.path,
    // Here too: checkouts that tests copy have other paths each time, so that it would only grow. CI has one for its steps.
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(folder.path, 'compile-cache'),
  };
  return folder.remove;
}
