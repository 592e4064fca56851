import { join } from 'node:path';
import { pythonEnvironment } from '../../support/python-environment.ts';

/** Folder of LocalStack's start and its packages. */
export const localStackFolder = join(import.meta.dirname, '../../../test-support/localstack');

/** The Python that LocalStack runs on; its pins were tried on 3.11 alone. */
export function localStackPython(): Promise<string> {
  return pythonEnvironment(join(localStackFolder, 'requirements.txt'), 'python3.11');
}
