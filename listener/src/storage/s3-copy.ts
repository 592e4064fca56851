import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  NoSuchUpload,
  type S3Client,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import type { ChecksumReport } from '@file-processing/quality/report.ts';
import { notChecked } from './checksums.ts';
import {
  type CopyOptions,
  type ObjectName,
  ObjectUnavailableError,
  type StoredObjectReference,
  StoreError,
} from './object-store.ts';
import { nameOf, replaced, unavailable } from './s3-errors.ts';

/** From which sizes on, in bytes, an object is copied in parts. */
export interface CopyLimits {
  /** Larger objects are copied in parts. */
  readonly wholeBytes: number;
  /** Of a part, at least; there are never more than S3 allows. */
  readonly partBytes: number;
}

const GB = 1_000_000_000;

/** S3 copies up to 5 GB at once, and a part may have as much (Amazon S3 API Reference, "CopyObject", "UploadPartCopy"). */
export const COPY_LIMITS: CopyLimits = { wholeBytes: 5 * GB, partBytes: GB };

/** Of an upload (Amazon S3 User Guide, "Amazon S3 multipart upload limits"). */
const MOST_PARTS = 10_000;

/** Parts of one object that are copied at a time. */
const PARTS_AT_ONCE = 4;

/** Checksums that S3 keeps of a whole object however it was uploaded ("Checking object integrity in Amazon S3"). */
const FULL_CHECKSUMS = ['CRC64NVME', 'CRC32', 'CRC32C'] as const;

type FullChecksum = (typeof FULL_CHECKSUMS)[number];

interface S3 {
  readonly client: S3Client;
  readonly ownerOf: (bucket: string) => string | undefined;
}

/** A copy that is to be made. */
export interface WantedCopy {
  readonly source: StoredObjectReference;
  readonly target: ObjectName;
  readonly limits: CopyLimits;
}

/** What all requests of one copy share. */
interface Copying extends WantedCopy {
  readonly client: S3Client;
  readonly head: HeadObjectCommandOutput;
  readonly from: {
    readonly CopySource: string;
    readonly CopySourceIfMatch: string | undefined;
    readonly ExpectedSourceBucketOwner: string | undefined;
  };
  readonly to: {
    readonly Bucket: string;
    readonly Key: string;
    readonly ExpectedBucketOwner: string | undefined;
  };
}

/** Copies an object within S3, pinned to its version and ETag, and encrypted as the target's bucket says. */
export async function copyInS3(
  s3: S3,
  wanted: WantedCopy,
  options: CopyOptions,
): Promise<ChecksumReport> {
  const { source, target, limits } = wanted;
  try {
    const head = await headOf(s3, source, options.signal);
    const copying: Copying = {
      ...wanted,
      client: s3.client,
      head,
      from: {
        CopySource: copySource(source),
        CopySourceIfMatch: head.ETag,
        ExpectedSourceBucketOwner: s3.ownerOf(source.bucket),
      },
      to: {
        Bucket: target.bucket,
        Key: target.key,
        ExpectedBucketOwner: s3.ownerOf(target.bucket),
      },
    };
    if (options.leftUpload !== undefined) await abort(copying, options.leftUpload);
    return (head.ContentLength ?? 0) <= limits.wholeBytes
      ? await copyWhole(copying, options)
      : await copyInParts(copying, options);
  } catch (error) {
    options.signal.throwIfAborted();
    if (error instanceof ObjectUnavailableError) throw error;
    const failed = `${nameOf(source)} can't be copied to ${nameOf(target)}`;
    throw unavailable(error, source) ?? new StoreError(failed, error);
  }
}

/** Of the state that is copied, or its absence. */
async function headOf(
  { client, ownerOf }: S3,
  source: StoredObjectReference,
  signal: AbortSignal,
): Promise<HeadObjectCommandOutput> {
  const { bucket, key, versionId, eTag, sizeBytes } = source;
  const command = new HeadObjectCommand({
    Bucket: bucket,
    Key: key,
    VersionId: versionId,
    IfMatch: eTag === undefined ? undefined : `"${eTag}"`,
    ChecksumMode: 'ENABLED',
    ExpectedBucketOwner: ownerOf(bucket),
  });
  const head = await client.send(command, { abortSignal: signal });
  if (sizeBytes !== undefined && head.ContentLength !== sizeBytes) {
    const difference = `it has ${head.ContentLength} bytes, the event says ${sizeBytes}`;
    throw replaced(source, difference);
  }
  return head;
}

/** Encoded, with slashes as they are. */
function copySource({ bucket, key, versionId }: StoredObjectReference): string {
  const path = `${bucket}/${encodeURIComponent(key).replaceAll('%2F', '/')}`;
  return versionId === undefined ? path : `${path}?versionId=${encodeURIComponent(versionId)}`;
}

/** S3 works out the SHA-256 of the copy, which is compared with that of what was judged. */
async function copyWhole(
  { client, from, to }: Copying,
  { sha256, signal }: CopyOptions,
): Promise<ChecksumReport> {
  const command = new CopyObjectCommand({
    ...from,
    ...to,
    ChecksumAlgorithm: 'SHA256',
    TaggingDirective: 'REPLACE',
  });
  const { CopyObjectResult } = await client.send(command, { abortSignal: signal });
  const found = CopyObjectResult?.ChecksumSHA256;
  if (sha256 === null) return notChecked('SHA256', 'The file was not read to its end.');
  if (found === undefined) return notChecked(null, 'The store names no checksum of the copy.');
  return compared('SHA256', found, Buffer.from(sha256, 'hex').toString('base64'));
}

