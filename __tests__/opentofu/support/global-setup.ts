import { pythonEnvironment } from '../../support/python-environment.ts';
import { emulatorRequirements } from '../../terraform/support/aws-emulator.ts';
import { openTofu } from './opentofu.ts';

/** Builds OpenTofu and installs the emulator once, so that no test's time includes it. */
export default async function setup(): Promise<void> {
  await pythonEnvironment(emulatorRequirements);
  await openTofu();
}
