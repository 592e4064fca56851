import {
  GetObjectCommand,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { proxyAgents } from '../config/proxy-agents.ts';
import {
  type ObjectName,
  type ObjectStore,
  ObjectUnavailableError,
  type OpenedObject,
  type StoredObjectReference,
  StoreError,
} from './object-store.ts';

/** Settings of {@link createS3Store}. */
export interface S3StoreOptions {
  /** @default what the SDK finds in its own configuration */
  readonly region?: string;
  /** Another S3 than AWS; buckets are then in the path, since their host names lead nowhere. */
  readonly endpoint?: string;
  /** The account that has to own a bucket, or S3 refuses. @default undefined for each: not looked at */
  readonly ownerOf?: (bucket: string) => string | undefined;
}

type OwnerOf = NonNullable<S3StoreOptions['ownerOf']>;

/** Amazon S3. Credentials come from the environment, as the SDK reads them. */
export function createS3Store(options: S3StoreOptions = {}): ObjectStore {
  const { region, endpoint, ownerOf = () => undefined } = options;
  const client = new S3Client({
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    followRegionRedirects: true,
    requestHandler: { connectionTimeout: 5_000, socketTimeout: 60_000, ...proxyAgents() },
  });
  return {
    open: (reference, signal) => openInS3(client, ownerOf, reference, signal),
    write: (name, body, signal) => writeToS3(client, ownerOf, name, body, signal),
    close: () => client.destroy(),
  };
}

/**
 * Pins the version where there is one, else the ETag by `If-Match`.
 * Source: Amazon S3 API reference, "GetObject".
 */
async function openInS3(
  client: S3Client,
  ownerOf: OwnerOf,
  reference: StoredObjectReference,
  signal: AbortSignal,
): Promise<OpenedObject> {
  const { bucket, key, versionId, eTag } = reference;
  try {
    const { Body, ContentLength, VersionId, ETag } = await client.send(
      new GetObjectCommand({
        Bucket: bucket,
        Key: key,
        ExpectedBucketOwner: ownerOf(bucket),
        ...(versionId === undefined ? {} : { VersionId: versionId }),
        ...(versionId === undefined && eTag !== undefined ? { IfMatch: `"${eTag}"` } : {}),
      }),
      { abortSignal: signal },
    );
    if (Body === undefined) throw new Error(`S3 answered without a body for ${nameOf(reference)}`);
    return {
      // In Node.js the SDK's body is a stream, whatever else its type allows for.
      bytes: read(Body as AsyncIterable<Uint8Array>, reference, signal),
      sizeBytes: ContentLength ?? 0,
      ...(VersionId === undefined ? {} : { versionId: VersionId }),
      ...(ETag === undefined ? {} : { eTag: ETag.replaceAll('"', '') }),
    };
  } catch (error) {
    signal.throwIfAborted();
    throw unavailable(error, reference) ?? unreadable(error, reference);
  }
}

async function* read(
  bytes: AsyncIterable<Uint8Array>,
  reference: StoredObjectReference,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  try {
    yield* bytes;
  } catch (error) {
    signal.throwIfAborted();
    throw unreadable(error, reference);
  }
}

/** Encrypted as the bucket says. Source: Amazon S3 API reference, "PutObject". */
async function writeToS3(
  client: S3Client,
  ownerOf: OwnerOf,
  { bucket, key }: ObjectName,
  body: string,
  signal: AbortSignal,
): Promise<void> {
  try {
    await client.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: key,
        ExpectedBucketOwner: ownerOf(bucket),
        Body: body,
        ContentType: 'application/json',
      }),
      { abortSignal: signal },
    );
  } catch (error) {
    signal.throwIfAborted();
    throw new StoreError(`${nameOf({ bucket, key })} can't be written`, error);
  }
}

function unreadable(error: unknown, reference: StoredObjectReference): StoreError {
  return new StoreError(`${nameOf(reference)} can't be read`, error);
}

/**
 * Undefined for what is worth another attempt: no access (S3 also says so of a missing key to
 * those who may not list the bucket), no such bucket, throttling, the network.
 */
function unavailable(
  error: unknown,
  reference: StoredObjectReference,
): ObjectUnavailableError | undefined {
  if (!(error instanceof S3ServiceException)) return undefined;
  const status = error.$metadata.httpStatusCode;
  const name = nameOf(reference);
  if (status === 412) {
    return new ObjectUnavailableError('object-replaced', `${name} was replaced`, { cause: error });
  }
  // 405 is the answer for a version that is a delete marker.
  if (error.name === 'NoSuchKey' || error.name === 'NoSuchVersion' || status === 405) {
    return new ObjectUnavailableError('object-gone', `${name} is gone`, { cause: error });
  }
  return undefined;
}

function nameOf({ bucket, key, versionId }: StoredObjectReference): string {
  const version = versionId === undefined ? '' : ` in version ${versionId}`;
  return `s3://${bucket}/${key}${version}`;
}
