import { addressesIn, graphOf } from '../../../src/synthesized/model/graph.ts';
import type { StackModel } from '../../../src/synthesized/model/model.ts';
import { type Rule, rule } from '../rule.ts';
import { every } from './attributes.ts';
import { referenceHasItsAttribute } from './reference-attribute-rule.ts';
import { blocksOfStack } from './stack-blocks.ts';

/** Addresses that Terraform itself knows. */
const BUILT_IN = /^(each|count|self|path|terraform)\./;

/** Terraform finds a dangling reference only at plan; here the audit does. */
export const referenceExists: Rule = rule({
  id: 'reference-exists',
  title: 'Everything that a block refers to or waits for exists',
  reason:
    'A reference to something that was removed or renamed is found by nobody before the plan, and an order that names nothing orders nothing.',
  control: 'CM-3',
  severity: 'high',
  subjects: ({ model }) => model.stacks.flatMap(blocksOfStack),
  faults: ({ stack, value }, { model }) => {
    const missing = [...addressesIn(value)].filter(
      (address) => !BUILT_IN.test(address) && !exists(model.stackOf({ stack }), address),
    );
    return missing.map((address) => `refers to ${address}, which is not in the stack`);
  },
});

/** What a resource is for: somebody must refer to it. The types that count as use, or any but those. */
const USED_BY: Readonly<Record<string, { readonly by?: RegExp; readonly not?: RegExp }>> = {
  aws_iam_policy: { by: /^aws_iam_role_policy_attachment$/ },
  aws_iam_role: { not: /^aws_iam_role_policy/ },
  aws_iam_openid_connect_provider: { by: /^aws_iam_role$/ },
  aws_kms_key: { not: /^aws_kms_|^aws_iam_policy$|^aws_iam_role_policy$/ },
  aws_launch_template: { by: /^aws_eks_node_group$/ },
  aws_security_group: { not: /^aws_vpc_security_group_|^aws_security_group_rule$/ },
  aws_route_table: { by: /^aws_route_table_association$/ },
  aws_subnet: { not: /^aws_route_table_association$/ },
  aws_eip: { by: /^aws_nat_gateway$/ },
  aws_nat_gateway: { by: /^aws_route$/ },
  aws_internet_gateway: { by: /^aws_route$/ },
  aws_ecr_repository: { by: /^aws_ecr_lifecycle_policy$/ },
  aws_eks_access_entry: { by: /^aws_eks_access_policy_association$/ },
  aws_sns_topic: { not: /^aws_sns_topic_policy$|^aws_sqs_queue$|^aws_cloudwatch_|^aws_iam_/ },
};

/** Types whose use may lie in another stack, or in manifests that are not here: an output hands them on. */
const HANDED_ON = ['aws_subnet', 'aws_iam_role'];

/** What nobody uses was cut off by a lost line, or is a leftover that still grants or costs. */
export const resourceInUse: Rule = rule({
  id: 'resource-in-use',
  title: 'Every role, policy, key, queue, table and gateway is used by what it is for',
  reason:
    'A policy that is attached nowhere grants nothing, a key that encrypts nothing protects nothing: one lost line does that, and the rest still deploys.',
  control: 'CM-2',
  severity: 'medium',
  subjects: every(...Object.keys(USED_BY)),
  faults: ({ stack, type, address }, { model }) => {
    const { by, not } = USED_BY[type] ?? {};
    const of = model.stackOf({ stack });
    const users = graphOf(of)
      .users(address)
      .filter((user) => (by?.test(user.type) ?? true) && !not?.test(user.type));
    const hasObjects = of.resources.some((resource) => resource.type.startsWith('kubernetes_'));
    const output =
      HANDED_ON.includes(type) &&
      !hasObjects &&
      Object.values(of.json.output ?? {}).some((value) => addressesIn(value).has(address));
    return users.length > 0 || output ? [] : ['nothing uses it as what it is for'];
  },
});

function exists(stack: StackModel, address: string): boolean {
  const [kind, name = ''] = address.split('.');
  if (kind === 'var') return stack.json.variable?.[name] !== undefined;
  if (kind === 'local') return stack.json.locals?.[name] !== undefined;
  return stack.at(address) !== undefined;
}

/** Rules on what refers to what. */
export const REFERENCE_RULES: readonly Rule[] = [
  referenceExists,
  referenceHasItsAttribute,
  resourceInUse,
];
