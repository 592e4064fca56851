import { emulatorRequirements } from './aws-emulator.ts';
import { pythonEnvironment } from './python-environment.ts';

/** Installs the emulator once, so that no test's time includes it. */
export default async function setup(): Promise<void> {
  await pythonEnvironment(emulatorRequirements);
}
