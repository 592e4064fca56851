import { pythonEnvironment } from '../../support/python-environment.ts';
import { emulatorRequirements } from './aws-emulator.ts';

/** Installs the emulator once, so that no test's time includes it. */
export default async function setup(): Promise<void> {
  await pythonEnvironment(emulatorRequirements);
}
