import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { pythonEnvironment } from '../../support/python-environment.ts';
import { emulatorRequirements } from './aws-emulator.ts';

/** Installs the emulator once, so that no test's time includes it. */
export default async function setup(project: TestProject): Promise<void> {
  const { env } = project.config;
  // The checkouts of these tests lie elsewhere each time: what Node compiles of them goes with the run.
  env.NODE_COMPILE_CACHE = join(String(env.TMPDIR), 'compile-cache');
  await pythonEnvironment(emulatorRequirements);
}
