import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

/**
 * Lets the commands that tests start share what Node compiles of them (Node.js, "Module compile
 * cache"), in a folder that is gone after the run: compiling is half of a short command's time.
 */
export default function setup(project: TestProject): () => Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'compile-cache-'));
  // For what the workers start, not for the workers, which would write to it as the run ends.
  project.config.env.NODE_COMPILE_CACHE = folder;
  // A command that ends with the run may still be writing.
  return () => rm(folder, { recursive: true, force: true, maxRetries: 10 });
}