function compared(algorithm: string, found: string | undefined, expected: string): ChecksumReport {
  if (found !== expected) {
    throw new Error(`the copy has ${algorithm} ${found ?? 'none'}, and not ${expected}`);
  }
  return { status: 'compared', algorithm, reason: null };
}

/**
 * The checksum of the whole source goes with the request that completes the upload, so that S3 itself refuses another
 * content. What was begun and fails is aborted, as its parts cost money until then.
 */
async function copyInParts(
  copying: Copying,
  { onUpload, signal }: CopyOptions,
): Promise<ChecksumReport> {
  const { client, head, to } = copying;
  const full = fullChecksum(head);
  const algorithm: FullChecksum = full?.algorithm ?? 'CRC64NVME';
  const { UploadId } = await client.send(
    new CreateMultipartUploadCommand({
      ...to,
      ...describedAs(head),
      ChecksumAlgorithm: algorithm,
      ChecksumType: 'FULL_OBJECT',
    }),
    { abortSignal: signal },
  );
  if (UploadId === undefined) throw new Error('the answer names no upload');
  try {
    await onUpload(UploadId);
    const Parts = await copyParts(copying, UploadId, algorithm, signal);
    const name = `Checksum${algorithm}` as const;
    const completed = await client.send(
      new CompleteMultipartUploadCommand({
        ...to,
        UploadId,
        MultipartUpload: { Parts },
        ChecksumType: 'FULL_OBJECT',
        MpuObjectSize: head.ContentLength,
        ...(full === undefined ? {} : { [name]: full.value }),
      }),
      { abortSignal: signal },
    );
    return full === undefined
      ? notChecked(null, 'The store keeps no checksum of the whole file.')
      : compared(algorithm, completed[name], full.value);
  } catch (error) {
    await abort(copying, UploadId).catch(() => undefined);
    throw error;
  }
}

/** Undefined where S3 keeps only checksums of parts, whose sizes a copy need not have. */
function fullChecksum(
  head: HeadObjectCommandOutput,
): { readonly algorithm: FullChecksum; readonly value: string } | undefined {
  if (head.ChecksumType !== 'FULL_OBJECT') return undefined;
  return FULL_CHECKSUMS.flatMap((algorithm) => {
    const value = head[`Checksum${algorithm}`];
    return value === undefined ? [] : [{ algorithm, value }];
  })[0];
}

/** What a copy at once takes over by itself. */
function describedAs(head: HeadObjectCommandOutput) {
  const { CacheControl, ContentDisposition, ContentEncoding, ContentLanguage, ContentType } = head;
  return {
    ...{ CacheControl, ContentDisposition, ContentEncoding, ContentLanguage, ContentType },
    Metadata: head.Metadata,
  };
}

async function copyParts(
  { client, head, from, to, limits }: Copying,
  UploadId: string,
  algorithm: FullChecksum,
  signal: AbortSignal,
): Promise<CompletedPart[]> {
  const size = head.ContentLength ?? 0;
  const partBytes = Math.max(limits.partBytes, Math.ceil(size / MOST_PARTS));
  const count = Math.ceil(size / partBytes);
  const parts: CompletedPart[] = [];
  const failed = new AbortController();
  const abortSignal = AbortSignal.any([signal, failed.signal]);
  let next = 0;
  const copyNext = async () => {
    while (next < count) {
      const index = next++;
      const last = Math.min((index + 1) * partBytes, size) - 1;
      const command = new UploadPartCopyCommand({
        ...from,
        ...to,
        UploadId,
        PartNumber: index + 1,
        CopySourceRange: `bytes=${index * partBytes}-${last}`,
      });
      const { CopyPartResult } = await client.send(command, { abortSignal });
      const name = `Checksum${algorithm}` as const;
      const checksum = CopyPartResult?.[name];
      parts[index] = {
        PartNumber: index + 1,
        ETag: CopyPartResult?.ETag,
        ...(checksum === undefined ? {} : { [name]: checksum }),
      };
    }
  };
  const workers = Array.from({ length: PARTS_AT_ONCE }, () =>
    copyNext().catch((error: unknown) => {
      failed.abort(error);
      throw error;
    }),
  );
  // None is under way any more when the upload is aborted: S3 would keep its part.
  await Promise.allSettled(workers);
  // Not the first worker's, which may only have been ended by another one's failure.
  if (failed.signal.aborted) throw failed.signal.reason;
  return parts;
}

/** Deletes the parts; an upload that is not there any more has none. Not ended by the signal that ends the copying. */
async function abort({ client, to }: Pick<Copying, 'client' | 'to'>, UploadId: string) {
  try {
    await client.send(new AbortMultipartUploadCommand({ ...to, UploadId }));
  } catch (error) {
    if (!(error instanceof NoSuchUpload)) throw error;
  }
}
