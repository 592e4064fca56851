import { randomBytes, randomUUID } from 'node:crypto';
import type { UnsignedMessage } from '@file-processing/contract/sns-envelope.ts';
import { confirmationMessage, unsubscribeUrl } from './message.ts';
import { type ActionSubscription, QueryApiError, type TopicService } from './query-api.ts';

/** A subscription to a topic. */
export interface LocalSubscription extends ActionSubscription {
  readonly topicArn: string;
  readonly endpoint: string;
  /** What its confirmation needs. */
  readonly token: string;
}

/** A published message. */
export interface Publication {
  readonly messageId: string;
  /** True once every subscriber has taken it, false once one has not after all retries. */
  readonly delivered: Promise<boolean>;
}

/** Topics, their subscriptions and what is published to them. */
export interface Topics {
  /** Makes a topic; one that exists stays as it is. */
  createTopic(topicArn: string): void;
  /**
   * Subscribes an HTTP endpoint and asks it to confirm.
   *
   * @returns the subscription's ARN, and a promise that the endpoint has confirmed it and answered;
   * it is rejected where the endpoint refuses
   * @throws QueryApiError where there is no such topic
   */
  subscribe(topicArn: string, endpoint: string): { arn: string; confirmed: Promise<void> };
  /** Ends a subscription and tells its endpoint. */
  unsubscribe(subscriptionArn: string): Promise<void>;
  /**
   * Publishes to all confirmed subscribers.
   *
   * @throws QueryApiError where there is no such topic
   */
  publish(topicArn: string, content: { message: string; subject?: string }): Publication;
  subscriptions(): readonly LocalSubscription[];
}

/** What {@link createTopics} works with. */
export interface TopicsOptions {
  /** Delivers a message to an endpoint. @returns whether it was taken */
  readonly send: (subscription: LocalSubscription, message: UnsignedMessage) => Promise<boolean>;
  /** Where this SNS is, for the URLs in its messages. */
  readonly origin: () => string;
}

interface Subscription extends LocalSubscription {
  /** Settled by {@link TopicService.confirm}. */
  readonly confirmation: PromiseWithResolvers<void>;
  token: string;
  isConfirmed: boolean;
  authenticateOnUnsubscribe: boolean;
}

/** Makes the topics, and what the API does with them. */
export function createTopics({ send, origin }: TopicsOptions): {
  readonly topics: Topics;
  readonly service: TopicService;
} {
  const arns = new Set<string>();
  const subscriptions = new Map<string, Subscription>();

  const requireTopic = (topicArn: string): void => {
    if (!arns.has(topicArn)) {
      throw new QueryApiError('NotFound', 'Topic does not exist', 404);
    }
  };

  const requireSubscription = (arn: string): Subscription => {
    const subscription = subscriptions.get(arn);
    if (subscription === undefined) {
      throw new QueryApiError('NotFound', 'Subscription does not exist', 404);
    }
    return subscription;
  };

  const findSubscription = (
    topicArn: string,
    fits: (subscription: Subscription) => boolean,
  ): Subscription | undefined =>
    [...subscriptions.values()].find(
      (subscription) => subscription.topicArn === topicArn && fits(subscription),
    );

  const topics: Topics = {
    createTopic(topicArn) {
      arns.add(topicArn);
    },

    subscribe(topicArn, endpoint) {
      requireTopic(topicArn);
      if (!/^http:\/\//.test(endpoint)) {
        throw new QueryApiError('InvalidParameter', 'Invalid parameter: Endpoint is not http', 400);
      }
      const known = findSubscription(topicArn, (candidate) => candidate.endpoint === endpoint);
      if (known?.isConfirmed) {
        return { arn: known.arn, confirmed: known.confirmation.promise };
      }
      const subscription = known ?? newSubscription(topicArn, endpoint);
      subscription.token = newToken();
      subscriptions.set(subscription.arn, subscription);
      const request = send(
        subscription,
        confirmationMessage('SubscriptionConfirmation', subscription, origin()),
      );
      const confirmed = request.then((isTaken) => {
        if (!isTaken && !subscription.isConfirmed) {
          throw new Error(`${endpoint} did not confirm its subscription`);
        }
        return subscription.confirmation.promise;
      });
      // A caller who does not wait for the confirmation need not handle its failure.
      confirmed.catch(() => undefined);
      return { arn: subscription.arn, confirmed };
    },

    async unsubscribe(arn) {
      const subscription = requireSubscription(arn);
      subscriptions.delete(arn);
      if (subscription.isConfirmed) {
        subscription.token = newToken();
        await send(
          subscription,
          confirmationMessage('UnsubscribeConfirmation', subscription, origin()),
        );
      }
    },

    publish(topicArn, { message, subject }) {
      requireTopic(topicArn);
      const messageId = randomUUID();
      const timestamp = new Date().toISOString();
      const subscribers = [...subscriptions.values()].filter(
        (subscription) => subscription.topicArn === topicArn && subscription.isConfirmed,
      );
      const deliveries = subscribers.map((subscription) =>
        send(subscription, {
          Type: 'Notification',
          MessageId: messageId,
          TopicArn: topicArn,
          ...(subject === undefined ? {} : { Subject: subject }),
          Message: message,
          Timestamp: timestamp,
          UnsubscribeURL: unsubscribeUrl(subscription, origin()),
        }),
      );
      const delivered = Promise.all(deliveries).then((taken) => taken.every(Boolean));
      return { messageId, delivered };
    },

    subscriptions: () => [...subscriptions.values()],
  };

  const service: TopicService = {
    createTopicNamed(name) {
      const known = [...arns].find((arn) => arn.endsWith(`:${name}`));
      const topicArn = known ?? `arn:aws:sns:us-east-1:000000000000:${name}`;
      topics.createTopic(topicArn);
      return topicArn;
    },
    subscribe: (topicArn, endpoint) =>
      requireSubscription(topics.subscribe(topicArn, endpoint).arn),
    confirm(topicArn, token, authenticateOnUnsubscribe) {
      requireTopic(topicArn);
      const subscription = findSubscription(topicArn, (candidate) => candidate.token === token);
      if (subscription === undefined) {
        throw new QueryApiError('InvalidParameter', 'Invalid parameter: Token', 400);
      }
      subscription.isConfirmed = true;
      subscription.authenticateOnUnsubscribe ||= authenticateOnUnsubscribe;
      subscription.confirmation.resolve();
      return subscription.arn;
    },
    subscription: requireSubscription,
    unsubscribe: topics.unsubscribe,
    publish: (topicArn, content) => topics.publish(topicArn, content).messageId,
  };
  return { topics, service };
}

function newSubscription(topicArn: string, endpoint: string): Subscription {
  return {
    arn: `${topicArn}:${randomUUID()}`,
    topicArn,
    endpoint,
    confirmation: Promise.withResolvers<void>(),
    token: '',
    isConfirmed: false,
    authenticateOnUnsubscribe: false,
  };
}

function newToken(): string {
  return randomBytes(64).toString('hex');
}
