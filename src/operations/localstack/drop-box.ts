import type { S3Client } from '@aws-sdk/client-s3';
import type { SNSClient } from '@aws-sdk/client-sns';
import { mergeNotifications } from '../notifications/merge-notifications.ts';
import { entryText } from '../notifications/notification-entry.ts';
import { OperationError } from '../operation-error.ts';

/** What became of a part. */
export type Outcome = 'made' | 'changed' | 'unchanged';

/** Makes the bucket where it is missing. */
export async function ensureBucket(
  s3: S3Client,
  bucket: string,
  dryRun: boolean,
): Promise<Outcome> {
  const { CreateBucketCommand, HeadBucketCommand, NotFound } = await import('@aws-sdk/client-s3');
  try {
    await s3.send(new HeadBucketCommand({ Bucket: bucket }));
    return 'unchanged';
  } catch (error) {
    if (!(error instanceof NotFound)) throw error;
  }
  if (!dryRun) await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  return 'made';
}

/**
 * Makes the topic where it is missing, and has it sign as the listener wants it by default:
 * with SHA256 (Amazon SNS Developer Guide, "Verifying the signatures of Amazon SNS messages").
 */
export async function ensureTopic(
  sns: SNSClient,
  topic: { readonly arn: string; readonly name: string },
  dryRun: boolean,
): Promise<Outcome> {
  const {
    CreateTopicCommand,
    GetTopicAttributesCommand,
    NotFoundException,
    SetTopicAttributesCommand,
  } = await import('@aws-sdk/client-sns');
  const attributes = await sns
    .send(new GetTopicAttributesCommand({ TopicArn: topic.arn }))
    .then(({ Attributes }) => Attributes ?? {})
    .catch((error: unknown) => {
      if (error instanceof NotFoundException) return undefined;
      throw error;
    });
  if (attributes?.SignatureVersion === '2') return 'unchanged';
  if (!dryRun) {
    if (attributes === undefined) await sns.send(new CreateTopicCommand({ Name: topic.name }));
    await sns.send(
      new SetTopicAttributesCommand({
        TopicArn: topic.arn,
        AttributeName: 'SignatureVersion',
        AttributeValue: '2',
      }),
    );
  }
  return attributes === undefined ? 'made' : 'changed';
}

/**
 * Sends event notifications of every new object of the bucket to the topic, beside those that it sends already.
 *
 * @throws OperationError where an entry of others stands against it
 */
export async function ensureNotification(
  s3: S3Client,
  bucket: string,
  topicArn: string,
  dryRun: boolean,
): Promise<Outcome> {
  const { GetBucketNotificationConfigurationCommand, PutBucketNotificationConfigurationCommand } =
    await import('@aws-sdk/client-s3');
  const { $metadata, ...current } = await s3.send(
    new GetBucketNotificationConfigurationCommand({ Bucket: bucket }),
  );
  const merged = mergeNotifications(current, { topicArn, prefixes: [''], suffix: '', replace: [] });
  const [conflict] = merged.conflicts;
  if (conflict !== undefined) {
    throw new OperationError(
      `the bucket ${bucket} sends the same event notifications elsewhere: ${entryText(conflict.other)}`,
      { next: 'remove that entry, or start with an empty LocalStack' },
    );
  }
  if (merged.added.length === 0 && merged.removed.length === 0) return 'unchanged';
  if (!dryRun) {
    const { configuration: NotificationConfiguration } = merged;
    await s3.send(
      new PutBucketNotificationConfigurationCommand({ Bucket: bucket, NotificationConfiguration }),
    );
  }
  return 'changed';
}
