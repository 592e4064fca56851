import { CLUSTER_RULES } from './cluster/cluster.ts';
import { NODE_RULES } from './cluster/nodes.ts';
import { REPOSITORY_RULES } from './cluster/repository.ts';
import { DATABASE_RULES } from './database/database.ts';
import { KEY_RULES } from './encryption/keys.ts';
import { SECRET_RULES } from './encryption/secrets.ts';
import { POLICY_RULES } from './identity/policies.ts';
import { ROLE_RULES } from './identity/roles.ts';
import { SERVICE_ACCOUNT_RULES } from './identity/service-accounts.ts';
import { WORKLOAD_ROLE_RULES } from './identity/workload-role.ts';
import { DELIVERY_RULES } from './messaging/delivery.ts';
import { EVENT_NOTIFICATION_RULES } from './messaging/event-notifications.ts';
import { MONITORING_RULES } from './messaging/monitoring.ts';
import { QUEUE_RULES } from './messaging/queues.ts';
import { TOPIC_RULES } from './messaging/topics.ts';
import { LOAD_BALANCER_RULES } from './network/load-balancers.ts';
import { NETWORK_POLICY_RULES } from './network/network-policies.ts';
import { ROUTE_RULES } from './network/routes.ts';
import { SECURITY_GROUP_RULES } from './network/security-groups.ts';
import { VPC_RULES } from './network/vpc.ts';
import type { Rule } from './rule.ts';
import { LIFECYCLE_RULES } from './terraform/lifecycle.ts';
import { ORDER_RULES } from './terraform/order.ts';
import { OUTPUT_RULES } from './terraform/outputs.ts';
import { REFERENCE_RULES } from './terraform/references.ts';
import { SET_ASIDE_RULES } from './terraform/set-aside.ts';
import { TERRAFORM_RULES } from './terraform/settings.ts';
import { AVAILABILITY_RULES } from './workload/availability.ts';
import { JOB_RULES } from './workload/jobs.ts';
import { LISTENER_RULES } from './workload/listener.ts';
import { OBJECT_RULES } from './workload/objects.ts';
import { POD_SECURITY_RULES } from './workload/pod-security.ts';
import { OBJECT_REFERENCE_RULES } from './workload/references.ts';
import { RESOURCE_RULES } from './workload/resources.ts';
import { ROLLOUT_RULES } from './workload/rollout.ts';

/** Every rule of our own, by subject. */
export const ALL_RULES: readonly Rule[] = [
  ...POLICY_RULES,
  ...ROLE_RULES,
  ...WORKLOAD_ROLE_RULES,
  ...SERVICE_ACCOUNT_RULES,
  ...KEY_RULES,
  ...SECRET_RULES,
  ...TOPIC_RULES,
  ...QUEUE_RULES,
  ...MONITORING_RULES,
  ...EVENT_NOTIFICATION_RULES,
  ...DELIVERY_RULES,
  ...VPC_RULES,
  ...ROUTE_RULES,
  ...SECURITY_GROUP_RULES,
  ...NETWORK_POLICY_RULES,
  ...LOAD_BALANCER_RULES,
  ...CLUSTER_RULES,
  ...NODE_RULES,
  ...REPOSITORY_RULES,
  ...DATABASE_RULES,
  ...LISTENER_RULES,
  ...POD_SECURITY_RULES,
  ...AVAILABILITY_RULES,
  ...ROLLOUT_RULES,
  ...RESOURCE_RULES,
  ...JOB_RULES,
  ...OBJECT_RULES,
  ...OBJECT_REFERENCE_RULES,
  ...TERRAFORM_RULES,
  ...ORDER_RULES,
  ...REFERENCE_RULES,
  ...LIFECYCLE_RULES,
  ...OUTPUT_RULES,
  ...SET_ASIDE_RULES,
];

