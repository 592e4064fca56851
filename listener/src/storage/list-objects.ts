import { ListObjectVersionsCommand, type ObjectVersion, S3Client } from '@aws-sdk/client-s3';
import { decodeKey } from '@file-processing/contract/s3-object.ts';
import { proxyAgents } from '../config/proxy-agents.ts';
import type { Config } from '../config.ts';
import { StoreError } from './object-store.ts';

/** A version of an object that a bucket holds. */
export interface ListedVersion {
  readonly key: string;
  /** Absent where the bucket keeps no versions; `null` where it keeps some, and kept none when this one was put. */
  readonly versionId?: string;
  /** Without quotes. */
  readonly eTag?: string;
  readonly sizeBytes: number;
  /** Whole seconds. Of a multipart upload it is when that began. */
  readonly lastModified: Date;
  /** Nothing can be read before somebody has it restored. */
  readonly isArchived: boolean;
}

/** Up to a thousand versions. */
export interface ListedPage {
  /** In the order of keys, the newest version of each first. */
  readonly versions: readonly ListedVersion[];
  /** How many deletions the page tells of beside them. */
  readonly deleteMarkers: number;
}

/** What a bucket holds, page by page. */
export interface Listing {
  /**
   * @param prefix of the keys; `''` for all
   * @throws {StoreError} when the store refuses or does not answer: worth another attempt
   */
  pages(bucket: string, prefix: string): AsyncIterable<ListedPage>;
  /** Ends connections. */
  close(): void;
}

/** Storage classes of Amazon S3 Glacier without instant retrieval. */
const ARCHIVES = ['GLACIER', 'DEEP_ARCHIVE'];

/** A listing of thousands of pages must get over more than one moment at which S3 answers "slow down". */
const ATTEMPTS = 8;

/** The listing of the S3 that the settings name. */
export function openListing({ aws, s3 }: Pick<Config, 'aws' | 's3'>): Listing {
  const owners = new Map(s3.buckets.map(({ name, account }) => [name, account]));
  const client = new S3Client({
    ...(aws.region === undefined ? {} : { region: aws.region }),
    ...(aws.endpoint === undefined ? {} : { endpoint: aws.endpoint, forcePathStyle: true }),
    followRegionRedirects: true,
    maxAttempts: ATTEMPTS,
    requestHandler: { connectionTimeout: 5_000, socketTimeout: 60_000, ...proxyAgents() },
  });
  return {
    pages: (bucket, prefix) => pagesOf(client, { bucket, prefix, owner: owners.get(bucket) }),
    close: () => client.destroy(),
  };
}

/**
 * A bucket that never kept versions has one version of each object, `null` (Amazon S3 API reference,
 * "ListObjectVersions"), so that this serves every bucket. Keys are asked for in URL encoding, since XML has no form
 * for some characters of keys; the markers come encoded as well.
 */
async function* pagesOf(
  client: S3Client,
  place: {
    readonly bucket: string;
    readonly prefix: string;
    readonly owner: string | undefined;
  },
): AsyncGenerator<ListedPage> {
  const { bucket, prefix, owner } = place;
  let after: { readonly KeyMarker?: string; readonly VersionIdMarker?: string } | undefined = {};
  while (after !== undefined) {
    const command: ListObjectVersionsCommand = new ListObjectVersionsCommand({
      Bucket: bucket,
      Prefix: prefix,
      EncodingType: 'url',
      ExpectedBucketOwner: owner,
      ...after,
    });
    const page = await client.send(command).catch((error: unknown) => {
      throw new StoreError(`s3://${bucket}/${prefix} can't be listed`, error);
    });
    yield {
      versions: (page.Versions ?? []).map(versionOf),
      deleteMarkers: page.DeleteMarkers?.length ?? 0,
    };
    const { NextKeyMarker, NextVersionIdMarker } = page;
    after =
      page.IsTruncated && NextKeyMarker !== undefined
        ? {
            KeyMarker: decoded(NextKeyMarker),
            ...(NextVersionIdMarker && { VersionIdMarker: NextVersionIdMarker }),
          }
        : undefined;
  }
}

function versionOf(version: ObjectVersion): ListedVersion {
  const { Key, VersionId = 'null', IsLatest, ETag, Size, LastModified, StorageClass } = version;
  return {
    key: decoded(Key ?? ''),
    // Which is not a version as long as it is what the key holds: its events name none.
    ...((VersionId !== 'null' || IsLatest === false) && { versionId: VersionId }),
    ...(ETag !== undefined && { eTag: ETag.replaceAll('"', '') }),
    sizeBytes: Size ?? 0,
    lastModified: LastModified ?? new Date(0),
    isArchived: ARCHIVES.includes(StorageClass ?? ''),
  };
}

function decoded(text: string): string {
  return decodeKey(text) ?? text;
}
