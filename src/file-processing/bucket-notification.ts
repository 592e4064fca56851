import { S3BucketNotification } from '@cdktf/provider-aws/lib/s3-bucket-notification/index.js';
import { encodeKeyFilter } from '@file-processing/contract/s3-object.ts';
import type { Construct } from 'constructs';
import type { FileProcessingSettings } from '../settings/file-processing-variables.ts';
import type { Topic } from './topic.ts';

/**
 * Sends event notifications of new objects to the topic. A bucket has one notification configuration, and this resource
 * owns the whole of it: what others configured is replaced.
 */
export function notifyOfNewObjects(
  scope: Construct,
  settings: FileProcessingSettings,
  topic: Topic,
): S3BucketNotification {
  return new S3BucketNotification(scope, 'bucket', {
    bucket: settings.bucket_name,
    topic: settings.s3_prefixes.map((prefix) => ({
      id: `file-processing:${prefix}`,
      topicArn: topic.resource.arn,
      events: ['s3:ObjectCreated:*'],
      filterPrefix: encodeKeyFilter(prefix),
      ...(settings.s3_suffix && { filterSuffix: encodeKeyFilter(settings.s3_suffix) }),
    })),
    // S3 tries to publish at once, and refuses a topic whose policy does not allow it.
    dependsOn: [topic.policy],
  });
}
