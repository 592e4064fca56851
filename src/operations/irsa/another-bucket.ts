import { ListBucketsCommand, type S3Client } from '@aws-sdk/client-s3';

/** A bucket of the account that is not the given one; undefined where there is none, or nobody may list them. */
export async function anotherBucket(s3: S3Client, bucket: string): Promise<string | undefined> {
  try {
    const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
    return Buckets.find(({ Name }) => Name !== bucket)?.Name;
  } catch (error) {
    if (error instanceof Error && error.name === 'AccessDenied') return undefined;
    throw error;
  }
}
