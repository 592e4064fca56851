import { blocksOf, valueAt } from '../../../src/synthesized/model/model.ts';
import { type Rule, rule } from '../rule.ts';
import { every, faultsOf, read } from './attributes.ts';

/** Tags by which cost, owner and origin of a resource are found. */
const REQUIRED = ['Environment', 'Component', 'ManagedBy'] as const;

/** The provider's default tags. */
export const defaultTags: Rule = rule({
  id: 'default-tags',
  title: 'Every stack tags what it makes with its environment, component and origin',
  reason: 'What has no owner is neither patched nor paid for nor removed.',
  control: 'CM-8',
  severity: 'low',
  subjects: ({ model }) =>
    model.stacks.map(({ name, defaultTags: tags }) => ({
      stack: name,
      address: 'provider.aws',
      tags,
    })),
  faults: ({ stack, tags }, { model }) => {
    const others = model.stacks.filter(({ name }) => name !== stack);
    const text = (key: string) => (typeof tags[key] === 'string' ? tags[key] : '');
    return [
      ...REQUIRED.filter((key) => text(key).trim() === '').map(
        (key) => `default tag ${key} is missing`,
      ),
      ...others.flatMap(({ name, defaultTags: theirs }) =>
        faultsOf(
          ...Object.keys(theirs).map(
            (key) => [tags[key] === undefined, `default tag ${key} of ${name} is missing`] as const,
          ),
          ...Object.keys(theirs)
            .filter((key) => key !== 'Component')
            .map(
              (key) =>
                [
                  tags[key] !== undefined && theirs[key] !== undefined && tags[key] !== theirs[key],
                  `default tag ${key} is ${text(key)}, in ${name} it is ${theirs[key]}`,
                ] as const,
            ),
          [
            tags.Component !== undefined && tags.Component === theirs.Component,
            `default tag Component is ${text('Component')} as in ${name}: nobody can tell them apart`,
          ],
        ),
      ),
    ];
  },
});

/** A resource's own tags win over the provider's. */
export const tagsNotOverridden: Rule = rule({
  id: 'tags-not-overridden',
  title: "No resource overrides the stack's tags",
  reason: "A tag of the resource's own wins, so it counts to another environment or owner.",
  control: 'CM-8',
  severity: 'low',
  subjects: ({ model }) =>
    model.resources.filter(({ attributes }) => attributes.tags !== undefined),
  faults: ({ stack, attributes }, { model }) => {
    const tags = model.stackOf({ stack }).resolve(attributes.tags);
    if (typeof tags !== 'object' || tags === null) return [];
    const defaults = model.stackOf({ stack }).defaultTags;
    return Object.entries(tags).flatMap(([key, value]) =>
      Object.entries(defaults)
        // IAM takes keys that differ in their case alone for the same.
        .filter(([name]) => name.toLowerCase() === key.toLowerCase())
        .filter(([name, usual]) => name !== key || value !== usual)
        .map(([name, usual]) => `tag ${key} is ${String(value)} in place of ${name} = ${usual}`),
    );
  },
});

const LAUNCHED = ['instance', 'volume', 'network-interface'];

/** AWS makes these from the template, so the provider's tags do not reach them. */
export const launchedResourcesTagged: Rule = rule({
  id: 'launched-resources-tagged',
  title: "What a launch template makes carries the stack's tags",
  reason:
    'Default tags end at the template: instances, volumes and interfaces take only its tag_specifications.',
  control: 'CM-8',
  severity: 'low',
  subjects: every('aws_launch_template'),
  faults: (resource, { model }) => {
    const { stack, at } = read(model, resource);
    const specifications = blocksOf(at('tag_specifications'));
    return LAUNCHED.flatMap((type) => {
      const found = specifications.find(({ resource_type }) => resource_type === type);
      if (found === undefined) return [`tag_specifications lacks ${type}`];
      return Object.entries(stack.defaultTags)
        .filter(([key, value]) => valueAt(found.tags, key) !== value)
        .map(([key, value]) => `tag ${key} = ${value} is missing on ${type}`);
    });
  },
});

/** Rules on tags. */
export const TAG_RULES: readonly Rule[] = [defaultTags, tagsNotOverridden, launchedResourcesTagged];
