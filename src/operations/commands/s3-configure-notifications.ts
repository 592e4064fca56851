import type { S3Client } from '@aws-sdk/client-s3';
import { topicIn } from '@file-processing/contract/arn.ts';
import { Option } from 'commander';
import { type Bucket, bucketSetting, bucketsOf, routingPlaces } from '../../settings/buckets.ts';
import { notifiesTopic, usesEventBridge } from '../../settings/file-processing/delivery.ts';
import type { FileProcessingSettings } from '../../settings/file-processing-variables.ts';
import {
  type MergedNotifications,
  mergeNotifications,
} from '../notifications/merge-notifications.ts';
import { entryText } from '../notifications/notification-entry.ts';
import type { Operation, OperationContext } from '../operation.ts';
import { EXIT, OperationError } from '../operation-error.ts';
import { targetOf } from '../target.ts';
import { openStack } from '../terraform/open-stack.ts';
import { DEFAULT_STACK } from '../terraform/stacks.ts';
import {
  type EventOptions,
  type EventTarget,
  eventTarget,
  namedBucket,
  oneBucket,
  withTopicOption,
} from '../topics/event-target.ts';

interface Options extends EventOptions {
  readonly bucket?: string;
  readonly prefix: readonly string[];
  readonly suffix?: string;
  readonly replace: readonly string[];
  readonly eventbridge: boolean;
  readonly print: boolean;
  readonly dryRun: boolean;
}

/** `manage s3-configure-notifications`: sends event notifications of buckets to a topic. */
export const s3ConfigureNotifications: Operation<Options> = {
  name: 's3-configure-notifications',
  summary: "send the buckets' event notifications to the topic, and keep what others configured",
  describe: (command) =>
    withTopicOption(command)
      .option('--bucket <name>', 'the bucket (default: BUCKET, else those of the tfvars)')
      .addOption(repeatable('--prefix <prefix>', 'key prefix, repeatable', "the bucket's"))
      .option('--suffix <suffix>', "key suffix (default: the bucket's)")
      .addOption(repeatable('--replace <id>', "replace another owner's entry, repeatable", 'none'))
      .option('--eventbridge', 'send all events to EventBridge, and no longer to the topic', false)
      .option('--print', 'print what other accounts must set for their buckets', false)
      .option('--dry-run', 'show the difference, change nothing', false),
  execute: async (context, options) => {
    const named = namedBucket(options.bucket, context.env);
    if (options.print) return await printForOwners(context, options, named);
    const target = await eventTarget(context, options, (settings) => {
      refuseOtherWay(options, settings);
      refuseUnclearBucket(options, settings, named);
    });
    const { settings } = target;
    const buckets = bucketsToConfigure(context, options, target, named);
    const s3 = await target.clients.s3();
    const results: Result[] = [];
    for (const bucket of buckets) {
      const merged = mergeNotifications(await currentConfiguration(s3, bucket), {
        topicArn: topicOf(target, bucket).arn,
        prefixes: prefixesToNotify(options, settings, bucket),
        eventBridge: options.eventbridge,
        suffix: options.suffix ?? bucket.suffix,
        replace: options.replace,
      });
      refuseConflicts(merged, bucket.name);
      const { added, removed, addsEventBridge } = merged;
      const changed = added.length > 0 || removed.length > 0 || addsEventBridge;
      results.push({ bucket, changed, merged });
    }
    // Not before all can be put.
    for (const { bucket, changed, merged } of results) {
      if (!changed || options.dryRun) continue;
      await putConfiguration(s3, bucket, topicOf(target, bucket).arn, merged);
    }
    report(context, options, results);
    return EXIT.ok;
  },
};

/** A bucket that tells EventBridge and no topic tells nobody where no rule of the stack takes its events. */
function refuseOtherWay(
  { eventbridge, prefix, environment }: Options,
  settings: FileProcessingSettings,
): void {
  if (eventbridge && !usesEventBridge(settings)) {
    throw new OperationError(`no rule of ${environment} takes events of EventBridge`, {
      code: EXIT.refused,
      next: 'set notification = "eventbridge" and apply, then run this again',
    });
  }
  if (!eventbridge && !notifiesTopic(settings)) {
    throw new OperationError(`${environment} says notification = "eventbridge"`, {
      code: EXIT.refused,
      next: 'give --eventbridge; or, on the way back to the topic, set both_notifications = true and apply first',
    });
  }
  if (eventbridge && prefix.length > 0) {
    throw new OperationError('--prefix applies to entries for the topic, not to --eventbridge', {
      code: EXIT.usage,
    });
  }
}

