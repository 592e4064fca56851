import { EXIT, OperationError } from '../operation-error.ts';

/**
 * Checks the key of an object (Amazon S3 User Guide, "Naming Amazon S3 objects").
 *
 * @throws OperationError (usage)
 */
export function checkKey(key: string): string {
  const bytes = Buffer.byteLength(key);
  if (bytes >= 1 && bytes <= 1024 && key.isWellFormed() && !key.includes('\0')) return key;
  throw new OperationError(
    `a key of ${bytes} bytes can't be in an event: 1 to 1024 bytes of UTF-8 are needed, without NUL`,
    { code: EXIT.usage },
  );
}
