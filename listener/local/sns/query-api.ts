import { randomUUID } from 'node:crypto';

/** An error that a caller of the API made. */
export class QueryApiError extends Error {
  readonly code: string;
  readonly status: number;

  /**
   * @param code - as Amazon SNS names it, such as `NotFound`
   * @param message - what is wrong
   * @param status - HTTP status
   */
  constructor(code: string, message: string, status: number) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

/** An answer of the API. */
export interface QueryApiAnswer {
  readonly status: number;
  /** XML. */
  readonly body: string;
}

/** Does an action and returns the members of its result. */
export type QueryAction = (
  parameters: URLSearchParams,
  isAuthenticated: boolean,
) => Promise<Readonly<Record<string, string>>>;

const namespace = 'http://sns.amazonaws.com/doc/2010-03-31/';

/**
 * Answers a request of the AWS Query protocol, which the SDK's SNS client speaks.
 * Source: Amazon SNS API reference.
 *
 * @param actions - by the name in the Action parameter
 * @param parameters - of the query or the form
 * @param isAuthenticated - whether the request was signed; the signature itself is not checked
 */
export async function answerQuery(
  actions: Readonly<Record<string, QueryAction>>,
  parameters: URLSearchParams,
  isAuthenticated: boolean,
): Promise<QueryApiAnswer> {
  const name = parameters.get('Action') ?? '';
  try {
    const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
    if (action === undefined) {
      throw new QueryApiError('InvalidAction', `The local SNS has no action ${name}`, 400);
    }
    const members = await action(parameters, isAuthenticated);
    return { status: 200, body: resultXml(name, members) };
  } catch (error) {
    if (error instanceof QueryApiError) {
      return { status: error.status, body: errorXml(error) };
    }
    throw error;
  }
}

/**
 * Reads a parameter that has to be there.
 *
 * @throws QueryApiError `InvalidParameter`
 */
export function requireParameter(parameters: URLSearchParams, name: string): string {
  const value = parameters.get(name);
  if (value === null || value === '') {
    throw new QueryApiError('InvalidParameter', `Invalid parameter: ${name} is missing`, 400);
  }
  return value;
}

function resultXml(name: string, members: Readonly<Record<string, string>>): string {
  const fields = Object.entries(members)
    .map(([member, value]) => `<${member}>${escapeXml(value)}</${member}>`)
    .join('');
  return (
    `<${name}Response xmlns="${namespace}"><${name}Result>${fields}</${name}Result>` +
    `<ResponseMetadata><RequestId>${randomUUID()}</RequestId></ResponseMetadata></${name}Response>`
  );
}

function errorXml({ code, message }: QueryApiError): string {
  return (
    `<ErrorResponse xmlns="${namespace}"><Error><Type>Sender</Type><Code>${code}</Code>` +
    `<Message>${escapeXml(message)}</Message></Error>` +
    `<RequestId>${randomUUID()}</RequestId></ErrorResponse>`
  );
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

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
