import type { OperationContext } from '../operation.ts';
import { waitFor } from '../wait-for.ts';
import { CONTAINER_HOST, listenerCommand, unconfirmedAdvice } from './advice.ts';
import { answersInContainer } from './container.ts';
import { answers, type Edge } from './edge.ts';
import { isLoopback } from './endpoint.ts';
import { findSubscription, subscribeListener } from './http-subscription.ts';
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
  /** Other endpoints that hear of the topic too. */
  readonly others: readonly string[];
  /** What to do while the state is another than confirmed; otherwise empty. */
  readonly advice: string;
}

/**
 * Subscribes the listener once it answers: LocalStack asks for a confirmation only once, so asking
 * a listener that is not up would be in vain. When no confirmation comes, it finds out why.
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
  });
  if (!(await isUp(context, request, command))) {
    const advice = `start the listener, then run this again:\n\n${command}\n`;
    return { ...result, state, outcome: 'waits for the listener', advice };
  }
  const pendingArn = state === 'pending' ? arn : undefined;
  const outcome = pendingArn === undefined ? 'made' : 'made anew';
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
