import {
  GetObjectTaggingCommand,
  HeadObjectCommand,
  PutObjectTaggingCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { type StoredObjectReference, StoreError } from './object-store.ts';
import { nameOf, unavailable } from './s3-errors.ts';

/** Tags that an object may have (Amazon S3 User Guide, "Categorizing your storage using tags"). */
const MOST_TAGS = 10;

/**
 * Adds tags to an object. S3 replaces all tags at once and knows no condition for it: what somebody else sets between
 * reading and writing them, within milliseconds, is lost.
 */
export async function tagInS3(
  {
    client,
    ownerOf,
  }: { readonly client: S3Client; readonly ownerOf: (bucket: string) => string | undefined },
  reference: StoredObjectReference,
  tags: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<'tagged' | 'full'> {
  const { bucket, key, versionId, eTag } = reference;
  const place = { Bucket: bucket, Key: key, ExpectedBucketOwner: ownerOf(bucket) };
  const version = { ...place, VersionId: versionId };
  const options = { abortSignal: signal };
  try {
    if (versionId === undefined && eTag !== undefined) {
      await client.send(new HeadObjectCommand({ ...place, IfMatch: `"${eTag}"` }), options);
    }
    const { TagSet = [] } = await client.send(new GetObjectTaggingCommand(version), options);
    const present = new Map(TagSet.map(({ Key = '', Value = '' }) => [Key, Value]));
    const added = Object.entries(tags);
    if (added.every(([name, value]) => present.get(name) === value)) return 'tagged';
    const merged = new Map([...present, ...added]);
    if (merged.size > MOST_TAGS) return 'full';
    const Tagging = { TagSet: [...merged].map(([Key, Value]) => ({ Key, Value })) };
    await client.send(new PutObjectTaggingCommand({ ...version, Tagging }), options);
    return 'tagged';
  } catch (error) {
    signal.throwIfAborted();
    throw (
      unavailable(error, reference) ?? new StoreError(`${nameOf(reference)} can't be tagged`, error)
    );
  }
}
