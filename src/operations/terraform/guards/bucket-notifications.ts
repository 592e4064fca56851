import type { NotificationConfiguration } from '@aws-sdk/client-s3';
import { parseTopicArn } from '@file-processing/contract/arn.ts';
import { decodeKeyFilter } from '@file-processing/contract/s3-object.ts';
import { DELIVERY_QUEUE } from '../phases.ts';
import { changesOf, deletes, type PlanJson, type PlannedChange } from '../plan-json.ts';
import type { Refusal } from './refusals.ts';

const TYPE = 'aws_s3_bucket_notification';

/** How the stack's own entries begin. */
const OWN_ID = 'file-processing:';

/** One entry of a bucket's notification configuration. */
interface Entry {
  readonly target: string;
  readonly events: readonly string[];
  readonly prefix: string;
  readonly suffix: string;
}

/** Buckets whose notification configuration a plan would write or remove. */
export function bucketsWithPlannedNotifications(plan: PlanJson): readonly string[] {
  return [...new Set(notificationChanges(plan).map(bucketOf))];
}

/**
 * Refuses a plan that would wipe what others have configured. A bucket has one notification
 * configuration, which the resource owns whole ("NOTE" of aws_s3_bucket_notification in the AWS
 * provider's documentation; PutBucketNotificationConfiguration replaces), and a plan that creates it
 * does not show what is there.
 *
 * @param current - what each bucket has now, by bucket
 * @param topicName - name of the topic that the stack works with
 */
export function refuseNotificationsOfOthers(
  plan: PlanJson,
  current: ReadonlyMap<string, NotificationConfiguration>,
  topicName: string,
): readonly Refusal[] {
  return notificationChanges(plan).flatMap((change) => {
    const bucket = bucketOf(change);
    const configured = current.get(bucket);
    if (configured === undefined) return [];
    const lost = lostEntries(change, configured, topicName, tookEvents(plan, bucket));
    if (lost.length === 0) return [];
    return [
      {
        reason: `the plan would remove from bucket ${bucket} what others have configured:\n${lost.map((line) => `  ${line}`).join('\n')}`,
        next: waysOut(change, bucket),
      },
    ];
  });
}

/**
 * Refuses a plan that removes a bucket's configuration at one address and puts it at another: Terraform does both at
 * once, and when the removal comes last the bucket notifies nobody, with a plan that is empty.
 */
export function refuseNotificationsUnderNewAddress(plan: PlanJson): readonly Refusal[] {
  const changes = notificationChanges(plan).map(({ address, change }) => ({
    address,
    removed: change.after?.bucket === change.before?.bucket ? undefined : change.before?.bucket,
    put: change.after?.bucket === change.before?.bucket ? undefined : change.after?.bucket,
  }));
  return changes.flatMap(({ address: from, removed }) => {
    const to = changes.find(({ put }) => removed !== undefined && put === removed);
    if (to === undefined) return [];
    return [
      {
        reason: `the plan would remove the event notifications of bucket ${String(removed)} as ${from} and put them as ${to.address} at the same time`,
        next: `tell Terraform that they are the same, in the folder of the synthesized stack: terraform state mv ${from} ${to.address}; or, where buckets takes the place of bucket_name, put that bucket first`,
      },
    ];
  });
}

/** Whether the stack's rule of EventBridge takes events of a bucket before a plan: then the stack had switched them on. */
function tookEvents({ resource_changes: resources = [] }: PlanJson, bucket: string): boolean {
  return resources.some(
    ({ type, change: { before } }) =>
      type === 'aws_cloudwatch_event_rule' &&
      String(before?.event_pattern).includes(JSON.stringify(bucket)),
  );
}

/** Whether a plan takes the stack's rule of EventBridge away, or what it sends to. */
export function endsRule(plan: PlanJson): boolean {
  return changesOf(plan).some(
    (change) => /^aws_cloudwatch_event_(rule|target)$/.test(change.type) && deletes(change),
  );
}

/**
 * Refuses a plan that ends the rule of EventBridge before buckets tell the topic: what is new meanwhile is never
 * checked. One that takes the queue too, as a destroy does, is judged by what waits there.
 *
 * @param current - what each bucket of the stack's account has now
 */
export function refuseNotificationGap(
  plan: PlanJson,
  current: ReadonlyMap<string, NotificationConfiguration>,
  topicName: string,
): readonly Refusal[] {
  const takesQueue = changesOf(plan).some(
    (change) => change.address === DELIVERY_QUEUE && deletes(change),
  );
  if (!endsRule(plan) || takesQueue) return [];
  return [...current]
    .filter(([, { TopicConfigurations: topics = [] }]) =>
      topics.every(({ TopicArn = '' }) => !isTopic(TopicArn, topicName)),
    )
    .map(([bucket]) => ({
      reason: `the plan would end the rule of EventBridge while bucket ${bucket} tells no topic: what is new meanwhile is never checked`,
      next: 'set both_notifications = true, with delivery = "sqs", and apply (for a bucket that others configure, then npm run manage -- s3-configure-notifications), and set it back after that; or go on with --allow-message-loss',
    }));
}

