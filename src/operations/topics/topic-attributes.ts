import type { SNSClient } from '@aws-sdk/client-sns';
import { OperationError } from '../operation-error.ts';

/**
 * A topic's attributes.
 *
 * @throws OperationError when there is no such topic
 */
export async function topicAttributes(
  sns: SNSClient,
  topicArn: string,
): Promise<Readonly<Record<string, string>>> {
  const { GetTopicAttributesCommand, NotFoundException } = await import('@aws-sdk/client-sns');
  try {
    const command = new GetTopicAttributesCommand({ TopicArn: topicArn });
    return (await sns.send(command)).Attributes ?? {};
  } catch (cause) {
    if (!(cause instanceof NotFoundException)) throw cause;
    throw noSuchTopic(topicArn, cause);
  }
}

/** What to say when SNS knows no such topic. */
export function noSuchTopic(topicArn: string, cause: unknown): OperationError {
  return new OperationError(`there is no topic ${topicArn}`, {
    next: "npm run manage -- apply makes the stack's topic; for another one, give --topic-arn or SNS_TOPIC_ARN",
    cause,
  });
}
