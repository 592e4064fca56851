import { type Reference, referenceOf } from '../../../src/synthesized/model/expression.ts';
import {
  addressesIn,
  graphOf,
  type Model,
  type Resource,
  type StackModel,
} from '../../../src/synthesized/model/model.ts';
import type { KubernetesObject } from '../../../src/synthesized/views/kubernetes-manifests.ts';
import { parseJson } from '../../policy/policy-document.ts';
import { blocksOfStack, every, isAutoscalerRole, isGiven, read } from '../readers/resources.ts';
import { type Audited, type Rule, rule } from '../rule.ts';
import tables from './references.json' with { type: 'json' };

/** Addresses that Terraform itself knows. */
const BUILT_IN = /^(each|count|self|path|terraform)\./;

/** What a resource is for: somebody must refer to it. The types that count as use, or any but those. */
const USED_BY = new Map(
  Object.entries<{ readonly by?: string; readonly not?: string }>(tables.usedBy).map(
    ([type, { by = '', not = '^$' }]) => [type, { by: new RegExp(by), not: new RegExp(not) }],
  ),
);

/** Types whose use may lie in another stack, or in manifests that are not here: an output hands them on. */
const HANDED_ON = ['aws_subnet', 'aws_iam_role'];

function exists(stack: StackModel, address: string): boolean {
  const [kind, name = ''] = address.split('.');
  if (kind === 'var') return stack.json.variable?.[name] !== undefined;
  if (kind === 'local') return stack.json.locals?.[name] !== undefined;
  return stack.at(address) !== undefined;
}

/** What an argument or a key takes of a resource, by its name; the first that fits counts. */
const TAKEN = tables.taken.map(({ argument, attributes }) => ({
  argument: new RegExp(argument),
  attributes,
}));

interface Taken {
  readonly name: string;
  readonly reference: Reference;
}

/** References that are all of a value, with the name of the argument or key that they are the value of. */
function takenIn(value: unknown, name: string): readonly Taken[] {
  if (typeof value === 'string') {
    const reference = referenceOf(value);
    if (reference !== undefined) return [{ name, reference }];
    const document = value.startsWith('{') ? parseJson(value) : undefined;
    return document === undefined ? [] : takenIn(document, name);
  }
  if (Array.isArray(value)) return value.flatMap((item) => takenIn(item, name));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, below]) => takenIn(below, key));
}

/** What there can be only one of in AWS, by type: arguments whose values together name it. */
const SINGLETONS: Readonly<Record<string, readonly string[]>> = tables.singletons;

/** Arguments that own the same thing as a resource of another type does. */
const INLINE = tables.inline;

interface Owned {
  readonly stack: string;
  readonly address: string;
  readonly others: readonly Owned[];
}

/** Resources and objects of which there can be only one, each with those that name the same one. */
function owned({ model, objects }: Audited): readonly Owned[] {
  const named = [
    ...model
      .ofType(...Object.keys(SINGLETONS))
      .map((one) => ({ ...one, key: `${one.type}\n${identity(model, one)}` })),
    ...objects.map((one) => ({ ...one, key: objectIdentity(one) })),
  ];
  const byKey = Map.groupBy(named, ({ key }) => key);
  return named.map((one) => ({
    stack: one.stack,
    address: one.address,
    others: (byKey.get(one.key) ?? [])
      .filter((other) => other !== one)
      .map(({ stack, address }) => ({ stack, address, others: [] })),
  }));
}

function objectIdentity({ manifest }: KubernetesObject): string {
  const { kind, metadata } = manifest;
  return [kind, metadata.namespace ?? '', metadata.name].join('/');
}

function identity(model: Model, resource: Resource): string {
  const reader = read(model, resource);
  return (SINGLETONS[resource.type] ?? [])
    .map((argument) => {
      const text = reader.text(argument);
      return text.includes('${') ? `${resource.stack} ${text}` : text;
    })
    .join('\n');
}

/** Rules on what refers to what, and who owns what. */
export const REFERENCE_RULES: readonly Rule[] = [
  rule({
    id: 'reference-exists',
    subjects: ({ model }) => model.stacks.flatMap(blocksOfStack),
    faults: ({ stack, value }, { model }) => {
      const missing = [...addressesIn(value)].filter(
        (address) => !BUILT_IN.test(address) && !exists(model.stackOf({ stack }), address),
      );
      return missing.map((address) => `refers to ${address}, which is not in the stack`);
    },
  }),
  rule({
    id: 'reference-has-its-attribute',
    subjects: ({ model }) => model.resources,
    faults: ({ stack, attributes }, { model }) => {
      const { at } = model.stackOf({ stack });
      const { depends_on: _, lifecycle: __, ...own } = attributes;
      return takenIn(own, '').flatMap(({ name, reference }) => {
        const fitting = TAKEN.find(({ argument }) => argument.test(name))?.attributes;
        const type = at(reference.address)?.type;
        const attribute = reference.attribute.split('.').at(-1) ?? '';
        return fitting === undefined || !type?.startsWith('aws_') || fitting.includes(attribute)
          ? []
          : [
              `${name} is ${attribute || 'all'} of ${reference.address}, must be ${fitting.join(' or ')}`,
            ];
      });
    },
  }),
  rule({
    id: 'resource-in-use',
    subjects: every(...USED_BY.keys()),
    faults: ({ stack, type, address, attributes }, { model }) => {
      const use = USED_BY.get(type);
      const of = model.stackOf({ stack });
      const users = graphOf(of)
        .users(address)
        .filter((user) => use?.by.test(user.type) && !use.not.test(user.type));
      const hasObjects = of.resources.some((resource) => resource.type.startsWith('kubernetes_'));
      const output =
        HANDED_ON.includes(type) &&
        (!hasObjects || isAutoscalerRole({ attributes })) &&
        Object.values(of.json.output ?? {}).some((value) => addressesIn(value).has(address));
      return users.length > 0 || output ? [] : ['nothing uses it as what it is for'];
    },
  }),
  rule({
    id: 'one-owner',
    subjects: owned,
    faults: ({ others }) =>
      others.map(({ stack, address }) => `${stack} ${address} owns the same one`),
  }),
  rule({
    id: 'one-owner-inline',
    subjects: ({ model }) => model.ofType(...new Set(INLINE.map(({ type }) => type))),
    faults: (resource, { model }) =>
      INLINE.filter(
        ({ type, argument }) =>
          type === resource.type &&
          // An empty list of an attribute removes what others made; no block is none.
          (argument === 'inline_policy'
            ? isGiven(resource.attributes[argument])
            : resource.attributes[argument] !== undefined),
      ).flatMap(({ argument, others }) =>
        model
          .ofType(...others)
          .filter((other) => other.stack === resource.stack)
          .filter((other) =>
            ['arn', 'queue_url', 'key_id', 'role', 'route_table_id', 'security_group_id'].some(
              (name) => read(model, other).target(name) === resource,
            ),
          )
          .map((other) => `its ${argument} and ${other.address} own the same thing`),
      ),
  }),
];
