import { EXIT } from '../exit-codes.ts';
import { OperationError } from '../operation-error.ts';

/** Platforms that Amazon EKS has nodes for, x86 and Graviton. */
export const PLATFORMS = ['linux/amd64', 'linux/arm64'] as const;

/**
 * Reads a comma-separated list of platforms.
 *
 * @throws OperationError (EXIT.usage) with every one that is unknown
 */
export function parsePlatforms(text: string): readonly string[] {
  const platforms = [...new Set(text.split(',').map((platform) => platform.trim()))];
  const unknown = platforms.filter((platform) => !PLATFORMS.some((known) => known === platform));
  if (unknown.length === 0) return platforms;
  throw new OperationError(
    `--platform: '${unknown.join("', '")}' is not supported; ${PLATFORMS.join(', ')} or both are`,
    { code: EXIT.usage },
  );
}