/** Rules that were merged into another one or renamed: a waiver may still name them. */
export const FORMER_IDS: Readonly<Record<string, string>> = {
  'alarms-call-somebody': 'alarms-have-actions',
  'announcements-are-known': 'event-notification-matches-listener',
  'binding-is-meant': 'binding-is-valid',
  'bucket-is-connected': 'bucket-has-event-notification',
  'cluster-api-bounded': 'cluster-api-private',
  'container-is-bounded': 'container-has-limits',
  'empty-dir-is-bounded': 'empty-dir-has-a-limit',
  'endpoint-groups-admit-vpc': 'endpoint-groups-allow-vpc',
  'ingress-ends-tls': 'ingress-terminates-tls',
  'ingress-leads-to-the-listener': 'ingress-routes-to-listener',
  'key-admits-its-users': 'key-allows-its-users',
  'key-admits-nobody-else': 'key-allows-nobody-else',
  'kubernetes-provider-is-pinned': 'versions-are-bounded',
  'listener-believes-its-topic': 'listener-trusts-its-topic',
  'listener-may-do-its-work': 'workload-role-allows-its-work',
  'listener-reads-the-bucket': 'listener-settings-match-stack',
  'load-balancer-asks-the-pod': 'load-balancer-health-check',
  'load-balancer-ends-tls': 'load-balancer-terminates-tls',
  'load-balancer-passes-on': 'load-balancer-forwards-tcp',
  'losses-are-watched': 'losses-have-alarms',
  'namespace-admits-restricted-pods': 'namespace-enforces-restricted-pods',
  'network-policies-are-enforced': 'network-policies-enforced',
  'new-objects-announced': 'event-notification-for-new-objects',
  'no-secret-in-the-open': 'no-secret-in-clear-text',
  'nothing-beside': 'only-known-blocks',
  'object-drift-is-seen': 'drift-is-seen',
  'object-has-one-owner': 'one-owner',
  'pod-has-its-role': 'service-account-has-its-role',
  'pod-is-apart-from-its-node': 'pod-is-isolated-from-its-node',
  'pod-is-behind-a-policy': 'pod-has-network-policies',
  'policies-name-the-bucket': 'services-are-bounded',
  'policy-hides-instance-metadata': 'network-policy-blocks-instance-metadata',
  'policy-lets-calls-out': 'network-policy-allows-calls',
  'policy-lets-messages-in': 'network-policy-allows-messages',
  'policy-lets-no-more-out': 'network-policy-limits-egress',
  'policy-opens-no-more': 'network-policy-limits-ingress',
  'probe-asks-a-served-path': 'probe-requests-a-served-path',
  'probe-finds-its-port': 'probe-has-a-valid-port',
  'probe-has-patience': 'probe-timing-is-valid',
  'provider-meets-its-cluster': 'provider-matches-its-cluster',
  'queue-needs-no-door': 'queue-needs-no-endpoint',
  'reports-not-announced': 'event-notification-excludes-reports',
  'secrets-are-encrypted-at-rest': 'cluster-secrets-encrypted',
  'service-account-role-trusts-it': 'service-account-has-its-role',
  'service-opens-no-more': 'service-limits-its-ports',
  'service-role-fits': 'service-role-allows-its-work',
  'sns-can-reach-the-door': 'endpoint-is-reachable-for-sns',
  'subnets-tell-their-role': 'subnets-have-role-tags',
  'subscribed-queue-admits-topic': 'subscribed-queue-allows-topic',
  'subscription-meets-its-door': 'subscription-matches-endpoint',
  'values-are-allowed': 'values-are-valid',
  'workload-can-no-more': 'workload-role-allows-no-more',
  'workload-can-work': 'workload-role-allows-its-work',
};

/** The id of a rule that a waiver names, by its present or a former one. */
export function currentId(id: string): string {
  return (Object.hasOwn(FORMER_IDS, id) ? FORMER_IDS[id] : undefined) ?? id;
}
