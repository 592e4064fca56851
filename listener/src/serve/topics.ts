import { parseTopicArn, type TopicArn } from '@file-processing/contract/arn.ts';
import { ConfigError } from '../config/read-variables.ts';
import { VARIABLES } from '../config/variables.ts';

/**
 * The allow-list, taken apart.
 *
 * @throws {ConfigError} naming every ARN whose region or partition SNS signs nothing for
 */
export function allowedTopics(arns: readonly string[]): readonly TopicArn[] {
  const topics = arns.map((arn) => parseTopicArn(arn));
  const faults = arns
    .filter((_, index) => topics[index] === undefined)
    .map((value) => ({
      variable: 'SNS_TOPIC_ARNS',
      value,
      allowed: VARIABLES.SNS_TOPIC_ARNS.kind.allowed,
    }));
  if (faults.length > 0) throw new ConfigError(faults);
  return topics.filter((topic) => topic !== undefined);
}
