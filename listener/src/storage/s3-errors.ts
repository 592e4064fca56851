import { InvalidObjectState, S3ServiceException } from '@aws-sdk/client-s3';
import { ObjectUnavailableError, type StoredObjectReference, StoreError } from './object-store.ts';

/** What is thrown for whatever went wrong with reading. */
export function asStoreError(error: unknown, reference: StoredObjectReference): Error {
  if (error instanceof ObjectUnavailableError) return error;
  const failed = `${nameOf(reference)} can't be read${adviceOn(error)}`;
  return unavailable(error, reference) ?? new StoreError(failed, error);
}

/** What the names of AWS don't say. Source: Amazon S3 API reference, "Error responses". */
function adviceOn(error: unknown): string {
  if (error instanceof InvalidObjectState) {
    return `: it is archived (${error.StorageClass ?? 'storage class unknown'}), restore it first`;
  }
  const isOfKey =
    error instanceof S3ServiceException && `${error.name} ${error.message}`.match(/\bkms\b/i);
  return isOfKey ? ': S3 may not use the KMS key that encrypts it' : '';
}

/**
 * Undefined for what is worth another attempt: no access (S3 also says so of a missing key to
 * those who may not list the bucket), no such bucket, throttling, the network.
 */
export function unavailable(
  error: unknown,
  reference: StoredObjectReference,
): ObjectUnavailableError | undefined {
  if (!(error instanceof S3ServiceException)) return undefined;
  const status = error.$metadata.httpStatusCode;
  if (status === 412) return replaced(reference, undefined, { cause: error });
  // 405 is the answer for a version that is a delete marker.
  // The answer to HEAD has no document, and so no other name.
  if (['NoSuchKey', 'NoSuchVersion', 'NotFound'].includes(error.name) || status === 405) {
    const name = nameOf(reference);
    return new ObjectUnavailableError('object-gone', `${name} is gone`, { cause: error });
  }
  return undefined;
}

/** @param difference between what was asked for and what is there */
export function replaced(
  reference: StoredObjectReference,
  difference?: string,
  options?: ErrorOptions,
): ObjectUnavailableError {
  const why = difference === undefined ? '' : `: ${difference}`;
  const reason = `${nameOf(reference)} was replaced${why}`;
  return new ObjectUnavailableError('object-replaced', reason, options);
}

/** As messages name an object. */
export function nameOf({ bucket, key, versionId }: StoredObjectReference): string {
  const version = versionId === undefined ? '' : ` in version ${versionId}`;
  return `s3://${bucket}/${key}${version}`;
}
