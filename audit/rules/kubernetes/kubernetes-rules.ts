import type { Rule } from '../rule.ts';
import { AVAILABILITY_RULES } from './availability-rules.ts';
import { DELIVERY_RULES } from './delivery-rules.ts';
import { EXPOSURE_RULES } from './exposure-rules.ts';
import { IDENTITY_RULES } from './identity-rules.ts';
import { JOB_RULES } from './job-rules.ts';
import { LISTENER_RULES } from './listener-rules.ts';
import { NETWORK_POLICY_RULES } from './network-policy-rules.ts';
import { OBJECT_RULES } from './object-rules.ts';
import { ORDER_RULES } from './order-rules.ts';
import { POD_SECURITY_RULES } from './pod-security-rules.ts';
import { PROBE_RULES } from './probe-rules.ts';
import { PROVIDER_RULES } from './provider-rules.ts';
import { REFERENCE_RULES } from './reference-rules.ts';
import { RESOURCE_RULES } from './resource-rules.ts';
import { REVIEW_RULES } from './review-rules.ts';
import { ROLLOUT_RULES } from './rollout-rules.ts';
import { SECRET_RULES } from './secret-rules.ts';
import { SELECTOR_RULES } from './selector-rules.ts';
import { valuesAreAllowed } from './values-rule.ts';

/** Our own rules on the Kubernetes half. */
export const KUBERNETES_RULES: readonly Rule[] = [
  ...OBJECT_RULES,
  valuesAreAllowed,
  ...SELECTOR_RULES,
  ...REFERENCE_RULES,
  ...SECRET_RULES,
  ...LISTENER_RULES,
  ...DELIVERY_RULES,
  ...PROBE_RULES,
  ...ROLLOUT_RULES,
  ...AVAILABILITY_RULES,
  ...RESOURCE_RULES,
  ...JOB_RULES,
  ...POD_SECURITY_RULES,
  ...IDENTITY_RULES,
  ...NETWORK_POLICY_RULES,
  ...EXPOSURE_RULES,
  ...ORDER_RULES,
  ...PROVIDER_RULES,
  ...REVIEW_RULES,
];
