import type { Config } from '../config.ts';
import { createLocalStore } from './local-store.ts';
import type { ObjectStore } from './object-store.ts';
import { createS3Store, type OnS3Request } from './s3-store.ts';

/**
 * The store that the settings name: the folder of `LOCAL_S3_ROOT`, else S3.
 *
 * @param onRequest called for each request to S3. @default nobody
 */
export function openStore(
  { s3, aws }: Pick<Config, 's3' | 'aws'>,
  onRequest?: OnS3Request,
): ObjectStore {
  if (s3.localRoot !== undefined) return createLocalStore(s3.localRoot);
  const owners = new Map<string | undefined, string | undefined>([
    ...s3.routingTargets.map(({ bucket, account }) => [bucket, account] as const),
    ...s3.buckets.map(({ name, account }) => [name, account] as const),
  ]);
  return createS3Store({
    region: aws.region,
    endpoint: aws.endpoint,
    ownerOf: (bucket) => owners.get(bucket),
    ...(onRequest === undefined ? {} : { onRequest }),
  });
}
