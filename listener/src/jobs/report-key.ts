import { createHash } from 'node:crypto';

/** Bytes of UTF-8 that a key may have (Amazon S3 User Guide, "Naming Amazon S3 objects"). */
const MAX_KEY_BYTES = 1024;

/** What a report's key is made of. */
export interface ReportKeyParts {
  /** REPORT_PREFIX. */
  readonly prefix: string;
  /** Of the object that was judged. */
  readonly objectKey: string;
  readonly runId: string;
}

/**
 * The key of a run's report: the same for every attempt, so that a later one writes over what an
 * earlier one wrote. Where the object's own key leaves too little room, its SHA-256 stands for it.
 */
export function reportKey({ prefix, objectKey, runId }: ReportKeyParts): string {
  const key = `${prefix}${objectKey}.${runId}.json`;
  if (Buffer.byteLength(key) <= MAX_KEY_BYTES) return key;
  const sha256 = createHash('sha256').update(objectKey).digest('hex');
  return `${prefix}${sha256}.${runId}.json`;
}
