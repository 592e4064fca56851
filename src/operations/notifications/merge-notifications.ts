import type { NotificationConfiguration, TopicConfiguration } from '@aws-sdk/client-s3';
import { encodeKeyFilter } from '@file-processing/contract/s3-object.ts';
import { entriesOf, type NotificationEntry, overlap, topicEntry } from './notification-entry.ts';

/** Begins the ids of our entries, as in the stack. */
const OUR_ID = 'file-processing:';

/** The event notifications that a bucket is to send, beside those to others. */
export interface WantedNotifications {
  readonly topicArn: string;
  /** One entry each; an empty prefix takes every key. Empty for no entry of ours. */
  readonly prefixes: readonly string[];
  /** Empty for every key. */
  readonly suffix: string;
  /** All events go to EventBridge too; where false, those that do go on. @default false */
  readonly eventBridge?: boolean;
  /** Ids of entries of others that ours take the place of. */
  readonly replace: readonly string[];
}

/** A wanted entry that S3 would refuse beside one of others. */
export interface Conflict {
  readonly wanted: NotificationEntry;
  readonly other: NotificationEntry;
}

/** The configuration to put, and how it differs from what is there. */
export interface MergedNotifications {
  readonly configuration: NotificationConfiguration;
  readonly added: readonly NotificationEntry[];
  readonly removed: readonly NotificationEntry[];
  readonly kept: readonly NotificationEntry[];
  /** EventBridge gets events that it did not get. */
  readonly addsEventBridge: boolean;
  /** While there are any, the configuration must not be put. */
  readonly conflicts: readonly Conflict[];
  /** Ids to replace that no entry has. */
  readonly unknownIds: readonly string[];
}

/**
 * Merges our entries into a bucket's whole configuration. Ours are told by their id and topic: those
 * of an earlier run that are no longer wanted go, everything of others stays as it is. An entry to
 * the same topic with the same events and filter will do under any id; ours must be encoded as well.
 */
export function mergeNotifications(
  current: NotificationConfiguration,
  wanted: WantedNotifications,
): MergedNotifications {
  const isReplaced = (id: string | undefined) => id !== undefined && wanted.replace.includes(id);
  const isOurs = ({ Id, TopicArn }: TopicConfiguration) =>
    TopicArn === wanted.topicArn && Id?.startsWith(OUR_ID) === true;

  const topics = current.TopicConfigurations ?? [];
  const wantedTopics = wanted.prefixes.map((prefix) => wantedTopic(prefix, wanted));
  const isWanted = (topic: TopicConfiguration) =>
    wantedTopics.some(
      (one) => doSame(topicEntry(one), topicEntry(topic)) && filterText(one) === filterText(topic),
    );
  const stay = topics.filter(
    (topic) => !isReplaced(topic.Id) && (!isOurs(topic) || isWanted(topic)),
  );
  const add = wantedTopics.filter(
    (topic) => !stay.some((one) => doSame(topicEntry(topic), topicEntry(one))),
  );
  const without = <T extends { readonly Id?: string | undefined }>(entries: T[] | undefined) =>
    entries?.filter(({ Id }) => !isReplaced(Id));
  const others = {
    QueueConfigurations: without(current.QueueConfigurations),
    LambdaFunctionConfigurations: without(current.LambdaFunctionConfigurations),
    EventBridgeConfiguration:
      current.EventBridgeConfiguration ?? (wanted.eventBridge ? {} : undefined),
  };

  const before = entriesOf(current);
  const kept = entriesOf({ ...others, TopicConfigurations: stay });
  const added = add.map(topicEntry);
  return {
    configuration: { ...others, TopicConfigurations: [...stay, ...add] },
    added,
    removed: before.filter((entry) => !kept.some((one) => isSame(one, entry))),
    kept,
    addsEventBridge: wanted.eventBridge === true && current.EventBridgeConfiguration === undefined,
    conflicts: added.flatMap((entry) =>
      kept
        .filter((other) => overlap(entry, other) || other.id === entry.id)
        .map((other) => ({ wanted: entry, other })),
    ),
    unknownIds: wanted.replace.filter((id) => !before.some((entry) => entry.id === id)),
  };
}

function wantedTopic(
  prefix: string,
  { topicArn, suffix }: WantedNotifications,
): TopicConfiguration {
  const rules = [
    { Name: 'prefix', Value: encodeKeyFilter(prefix) },
    { Name: 'suffix', Value: encodeKeyFilter(suffix) },
  ] as const;
  const FilterRules = rules.filter(({ Value }) => Value !== '');
  return {
    Id: `${OUR_ID}${prefix}`,
    TopicArn: topicArn,
    Events: ['s3:ObjectCreated:*'],
    ...(FilterRules.length > 0 && { Filter: { Key: { FilterRules } } }),
  };
}

/** The filter as it is put, in an order of its own. */
function filterText({ Filter }: TopicConfiguration): string {
  const rules = Filter?.Key?.FilterRules ?? [];
  return JSON.stringify(rules.map(({ Name, Value }) => `${Name?.toLowerCase()} ${Value}`).sort());
}

function doSame(one: NotificationEntry, other: NotificationEntry): boolean {
  return isSame({ ...one, id: '' }, { ...other, id: '' });
}

function isSame(one: NotificationEntry, other: NotificationEntry): boolean {
  const comparable = (entry: NotificationEntry) =>
    JSON.stringify([
      ...[entry.kind, entry.id, entry.destination, entry.prefix, entry.suffix],
      entry.events.toSorted(),
    ]);
  return comparable(one) === comparable(other);
}
