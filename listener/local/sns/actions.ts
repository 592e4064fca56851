import { type QueryAction, QueryApiError, requireParameter } from './query-api.ts';

/** What the actions need to know of a subscription. */
export interface ActionSubscription {
  readonly arn: string;
  readonly isConfirmed: boolean;
  /** Whether it takes a signed request to end it. */
  readonly authenticateOnUnsubscribe: boolean;
}

/** What the actions do; each throws a QueryApiError where what it is about does not exist. */
export interface TopicService {
  /** @returns the topic's ARN */
  createTopicNamed(name: string): string;
  subscribe(topicArn: string, endpoint: string): ActionSubscription;
  /** @returns the subscription's ARN */
  confirm(topicArn: string, token: string, authenticateOnUnsubscribe: boolean): string;
  subscription(arn: string): ActionSubscription;
  unsubscribe(arn: string): Promise<void>;
  /** @returns the message's id */
  publish(topicArn: string, content: { message: string; subject?: string }): string;
}

/** The actions of the SNS API that the listener's client and a script need, by name. */
export function createActions(service: TopicService): Readonly<Record<string, QueryAction>> {
  return {
    async CreateTopic(parameters) {
      return { TopicArn: service.createTopicNamed(requireParameter(parameters, 'Name')) };
    },

    async Subscribe(parameters) {
      const topicArn = requireParameter(parameters, 'TopicArn');
      const endpoint = requireParameter(parameters, 'Endpoint');
      const { arn, isConfirmed } = service.subscribe(topicArn, endpoint);
      const showsArn = isConfirmed || parameters.get('ReturnSubscriptionArn') === 'true';
      return { SubscriptionArn: showsArn ? arn : 'pending confirmation' };
    },

    async ConfirmSubscription(parameters, isAuthenticated) {
      const topicArn = requireParameter(parameters, 'TopicArn');
      const token = requireParameter(parameters, 'Token');
      const authenticateOnUnsubscribe = parameters.get('AuthenticateOnUnsubscribe') === 'true';
      if (authenticateOnUnsubscribe) {
        requireAuthentication(isAuthenticated);
      }
      return { SubscriptionArn: service.confirm(topicArn, token, authenticateOnUnsubscribe) };
    },

    async Unsubscribe(parameters, isAuthenticated) {
      const arn = requireParameter(parameters, 'SubscriptionArn');
      if (service.subscription(arn).authenticateOnUnsubscribe) {
        requireAuthentication(isAuthenticated);
      }
      await service.unsubscribe(arn);
      return {};
    },

    async Publish(parameters) {
      const messageId = service.publish(requireParameter(parameters, 'TopicArn'), {
        message: requireParameter(parameters, 'Message'),
        subject: parameters.get('Subject') ?? undefined,
      });
      return { MessageId: messageId };
    },
  };
}

function requireAuthentication(isAuthenticated: boolean): void {
  if (!isAuthenticated) {
    throw new QueryApiError('AuthorizationError', 'The request is not signed', 403);
  }
}
