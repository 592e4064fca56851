import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Copies the data of a local PostgreSQL that is stopped into the folder of another one. */
export async function copyCluster(source: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  // Node's own copy would belong to root, where the server runs as somebody else.
  await promisify(execFile)('cp', ['-pR', join(source, 'data'), join(folder, 'data')]);
}
