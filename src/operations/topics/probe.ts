import type { QueueDepth } from './dead-letter-queue.ts';
import { redriveTarget } from './dead-letter-queue.ts';
import type { Subscription } from './subscriptions.ts';

/** What is wrong with the deliveries of a topic, a sentence each; empty when all is well. */
export function problemsOf(
  subscriptions: readonly Subscription[],
  queues: readonly QueueDepth[],
): readonly string[] {
  const alive = subscriptions.filter(({ state }) => state !== 'deleted');
  return [
    ...(alive.length === 0
      ? ['nobody is subscribed: run sns-subscribe, or set sns_endpoint_url and apply']
      : []),
    ...alive
      .filter(({ state }) => state === 'pending')
      .map(
        ({ endpoint }) =>
          `${endpoint} has not confirmed: is the listener up, and is the topic in its SNS_TOPIC_ARNS? sns-subscribe asks it again`,
      ),
    ...alive
      .filter(isRawOverHttp)
      .map(
        ({ endpoint }) =>
          `${endpoint} gets raw messages, which carry no signature: the listener refuses them`,
      ),
    ...queues.flatMap(({ arn, messages, problem }) => {
      if (problem) return [`${arn} could not be read: ${problem}`];
      return messages
        ? [
            `${arn} holds ${messages} messages that were not delivered: look at the listener's log, then take them in again by sqs-redrive`,
          ]
        : [];
    }),
  ];
}

/** The columns of a subscription. */
export function subscriptionRow({
  protocol,
  endpoint,
  state,
  attributes,
}: Subscription): readonly string[] {
  return [
    state,
    protocol,
    endpoint,
    deliveryPolicyText(attributes),
    redriveTarget(attributes.RedrivePolicy)?.split(':').at(-1) ?? 'none',
    attributes.FilterPolicy ?? 'none',
  ];
}

/** Headings of {@link subscriptionRow}. */
export const SUBSCRIPTION_COLUMNS = [
  'STATE',
  'PROTOCOL',
  'ENDPOINT',
  'RETRIES',
  'DEAD-LETTER',
  'FILTER',
] as const;

function isRawOverHttp({ protocol, attributes }: Subscription): boolean {
  return /^https?$/.test(protocol) && attributes.RawMessageDelivery === 'true';
}

/** How SNS retries over HTTP (Amazon SNS Developer Guide, "Creating an HTTP/S delivery policy"). */
function deliveryPolicyText(attributes: Readonly<Record<string, string>>): string {
  const policy = attributes.EffectiveDeliveryPolicy || attributes.DeliveryPolicy;
  const [, retries] = /"numRetries"\s*:\s*(\d+)/.exec(policy ?? '') ?? [];
  const [, min] = /"minDelayTarget"\s*:\s*(\d+)/.exec(policy ?? '') ?? [];
  const [, max] = /"maxDelayTarget"\s*:\s*(\d+)/.exec(policy ?? '') ?? [];
  if (retries === undefined) return "SNS's own";
  return min === undefined || max === undefined ? retries : `${retries}, ${min} to ${max} s apart`;
}