/** @throws OperationError (usage) where options are for one bucket, and it is not clear which or how much of it */
function refuseUnclearBucket(
  { prefix, replace, suffix }: Options,
  settings: FileProcessingSettings,
  named: string | undefined,
): void {
  const all = bucketsOf(settings);
  if (named !== undefined || all.length === 1) {
    const { name, prefixes } = oneBucket(named, settings);
    if (prefixes.length > 0 || prefix.length > 0) return;
    throw new OperationError(`${name} is none of the buckets of the tfvars`, {
      code: EXIT.usage,
      next: "say by --prefix which keys are meant, '' for all",
    });
  }
  if (prefix.length + replace.length === 0 && suffix === undefined) return;
  throw new OperationError('--prefix, --suffix and --replace apply to one bucket', {
    code: EXIT.usage,
    next: `say which by --bucket: ${all.map(({ name }) => name).join(', ')}`,
  });
}

/** With `both_notifications`, what goes to the topic stays as it is to be. */
function prefixesToNotify(
  { eventbridge, prefix }: Options,
  settings: EventTarget['settings'],
  bucket: Bucket,
): readonly string[] {
  if (eventbridge && !notifiesTopic(settings)) return [];
  return prefix.length > 0 ? prefix : bucket.prefixes;
}

/**
 * The buckets whose configuration is ours to put; without a name those of the tfvars, but for the ones that the stack
 * or another account configures.
 *
 * @throws OperationError (refused) where none is, or the named one is not
 */
function bucketsToConfigure(
  { stderr }: OperationContext,
  options: Options,
  target: EventTarget,
  named: string | undefined,
): readonly Bucket[] {
  const { settings } = target;
  const all = bucketsOf(settings);
  if (named !== undefined || all.length === 1) {
    const bucket = oneBucket(named, settings);
    const refusal = refusalOf(bucket, options, target);
    if (refusal !== undefined) throw refusal;
    return [bucket];
  }
  const refusals = all.map((bucket) => refusalOf(bucket, options, target));
  const ours = all.filter((_, index) => refusals[index] === undefined);
  const [refusal] = refusals.filter((one) => one !== undefined);
  if (ours.length === 0 && refusal !== undefined) throw refusal;
  for (const one of refusals) if (one !== undefined) stderr.write(`skipped: ${one.message}\n`);
  return ours;
}

function refusalOf(
  { name, account, createNotifications }: Bucket,
  { environment }: Options,
  { settings, account: signedIn }: EventTarget,
): OperationError | undefined {
  if (createNotifications) {
    const index = bucketsOf(settings).findIndex((bucket) => bucket.name === name);
    const setting = bucketSetting(settings, index, 'create_notifications');
    return new OperationError(
      `the stack owns the notifications of ${name} (${setting} = true in ${environment}): Terraform would take back what is put here`,
      {
        code: EXIT.refused,
        next: `npm run manage -- apply configures them; to share the bucket with others, set ${setting} = false and apply, which says how the stack leaves them, then run this again`,
      },
    );
  }
  if (account === '' || account === signedIn) return undefined;
  return new OperationError(
    `${name} is a bucket of account ${account}, you are signed in to ${signedIn}`,
    {
      code: EXIT.refused,
      next: 'give its owner what --print writes; or sign in there, and name the bucket by --bucket and the topic by --topic-arn',
    },
  );
}

/** The topic of the stack is in the stack's account, whoever is signed in. */
function topicOf({ settings, topic, region, isOfStack }: EventTarget, { account }: Bucket) {
  const { account_id, sns_topic_name } = settings;
  if (!isOfStack || account === '' || account_id === '') return topic;
  return topicIn(region, account_id, sns_topic_name);
}

/** What the stack says in an output, since it names the role and the topic that were made. */
async function printForOwners(
  context: OperationContext,
  options: Options,
  named: string | undefined,
): Promise<number> {
  const settings = targetOf(context, options).environment.fileProcessing;
  const copied = routingPlaces(settings).map(({ bucket: name, account }) => ({ name, account }));
  const theirs = [...bucketsOf(settings), ...copied].filter(
    ({ name, account }) => account !== '' && (named ?? name) === name,
  );
  if (theirs.length === 0) {
    throw new OperationError(
      `${named ?? 'no bucket of the tfvars'} is ${named === undefined ? '' : 'not '}of another account`,
      { code: EXIT.usage, next: 'an entry of buckets or routing_targets says so by account_id' },
    );
  }
  const { terraform } = await openStack(context, options, DEFAULT_STACK);
  const { for_bucket_owners: output } = await terraform.outputs();
  const documents = JSON.parse(String(output?.value ?? '{}')) as Record<string, OwnersPart>;
  const parts = theirs.map(({ name }) => [name, documents[name]] as const);
  const [missing] = parts.find(([, part]) => part === undefined) ?? [];
  if (missing !== undefined) {
    throw new OperationError(`the stack has no output yet for the owner of ${missing}`, {
      next: 'npm run manage -- apply makes the role that the owner has to name',
    });
  }
  const shown = Object.fromEntries(parts) as Record<string, OwnersPart>;
  context.stdout.write(
    options.json
      ? `${JSON.stringify(shown, null, 2)}\n`
      : Object.entries(shown)
          .map(([name, part]) => textForOwner(name, part))
          .join('\n'),
  );
  return EXIT.ok;
}

