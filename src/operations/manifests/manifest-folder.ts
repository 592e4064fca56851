import { existsSync, readdirSync, statSync } from 'node:fs';
import { EXIT } from '../exit-codes.ts';
import { OperationError } from '../operation-error.ts';

/**
 * Refuses a folder that holds anything but what an earlier run wrote: writing into it removes the
 * manifests that are there no more, and must remove nothing else.
 *
 * @throws OperationError (EXIT.refused) that names what is in the way
 */
export function refuseForeignFolder(folder: string): void {
  if (!existsSync(folder)) return;
  if (!statSync(folder).isDirectory()) {
    throw new OperationError(`--output ${folder} is no folder`, { code: EXIT.usage });
  }
  const entries = readdirSync(folder, { withFileTypes: true });
  const foreign = entries.find((entry) => !entry.isFile() || !entry.name.endsWith('.yaml'));
  const ours = entries.some(({ name }) => name === 'kustomization.yaml');
  if (entries.length === 0 || (ours && foreign === undefined)) return;
  const what = foreign === undefined ? 'no kustomization.yaml' : foreign.name;
  throw new OperationError(
    `--output ${folder} holds more than manifests of an earlier run (${what})`,
    { next: 'name a folder that is empty or not there yet', code: EXIT.refused },
  );
}
