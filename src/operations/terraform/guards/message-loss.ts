import type { QueueDepth } from '../../topics/dead-letter-queue.ts';
import { depthText, messagesIn, queueName } from '../../topics/queue-drain.ts';
import { DELIVERY_QUEUE, HTTP_SUBSCRIPTION } from '../phases.ts';
import {
  changesOf,
  deletes,
  type HeldResource,
  type PlanJson,
  type PlannedChange,
} from '../plan-json.ts';
import type { Refusal } from './refusals.ts';

const WAY_OUT = 'or go on with --allow-message-loss';

/**
 * ARNs of the queues that a plan would delete, or leave behind with nobody to fetch from them. One whose subscription
 * goes in the same plan is not among the latter: an apply takes the subscription first, and waits.
 */
export function queuesThatGo(plan: PlanJson): readonly string[] {
  const unsubscribed = changesOf(plan)
    .filter((change) => change.type === 'aws_sns_topic_subscription' && deletes(change))
    .map(({ change }) => change.before?.endpoint);
  return changesOf(plan)
    .filter((change) => change.type === 'aws_sqs_queue')
    .filter(
      (change) =>
        deletes(change) || (forgets(change) && !unsubscribed.includes(change.change.before?.arn)),
    )
    .map(({ change }) => String(change.before?.arn));
}

/** Refuses to take queues away in which messages are, or whose messages can't be counted. */
export function refuseMessageLoss(depths: readonly QueueDepth[]): readonly Refusal[] {
  return depths
    .filter((depth) => depth.problem !== undefined || messagesIn(depth) > 0)
    .map((depth) => ({
      reason: `the plan would take the queue ${queueName(depth.arn)} away: ${depthText(depth)}`,
      next: `wait until the listener has fetched them (both_deliveries = true lets it go on), look at dead letters by npm run manage -- sns-probe; ${WAY_OUT}`,
    }));
}

/** Refuses a plan that deletes a topic, also to put another in its place: what is published meanwhile, or waits, is lost. */
export function refuseTopicReplacement(plan: PlanJson): readonly Refusal[] {
  return changesOf(plan)
    .filter((change) => change.type === 'aws_sns_topic' && deletes(change))
    .map(({ change }) => ({
      reason: `the plan would ${change.actions.includes('create') ? 'replace' : 'delete'} the topic ${String(change.before?.name)} with its queues and subscriptions: what is published meanwhile, and what waits, is lost`,
      next: `leave sns_topic_name and existing_topic_arn as they were; or stop what writes to the bucket, wait until no queue holds a message, and go on with --allow-message-loss`,
    }));
}

/**
 * Refuses a plan that deletes the subscription of an endpoint before it makes the one of another, while nothing else is
 * subscribed: SNS drops what comes meanwhile.
 */
export function refuseSubscriptionGap(plan: PlanJson): readonly Refusal[] {
  const subscriptions = (plan.resource_changes ?? []).filter(
    ({ type }) => type === 'aws_sns_topic_subscription',
  );
  if (subscriptions.some(({ change }) => change.before !== null && !deletes({ change }))) return [];
  return subscriptions
    .filter(
      ({ change: { actions, before } }) =>
        actions[0] === 'delete' && actions[1] === 'create' && before?.pending_confirmation !== true,
    )
    .map(({ change }) => ({
      reason: `the plan would unsubscribe ${String(change.before?.endpoint)} before another is subscribed: SNS drops what is published meanwhile`,
      next: `set both_deliveries = true and apply, change the endpoint, and set it back after that; ${WAY_OUT}`,
    }));
}

/** What makes AWS give the same one back when it is created again. */
const IDENTITY: Readonly<Record<string, readonly string[]>> = {
  aws_sns_topic: ['name'],
  aws_sqs_queue: ['name'],
  aws_sns_topic_subscription: ['topic_arn', 'protocol', 'endpoint'],
};

/**
 * Refuses a plan that creates what exists before it deletes it, as of a resource whose creation failed: for the same
 * name, AWS gives back the one that exists, and the deletion then takes it away.
 */
export function refuseSelfReplacement(plan: PlanJson, folder: string): readonly Refusal[] {
  return changesOf(plan)
    .filter(({ type, change: { actions, before, after } }) => {
      const identity = IDENTITY[type];
      return (
        identity !== undefined &&
        actions[0] === 'create' &&
        actions[1] === 'delete' &&
        identity.every((name) => before?.[name] === after?.[name])
      );
    })
    .map(({ address }) => ({
      reason: `the plan would replace ${address} by itself: AWS gives back the one that exists, which would be deleted then`,
      next: `terraform -chdir=${folder} untaint ${address}, then apply again: it is changed in place`,
    }));
}

/**
 * Refuses to take the queue from the listener before SNS posts to a confirmed endpoint.
 *
 * @param wanted - addresses of everything that the stack manages
 */
export function refuseUnreadySwitch(
  wanted: readonly string[],
  held: readonly HeldResource[],
): readonly Refusal[] {
  const leaves =
    held.some(({ address }) => address === DELIVERY_QUEUE) && !wanted.includes(DELIVERY_QUEUE);
  const endpoint = held.find(({ address }) => address === HTTP_SUBSCRIPTION);
  const isReady = endpoint?.tainted === false && wanted.includes(HTTP_SUBSCRIPTION);
  if (!leaves || isReady) return [];
  return [
    {
      reason:
        'the listener would lose its queue before SNS posts to an endpoint that has confirmed: no message would reach it meanwhile',
      next: `set both_deliveries = true and apply: the load balancer, then with sns_endpoint_url its subscription; set it back after that; ${WAY_OUT}`,
    },
  ];
}

function forgets({ change }: PlannedChange): boolean {
  return change.actions.includes('forget');
}