interface OwnersPart {
  readonly account: string;
  readonly bucketPolicy: object;
  readonly keyArn?: string;
  readonly keyPolicy?: object;
  readonly eventRule?: {
    readonly Name: string;
    readonly EventPattern: string;
    readonly Targets: readonly object[];
  };
  /** Absent where nothing is delivered. */
  readonly notifications?: object;
}

function textForOwner(name: string, part: OwnersPart): string {
  const { account, bucketPolicy, keyArn, keyPolicy, eventRule, notifications } = part;
  return [
    `For account ${account}, owner of the bucket ${name}; each to be merged into what is there:`,
    'Policy of the bucket (aws s3api put-bucket-policy)',
    JSON.stringify(bucketPolicy, null, 2),
    ...(keyPolicy === undefined
      ? []
      : [
          `Policy of its key ${keyArn} (aws kms put-key-policy)`,
          JSON.stringify(keyPolicy, null, 2),
        ]),
    ...(eventRule === undefined
      ? []
      : [
          'Rule of EventBridge on its default bus, one for all such buckets (aws events put-rule, put-targets)',
          JSON.stringify(eventRule, null, 2),
        ]),
    ...(notifications === undefined
      ? []
      : [
          'Event notifications (aws s3api put-bucket-notification-configuration)',
          JSON.stringify(notifications, null, 2),
        ]),
    '',
  ].join('\n');
}

function repeatable(flags: string, description: string, absent: string): Option {
  return new Option(flags, description).argParser(collect).default([], absent);
}

function collect(value: string, values: readonly string[]): readonly string[] {
  return [...values, value];
}

/** S3 refuses where the bucket has passed to somebody else. */
function placeOf({ name, account }: Bucket) {
  return { Bucket: name, ...(account !== '' && { ExpectedBucketOwner: account }) };
}

async function currentConfiguration(s3: S3Client, bucket: Bucket) {
  const { GetBucketNotificationConfigurationCommand } = await import('@aws-sdk/client-s3');
  const { $metadata, ...configuration } = await s3.send(
    new GetBucketNotificationConfigurationCommand(placeOf(bucket)),
  );
  return configuration;
}

async function putConfiguration(
  s3: S3Client,
  bucket: Bucket,
  topicArn: string,
  { configuration }: MergedNotifications,
): Promise<void> {
  const { PutBucketNotificationConfigurationCommand } = await import('@aws-sdk/client-s3');
  try {
    await s3.send(
      new PutBucketNotificationConfigurationCommand({
        ...placeOf(bucket),
        NotificationConfiguration: configuration,
      }),
    );
  } catch (cause) {
    if (!(cause instanceof Error) || cause.name !== 'InvalidArgument') throw cause;
    throw new OperationError(`S3 refused the configuration of ${bucket.name}: ${cause.message}`, {
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
      next: 'choose another --prefix or --suffix, talk to whoever made the entry (a topic can have more subscribers), or replace it with --replace <its id>',
    },
  );
}

interface Result {
  readonly bucket: Bucket;
  readonly changed: boolean;
  readonly merged: MergedNotifications;
}

function report(
  { stdout }: OperationContext,
  { json, dryRun }: Options,
  results: readonly Result[],
): void {
  if (json) {
    const shown = results.map(({ bucket, changed, merged }) => {
      const { added, removed, kept, configuration } = merged;
      const eventBridge = configuration.EventBridgeConfiguration !== undefined;
      return { bucket: bucket.name, changed, dryRun, added, removed, kept, eventBridge };
    });
    stdout.write(`${JSON.stringify(shown.length === 1 ? shown[0] : shown, null, 2)}\n`);
    return;
  }
  for (const { bucket, changed, merged } of results) {
    const { added, removed, kept, configuration } = merged;
    for (const entry of kept) stdout.write(`  ${entryText(entry)}\n`);
    if (configuration.EventBridgeConfiguration) {
      stdout.write(`${merged.addsEventBridge ? '+' : ' '} every event -> Amazon EventBridge\n`);
    }
    for (const entry of removed) stdout.write(`- ${entryText(entry)}\n`);
    for (const entry of added) stdout.write(`+ ${entryText(entry)}\n`);
    const outcome = dryRun ? 'would change (dry run: nothing was put)' : 'changed';
    stdout.write(`${bucket.name}: ${changed ? outcome : 'unchanged'}\n`);
  }
}
