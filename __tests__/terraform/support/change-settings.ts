import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DEFAULT_ENVIRONMENT } from '../../../src/settings/environment.ts';
import { withValues } from './tfvars.ts';

/** Changes values of the default environment's file_processing.tfvars in a temporary root. */
export function changeSettings(root: string, values: Readonly<Record<string, unknown>>): void {
  const file = join(root, 'environments', DEFAULT_ENVIRONMENT, 'file_processing.tfvars');
  writeFileSync(file, withValues(readFileSync(file, 'utf8'), values));
}
