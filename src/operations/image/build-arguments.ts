import { EXIT } from '../exit-codes.ts';
import { OperationError } from '../operation-error.ts';

/**
 * Reads one `--build-arg NAME=value` and adds it to those before.
 *
 * @throws OperationError (EXIT.usage) when it is none, or looks like a secret
 */
export function addBuildArgument(
  assignment: string,
  before: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const [, name, value] = /^([A-Za-z_]\w*)=(.*)$/s.exec(assignment) ?? [];
  // Not what was given: it may hold a secret.
  if (name === undefined || value === undefined) {
    throw new OperationError('--build-arg must be NAME=value', { code: EXIT.usage });
  }
  if (/password|secret|token/i.test(name)) {
    throw new OperationError(`--build-arg ${name} would put a secret into the image's history`, {
      next: 'the listener takes its secrets from its environment, when it runs',
      code: EXIT.usage,
    });
  }
  return { ...before, [name]: value };
}
