import { isRegion, partitionOf } from '@file-processing/contract/partition.ts';
import { EXIT, OperationError } from '../operation-error.ts';

/** The parts of a topic's ARN. */
export interface Topic {
  readonly arn: string;
  readonly partition: string;
  readonly region: string;
  /** Twelve digits. */
  readonly account: string;
  readonly name: string;
}

const TOPIC_ARN = /^arn:(aws|aws-us-gov|aws-cn):sns:([a-z0-9-]+):(\d{12}):([\w-]{1,256})$/;

/**
 * Takes a standard topic's ARN apart.
 *
 * @param source - what gave the value, for the error
 * @throws OperationError (usage) when it is none, or when partition and region don't belong together
 */
export function parseTopicArn(arn: string, source: string): Topic {
  const [, partition, region, account, name] = TOPIC_ARN.exec(arn) ?? [];
  if (
    !partition ||
    !region ||
    !account ||
    !name ||
    !isRegion(region) ||
    partitionOf(region).name !== partition
  ) {
    throw new OperationError(
      `${source} ${JSON.stringify(arn)} is no ARN of an SNS standard topic; one such as arn:aws-us-gov:sns:us-gov-west-1:123456789012:file-processing-topic is needed`,
      { code: EXIT.usage },
    );
  }
  return { arn, partition, region, account, name };
}

/** The topic of a name in an account's region. */
export function topicIn(region: string, account: string, name: string): Topic {
  const partition = partitionOf(region).name;
  return {
    arn: `arn:${partition}:sns:${region}:${account}:${name}`,
    partition,
    region,
    account,
    name,
  };
}
