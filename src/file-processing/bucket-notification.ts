import { S3BucketNotification } from '@cdktf/provider-aws/lib/s3-bucket-notification/index.js';
import { encodeKeyFilter } from '@file-processing/contract/s3-object.ts';
import type { Construct } from 'constructs';
import type { Bucket } from '../settings/buckets.ts';
import type { EventTopic } from './topic.ts';

/**
 * Sends event notifications of new objects to the topic, of those buckets whose notifications the stack owns. A bucket
 * has one notification configuration, and its resource owns the whole of it: what others configured is replaced.
 */
export function notifyOfNewObjects(
  scope: Construct,
  buckets: readonly Bucket[],
  topic: EventTopic,
): void {
  for (const bucket of buckets) {
    if (bucket.createNotifications) notifyOf(scope, bucket, topic);
  }
}

function notifyOf(scope: Construct, { name, prefixes, suffix }: Bucket, topic: EventTopic): void {
  new S3BucketNotification(scope, 'bucket', {
    bucket: name,
    topic: prefixes.map((prefix) => ({
      id: `file-processing:${prefix}`,
      topicArn: topic.arn,
      events: ['s3:ObjectCreated:*'],
      filterPrefix: encodeKeyFilter(prefix),
      ...(suffix && { filterSuffix: encodeKeyFilter(suffix) }),
    })),
    // S3 tries to publish at once, and refuses a topic whose policy does not allow it.
    dependsOn: [...topic.dependsOn],
  });
}
