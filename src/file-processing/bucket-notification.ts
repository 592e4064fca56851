import type { S3BucketNotificationConfig } from '@cdktf/provider-aws/lib/s3-bucket-notification/index.js';
import { encodeKeyFilter } from '@file-processing/contract/s3-object.ts';
import type { Construct } from 'constructs';
import { type Bucket, bucketsOf } from '../settings/buckets.ts';
import { notifiesTopic, usesEventBridge } from '../settings/file-processing/delivery.ts';
import type { FileProcessingSettings } from '../settings/file-processing-variables.ts';
import { takeOver } from '../stack/addressed-stack.ts';
import { LightResource } from '../stack/light-resource.ts';
import { NEW_OBJECTS, notificationId } from './bucket-owners.ts';
import type { EventRule } from './event-rule.ts';
import type { EventTopic } from './topic.ts';

const TYPE = 'aws_s3_bucket_notification';

/** Name of the notification of the bucket that the variables for one name. */
const ONE = 'bucket';

/** What buckets tell of new objects. */
interface Ways {
  readonly topic: EventTopic;
  /** Only with EventBridge. */
  readonly rule?: EventRule | undefined;
}

/**
 * Sends event notifications of new objects to the topic, or all events to EventBridge, of those buckets whose notifications the stack owns. A bucket
 * has one notification configuration, and its resource owns the whole of it: what others configured is replaced.
 *
 * In a list each bucket has an address of its own name, so that its place in the list means nothing: a notification
 * that moved to another bucket would be put for the one and removed for the other at the same time. The first takes
 * over what the variables for one bucket made.
 */
export function notifyOfNewObjects(
  scope: Construct,
  settings: FileProcessingSettings,
  ways: Ways,
): void {
  const owned = bucketsOf(settings).filter(({ createNotifications }) => createNotifications);
  if (settings.buckets.length === 0) {
    for (const bucket of owned) notify(scope, ONE, bucket, settings, ways);
    return;
  }
  for (const [index, bucket] of owned.entries()) {
    // No name of a bucket has an underscore.
    const id = `${ONE}_${bucket.name.replaceAll('.', '_')}`;
    notify(scope, id, bucket, settings, ways);
    if (index === 0) takeOver(scope, `${TYPE}.${ONE}`, `${TYPE}.${id}`);
  }
}

function notify(
  scope: Construct,
  id: string,
  { name, prefixes, suffix }: Bucket,
  settings: FileProcessingSettings,
  { topic, rule }: Ways,
): void {
  const notified = notifiesTopic(settings) ? prefixes : [];
  new LightResource<S3BucketNotificationConfig>(scope, id, TYPE, {
    bucket: name,
    ...(usesEventBridge(settings) && { eventbridge: true }),
    ...(notified.length > 0 && {
      topic: notified.map((prefix) => ({
        id: notificationId(prefix),
        topicArn: topic.arn,
        events: NEW_OBJECTS,
        filterPrefix: encodeKeyFilter(prefix),
        ...(suffix && { filterSuffix: encodeKeyFilter(suffix) }),
      })),
    }),
    // S3 tries to publish at once, and refuses a topic whose policy does not allow it; an event that no rule takes is gone.
    dependsOn: [...(notified.length > 0 ? topic.dependsOn : []), ...(rule?.dependsOn ?? [])],
  });
}
