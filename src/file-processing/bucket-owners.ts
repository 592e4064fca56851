import { encodeKeyFilter } from '@file-processing/contract/s3-object.ts';
import { allowListener } from '../policies/listener-policies.ts';
import { policyDocument } from '../policies/policy-document.ts';
import { type Bucket, bucketsOf } from '../settings/buckets.ts';
import { accessOf, type Context } from './context.ts';

/** What of the stack the owner of a bucket has to name. */
export interface NamedByOwners {
  /** Role of the listener. */
  readonly roleArn: string;
  readonly topicArn: string;
}

/**
 * What each other account has to set for its buckets, as JSON by the bucket's name: a policy of the bucket, one of its
 * key where it has one, both to be merged into what is there, and event notifications as the S3 API takes them. They
 * name the role, which has to exist before: S3 and KMS refuse a principal that they don't find.
 *
 * @returns undefined where all buckets are of the stack's account
 */
export function forBucketOwners(context: Context, named: NamedByOwners): string | undefined {
  const ofOthers = bucketsOf(context.settings).filter(({ account }) => account !== '');
  if (ofOthers.length === 0) return undefined;
  return JSON.stringify(
    Object.fromEntries(ofOthers.map((bucket) => [bucket.name, forOwner(context, bucket, named)])),
  );
}

function forOwner(context: Context, bucket: Bucket, { roleArn, topicArn }: NamedByOwners) {
  const { inBucket, inKey } = allowListener(roleArn, accessOf(context, [bucket]));
  return {
    account: bucket.account,
    bucketPolicy: policyDocument(inBucket),
    ...(inKey.length > 0 && { keyArn: bucket.keyArn, keyPolicy: policyDocument(inKey) }),
    notifications: {
      TopicConfigurations: bucket.prefixes.map((prefix) => ({
        Id: notificationId(prefix),
        TopicArn: topicArn,
        Events: NEW_OBJECTS,
        Filter: { Key: { FilterRules: filterRules(prefix, bucket.suffix) } },
      })),
    },
  };
}

/** The id of the event notification for a key prefix. */
export function notificationId(prefix: string): string {
  return `file-processing:${prefix}`;
}

/** The events of new objects, of every way to make one. */
export const NEW_OBJECTS = ['s3:ObjectCreated:*'];

function filterRules(prefix: string, suffix: string) {
  return [
    { Name: 'prefix', Value: encodeKeyFilter(prefix) },
    ...(suffix === '' ? [] : [{ Name: 'suffix', Value: encodeKeyFilter(suffix) }]),
  ];
}
