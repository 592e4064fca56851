import type { S3Client } from '@aws-sdk/client-s3';
import {
  type MergedNotifications,
  mergeNotifications,
} from '../notifications/merge-notifications.ts';
import { entryText } from '../notifications/notification-entry.ts';
import type { Operation, OperationContext } from '../operation.ts';
import { EXIT, OperationError } from '../operation-error.ts';
import {
  type EventOptions,
  eventTarget,
  namedBucket,
  withTopicOption,
} from '../topics/event-target.ts';

interface Options extends EventOptions {
  readonly bucket?: string;
  readonly prefix: readonly string[];
  readonly suffix?: string;
  readonly replace: readonly string[];
  readonly dryRun: boolean;
}

/** `manage s3-configure-notifications`: sends a bucket's event notifications to a topic. */
export const s3ConfigureNotifications: Operation<Options> = {
  name: 's3-configure-notifications',
  summary: "send a bucket's event notifications to the topic, and keep what others configured",
  describe: (command) =>
    withTopicOption(command)
      .option('--bucket <name>', 'the bucket (default: BUCKET, else bucket_name of the tfvars)')
      .option('--prefix <prefix>', 'key prefix, repeatable (default: s3_prefixes)', collect, [])
      .option('--suffix <suffix>', 'key suffix (default: s3_suffix)')
      .option('--replace <id>', "take the place of others' entry, repeatable", collect, [])
      .option('--dry-run', 'show the difference, put nothing', false),
  execute: async (context, options) => {
    const named = namedBucket(options.bucket, context.env);
    const { clients, settings, topic } = await eventTarget(context, options);
    const bucket = named ?? settings.bucket_name;
    if (settings.create_s3_notifications && bucket === settings.bucket_name) {
      throw new OperationError(
        `the stack owns the notifications of ${bucket} (create_s3_notifications = true in ${options.environment}): Terraform would take back what is put here`,
        {
          code: EXIT.refused,
          next: `npm run manage -- apply configures them; to share the bucket with others, set create_s3_notifications = false, apply (that removes the stack's entries), then run this again`,
        },
      );
    }
    const s3 = await clients.s3();
    const merged = mergeNotifications(await currentConfiguration(s3, bucket), {
      topicArn: topic.arn,
      prefixes: options.prefix.length > 0 ? options.prefix : settings.s3_prefixes,
      suffix: options.suffix ?? settings.s3_suffix,
      replace: options.replace,
    });
    refuseConflicts(merged, bucket);
    const changed = merged.added.length > 0 || merged.removed.length > 0;
    if (changed && !options.dryRun) await putConfiguration(s3, bucket, topic.arn, merged);
    report(context, options, { bucket, changed, merged });
    return EXIT.ok;
  },
};

function collect(value: string, values: readonly string[]): readonly string[] {
  return [...values, value];
}

async function currentConfiguration(s3: S3Client, bucket: string) {
  const { GetBucketNotificationConfigurationCommand } = await import('@aws-sdk/client-s3');
  const { $metadata, ...configuration } = await s3.send(
    new GetBucketNotificationConfigurationCommand({ Bucket: bucket }),
  );
  return configuration;
}

async function putConfiguration(
  s3: S3Client,
  bucket: string,
  topicArn: string,
  { configuration }: MergedNotifications,
): Promise<void> {
  const { PutBucketNotificationConfigurationCommand } = await import('@aws-sdk/client-s3');
  try {
    await s3.send(
      new PutBucketNotificationConfigurationCommand({
        Bucket: bucket,
        NotificationConfiguration: configuration,
      }),
    );
  } catch (cause) {
    if (!(cause instanceof Error) || cause.name !== 'InvalidArgument') throw cause;
    throw new OperationError(`S3 refused the configuration of ${bucket}: ${cause.message}`, {
      next: `S3 tries each destination: is there a topic ${topicArn} in the bucket's region, does its policy allow the bucket to publish (npm run manage -- sns-set-topic-policy), and does its KMS key let s3.amazonaws.com use it? The destinations of others are tried too`,
      cause,
    });
  }
}

function refuseConflicts({ conflicts, unknownIds }: MergedNotifications, bucket: string): void {
  if (unknownIds.length > 0) {
    throw new OperationError(`no entry of ${bucket} has the id ${unknownIds.join(', ')}`, {
      code: EXIT.usage,
      next: 'leave out --replace to see the entries',
    });
  }
  if (conflicts.length === 0) return;
  const lines = conflicts.map(
    ({ wanted, other }) => `\n  ${entryText(wanted)}\n    against ${entryText(other)}`,
  );
  throw new OperationError(
    `S3 allows no two entries for the same kind of event and the same keys, and ${bucket} has such entries of others:${lines.join('')}`,
    {
      code: EXIT.refused,
      next: 'choose another --prefix or --suffix, talk to whoever made the entry (a topic can have more subscribers), or take its place by --replace <its id>',
    },
  );
}

interface Result {
  readonly bucket: string;
  readonly changed: boolean;
  readonly merged: MergedNotifications;
}

function report(
  { stdout }: OperationContext,
  { json, dryRun }: Options,
  { bucket, changed, merged: { added, removed, kept, configuration } }: Result,
): void {
  if (json) {
    const eventBridge = configuration.EventBridgeConfiguration !== undefined;
    const result = { bucket, changed, dryRun, added, removed, kept, eventBridge };
    stdout.write(`${JSON.stringify(result, null, 2)}\n`);
    return;
  }
  for (const entry of kept) stdout.write(`  ${entryText(entry)}\n`);
  if (configuration.EventBridgeConfiguration) stdout.write('  every event -> Amazon EventBridge\n');
  for (const entry of removed) stdout.write(`- ${entryText(entry)}\n`);
  for (const entry of added) stdout.write(`+ ${entryText(entry)}\n`);
  const outcome = dryRun ? 'would change (dry run: nothing was put)' : 'changed';
  stdout.write(`${bucket}: ${changed ? outcome : 'unchanged'}\n`);
}
