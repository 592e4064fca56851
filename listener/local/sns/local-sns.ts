import { randomBytes, randomUUID } from 'node:crypto';
import { Agent, createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { createActions, type TopicService } from './actions.ts';
import {
  type DeliveryAttempt,
  type DeliveryFault,
  defaultRetryPolicy,
  deliver,
  type RetryPolicy,
} from './delivery.ts';
import {
  confirmationMessage,
  type SignedMessage,
  signMessage,
  type UnsignedMessage,
  unsubscribeUrl,
} from './message.ts';
import { answerQuery, QueryApiError } from './query-api.ts';
import { makeSigningKey } from './signing-key.ts';

/** Settings of {@link startLocalSns}. */
export interface LocalSnsOptions {
  /** On loopback. @default 0, a free one */
  readonly port?: number;
  /** @default '2' */
  readonly signatureVersion?: '1' | '2';
  /** What differs from the policy of SNS. @default nothing */
  readonly retryPolicy?: Partial<RetryPolicy>;
}

/** A subscription to a topic. */
export interface LocalSubscription {
  readonly arn: string;
  readonly topicArn: string;
  readonly endpoint: string;
  readonly isConfirmed: boolean;
  /** Whether it takes a signed request to end it. */
  readonly authenticateOnUnsubscribe: boolean;
  /** What its confirmation needs. */
  readonly token: string;
}

/** A message that no endpoint took. */
export interface DeadLetter {
  readonly subscriptionArn: string;
  readonly message: SignedMessage;
}

/** A published message. */
export interface Publication {
  readonly messageId: string;
  /** True once every subscriber has taken it, false once one has not after all retries. */
  readonly delivered: Promise<boolean>;
}

/** A small Amazon SNS on loopback that delivers over HTTP. */
export interface LocalSns {
  /** For AWS_ENDPOINT_URL_SNS. */
  readonly origin: string;
  readonly certificateUrl: string;
  /** Every try to deliver, in order. */
  readonly attempts: readonly DeliveryAttempt[];
  readonly deadLetters: readonly DeadLetter[];
  /** How often someone has visited a SubscribeURL, which a careful listener never does. */
  readonly subscribeUrlVisits: number;
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
  /** Signs with a new key from now on; its certificate is at the same URL. */
  rotateKey(): Promise<void>;
  /** What goes wrong from now on: asked before each attempt, which is counted from 1. */
  injectFaults(
    faultFor: (message: SignedMessage, attempt: number) => DeliveryFault | undefined,
  ): void;
  /** Ends deliveries, also those that wait for a retry, and the server. */
  close(): Promise<void>;
}

interface Subscription {
  readonly arn: string;
  readonly topicArn: string;
  readonly endpoint: string;
  /** Settled by {@link TopicService.confirm}. */
  readonly confirmation: PromiseWithResolvers<void>;
  token: string;
  isConfirmed: boolean;
  authenticateOnUnsubscribe: boolean;
}

/**
 * Starts a local SNS: topics, confirmation, signed deliveries and retries over real sockets, and
 * the calls of the AWS API that the listener's client and a script need.
 */
export async function startLocalSns(options: LocalSnsOptions = {}): Promise<LocalSns> {
  const { port = 0, signatureVersion = '2' } = options;
  const policy = { ...defaultRetryPolicy, ...options.retryPolicy };
  const certificatePath = `/SimpleNotificationService-${randomBytes(16).toString('hex')}.pem`;
  const topics = new Set<string>();
  const subscriptions = new Map<string, Subscription>();
  const attempts: DeliveryAttempt[] = [];
  const deadLetters: DeadLetter[] = [];
  const running = new Set<Promise<unknown>>();
  const closing = new AbortController();
  const agent = new Agent({ keepAlive: true, maxSockets: 50 });
  let signingKey = await makeSigningKey();
  let faultFor: Parameters<LocalSns['injectFaults']>[0] = () => undefined;
  let subscribeUrlVisits = 0;
  let origin = '';

  const requireTopic = (topicArn: string): void => {
    if (!topics.has(topicArn)) {
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

  const send = async (subscription: Subscription, message: UnsignedMessage): Promise<boolean> => {
    const signed = signMessage(message, {
      privateKey: signingKey.privateKey,
      certificateUrl: origin + certificatePath,
      signatureVersion,
    });
    const delivery = deliver(signed, {
      endpoint: subscription.endpoint,
      subscriptionArn: message.Type === 'SubscriptionConfirmation' ? undefined : subscription.arn,
      policy,
      agent,
      signal: closing.signal,
      faultFor: (...about) => faultFor(...about),
      onAttempt: (attempt) => attempts.push(attempt),
    }).catch((error: unknown) => {
      if (closing.signal.aborted) {
        return false;
      }
      throw error;
    });
    running.add(delivery);
    const isTaken = await delivery.finally(() => running.delete(delivery));
    if (!isTaken && !closing.signal.aborted) {
      deadLetters.push({ subscriptionArn: subscription.arn, message: signed });
    }
    return isTaken;
  };

  const createTopic = (topicArn: string): void => {
    topics.add(topicArn);
  };

  const subscribe: LocalSns['subscribe'] = (topicArn, endpoint) => {
    requireTopic(topicArn);
    if (!/^http:\/\//.test(endpoint)) {
      throw new QueryApiError('InvalidParameter', 'Invalid parameter: Endpoint is not http', 400);
    }
    const known = [...subscriptions.values()].find(
      (subscription) => subscription.topicArn === topicArn && subscription.endpoint === endpoint,
    );
    if (known?.isConfirmed) {
      return { arn: known.arn, confirmed: known.confirmation.promise };
    }
    const subscription: Subscription = known ?? {
      arn: `${topicArn}:${randomUUID()}`,
      topicArn,
      endpoint,
      confirmation: Promise.withResolvers<void>(),
      token: '',
      isConfirmed: false,
      authenticateOnUnsubscribe: false,
    };
    subscription.token = randomBytes(64).toString('hex');
    subscriptions.set(subscription.arn, subscription);
    const { arn, confirmation } = subscription;
    const request = send(
      subscription,
      confirmationMessage('SubscriptionConfirmation', subscription, origin),
    );
    const confirmed = request.then((isTaken) => {
      if (!isTaken && !subscription.isConfirmed) {
        throw new Error(`${endpoint} did not confirm its subscription`);
      }
      return confirmation.promise;
    });
    // A caller who does not wait for the confirmation need not handle its failure.
    confirmed.catch(() => undefined);
    return { arn, confirmed };
  };

  const unsubscribe = async (arn: string): Promise<void> => {
    const subscription = requireSubscription(arn);
    subscriptions.delete(arn);
    if (subscription.isConfirmed) {
      subscription.token = randomBytes(64).toString('hex');
      await send(
        subscription,
        confirmationMessage('UnsubscribeConfirmation', subscription, origin),
      );
    }
  };

  const publish: LocalSns['publish'] = (topicArn, { message, subject }) => {
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
        UnsubscribeURL: unsubscribeUrl(subscription, origin),
      }),
    );
    const delivered = Promise.all(deliveries).then((taken) => taken.every(Boolean));
    return { messageId, delivered };
  };

  const confirm: TopicService['confirm'] = (topicArn, token, authenticateOnUnsubscribe) => {
    requireTopic(topicArn);
    const subscription = [...subscriptions.values()].find(
      (candidate) => candidate.topicArn === topicArn && candidate.token === token,
    );
    if (subscription === undefined) {
      throw new QueryApiError('InvalidParameter', 'Invalid parameter: Token', 400);
    }
    subscription.isConfirmed = true;
    subscription.authenticateOnUnsubscribe ||= authenticateOnUnsubscribe;
    subscription.confirmation.resolve();
    return subscription.arn;
  };

  const actions = createActions({
    createTopicNamed(name) {
      const known = [...topics].find((arn) => arn.endsWith(`:${name}`));
      const topicArn = known ?? `arn:aws:sns:us-east-1:000000000000:${name}`;
      createTopic(topicArn);
      return topicArn;
    },
    subscribe: (topicArn, endpoint) => requireSubscription(subscribe(topicArn, endpoint).arn),
    confirm,
    subscription: requireSubscription,
    unsubscribe,
    publish: (topicArn, content) => publish(topicArn, content).messageId,
  });

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', origin);
    if (request.method === 'GET' && url.pathname === certificatePath) {
      response.writeHead(200, { 'content-type': 'application/x-pem-file' });
      response.end(signingKey.certificate);
      return;
    }
    if (url.pathname !== '/') {
      response.writeHead(404).end();
      return;
    }
    const isVisit = request.method === 'GET';
    const parameters = isVisit ? url.searchParams : new URLSearchParams(await text(request));
    if (isVisit && parameters.get('Action') === 'ConfirmSubscription') {
      subscribeUrlVisits += 1;
    }
    const isAuthenticated = request.headers.authorization !== undefined;
    const { status, body } = await answerQuery(actions, parameters, isAuthenticated);
    response.writeHead(status, { 'content-type': 'text/xml' }).end(body);
  };

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    origin,
    certificateUrl: origin + certificatePath,
    attempts,
    deadLetters,
    get subscribeUrlVisits() {
      return subscribeUrlVisits;
    },
    createTopic,
    subscribe,
    unsubscribe,
    publish,
    subscriptions: () => [...subscriptions.values()],
    async rotateKey() {
      signingKey = await makeSigningKey();
    },
    injectFaults(newFaultFor) {
      faultFor = newFaultFor;
    },
    async close() {
      closing.abort();
      await Promise.all(running);
      agent.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
