import type { NotificationConfiguration } from '@aws-sdk/client-s3';
import { parseTopicArn } from '@file-processing/contract/arn.ts';
import type { OpenStack } from '../open-stack.ts';
import type { PlanJson } from '../plan-json.ts';
import {
  bucketsWithPlannedNotifications,
  refuseNotificationsOfOthers,
  refuseNotificationsUnderNewAddress,
} from './bucket-notifications.ts';
import {
  refuse,
  refuseClusterReplacement,
  refuseDatabaseDeletion,
  refuseNodesDeletedFirst,
  refuseOidcProviderReplacement,
  refuseRoleReplacement,
  refuseTakenNames,
} from './refusals.ts';
import { refuseVersionChanges } from './versions.ts';

/**
 * Stops at a plan that would do harm that nobody can want.
 *
 * @param options.allowClusterReplacement - for a destroy, and for whoever says so
 * @param options.allowDataLoss - for a destroy that was told to delete the database
 * @throws OperationError (EXIT.refused) with every reason
 */
export async function guardPlan(
  stack: OpenStack,
  plan: PlanJson,
  options: { readonly allowClusterReplacement?: boolean; readonly allowDataLoss?: boolean },
): Promise<void> {
  const { existing_topic_arn, sns_topic_name } = stack.settings;
  const topicName = parseTopicArn(existing_topic_arn)?.name ?? sns_topic_name;
  const current = await notificationsOf(stack, bucketsWithPlannedNotifications(plan));
  refuse([
    ...(options.allowClusterReplacement
      ? []
      : [
          ...refuseClusterReplacement(plan, stack.settings.create_cluster),
          ...refuseRoleReplacement(plan),
        ]),
    ...refuseNodesDeletedFirst(plan),
    ...refuseTakenNames(plan),
    ...(options.allowDataLoss ? [] : refuseDatabaseDeletion(plan)),
    ...refuseOidcProviderReplacement(plan),
    ...refuseVersionChanges(plan, stack.settings),
    ...refuseNotificationsUnderNewAddress(plan),
    ...refuseNotificationsOfOthers(plan, current, topicName),
  ]);
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
