import type { SNSClient } from '@aws-sdk/client-sns';
import { DEFAULT_ENVIRONMENT } from '../../settings/environment.ts';
import { type Clock, type OperationContext, waitFor } from '../operation.ts';
import { EXIT, OperationError } from '../operation-error.ts';
import { isConfirmedWithin, subscriptionsOf } from '../topics/subscriptions.ts';
import { NOT_RAW } from '../topics/wanted-subscription.ts';
import { CONTAINER_HOST, listenerCommand, rulesFolderOf, unconfirmedAdvice } from './advice.ts';
import { answersInContainer } from './container.ts';
import { answers, type Edge, isLoopback } from './edge.ts';
import type { LocalStackTarget } from './localstack-target.ts';

/** What is subscribed to what, and how long that may take. */
export interface ListenerSubscriptionRequest {
  readonly target: LocalStackTarget;
  readonly edge: Edge;
  /** The listener as LocalStack sees it. */
  readonly listener: { readonly host: string; readonly port: number };
  /** Seconds to wait for the listener to start. */
  readonly wait: number;
  readonly dryRun: boolean;
  /** The system that the command runs on. */
  readonly platform: NodeJS.Platform;
}

/** What became of the subscription. */
export interface ListenerSubscription {
  readonly endpoint: string;
  readonly state: 'confirmed' | 'pending' | 'missing';
  /** Such as made, unchanged. */
  readonly outcome: string;
  /** Other endpoints that are subscribed to the topic too. */
  readonly others: readonly string[];
  /** What to do while the state is another than confirmed; otherwise empty. */
  readonly advice: string;
}

/**
 * Subscribes the listener once it answers: LocalStack asks for a confirmation only once, so asking
 * a listener that is not up would be useless. When no confirmation comes, it finds out why.
 */
export async function subscribeWhenUp(
  context: OperationContext,
  request: ListenerSubscriptionRequest,
): Promise<ListenerSubscription> {
  const { target, listener, dryRun } = request;
  const endpoint = `http://${listener.host}:${listener.port}/`;
  const topicArn = target.topic.arn;
  const sns = await target.clients.sns();
  const { arn, state, others } = await findSubscription(sns, topicArn, endpoint);
  const result = { endpoint, others, advice: '' };
  if (state === 'confirmed') return { ...result, state, outcome: 'unchanged' };
  if (dryRun) return { ...result, state, outcome: 'to be made' };

  const command = listenerCommand({
    topicArn,
    endpoint: await endpointForListener(request.edge),
    port: listener.port,
    rulesFolder: rulesFolderOf(context.root, context.env.ENVIRONMENT || DEFAULT_ENVIRONMENT),
  });
  if (!(await isUp(context, request, command))) {
    const advice = `start the listener, then run this again:\n\n${command}\n`;
    return { ...result, state, outcome: 'waits for the listener', advice };
  }
  const pendingArn = state === 'pending' ? arn : undefined;
  const outcome = pendingArn === undefined ? 'made' : 'made again';
  if (await subscribeListener(sns, context.clock, { topicArn, endpoint, pendingArn })) {
    return { ...result, state: 'confirmed', outcome };
  }
  const isReached = await answersInContainer(context, endpoint);
  const { platform } = request;
  const advice = unconfirmedAdvice({ ...listener, platform, endpoint, command, isReached });
  return { ...result, state: 'pending', outcome, advice };
}

/** Waits for a listener on this machine; whether another one is up can't be seen from here. */
async function isUp(
  { clock, stderr }: OperationContext,
  { listener: { host, port }, wait }: ListenerSubscriptionRequest,
  command: string,
): Promise<boolean> {
  if (host !== CONTAINER_HOST && !isLoopback(host)) return true;
  const url = `http://127.0.0.1:${port}/`;
  if (await answers(url)) return true;
  if (wait === 0) return false;
  stderr.write(
    `waiting up to ${wait} s for the listener at ${url}; start it in another terminal:\n\n${command}\n\n`,
  );
  return (await waitFor(clock, wait, async () => (await answers(url)) || undefined)) ?? false;
}

/** LocalStack names its certificates by http, unless it was told otherwise. */
async function endpointForListener({ url }: Edge): Promise<string> {
  const byHttp = url.replace(/^https:/, 'http:');
  return byHttp !== url && (await answers(byHttp)) ? byHttp : url;
}

/**
 * Checks the listener's host.
 *
 * @throws OperationError (usage)
 */
export function checkHost(host: string): string {
  if (/^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/.test(host)) return host;
  throw new OperationError(
    `the host ${JSON.stringify(host)} must be a name or an IPv4 address, without scheme and port`,
    { code: EXIT.usage },
  );
}

/**
 * Checks the listener's port.
 *
 * @throws OperationError (usage)
 */
export function checkPort(port: string): number {
  const number = /^\d{1,5}$/.test(port) ? Number(port) : 0;
  if (number >= 1 && number <= 65_535) return number;
  throw new OperationError(`the port ${JSON.stringify(port)} must be 1 to 65535`, {
    code: EXIT.usage,
  });
}

/** Seconds; LocalStack delivers at once and only once. */
const CONFIRMATION_SECONDS = 10;

/** State of a subscription to a listener. */
export interface HttpSubscription {
  readonly state: 'confirmed' | 'pending' | 'missing';
  /** Other endpoints that are subscribed to the topic too. */
  readonly others: readonly string[];
}

/** Looks for the listener's subscription. */
async function findSubscription(
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
 * subscription is made again.
 *
 * @param pendingArn - the pending one
 * @returns whether it was confirmed
 */
async function subscribeListener(
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
