import { blocksOf } from '../../../src/synthesized/model/model.ts';
import type { Attributes } from '../../../src/synthesized/synthesized-stack.ts';
import { type Rule, rule } from '../rule.ts';
import { REVIEWED_ARGUMENTS, REVIEWED_DATA, REVIEWED_EVERYWHERE } from './reviewed-arguments.ts';

/** Types that no rule knows. */
export const typeIsReviewed: Rule = rule({
  id: 'type-is-reviewed',
  title: 'Every resource and data source is of a type that the rules know',
  reason:
    'A user with keys, a public bucket or a function that is added is judged by no rule: the audit would be green for want of an opinion.',
  control: 'CM-3(2)',
  severity: 'medium',
  subjects: ({ model }) => model.stacks.flatMap(({ resources, data }) => [...resources, ...data]),
  faults: ({ mode, type }) => {
    const known =
      mode === 'data'
        ? REVIEWED_DATA.includes(type)
        : type in REVIEWED_ARGUMENTS || type.startsWith('kubernetes_');
    return known ? [] : [`no rule has an opinion on ${type}: review it, and add it to the rules`];
  },
});

/** Arguments that no rule knows. */
export const argumentIsReviewed: Rule = rule({
  id: 'argument-is-reviewed',
  title: 'Every argument of an AWS resource is one that the rules know',
  reason:
    'What a line adds can undo what all others secure: a second subnet list, a policy of its own, a way around a check.',
  control: 'CM-3(2)',
  severity: 'medium',
  subjects: ({ model }) => model.resources.filter(({ type }) => type in REVIEWED_ARGUMENTS),
  faults: ({ type, attributes }) => {
    const known = REVIEWED_ARGUMENTS[type] ?? [];
    return unknownArguments(attributes, known, '').map(
      (path) => `no rule has an opinion on ${path}: review it, and add it to the rules`,
    );
  },
});

/** Parts of Terraform's language that bring in what the JSON does not show. */
export const nothingBeside: Rule = rule({
  id: 'nothing-beside',
  title: 'A stack has resources, data, variables, locals and outputs, and nothing else',
  reason:
    'A module is code from elsewhere, moved, removed and import blocks change the state, and none of them is in what the audit reads.',
  control: 'CM-3(2)',
  severity: 'medium',
  subjects: ({ model }) =>
    model.stacks.map(({ name, json }) => ({ stack: name, address: 'terraform', json })),
  faults: ({ json }) => [
    ...Object.keys(json)
      .filter((block) => !BLOCKS.includes(block))
      .map((block) => `has ${block} blocks`),
    ...Object.keys(json.terraform ?? {})
      .filter((block) => !['backend', 'required_providers', 'required_version'].includes(block))
      .map((block) => `terraform has ${block}`),
    ...Object.keys(json.provider ?? {})
      .filter((provider) => !['aws', 'kubernetes'].includes(provider))
      .map((provider) => `has a provider ${provider}`),
  ],
});

const BLOCKS = ['//', 'resource', 'data', 'variable', 'locals', 'output', 'provider', 'terraform'];

/** Paths of arguments that are not among the known ones; blocks are looked into where they are known. */
function unknownArguments(
  attributes: Attributes,
  known: readonly string[],
  prefix: string,
): readonly string[] {
  return Object.entries(attributes).flatMap(([name, value]) => {
    const path = `${prefix}${name}`;
    if (prefix === '' && REVIEWED_EVERYWHERE.includes(name)) return [];
    if (known.includes(path)) return [];
    if (!known.some((other) => other.startsWith(`${path}.`))) return [path];
    return blocksOf(value).flatMap((block) => unknownArguments(block, known, `${path}.`));
  });
}

/** Rules on what the other rules do not know. */
export const REVIEW_RULES: readonly Rule[] = [typeIsReviewed, argumentIsReviewed, nothingBeside];
