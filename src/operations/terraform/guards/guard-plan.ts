import type { NotificationConfiguration } from '@aws-sdk/client-s3';
import { parseTopicArn } from '@file-processing/contract/arn.ts';
import { bucketsOf } from '../../../settings/buckets.ts';
import { type QueueDepth, queueDepth } from '../../topics/dead-letter-queue.ts';
import type { OpenStack } from '../open-stack.ts';
import type { PlanJson } from '../plan-json.ts';
import {
  bucketsWithPlannedNotifications,
  endsRule,
  refuseNotificationGap,
  refuseNotificationsOfOthers,
  refuseNotificationsUnderNewAddress,
} from './bucket-notifications.ts';
import {
  queuesThatGo,
  refuseMessageLoss,
  refuseSelfReplacement,
  refuseSubscriptionGap,
  refuseTopicReplacement,
} from './message-loss.ts';
import {
  refuse,
  refuseClusterReplacement,
  refuseDatabaseDeletion,
  refuseIdentitySwitch,
  refuseNodesDeletedFirst,
  refuseOidcProviderReplacement,
  refuseRoleReplacement,
  refuseTakenNames,
} from './refusals.ts';
import { refuseVersionChanges } from './versions.ts';
import {
  refuseLastUnsubscribed,
  refuseLoadBalancerReplacement,
  refuseNetworkDeletion,
  refuseSilentBucket,
} from './what-runs.ts';

/** What of the harm of a plan is wanted. */
export interface Allowed {
  /** A replaced or deleted cluster or network, and a replaced role. @default false */
  readonly allowClusterReplacement?: boolean;
  /** A deleted database: for a destroy that was told to. @default false */
  readonly allowDataLoss?: boolean;
  /** Messages that wait, or come while nothing takes them. @default false */
  readonly allowMessageLoss?: boolean;
}

/**
 * Stops at a plan that would do harm that nobody can want.
 *
 * @throws OperationError (EXIT.refused) with every reason
 */
export async function guardPlan(stack: OpenStack, plan: PlanJson, options: Allowed): Promise<void> {
  const { existing_topic_arn, sns_topic_name } = stack.settings;
  const topicName = parseTopicArn(existing_topic_arn)?.name ?? sns_topic_name;
  const current = await notificationsOf(stack, bucketsWithPlannedNotifications(plan));
  const told = await notificationsOf(stack, endsRule(plan) ? ownBuckets(stack) : []);
  refuse([
    ...(options.allowClusterReplacement
      ? []
      : [
          ...refuseClusterReplacement(plan, stack.settings.create_cluster),
          ...refuseRoleReplacement(plan, stack.name),
          ...refuseNetworkDeletion(plan),
        ]),
    ...refuseNodesDeletedFirst(plan),
    ...refuseTakenNames(plan, stack.name),
    ...(options.allowDataLoss ? [] : refuseDatabaseDeletion(plan)),
    ...refuseIdentitySwitch(plan, stack.settings),
    ...refuseOidcProviderReplacement(plan),
    ...refuseVersionChanges(plan, stack.settings),
    ...refuseNotificationsUnderNewAddress(plan),
    ...(options.allowMessageLoss
      ? []
      : [
          ...refuseTopicReplacement(plan),
          ...refuseSubscriptionGap(plan),
          ...refuseLastUnsubscribed(plan),
          ...refuseLoadBalancerReplacement(plan),
          ...refuseSilentBucket(plan, stack.settings),
          ...refuseNotificationGap(plan, told, topicName),
          ...refuseMessageLoss(await depthsOf(stack, queuesThatGo(plan))),
        ]),
    ...refuseSelfReplacement(plan, stack.folder),
    ...refuseNotificationsOfOthers(plan, current, topicName),
  ]);
}

function ownBuckets({ settings }: OpenStack): readonly string[] {
  return bucketsOf(settings)
    .filter(({ account }) => account === '')
    .map(({ name }) => name);
}

async function depthsOf(
  { clients }: OpenStack,
  arns: readonly string[],
): Promise<readonly QueueDepth[]> {
  if (arns.length === 0) return [];
  const sqs = await clients.sqs();
  const depths = await Promise.all(arns.map((arn) => queueDepth(sqs, arn)));
  return depths.filter((depth) => depth !== undefined);
}

async function notificationsOf(
  { clients }: OpenStack,
  buckets: readonly string[],
): Promise<ReadonlyMap<string, NotificationConfiguration>> {
  if (buckets.length === 0) return new Map();
  const { GetBucketNotificationConfigurationCommand } = await import('@aws-sdk/client-s3');
  const s3 = await clients.s3();
  const found = await Promise.all(
    buckets.map(async (Bucket) => {
      const answer = await s3.send(new GetBucketNotificationConfigurationCommand({ Bucket }));
      return [Bucket, answer] as const;
    }),
  );
  return new Map(found);
}
