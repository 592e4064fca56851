import { EXIT } from '../exit-codes.ts';
import { OperationError } from '../operation-error.ts';

/**
 * Checks the name of a bucket (Amazon S3 User Guide, "General purpose bucket naming rules").
 *
 * @param source - what gave the value, for the error
 * @throws OperationError (usage)
 */
function checkBucketName(name: string, source: string): string {
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) || name.includes('..')) {
    throw new OperationError(
      `${source} ${JSON.stringify(name)} is no bucket name: 3 to 63 lower-case letters, digits, dots and hyphens, starting and ending with a letter or digit`,
      { code: EXIT.usage },
    );
  }
  return name;
}

/**
 * The bucket that `--bucket`, else BUCKET names; undefined leaves it to the tfvars.
 *
 * @throws OperationError (usage)
 */
export function namedBucket(
  option: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  if (option !== undefined) return checkBucketName(option, '--bucket');
  return env.BUCKET ? checkBucketName(env.BUCKET, 'BUCKET') : undefined;
}
