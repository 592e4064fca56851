import type {
  LambdaFunctionConfiguration,
  NotificationConfiguration,
  QueueConfiguration,
  TopicConfiguration,
} from '@aws-sdk/client-s3';
import { decodeKeyFilter } from '@file-processing/contract/s3-object.ts';

/** One entry of a bucket's notification configuration, whatever it sends to. */
export interface NotificationEntry {
  readonly kind: 'topic' | 'queue' | 'function';
  readonly id: string;
  /** ARN. */
  readonly destination: string;
  readonly events: readonly string[];
  /** Empty for every key. */
  readonly prefix: string;
  /** Empty for every key. */
  readonly suffix: string;
}

/** Every entry of a configuration. EventBridge is not one: it takes all events and filters none. */
export function entriesOf(configuration: NotificationConfiguration): readonly NotificationEntry[] {
  const { TopicConfigurations, QueueConfigurations, LambdaFunctionConfigurations } = configuration;
  return [
    ...(TopicConfigurations ?? []).map(topicEntry),
    ...(QueueConfigurations ?? []).map((entry) => entryOf('queue', entry, entry.QueueArn)),
    ...(LambdaFunctionConfigurations ?? []).map((entry) =>
      entryOf('function', entry, entry.LambdaFunctionArn),
    ),
  ];
}

/** An entry that sends to a topic. */
export function topicEntry(configuration: TopicConfiguration): NotificationEntry {
  return entryOf('topic', configuration, configuration.TopicArn);
}

/** An entry on one line. */
export function entryText({
  kind,
  id,
  destination,
  events,
  prefix,
  suffix,
}: NotificationEntry): string {
  return `${id || '(no id)'}: ${events.join(', ')} of ${prefix}*${suffix} -> ${kind} ${destination}`;
}

/**
 * Whether S3 would refuse the two beside each other: they share a kind of event, and a key can match
 * the filters of both (Amazon S3 User Guide, "Configuring event notifications using object key name
 * filtering").
 */
export function overlap(one: NotificationEntry, other: NotificationEntry): boolean {
  return (
    one.events.some((event) => other.events.some((otherEvent) => shareEvents(event, otherEvent))) &&
    (one.prefix.startsWith(other.prefix) || other.prefix.startsWith(one.prefix)) &&
    (one.suffix.endsWith(other.suffix) || other.suffix.endsWith(one.suffix))
  );
}

function entryOf(
  kind: NotificationEntry['kind'],
  { Id, Events, Filter }: TopicConfiguration | QueueConfiguration | LambdaFunctionConfiguration,
  destination: string | undefined,
): NotificationEntry {
  // S3 answers with Prefix and Suffix where prefix and suffix were put.
  const filterValue = (name: string) =>
    decodeKeyFilter(
      Filter?.Key?.FilterRules?.find((rule) => rule.Name?.toLowerCase() === name)?.Value ?? '',
    );
  return {
    kind,
    id: Id ?? '',
    destination: destination ?? '',
    events: Events ?? [],
    prefix: filterValue('prefix'),
    suffix: filterValue('suffix'),
  };
}

function shareEvents(one: string, other: string): boolean {
  const covers = (pattern: string, event: string) =>
    pattern === event || (pattern.endsWith('*') && event.startsWith(pattern.slice(0, -1)));
  return covers(one, other) || covers(other, one);
}
