import type { Rule } from '../rule.ts';
import { ADD_ON_RULES } from './add-on-rules.ts';
import { ALARM_RULES } from './alarm-rules.ts';
import { BUCKET_NOTIFICATION_RULES } from './bucket-notification-rules.ts';
import { CLUSTER_ACCESS_RULES } from './cluster-access-rules.ts';
import { CLUSTER_RULES } from './cluster-rules.ts';
import { KEY_RULES } from './key-rules.ts';
import { LIFECYCLE_RULES } from './lifecycle-rules.ts';
import { LOG_GROUP_RULES } from './log-group-rules.ts';
import { NODE_RULES } from './node-rules.ts';
import { ORDER_RULES } from './order-rules.ts';
import { OUTPUT_RULES } from './output-rules.ts';
import { OWNER_RULES } from './owner-rules.ts';
import { PARTITION_RULES } from './partition-rules.ts';
import { POLICY_RULES } from './policy-rules.ts';
import { PRINCIPAL_RULES } from './principal-rules.ts';
import { QUEUE_RULES } from './queue-rules.ts';
import { REFERENCE_RULES } from './reference-rules.ts';
import { REPOSITORY_RULES } from './repository-rules.ts';
import { REVIEW_RULES } from './review-rules.ts';
import { ROLE_RULES } from './role-rules.ts';
import { ROUTE_RULES } from './route-rules.ts';
import { SECRET_RULES } from './secret-rules.ts';
import { SECURITY_GROUP_RULES } from './security-group-rules.ts';
import { SUBNET_RULES } from './subnet-rules.ts';
import { SUBSCRIPTION_RULES } from './subscription-rules.ts';
import { TAG_RULES } from './tag-rules.ts';
import { TERRAFORM_RULES } from './terraform-rules.ts';
import { TOPIC_RULES } from './topic-rules.ts';
import { TRUST_RULES } from './trust-rules.ts';
import { VPC_RULES } from './vpc-rules.ts';
import { WORKLOAD_ROLE_RULES } from './workload-role-rules.ts';

/** Rules on the AWS half and on what holds the stacks together. */
export const AWS_RULES: readonly Rule[] = [
  ...REVIEW_RULES,
  ...REFERENCE_RULES,
  ...OWNER_RULES,
  ...LIFECYCLE_RULES,
  ...ORDER_RULES,
  ...TAG_RULES,
  ...PARTITION_RULES,
  ...TERRAFORM_RULES,
  ...OUTPUT_RULES,
  ...SECRET_RULES,
  ...POLICY_RULES,
  ...PRINCIPAL_RULES,
  ...TRUST_RULES,
  ...ROLE_RULES,
  ...WORKLOAD_ROLE_RULES,
  ...KEY_RULES,
  ...TOPIC_RULES,
  ...SUBSCRIPTION_RULES,
  ...QUEUE_RULES,
  ...ALARM_RULES,
  ...BUCKET_NOTIFICATION_RULES,
  ...CLUSTER_RULES,
  ...CLUSTER_ACCESS_RULES,
  ...NODE_RULES,
  ...ADD_ON_RULES,
  ...LOG_GROUP_RULES,
  ...SUBNET_RULES,
  ...ROUTE_RULES,
  ...SECURITY_GROUP_RULES,
  ...VPC_RULES,
  ...REPOSITORY_RULES,
];
