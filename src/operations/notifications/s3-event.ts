import { partitionOf } from '@file-processing/contract/partition.ts';

/** What S3 tells of an object beside its name. */
export interface ObjectFacts {
  readonly size?: number;
  /** Without quotes. */
  readonly eTag?: string;
  readonly versionId?: string;
}

/** The object that an event tells of. */
export interface CreatedObject extends ObjectFacts {
  readonly bucket: string;
  /** As it is, not encoded. */
  readonly key: string;
  readonly region: string;
  readonly account: string;
  readonly time: Date;
}

/** Subject of the messages that S3 publishes. */
export const S3_SUBJECT = 'Amazon S3 Notification';

/**
 * The event that S3 sends for a new object (Amazon S3 User Guide, "Event message structure"). Its
 * request id says that it is a test.
 */
export function objectCreatedEvent(object: CreatedObject): object {
  const { bucket, key, region, account, time, size, eTag, versionId } = object;
  const principalId = `AWS:${account}`;
  return {
    Records: [
      {
        eventVersion: '2.1',
        eventSource: 'aws:s3',
        awsRegion: region,
        eventTime: time.toISOString(),
        eventName: 'ObjectCreated:Put',
        userIdentity: { principalId },
        requestParameters: { sourceIPAddress: '127.0.0.1' },
        responseElements: { 'x-amz-request-id': 'TEST', 'x-amz-id-2': 'manage sns-publish' },
        s3: {
          s3SchemaVersion: '1.0',
          configurationId: 'manage-sns-publish',
          bucket: {
            name: bucket,
            ownerIdentity: { principalId },
            arn: `arn:${partitionOf(region).name}:s3:::${bucket}`,
          },
          object: { key: formEncoded(key), size, eTag, versionId, sequencer: sequencerAt(time) },
        },
      },
    ],
  };
}

/** Encodes a key as S3 does: like a form, "+" for a blank, but with slashes. */
export function formEncoded(key: string): string {
  return new URLSearchParams({ key }).toString().slice('key='.length).replaceAll('%2F', '/');
}

/** Seconds and nanoseconds in hexadecimal, so that a later event of the key compares as later. */
function sequencerAt(time: Date): string {
  const milliseconds = time.getTime();
  const digits = (value: number) => value.toString(16).toUpperCase().padStart(8, '0');
  return `00${digits(Math.floor(milliseconds / 1000))}${digits((milliseconds % 1000) * 1_000_000)}`;
}
