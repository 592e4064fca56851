import { parseTopicArn, topicIn } from '@file-processing/contract/arn.ts';
import { readVariable } from '@file-processing/contract/listener-variables.ts';
import { decodeKeyFilter } from '@file-processing/contract/s3-object.ts';

/** What the local flow takes from the synthesized file-processing stack. */
export interface LocalSettings {
  /** The topic's ARN as it would be in an account of zeros. */
  readonly topicArn: string;
  readonly region: string;
  readonly bucket: string;
  /** S3 sends an event for a key that one of them fits; at least one. */
  readonly filters: readonly KeyFilter[];
  /** The listener's environment, without what only the cloud has (database, queue, endpoints). */
  readonly environment: Readonly<Record<string, string>>;
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

/** Names of the ConfigMap that mean something of the cloud: the local flow has its own. */
const ONLY_IN_THE_CLOUD = /^(DB_|DATABASE_|AWS_ENDPOINT_URL|SQS_|LOCAL_S3_ROOT$|SNS_TOPIC_ARNS$)/;

/** A Terraform expression, whose value is unknown before an apply. */
const EXPRESSION = /(^|[^$])\$\{/;

/**
 * Reads the synthesized stack, so that what runs here is what is deployed: the listener's
 * environment from the ConfigMap, the topic's name, the bucket and the notification's filters
 * (where no notification is synthesized, the ConfigMap's own bucket and prefixes).
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
  const notification = at(stack, 'resource', 'aws_s3_bucket_notification', 'bucket');
  const bucket = isObject(notification)
    ? literal(notification.bucket, 'aws_s3_bucket_notification.bucket.bucket')
    : literal(configMap.S3_BUCKET, "ConfigMap's S3_BUCKET");
  const filters = isObject(notification)
    ? filtersOfNotification(notification.topic)
    : filtersOfConfigMap(environment);
  if (filters.length === 0) {
    problems.push('aws_s3_bucket_notification.bucket has no topic to send event notifications to');
  }
  if (problems.length > 0) {
    throw new StackError(
      `the synthesized stack does not fit: ${[...new Set(problems)].join('; ')}`,
    );
  }
  const { arn: topicArn } = topicIn(region, ACCOUNT_ID, topicName);
  return { topicArn, region, bucket, filters, environment };
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

function filtersOfConfigMap(environment: Readonly<Record<string, string>>): readonly KeyFilter[] {
  const suffix = environment.S3_SUFFIX ?? '';
  const read = readVariable('S3_PREFIXES', environment.S3_PREFIXES ?? '');
  const prefixes = 'value' in read ? read.value : [''];
  return prefixes.map((prefix) => ({ prefix, suffix }));
}

function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((inner, name) => (isObject(inner) ? inner[name] : undefined), value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
