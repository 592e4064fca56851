import type { SNSClient } from '@aws-sdk/client-sns';
import type { Clock } from '../operation.ts';
import { OperationError } from '../operation-error.ts';
import { isConfirmedWithin, subscriptionsOf } from '../topics/subscriptions.ts';
import { NOT_RAW } from '../topics/wanted-subscription.ts';

/** Seconds; LocalStack delivers at once and only once. */
const CONFIRMATION_SECONDS = 10;

/** State of a subscription to a listener. */
export interface HttpSubscription {
  readonly state: 'confirmed' | 'pending' | 'missing';
  /** Other endpoints that hear of the topic too. */
  readonly others: readonly string[];
}

/** Looks for the listener's subscription. */
export async function findSubscription(
  sns: SNSClient,
  topicArn: string,
  endpoint: string,
): Promise<HttpSubscription & { readonly arn: string | undefined }> {
  const subscriptions = await subscriptionsOf(sns, topicArn);
  const found = subscriptions.find((one) => one.endpoint === endpoint);
  return {
    arn: found?.arn,
    state: found === undefined || found.state === 'deleted' ? 'missing' : found.state,
    others: subscriptions.filter((one) => one !== found).map((one) => one.endpoint),
  };
}

/**
 * Subscribes a listener and waits for its confirmation. LocalStack asks no second time, so a pending
 * subscription is made anew.
 *
 * @param pendingArn - the pending one
 * @returns whether it was confirmed
 */
export async function subscribeListener(
  sns: SNSClient,
  clock: Clock,
  wanted: {
    readonly topicArn: string;
    readonly endpoint: string;
    readonly pendingArn?: string | undefined;
  },
): Promise<boolean> {
  const { SubscribeCommand, UnsubscribeCommand } = await import('@aws-sdk/client-sns');
  if (wanted.pendingArn !== undefined) {
    await sns.send(new UnsubscribeCommand({ SubscriptionArn: wanted.pendingArn }));
  }
  const { SubscriptionArn } = await sns.send(
    new SubscribeCommand({
      TopicArn: wanted.topicArn,
      Protocol: 'http',
      Endpoint: wanted.endpoint,
      Attributes: NOT_RAW,
      ReturnSubscriptionArn: true,
    }),
  );
  if (SubscriptionArn === undefined) throw new OperationError('SNS names no subscription');
  return isConfirmedWithin(sns, SubscriptionArn, clock, CONFIRMATION_SECONDS);
}
