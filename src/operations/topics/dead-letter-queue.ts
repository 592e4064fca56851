import type { SQSClient } from '@aws-sdk/client-sqs';
import { isQueueArn, type TopicArn } from '@file-processing/contract/arn.ts';
import { EXIT, OperationError } from '../operation-error.ts';

/** A queue and what waits in it; SQS counts approximately. */
export interface QueueDepth {
  readonly arn: string;
  /** Undefined where it could not be read. */
  readonly messages: number | undefined;
  /** Messages that somebody is reading at this moment. */
  readonly inFlight: number | undefined;
  /** Messages that SQS holds back. */
  readonly delayed: number | undefined;
  /** Why it could not be read. */
  readonly problem: string | undefined;
}

/** Name by which the stack makes the dead-letter queue of its topic. */
export function deadLetterQueueOf({ partition, region, account, name }: TopicArn): string {
  return `arn:${partition}:sqs:${region}:${account}:${name}-dead-letter`;
}

/** Name by which the stack makes the queue that its listener fetches from. */
export function deliveryQueueOf({ partition, region, account, name }: TopicArn): string {
  return `arn:${partition}:sqs:${region}:${account}:${name}-deliveries`;
}

/**
 * Checks the ARN of a dead-letter queue.
 *
 * @throws OperationError (usage)
 */
export function checkQueueArn(arn: string): string {
  if (!isQueueArn(arn)) {
    throw new OperationError(
      `--dead-letter-arn ${JSON.stringify(arn)} is not the ARN of an SQS standard queue`,
      { code: EXIT.usage },
    );
  }
  return arn;
}

/** The queue that a subscription's redrive policy names. */
export function redriveTarget(redrivePolicy: string | undefined): string | undefined {
  return /"deadLetterTargetArn"\s*:\s*"([^"]+)"/.exec(redrivePolicy ?? '')?.[1];
}

/** Reads a queue's depth. @returns undefined when there is no such queue */
export async function queueDepth(sqs: SQSClient, arn: string): Promise<QueueDepth | undefined> {
  const { GetQueueAttributesCommand, GetQueueUrlCommand, QueueDoesNotExist } = await import(
    '@aws-sdk/client-sqs'
  );
  const [, , , , account, name] = arn.split(':');
  try {
    const { QueueUrl } = await sqs.send(
      new GetQueueUrlCommand({ QueueName: name, QueueOwnerAWSAccountId: account }),
    );
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({
        QueueUrl,
        AttributeNames: [
          'ApproximateNumberOfMessages',
          'ApproximateNumberOfMessagesNotVisible',
          'ApproximateNumberOfMessagesDelayed',
        ],
      }),
    );
    return {
      arn,
      messages: Number(Attributes?.ApproximateNumberOfMessages ?? 0),
      inFlight: Number(Attributes?.ApproximateNumberOfMessagesNotVisible ?? 0),
      delayed: Number(Attributes?.ApproximateNumberOfMessagesDelayed ?? 0),
      problem: undefined,
    };
  } catch (error) {
    if (error instanceof QueueDoesNotExist) return undefined;
    // The rest of the picture is still worth seeing.
    if (!(error instanceof Error) || !('$metadata' in error)) throw error;
    return {
      arn,
      messages: undefined,
      inFlight: undefined,
      delayed: undefined,
      problem: error.name,
    };
  }
}
