import { AWS_RULES } from './rules/aws/aws-rules.ts';
import { KUBERNETES_RULES } from './rules/kubernetes/kubernetes-rules.ts';
import type { Rule } from './rules/rule.ts';

/** Every rule of our own. */
export const ALL_RULES: readonly Rule[] = [...AWS_RULES, ...KUBERNETES_RULES];
