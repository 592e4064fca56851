import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadEnvFile } from 'node:process';

/**
 * Loads the `.env` of a folder into the environment, when there is one. What is set already stays
 * (Node.js documents this of `process.loadEnvFile`).
 *
 * @returns whether there was a file
 */
export function loadDotEnv(folder: string): boolean {
  const path = join(folder, '.env');
  if (!existsSync(path)) return false;
  loadEnvFile(path);
  return true;
}
