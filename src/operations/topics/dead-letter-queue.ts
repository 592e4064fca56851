import type { SQSClient } from '@aws-sdk/client-sqs';
import { isQueueArn, type TopicArn } from '@file-processing/contract/arn.ts';
import { hasQueue, usesEventBridge } from '../../settings/file-processing/delivery.ts';
import type { FileProcessingSettings } from '../../settings/file-processing-variables.ts';
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

/** Name by which the stack makes the queue of events that EventBridge could not deliver. */
export function undeliveredQueueOf({ partition, region, account, name }: TopicArn): string {
  return `arn:${partition}:sqs:${region}:${account}:${name}-undelivered`;
}

/** A dead-letter queue of the stack. */
export interface DeadLetters {
  readonly arn: string;
  /** What is in it, such as `messages that were not delivered`. */
  readonly holds: string;
  /**
   * ARN of its source queue, into which SQS itself moves what is in it; undefined where it has none, and the listener
   * takes it.
   */
  readonly sourceArn: string | undefined;
}

/** The dead-letter queues of the stack whose queues have the name of this topic. */
export function deadLettersOf(
  settings: FileProcessingSettings,
  topic: TopicArn,
): readonly DeadLetters[] {
  return [
    {
      arn: deadLetterQueueOf(topic),
      holds: 'messages that were not taken',
      sourceArn: hasQueue(settings) ? deliveryQueueOf(topic) : undefined,
    },
    ...(usesEventBridge(settings)
      ? [
          {
            arn: undeliveredQueueOf(topic),
            holds: 'events that EventBridge could not deliver',
            sourceArn: undefined,
          },
        ]
      : []),
  ];
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
