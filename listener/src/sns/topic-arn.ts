/** The parts of a topic's ARN. */
export interface TopicArn {
  /** The whole ARN. */
  readonly arn: string;
  readonly partition: Partition;
  readonly region: string;
  /** Twelve digits. */
  readonly accountId: string;
  readonly name: string;
}

/** AWS partitions whose topics the listener accepts. */
export type Partition = 'aws' | 'aws-us-gov' | 'aws-cn';

/** Domain of the public endpoints per partition. Source: AWS general reference, endpoints. */
const dnsSuffixes: Readonly<Record<Partition, string>> = {
  aws: 'amazonaws.com',
  'aws-us-gov': 'amazonaws.com',
  'aws-cn': 'amazonaws.com.cn',
};

/**
 * A region begins with letters alone: `s3-us-west-2` is none, so that no host built from an ARN can
 * be an S3 bucket's.
 */
const topicArnPattern =
  /^arn:(aws|aws-us-gov|aws-cn):sns:([a-z]{2,4}(?:-[a-z]+)+-\d{1,2}):(\d{12}):([A-Za-z0-9_-]{1,256}(?:\.fifo)?)$/;

/**
 * Splits a topic's ARN.
 *
 * @returns the parts, or undefined where the text is no ARN of an SNS topic in a known partition
 */
export function parseTopicArn(arn: string): TopicArn | undefined {
  const match = topicArnPattern.exec(arn);
  if (match === null) {
    return undefined;
  }
  const [, partition, region, accountId, name] = match;
  if (!isPartition(partition) || !region || !accountId || !name) {
    return undefined;
  }
  return { arn, partition, region, accountId, name };
}

/** The one host that serves the signing certificates for a topic's region. */
export function signingHost(topic: TopicArn): string {
  return `sns.${topic.region}.${dnsSuffixes[topic.partition]}`;
}

function isPartition(value: string | undefined): value is Partition {
  return value !== undefined && Object.hasOwn(dnsSuffixes, value);
}
