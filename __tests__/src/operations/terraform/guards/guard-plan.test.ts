import type { GetBucketNotificationConfigurationCommand } from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { EXIT } from '../../../../../src/operations/operation-error.ts';
import { guardPlan } from '../../../../../src/operations/terraform/guards/guard-plan.ts';
import type { OpenStack } from '../../../../../src/operations/terraform/open-stack.ts';
import type { PlanJson } from '../../../../../src/operations/terraform/plan-json.ts';

const BUCKET = 'etl-client';

/** A stack whose bucket notifies a queue of others. */
const stack = {
  settings: {
    ...{ sns_topic_name: 'file-processing-topic', bucket_name: 'etl-plain', buckets: [] },
    ...{ kubernetes_version: '1.35', addon_versions: {} },
    ...{ create_cluster: true, identity: 'pod_identity', both_identities: false },
  },
  clients: {
    sqs: async () => ({
      send: async () => ({ Attributes: { ApproximateNumberOfMessages: '3' } }),
    }),
    s3: async () => ({
      send: async ({ input }: GetBucketNotificationConfigurationCommand) =>
        input.Bucket === BUCKET
          ? {
              QueueConfigurations: [
                {
                  QueueArn: 'arn:aws-us-gov:sqs:us-gov-west-1:123456789012:reports',
                  Events: ['s3:ObjectCreated:*'],
                },
              ],
            }
          : {},
    }),
  },
} as unknown as OpenStack;

function planned(
  type: string,
  actions: readonly string[],
  values: { readonly bucket?: string; readonly importing?: { readonly id: string } } = {},
) {
  const { importing, ...after } = values;
  const change = { actions, before: null, after, ...(importing && { importing }) };
  return { resource_changes: [{ address: `${type}.this`, type, change }] };
}

const CLUSTER = planned('aws_eks_cluster', ['delete', 'create']);
const ROLE = planned('aws_iam_role', ['delete', 'create']);
const PROVIDER = planned('aws_iam_openid_connect_provider', ['delete', 'create'], {
  importing: { id: 'arn' },
});
const SUBNET = planned('aws_subnet', ['delete']);
const gone = (address: string, values: Readonly<Record<string, string>>) => ({
  resource_changes: [
    {
      address,
      type: address.split('.')[0] ?? '',
      change: { actions: ['delete'], before: values, after: null },
    },
  ],
});
const UNSUBSCRIBED = gone('aws_sns_topic_subscription.http', { endpoint: 'https://etl.gov/' });
const SILENCED = gone('aws_s3_bucket_notification.bucket', { bucket: 'etl-plain' });
const NOTIFICATION = planned('aws_s3_bucket_notification', ['create'], { bucket: BUCKET });

/** A change of one resource, of its values before and after. */
const changed = (type: string, actions: readonly string[], before: object, after: object | null) =>
  ({
    resource_changes: [{ address: `${type}.this`, type, change: { actions, before, after } }],
  }) as PlanJson;
const replaced = (type: string, values: object = {}) =>
  changed(type, ['delete', 'create'], values, values);
const VERSION = changed('aws_eks_cluster', ['update'], { version: '1.33' }, { version: '1.35' });
const TRUST = changed(
  'aws_iam_role',
  ['update'],
  { assume_role_policy: 'sts:AssumeRoleWithWebIdentity' },
  { assume_role_policy: 'pods.eks.amazonaws.com' },
);
const NEW_ADDRESS = {
  resource_changes: [
    ...(changed('aws_s3_bucket_notification', ['delete'], { bucket: 'etl-third' }, null)
      .resource_changes ?? []),
    ...planned('aws_s3_bucket_notification', ['create'], { bucket: 'etl-third' }).resource_changes,
  ],
};
const SUBSCRIPTION = { topic_arn: 'arn', protocol: 'https', endpoint: 'https://etl.gov/' };

const RULE_ENDED = planned('aws_cloudwatch_event_target', ['delete']);

test.each([
  ['replaces the cluster', CLUSTER],
  ['replaces a role', ROLE],
  ['imports an OIDC provider to replace it', PROVIDER],
  ["removes others' notifications", NOTIFICATION],
  ['deletes a subnet', SUBNET],
  ['unsubscribes the only endpoint', UNSUBSCRIBED],
  ['takes the notifications from a bucket of the settings', SILENCED],
  ['ends the rule of EventBridge before the bucket tells the topic', RULE_ENDED],
  ['deletes nodes before new ones are ready', replaced('aws_eks_node_group')],
  ['makes a second policy of a name', changed('aws_iam_policy', ['create', 'delete'], {}, {})],
  ['replaces a database', replaced('aws_db_instance')],
  ['has roles trust another way than running pods take', TRUST],
  ['upgrades Kubernetes by two minor versions', VERSION],
  ["has a bucket's notifications at another address", NEW_ADDRESS],
  ['replaces the topic', replaced('aws_sns_topic')],
  ['unsubscribes one endpoint before another', replaced('aws_sns_topic_subscription')],
  [
    'replaces the load balancer',
    replaced('kubernetes_service_v1', { spec: [{ type: 'LoadBalancer' }] }),
  ],
  [
    'takes a queue with messages away',
    changed('aws_sqs_queue', ['delete'], { arn: 'a:b:sqs:c:1:q' }, null),
  ],
  [
    'replaces a subscription by itself',
    changed('aws_sns_topic_subscription', ['create', 'delete'], SUBSCRIPTION, SUBSCRIPTION),
  ],
])('a plan that %s is refused', async (_, plan) => {
  await expect(guardPlan(stack, plan, {})).rejects.toMatchObject({ code: EXIT.refused });
});

test.each([
  ['the cluster', CLUSTER],
  ['a role', ROLE],
  ['a subnet', SUBNET],
])('whoever allows it may replace %s', async (_, plan) => {
  const guarded = guardPlan(stack, plan, { allowClusterReplacement: true });
  await expect(guarded).resolves.toBeUndefined();
});

test.each([PROVIDER, NOTIFICATION])('which allows nothing else', async (plan) => {
  const guarded = guardPlan(stack, plan, { allowClusterReplacement: true });
  await expect(guarded).rejects.toMatchObject({ code: EXIT.refused });
});

test('a plan that does none of these is not refused', async () => {
  const plan = planned('aws_eks_cluster', ['update']);
  await expect(guardPlan(stack, plan, {})).resolves.toBeUndefined();
});

test('whoever allows the loss of messages may end the rule of EventBridge', async () => {
  const guarded = guardPlan(stack, RULE_ENDED, { allowMessageLoss: true });
  await expect(guarded).resolves.toBeUndefined();
});
