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
import { REGISTER, type Rule } from './rule.ts';
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

/** The id of a rule that a waiver names, by its present or a former one. */
export function currentId(id: string): string {
  const renamed = Object.entries(REGISTER).find(([, { formerly }]) => formerly?.includes(id));
  return renamed?.[0] ?? id;
}
