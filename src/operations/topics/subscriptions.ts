import type { SNSClient } from '@aws-sdk/client-sns';
import { type Clock, waitFor } from '../operation.ts';
import { OperationError } from '../operation-error.ts';

/** Whether the endpoint has said yes. SNS lists a deleted subscription for a while. */
export type SubscriptionState = 'confirmed' | 'pending' | 'deleted';

/** A subscription as SNS knows it. */
export interface Subscription {
  /** Undefined where AWS does not tell it: pending or deleted. */
  readonly arn: string | undefined;
  readonly protocol: string;
  /** Without user name and password. */
  readonly endpoint: string;
  readonly state: SubscriptionState;
  /** Empty where {@link arn} is undefined. */
  readonly attributes: Readonly<Record<string, string>>;
}

/**
 * Every subscription of a topic.
 *
 * @throws OperationError when there is no such topic
 */
export async function subscriptionsOf(
  sns: SNSClient,
  topicArn: string,
): Promise<readonly Subscription[]> {
  const { NotFoundException, paginateListSubscriptionsByTopic } = await import(
    '@aws-sdk/client-sns'
  );
  const subscriptions: Subscription[] = [];
  try {
    const pages = paginateListSubscriptionsByTopic({ client: sns }, { TopicArn: topicArn });
    for await (const { Subscriptions } of pages) {
      for (const { SubscriptionArn, Protocol, Endpoint } of Subscriptions ?? []) {
        // "PendingConfirmation" and "Deleted" stand in place of an ARN.
        const arn = SubscriptionArn?.startsWith('arn:') ? SubscriptionArn : undefined;
        const attributes = arn === undefined ? {} : await subscriptionAttributes(sns, arn);
        subscriptions.push({
          arn,
          protocol: Protocol ?? '',
          endpoint: withoutUser(Endpoint ?? ''),
          state: stateOf(SubscriptionArn, attributes),
          attributes,
        });
      }
    }
  } catch (cause) {
    if (cause instanceof NotFoundException) throw noSuchTopic(topicArn, cause);
    throw cause;
  }
  return subscriptions;
}

/** What SNS knows of one subscription. */
export async function subscriptionAttributes(
  sns: SNSClient,
  arn: string,
): Promise<Readonly<Record<string, string>>> {
  const { GetSubscriptionAttributesCommand } = await import('@aws-sdk/client-sns');
  const command = new GetSubscriptionAttributesCommand({ SubscriptionArn: arn });
  return (await sns.send(command)).Attributes ?? {};
}

/**
 * Waits until the endpoint has confirmed.
 *
 * @param seconds - how long at most; 0 looks once
 * @returns whether it has
 */
export async function isConfirmedWithin(
  sns: SNSClient,
  arn: string,
  clock: Clock,
  seconds: number,
): Promise<boolean> {
  const isConfirmed = await waitFor(clock, seconds, async () => {
    const { PendingConfirmation } = await subscriptionAttributes(sns, arn);
    return PendingConfirmation !== 'true' || undefined;
  });
  return isConfirmed ?? false;
}

function stateOf(
  arn: string | undefined,
  { PendingConfirmation }: Readonly<Record<string, string>>,
): SubscriptionState {
  if (arn === 'Deleted') return 'deleted';
  return arn === 'PendingConfirmation' || PendingConfirmation === 'true' ? 'pending' : 'confirmed';
}

/** SNS takes basic authentication in the URL. */
function withoutUser(endpoint: string): string {
  return endpoint.replace(/^(https?:\/\/)[^/?#]*@/i, '$1');
}

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

/** What to say when there is no such topic. */
export function noSuchTopic(topicArn: string, cause: unknown): OperationError {
  return new OperationError(`there is no topic ${topicArn}`, {
    next: "npm run manage -- apply makes the stack's topic; for another one, give --topic-arn or SNS_TOPIC_ARN",
    cause,
  });
}
