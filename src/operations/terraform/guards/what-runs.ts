import { bucketsOf } from '../../../settings/buckets.ts';
import type { FileProcessingSettings } from '../../../settings/file-processing-variables.ts';
import { HTTP_SUBSCRIPTION } from '../phases.ts';
import { changesOf, deletes, type PlanJson, type PlannedChange } from '../plan-json.ts';
import type { Refusal } from './refusals.ts';

/** Where everything of an environment is. */
const NETWORK: readonly string[] = ['aws_vpc', 'aws_subnet'];

/**
 * Refuses a plan that deletes or replaces the network or a subnet of it, or replaces a security group, which has a name:
 * Terraform takes routes, gateways and rules away first, and then waits in vain, since AWS deletes none that is in use.
 */
export function refuseNetworkDeletion(plan: PlanJson): readonly Refusal[] {
  const gone = changesOf(plan)
    .filter(deletes)
    .filter(
      ({ type, change: { actions } }) =>
        NETWORK.includes(type) || (type === 'aws_security_group' && actions.includes('create')),
    );
  if (gone.length === 0) return [];
  return [
    {
      reason: `the plan would delete or replace ${gone.map(({ address }) => address).join(', ')}: what runs in the network loses its routes or rules first, and AWS deletes nothing that is in use`,
      next: 'take back the setting that does so, such as vpc_cidr, name_prefix, availability_zones, private_subnet_cidrs or public_subnet_cidrs; where nothing is in there, go on with --allow-cluster-replacement',
    },
  ];
}

/**
 * Refuses a plan that puts another load balancer in the place of the one that SNS posts to: in another namespace, or of
 * an Ingress in place of a Service.
 */
export function refuseLoadBalancerReplacement(plan: PlanJson): readonly Refusal[] {
  const posts = (plan.resource_changes ?? []).some(
    ({ address, change }) => address === HTTP_SUBSCRIPTION && change.after !== null,
  );
  const isBalanced = (values: Block | null) => firstOf(values?.spec)?.type === 'LoadBalancer';
  const goes = ({ type, change: { actions, before, after } }: PlannedChange) => {
    const isReplaced = actions.includes('delete') && actions.includes('create');
    if (type === 'kubernetes_ingress_v1') return isReplaced || (posts && after === null);
    if (type !== 'kubernetes_service_v1' || !isBalanced(before)) return false;
    return isReplaced || (after !== null && !isBalanced(after));
  };
  return changesOf(plan)
    .filter(goes)
    .map(({ address, change }) => ({
      reason: `the plan would take away the load balancer of ${String(firstOf(change.before?.metadata)?.name)} (${address}): the one in its place has another host name, and SNS reaches nothing until the name of sns_endpoint_url is pointed at it`,
      next: 'take back the setting that does so, such as namespace or ingress_class_name; or go on with --allow-message-loss',
    }));
}

/** Refuses a plan that unsubscribes the endpoint while nothing else is subscribed: SNS drops what is published then. */
export function refuseLastUnsubscribed(plan: PlanJson): readonly Refusal[] {
  const all = plan.resource_changes ?? [];
  const subscribed = all.some(
    ({ type, change }) => type === 'aws_sns_topic_subscription' && change.after !== null,
  );
  const gone = all.find(({ address }) => address === HTTP_SUBSCRIPTION);
  const before = gone?.change.before;
  if (gone?.change.actions.join() !== 'delete' || subscribed) return [];
  if (before?.pending_confirmation === true) return [];
  return [
    {
      reason: `the plan would unsubscribe ${String(before?.endpoint)}, and nothing else is subscribed: SNS drops what is published from then on`,
      next: 'take back sns_endpoint_url, or set delivery = "sqs"; or go on with --allow-message-loss',
    },
  ];
}

/**
 * Refuses a plan that takes the event notifications from a bucket that the settings still name: what comes before
 * somebody else has put them is never judged.
 */
export function refuseSilentBucket(
  plan: PlanJson,
  settings: FileProcessingSettings,
): readonly Refusal[] {
  const silenced = ({ type, change }: PlannedChange) =>
    type === 'aws_s3_bucket_notification' && change.actions.join() === 'delete';
  const gone = changesOf(plan).filter(silenced);
  if (gone.length === 0) return [];
  const named = bucketsOf(settings).map(({ name }) => name);
  return gone
    .filter(({ change }) => named.includes(String(change.before?.bucket)))
    .map(({ address, change }) => ({
      reason: `the plan would remove the event notifications of bucket ${String(change.before?.bucket)} (${address}), which the settings still name: what comes meanwhile is never judged`,
      next: `terraform state rm ${address}, in the folder of the synthesized stack, leaves them for npm run manage -- s3-configure-notifications; or go on with --allow-message-loss`,
    }));
}

type Block = Readonly<Record<string, unknown>>;

function firstOf(blocks: unknown): Block | undefined {
  return Array.isArray(blocks) ? (blocks as readonly Block[])[0] : undefined;
}
