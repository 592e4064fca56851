import { encodeKeyFilter } from '@file-processing/contract/s3-object.ts';
import { allowListener } from '../policies/listener-policies.ts';
import { policyDocument } from '../policies/policy-document.ts';
import {
  type Bucket,
  bucketsOf,
  newObjectPattern,
  type RoutingPlace,
  routingPlaces,
} from '../settings/buckets.ts';
import { notifiesTopic, usesEventBridge } from '../settings/file-processing/delivery.ts';
import { accessOf, type Context } from './context.ts';
import { bucketsByOwner, ruleName, undeliveredQueueArn } from './event-rule.ts';
import { deliveryQueueArn } from './queue.ts';

/** What of the stack the owner of a bucket has to name. */
export interface NamedByOwners {
  /** Role of the listener. */
  readonly roleArn: string;
  readonly topicArn: string;
}

/**
 * What each other account has to set for its buckets, as JSON by the bucket's name: a policy of the bucket, one of its
 * key where it has one, both to be merged into what is there, and event notifications as the S3 API takes them. They
 * name the role, which has to exist before: S3 and KMS refuse a principal that they don't find.
 *
 * @returns undefined where all buckets are of the stack's account
 */
export function forBucketOwners(context: Context, named: NamedByOwners): string | undefined {
  const { settings } = context;
  const delivered = bucketsOf(settings).filter(({ account }) => account !== '');
  const places = routingPlaces(settings).filter(({ account }) => account !== '');
  const names = new Set(delivered.map(({ name }) => name));
  const copied = Map.groupBy(places, ({ bucket }) => bucket);
  if (names.size + copied.size === 0) return undefined;
  return JSON.stringify({
    ...Object.fromEntries(
      delivered.map((bucket) => [
        bucket.name,
        forOwner(context, bucket, copied.get(bucket.name) ?? [], named),
      ]),
    ),
    ...Object.fromEntries(
      [...copied].flatMap(([name, group]) =>
        names.has(name) ? [] : [[name, forOwnerOfCopies(context, group, named)]],
      ),
    ),
  });
}

/** Nothing is delivered there, so it sends no events. */
function forOwnerOfCopies(
  context: Context,
  places: readonly RoutingPlace[],
  { roleArn }: Pick<NamedByOwners, 'roleArn'>,
) {
  const [{ account, keyArn } = { account: '', keyArn: '' }] = places;
  const { inBucket, inKey } = allowListener(roleArn, accessOf(context, [], places));
  return {
    account,
    bucketPolicy: policyDocument(inBucket),
    ...(inKey.length > 0 && { keyArn, keyPolicy: policyDocument(inKey) }),
  };
}

function forOwner(
  context: Context,
  bucket: Bucket,
  places: readonly RoutingPlace[],
  { roleArn, topicArn }: NamedByOwners,
) {
  const { settings } = context;
  const { inBucket, inKey } = allowListener(roleArn, accessOf(context, [bucket], places));
  return {
    account: bucket.account,
    bucketPolicy: policyDocument(inBucket),
    ...(inKey.length > 0 && { keyArn: bucket.keyArn, keyPolicy: policyDocument(inKey) }),
    ...(usesEventBridge(settings) && { eventRule: ruleOf(context, bucket.account) }),
    notifications: {
      ...(usesEventBridge(settings) && { EventBridgeConfiguration: {} }),
      ...(notifiesTopic(settings) && {
        TopicConfigurations: bucket.prefixes.map((prefix) => ({
          Id: notificationId(prefix),
          TopicArn: topicArn,
          Events: NEW_OBJECTS,
          Filter: { Key: { FilterRules: filterRules(prefix, bucket.suffix) } },
        })),
      }),
    },
  };
}

/** A rule sees the events of its own account alone; its name is the one that the policy of the queue allows. */
function ruleOf(context: Context, account: string) {
  const buckets = bucketsByOwner(context).get(account) ?? [];
  const Rule = ruleName(context);
  const DeadLetterConfig = { Arn: undeliveredQueueArn(context) };
  return {
    Name: Rule,
    EventPattern: JSON.stringify(newObjectPattern(buckets, account)),
    Targets: [{ Id: 'file-processing', Arn: deliveryQueueArn(context), DeadLetterConfig }],
  };
}

/** The id of the event notification for a key prefix. */
export function notificationId(prefix: string): string {
  return `file-processing:${prefix}`;
}

/** The events of new objects, of every way to make one. */
export const NEW_OBJECTS = ['s3:ObjectCreated:*'];

function filterRules(prefix: string, suffix: string) {
  return [
    { Name: 'prefix', Value: encodeKeyFilter(prefix) },
    ...(suffix === '' ? [] : [{ Name: 'suffix', Value: encodeKeyFilter(suffix) }]),
  ];
}
