import {
  blocksOf,
  type Model,
  type Resource,
  valueAt,
} from '../../../src/synthesized/model/model.ts';
import { matchesPattern } from '../../policy/policy-document.ts';
import { type Rule, rule } from '../rule.ts';
import { faultsOf, listOf } from './attributes.ts';

/** What may differ from the JSON without a plan saying so, and why nothing hides behind it. */
const IGNORED: Readonly<Record<string, readonly string[]>> = {
  // The cluster autoscaler and people change it; minimum and maximum still hold.
  aws_eks_node_group: ['scaling_config[0].desired_size'],
  // Both are read at creation only.
  aws_eks_cluster: [
    'access_config[0].bootstrap_cluster_creator_admin_permissions',
    'bootstrap_self_managed_addons',
  ],
};

/** Drift of anything else would stay, unseen by every later plan. */
export const driftIsSeen: Rule = rule({
  id: 'drift-is-seen',
  title: 'No plan ignores a change that matters',
  reason:
    'ignore_changes makes Terraform blind: whatever somebody opens by hand in that argument stays open.',
  control: 'CM-6(1)',
  severity: 'medium',
  subjects: ({ model }) => model.resources.filter(({ type }) => type.startsWith('aws_')),
  faults: ({ type, attributes }) =>
    listOf(valueAt(attributes, 'lifecycle.ignore_changes'))
      .map(String)
      .filter((path) => !IGNORED[type]?.includes(path))
      .map((path) => `ignores changes of ${path}`),
});

/** Arguments of Terraform itself that make a resource appear, stay, or run programs. */
export const plainResource: Rule = rule({
  id: 'plain-resource',
  title: 'Resources are made once, by their provider, and go when the stack goes',
  reason:
    'count or for_each can silently make none, prevent_destroy stops a destroy half way, a provisioner runs a program that no plan shows, and another provider makes it in another region or account.',
  control: 'CM-2',
  severity: 'medium',
  subjects: ({ model }) => model.resources,
  faults: ({ attributes }) => [
    ...['count', 'for_each', 'provisioner', 'connection', 'provider']
      .filter((argument) => attributes[argument] !== undefined)
      .map((argument) => `has ${argument}`),
    ...faultsOf(
      [
        valueAt(attributes, 'lifecycle.prevent_destroy') === true,
        'prevent_destroy stops the destroy of the whole stack at this resource',
      ],
      [
        valueAt(attributes, 'lifecycle.create_before_destroy') === true &&
          typeof attributes.name === 'string',
        `create_before_destroy makes a second ${String(attributes.name)} beside the first: the name is taken`,
      ],
      [
        valueAt(attributes, 'lifecycle.replace_triggered_by') !== undefined,
        'replace_triggered_by replaces it when something else changes',
      ],
      ...Object.entries(Object(attributes.timeouts)).map(
        ([operation, limit]) =>
          [/^\d+s$/.test(String(limit)), `gives up ${operation} after ${String(limit)}`] as const,
      ),
    ),
  ],
});

/** A data source that finds nothing, or too much, must say so instead of giving what is there. */
export const lookupIsChecked: Rule = rule({
  id: 'lookup-is-checked',
  title: 'Networks that are looked up are bounded and counted',
  reason:
    'Without the VPC as a filter a lookup finds namesakes of other networks; without a check on the number a cluster gets one zone, or none.',
  control: 'CM-2',
  severity: 'medium',
  subjects: ({ model }) =>
    model.stacks.flatMap(({ data }) =>
      data.filter(({ type }) => ['aws_vpcs', 'aws_subnets'].includes(type)),
    ),
  faults: (lookup, { model }) => {
    const { type, attributes } = lookup;
    const filters = listOf(attributes.filter).map((filter) => String(valueAt(filter, 'name')));
    const tagged = filters.some((name) => name.startsWith('tag:')) || attributes.tags !== undefined;
    const conditions = listOf(valueAt(attributes, 'lifecycle.postcondition')).map((condition) =>
      String(valueAt(condition, 'condition')).replaceAll(/\s/g, ''),
    );
    const counted =
      type === 'aws_vpcs'
        ? conditions.some((condition) => /length\(self\.ids\)==1/.test(condition))
        : conditions.some((condition) => /length\(self\.ids\)>(=[2-9]|[1-9])/.test(condition));
    return faultsOf(
      [!tagged, 'is not bounded by a tag'],
      [
        type === 'aws_vpcs' && !findsOne(model, lookup),
        'no VPC of the stacks has the tags that it asks for, or more than one',
      ],
      [
        type === 'aws_subnets' && !filters.includes('vpc-id'),
        'is not bounded to one VPC by a filter on vpc-id',
      ],
      [
        !counted,
        type === 'aws_vpcs'
          ? 'does not check that it found exactly one (postcondition length(self.ids) == 1)'
          : 'does not check that it found at least two (postcondition length(self.ids) >= 2)',
      ],
    );
  },
});

/** Whether exactly one VPC of the stacks has the tags; where none is made in them, nobody can tell. */
function findsOne(model: Model, lookup: Resource): boolean {
  const vpcs = model.ofType('aws_vpc');
  const asked = blocksOf(model.stackOf(lookup).resolve(lookup.attributes.filter)).filter(
    ({ name }) => String(name).startsWith('tag:'),
  );
  const found = vpcs.filter((vpc) =>
    asked.every(({ name, values }) =>
      listOf(values).some((value) =>
        matchesPattern(String(value), String(Object(vpc.attributes.tags)[String(name).slice(4)])),
      ),
    ),
  );
  return vpcs.length === 0 || found.length === 1;
}

/** Rules on Terraform's meta-arguments. */
export const LIFECYCLE_RULES: readonly Rule[] = [driftIsSeen, plainResource, lookupIsChecked];
