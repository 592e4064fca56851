import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { OperationContext } from './operation.ts';
import { EXIT, OperationError } from './operation-error.ts';

/**
 * Has the listener's own program check a rule set: what a rule is only the listener knows.
 *
 * @param folder - its absolute path
 * @throws OperationError with every fault (refused), or where there is no such folder (usage)
 */
export async function checkRules({ run, root }: OperationContext, folder: string): Promise<void> {
  if (!existsSync(folder)) {
    throw new OperationError(`there is no folder ${folder}`, { code: EXIT.usage });
  }
  const program = join(root, 'listener/src/main.ts');
  const { code, stderr } = await run(process.execPath, [program, 'rules', 'check', folder]);
  if (code === 0) return;
  throw new OperationError(stderr.trimEnd(), {
    code: EXIT.refused,
    next: `npx file-processing rules check ${folder} shows it alone`,
  });
}
