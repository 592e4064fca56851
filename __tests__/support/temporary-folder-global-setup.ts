import { chmodSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

/**
 * Gives the workers, and what they start, a folder for temporary files that is gone after the run:
 * a worker that stays for all its files is ended without a word, and so removes nothing itself.
 */
export default function setup(project: TestProject): () => Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'tests-'));
  // As open as the one that it lies in: PostgreSQL and the image's user are not who runs the tests.
  chmodSync(folder, 0o1777);
  project.config.env = {
    ...project.config.env,
    TMPDIR: folder,
    // Here too: checkouts that tests copy have other paths each time, so that it would only grow.
    NODE_COMPILE_CACHE: join(folder, 'compile-cache'),
  };
  // A program that ends with the run may still be writing.
  return () => rm(folder, { recursive: true, force: true, maxRetries: 10 });
}
