import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { stopServersIn } from '../listener/support/stop-servers-in.ts';
import { abandonedFolders, makeRunFolder, removeAbandoned } from './run-folder.ts';

/**
 * Gives the workers, and what they start, a folder for temporary files that is gone after the run:
 * a worker that stays for all its files is ended without a word, and so removes nothing itself.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await removeLeftovers();
  const folder = await makeRunFolder(tmpdir());
  project.config.env = {
    ...project.config.env,
    TMPDIR: folder.path,
    // Here too: checkouts that tests copy have other paths each time, so that it would only grow.
    NODE_COMPILE_CACHE: join(folder.path, 'compile-cache'),
  };
  return folder.remove;
}

/** What can't be removed stays: no run fails by the remains of another. */
async function removeLeftovers(): Promise<void> {
  for (const folder of await abandonedFolders(tmpdir())) {
    try {
      await stopServersIn(folder);
      await removeAbandoned(folder);
    } catch (error) {
      console.warn(`${folder} of a run that was killed can't be removed:`, error);
    }
  }
}