function notificationChanges(plan: PlanJson): readonly PlannedChange[] {
  return changesOf(plan).filter(({ type }) => type === TYPE);
}

function bucketOf({ change }: PlannedChange): string {
  return String(change.after?.bucket ?? change.before?.bucket);
}

function lostEntries(
  planned: PlannedChange,
  configured: NotificationConfiguration,
  topicName: string,
  hadEvents: boolean,
): readonly string[] {
  const { before, after } = planned.change;
  // The state holds what the stack had made, for another topic too, and after its refresh what others added.
  const former = entriesOfPlan(before, topicName).filter(({ id }) => id.startsWith(OWN_ID));
  const made = [...entriesOfPlan(after, topicName), ...former];
  // Once the stack owns the configuration, an entry for its own topic is an older form of its own.
  const owned = before !== null;
  const isOurs = (entry: Entry) =>
    made.some((other) => sameEntry(entry, other)) || (owned && isTopic(entry.target, topicName));
  const lost = entriesOfBucket(configured)
    .filter((entry) => !isOurs(entry))
    .map(describeEntry);
  // The state says after a refresh what others switched on too.
  const losesEventBridge =
    configured.EventBridgeConfiguration !== undefined && after?.eventbridge !== true && !hadEvents;
  return losesEventBridge ? [...lost, 'all events to EventBridge'] : lost;
}

function entriesOfBucket(configured: NotificationConfiguration): readonly Entry[] {
  const {
    TopicConfigurations: topics = [],
    QueueConfigurations: queues = [],
    LambdaFunctionConfigurations: functions = [],
  } = configured;
  const targets = [
    ...topics.map((topic) => ({ ...topic, target: topic.TopicArn })),
    ...queues.map((queue) => ({ ...queue, target: queue.QueueArn })),
    ...functions.map((lambda) => ({ ...lambda, target: lambda.LambdaFunctionArn })),
  ];
  return targets.map(({ target = '', Events = [], Filter }) => {
    // S3 answers with "Prefix", and takes "prefix" as well.
    const rule = (name: string) =>
      decodeKeyFilter(
        Filter?.Key?.FilterRules?.find(({ Name }) => Name?.toLowerCase() === name)?.Value ?? '',
      );
    return { target, events: Events, prefix: rule('prefix'), suffix: rule('suffix') };
  });
}

function entriesOfPlan(
  after: PlannedChange['change']['after'],
  topicName: string,
): readonly (Entry & { readonly id: string })[] {
  const blocks = (name: string, target: string) =>
    ((after?.[name] ?? []) as readonly Readonly<Record<string, unknown>>[]).map((block) => ({
      id: String(block.id ?? ''),
      // Not known before the topic exists: then its name has to do.
      target: String(block[target] ?? `:${topicName}`),
      events: (block.events ?? []) as readonly string[],
      prefix: decodeKeyFilter(String(block.filter_prefix ?? '')),
      suffix: decodeKeyFilter(String(block.filter_suffix ?? '')),
    }));
  return [
    ...blocks('topic', 'topic_arn'),
    ...blocks('queue', 'queue_arn'),
    ...blocks('lambda_function', 'lambda_function_arn'),
  ];
}

function sameEntry(one: Entry, other: Entry): boolean {
  const sameTarget =
    one.target === other.target ||
    (other.target.startsWith(':') && one.target.endsWith(other.target));
  return (
    sameTarget &&
    one.prefix === other.prefix &&
    one.suffix === other.suffix &&
    [...one.events].sort().join() === [...other.events].sort().join()
  );
}

function isTopic(target: string, name: string): boolean {
  return parseTopicArn(target)?.name === name;
}

function describeEntry({ target, events, prefix, suffix }: Entry): string {
  return `${events.join(', ')} of ${prefix}*${suffix} to ${target}`;
}

function waysOut(planned: PlannedChange, bucket: string): string {
  if (deletes(planned) && planned.change.after === null) {
    return `move them aside, or take ours alone out by hand: remove its entries from bucket ${bucket} and ${planned.address} from the state (terraform state rm)`;
  }
  return `set create_s3_notifications = false (create_notifications of an entry of buckets) and run npm run manage -- s3-configure-notifications, which keeps them; or have their owners move them first`;
}
