import { parseTopicArn, topicIn } from '@file-processing/contract/arn.ts';
import { isObject } from '@file-processing/contract/json-object.ts';
import { deliveryBuckets, readVariable } from '@file-processing/contract/listener-variables.ts';
import { decodeKeyFilter } from '@file-processing/contract/s3-object.ts';

/** What the local flow takes from the synthesized file-processing stack. */
export interface LocalSettings {
  /** The topic's ARN as it would be in an account of zeros. */
  readonly topicArn: string;
  readonly region: string;
  /** At least one. */
  readonly buckets: readonly LocalBucket[];
  /** The listener's environment, without what only the cloud has (database, queue, endpoints). */
  readonly environment: Readonly<Record<string, string>>;
}

/** A bucket, as a folder stands in for it. */
export interface LocalBucket {
  readonly name: string;
  /** S3 sends an event for a key that one of them fits; at least one. */
  readonly filters: readonly KeyFilter[];
}

/** The key filter of a bucket notification; empty texts let everything pass. */
export interface KeyFilter {
  readonly prefix: string;
  readonly suffix: string;
}

/** The synthesized JSON is not what the local flow needs, with everything that is wrong. */
export class StackError extends Error {
  override readonly name = 'StackError';
}

const ACCOUNT_ID = '000000000000';

/** Names of the ConfigMap that mean something of the cloud, or somebody who waits for files there: the local flow has its own. */
const ONLY_IN_THE_CLOUD =
  /^(DB_|DATABASE_|AWS_ENDPOINT_URL|AWS_USE_FIPS_ENDPOINT$|SQS_|LOCAL_S3_ROOT$|RULES_LOCATION$|SNS_TOPIC_ARNS$|NOTICE_|HTTPS?_PROXY$|NO_PROXY$|NODE_USE_ENV_PROXY$)/;

/** A Terraform expression, whose value is unknown before an apply. */
const EXPRESSION = /(^|[^$])\$\{/;

/**
 * Reads the synthesized stack, so that what runs here is what is deployed: the listener's
 * environment from the ConfigMap, the topic's name, the buckets and the filters of their notifications
 * (where no notification is synthesized for a bucket of the ConfigMap, the ConfigMap's own prefixes).
 *
 * @param stack content of `cdk.tf.json`
 * @throws {StackError} with everything that is missing
 */
export function localSettings(stack: unknown): LocalSettings {
  const problems: string[] = [];
  const literal = (value: unknown, what: string): string => {
    if (typeof value === 'string' && value !== '' && !EXPRESSION.test(value)) return value;
    const found = value === undefined ? 'is missing' : `is ${JSON.stringify(value)}`;
    problems.push(`${what} ${found}; a literal text is needed`);
    return '';
  };

  const data = at(stack, 'resource', 'kubernetes_config_map_v1', 'config', 'data');
  if (!isObject(data)) problems.push('kubernetes_config_map_v1.config.data is missing');
  const configMap = isObject(data) ? data : {};
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(configMap)) {
    if (!ONLY_IN_THE_CLOUD.test(name)) environment[name] = literal(value, `ConfigMap's ${name}`);
  }

  const region = literal(configMap.AWS_REGION, "ConfigMap's AWS_REGION");
  const existing = parseTopicArn(String(at(stack, 'locals', 'existing_topic_arn')));
  const topicName =
    existing?.name ??
    literal(
      at(stack, 'resource', 'aws_sns_topic', 'file_processing', 'name'),
      'aws_sns_topic.file_processing.name',
    );
  const notifications = at(stack, 'resource', 'aws_s3_bucket_notification');
  const notified = Object.entries(isObject(notifications) ? notifications : {}).map(
    ([id, notification]) => {
      const address = `aws_s3_bucket_notification.${id}`;
      const filters = filtersOfNotification(at(notification, 'topic'));
      if (filters.length === 0) {
        problems.push(`${address} has no topic to send event notifications to`);
      }
      return { name: literal(at(notification, 'bucket'), `${address}.bucket`), filters };
    },
  );
  const listed = bucketsOfConfigMap(environment);
  if (notified.length === 0 && listed.length === 0) {
    literal(configMap.S3_BUCKET, "ConfigMap's S3_BUCKET");
  }
  if (problems.length > 0) {
    throw new StackError(
      `the synthesized stack does not fit: ${[...new Set(problems)].join('; ')}`,
    );
  }
  const { arn: topicArn } = topicIn(region, ACCOUNT_ID, topicName);
  const names = new Set(notified.map(({ name }) => name));
  // Where one bucket is meant, it is that of the notification.
  const others = configMap.S3_BUCKETS === undefined && names.size > 0 ? [] : listed;
  const buckets = [...notified, ...others.filter(({ name }) => !names.has(name))];
  return { topicArn, region, buckets, environment };
}

/** Whether S3 sends an event notification for an object with this key. */
export function isNotified(filters: readonly KeyFilter[], key: string): boolean {
  return filters.some(({ prefix, suffix }) => key.startsWith(prefix) && key.endsWith(suffix));
}

function filtersOfNotification(topics: unknown): readonly KeyFilter[] {
  if (!Array.isArray(topics)) return [];
  return topics.filter(isObject).map(({ filter_prefix: prefix, filter_suffix: suffix }) => ({
    prefix: typeof prefix === 'string' ? decodeKeyFilter(prefix) : '',
    suffix: typeof suffix === 'string' ? decodeKeyFilter(suffix) : '',
  }));
}

/** What the listener would refuse is left out here: it says so itself. */
function bucketsOfConfigMap(environment: Readonly<Record<string, string>>): readonly LocalBucket[] {
  const buckets = deliveryBuckets((name) => {
    const read = readVariable(name, environment[name] ?? '');
    return 'value' in read && environment[name] ? read.value : undefined;
  });
  return buckets.flatMap(({ name, prefixes, suffix = '' }) => {
    if (name === undefined) return [];
    const filters = (prefixes.length > 0 ? prefixes : ['']).map((prefix) => ({ prefix, suffix }));
    return [{ name, filters }];
  });
}

function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((inner, name) => (isObject(inner) ? inner[name] : undefined), value);
}
