import { type Environment, loadEnvironment } from './environment.ts';
import { SettingsError } from './finding.ts';

/** Loads an environment for a command: faults in the settings go to standard error, without a stack trace, and end the process with code 1. */
export function environmentOrExit(root: string, name: string | undefined): Environment {
  try {
    return loadEnvironment(root, name || undefined);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}
