import { type Reference, referenceOf } from '../../../src/synthesized/model/expression.ts';
import {
  blocksOf,
  type Model,
  type Resource,
  type StackModel,
  valueAt,
} from '../../../src/synthesized/model/model.ts';
import { matchesPattern } from '../../policy/policy-document.ts';
import { autoscalersOf, podsOf } from '../readers/pods.ts';
import {
  every,
  isPublic,
  listOf,
  neighbours,
  outputsOf,
  partsOf,
  read,
  variablesOf,
} from '../readers/resources.ts';
import { type Audited, type Rule, rule } from '../rule.ts';
import { holdsAlways } from './conditions.ts';
import ignored from './ignored.json' with { type: 'json' };

/** What may differ from the JSON without a plan saying so, with the reason why nothing hides behind it. */
const IGNORED: Readonly<Record<string, Readonly<Record<string, string>>>> = ignored;

/** Whether an autoscaler owns the number of a workload's pods. */
function isScaled({ stack, address }: Resource, audited: Audited): boolean {
  const pod = podsOf(audited).find((one) => one.stack === stack && one.address === address);
  return pod !== undefined && autoscalersOf(audited, pod).length > 0;
}

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

/** Data sources that find all of a kind where nothing is asked for. */
const FINDS_ALL =
  /^aws_(vpcs?|subnets?|security_groups?|route_tables?|nat_gateways?|network_interfaces?|instances?|db_instances|rds_clusters|iam_roles|iam_users|eips|ebs_volumes|sqs_queues|lbs|ami|ami_ids|ecr_repositories|ecr_images)$/;

const WILDCARD = /[*?]/;

/** What a lookup asks for: values by the name of their filter, tag or argument. */
function askedOf({ attributes }: Resource): readonly (readonly [name: string, value: string])[] {
  return [
    ...blocksOf(attributes.filter).flatMap(({ name, values }) =>
      listOf(values).map((value) => [String(name), String(value)] as const),
    ),
    ...Object.entries(Object(attributes.tags)).map(
      ([key, value]) => [`tag:${key}`, String(value)] as const,
    ),
    ...Object.entries(attributes)
      .filter(([, value]) => typeof value === 'string')
      .map(([name, value]) => [name, String(value)] as const),
  ];
}

/** Whether a value asks for more than one thing by a wildcard; one in an expression or escaped is none. */
function isPattern(value: string): boolean {
  return WILDCARD.test(value.replaceAll(/\$\{[^}]*\}|\\[*?]/g, ''));
}

/** A condition of a stack that a plan is to fail by, or a check to warn by. */
interface Condition {
  readonly stack: string;
  readonly address: string;
  /** What it is called in Terraform. */
  readonly kind: string;
  readonly condition: unknown;
  /** Of the variable that it validates. */
  readonly type?: string;
  readonly nullable?: boolean;
}

/** Every validation, precondition, postcondition and assertion of a stack. */
function conditionsOf({ name: stack, json, resources, data }: StackModel): readonly Condition[] {
  const of = (address: string, holder: unknown, kind: string) =>
    listOf(valueAt(holder, kind)).map((block) => ({
      ...{ stack, address, kind },
      condition: Object(block).condition as unknown,
    }));
  return [
    ...partsOf(stack, 'var', json.variable).flatMap(({ address, value }) =>
      of(address, value, 'validation').map((one) => ({
        ...one,
        type: String(value.type ?? ''),
        nullable: value.nullable !== false,
      })),
    ),
    ...[...resources, ...data].flatMap(({ address, attributes }) =>
      ['precondition', 'postcondition'].flatMap((kind) =>
        of(address, attributes.lifecycle ?? {}, kind),
      ),
    ),
    ...partsOf(stack, 'output', json.output).flatMap(({ address, value }) =>
      of(address, value, 'precondition'),
    ),
    ...partsOf(stack, 'check', Object(valueAt(json, 'check'))).flatMap(({ address, value }) =>
      of(address, value, 'assert'),
    ),
  ];
}

/** Tags by which cost, owner and origin of a resource are found. */
const REQUIRED = ['Environment', 'Component', 'ManagedBy'] as const;

const LAUNCHED = ['instance', 'volume', 'network-interface'];

function spell({ address, attribute }: Reference): string {
  return `${address}.${attribute}`;
}

/** Resources of the same kind that are left out, or of another kind among them. */
function missing(
  model: Model,
  first: Resource,
  resources: readonly (Resource | undefined)[],
): readonly string[] {
  const kind = (resource: Resource) =>
    resource.type === 'aws_subnet' && isPublic(model, resource) === isPublic(model, first);
  const same = neighbours(model, first, first.type).filter(
    (resource) => resource.type !== 'aws_subnet' || kind(resource),
  );
  return [
    ...same
      .filter((resource) => !resources.includes(resource))
      .map(({ address }) => `leaves ${address} out`),
    ...resources
      .filter((resource) => resource !== undefined && !same.includes(resource))
      .map((resource) => `lists ${resource?.address} among others of its kind`),
  ];
}

/** Rules on Terraform's meta-arguments, tags, variables and outputs. */
export const LIFECYCLE_RULES: readonly Rule[] = [
  rule({
    id: 'drift-is-seen',
    subjects: ({ model }) => model.resources,
    faults: (resource, audited) =>
      listOf(valueAt(resource.attributes, 'lifecycle.ignore_changes'))
        .map(String)
        .filter((path) => IGNORED[resource.type]?.[path] === undefined)
        .filter((path) => !(/^spec(\[0\])?\.replicas$/.test(path) && isScaled(resource, audited)))
        .map((path) => `ignores changes of ${path}`),
  }),
  rule({
    id: 'plain-resource',
    subjects: ({ model }) => model.resources,
    faults: ({ type, attributes }) => [
      ...['count', 'for_each', 'provisioner', 'connection', 'provider']
        .filter((argument) => attributes[argument] !== undefined)
        .map((argument) => `has ${argument}`),
      valueAt(attributes, 'lifecycle.prevent_destroy') === true &&
        'prevent_destroy stops the destroy of the whole stack at this resource',
      valueAt(attributes, 'lifecycle.create_before_destroy') === true &&
        typeof attributes.name === 'string' &&
        `create_before_destroy makes a second ${String(attributes.name)} beside the first: the name is taken`,
      valueAt(attributes, 'lifecycle.replace_triggered_by') !== undefined &&
        (type !== 'aws_eks_node_group' ||
          valueAt(attributes, 'lifecycle.create_before_destroy') !== true) &&
        'replace_triggered_by replaces it when something else changes',
      ...Object.entries(Object(attributes.timeouts)).map(
        ([operation, limit]) =>
          /^\d+s$/.test(String(limit)) && `gives up ${operation} after ${String(limit)}`,
      ),
    ],
  }),
  rule({
    id: 'lookup-is-checked',
    subjects: ({ model }) =>
      model.stacks.flatMap(({ data }) =>
        data.filter(({ type }) => ['aws_vpcs', 'aws_subnets'].includes(type)),
      ),
    faults: (lookup, { model }) => {
      const { type, attributes } = lookup;
      const filters = listOf(attributes.filter).map((filter) => String(valueAt(filter, 'name')));
      const tagged =
        filters.some((name) => name.startsWith('tag:') || name === 'subnet-id') ||
        attributes.tags !== undefined;
      const conditions = listOf(valueAt(attributes, 'lifecycle.postcondition')).map((condition) =>
        String(valueAt(condition, 'condition')).replaceAll(/\s/g, ''),
      );
      const counted =
        type === 'aws_vpcs'
          ? conditions.some((condition) => /length\(self\.ids\)==1/.test(condition))
          : conditions.some((condition) =>
              /length\(self\.ids\)([>=]=([2-9]|1\d)|>[1-9])/.test(condition),
            );
      return [
        !tagged && 'is not bounded by tags or ids',
        type === 'aws_vpcs' &&
          !findsOne(model, lookup) &&
          'no VPC of the stacks has the tags that it asks for, or more than one',
        type === 'aws_subnets' &&
          !filters.includes('vpc-id') &&
          'is not bounded to one VPC by a filter on vpc-id',
        !counted &&
          (type === 'aws_vpcs'
            ? 'does not check that it found exactly one (postcondition length(self.ids) == 1)'
            : 'does not check that it found at least two (postcondition length(self.ids) >= 2)'),
      ];
    },
  }),
  rule({
    id: 'lookup-names-what-it-finds',
    subjects: ({ model }) => model.stacks.flatMap(({ data }) => data),
    faults: (lookup, { model }) => {
      const { type, attributes } = lookup;
      const { resolve } = model.stackOf(lookup);
      const asked = askedOf({ ...lookup, attributes: Object(resolve(attributes)) });
      const isBounded = asked.some(([name, value]) => name === 'vpc-id' && !isPattern(value));
      return [
        ...asked
          .filter(([, value]) => isPattern(value))
          .filter(
            ([name, value]) =>
              !(
                type === 'aws_subnets' &&
                isBounded &&
                name.startsWith('tag:') &&
                /^[\w.-]{3,}\*$/.test(value)
              ),
          )
          .map(([name, value]) => `${name} is ${value}, which finds whatever is called so`),
        ...['name_regex', 'key_name_regex', 'path_regex', 'value_regex']
          .filter((argument) => attributes[argument] !== undefined)
          .map((argument) => `${argument} finds whatever is called so`),
        attributes.most_recent === true && 'most_recent finds whatever was made last',
        attributes.default === true && 'default finds whatever the account began with',
        FINDS_ALL.test(type) &&
          asked.length === 0 &&
          'asks for nothing, and so finds all there are',
      ];
    },
  }),
  rule({
    id: 'conditions-can-fail',
    subjects: ({ model }) => model.stacks.flatMap(conditionsOf),
    faults: ({ kind, condition, type, nullable }) => [
      holdsAlways(condition, type, nullable) && `its ${kind} can't be false: ${String(condition)}`,
      condition === undefined && `its ${kind} has no condition`,
    ],
  }),
  rule({
    id: 'default-tags',
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
        ...others.flatMap(({ name, defaultTags: theirs }) => [
          ...Object.keys(theirs).map(
            (key) => tags[key] === undefined && `default tag ${key} of ${name} is missing`,
          ),
          ...Object.keys(theirs)
            .filter((key) => key !== 'Component')
            .map(
              (key) =>
                tags[key] !== undefined &&
                theirs[key] !== undefined &&
                tags[key] !== theirs[key] &&
                `default tag ${key} is ${text(key)}, in ${name} it is ${theirs[key]}`,
            ),
          tags.Component !== undefined &&
            tags.Component === theirs.Component &&
            `default tag Component is ${text('Component')} as in ${name}: nobody can tell them apart`,
        ]),
      ];
    },
  }),
  rule({
    id: 'tags-not-overridden',
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
  }),
  rule({
    id: 'launched-resources-tagged',
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
  }),
  rule({
    id: 'outputs-list-alike',
    subjects: ({ model }) =>
      outputsOf(model)
        .map(({ stack, address, value: { value } }) => ({ stack, address, value }))
        .filter(({ value }) => Array.isArray(value) && value.some((item) => referenceOf(item))),
    faults: ({ stack, address, value }, { model }) => {
      const references = listOf(value).map(referenceOf);
      const known = references.filter((reference) => reference !== undefined);
      const resources = known.map(({ address }) => model.stackOf({ stack }).at(address));
      const [first] = resources;
      const alike = resources.every((resource) => resource?.type === first?.type);
      return [
        known.length < references.length && 'has a literal among references',
        (!alike || new Set(known.map(({ attribute }) => attribute)).size > 1) &&
          'lists different things',
        new Set(known.map(spell)).size < known.length && 'lists one thing twice',
        outputsOf(model).some(
          (other) =>
            other.stack === stack &&
            other.address !== address &&
            JSON.stringify(other.value.value) === JSON.stringify(value),
        ) && 'lists what another output lists',
        ...(alike && first !== undefined ? missing(model, first, resources) : []),
      ];
    },
  }),
  rule({
    id: 'variables-are-checked',
    subjects: ({ model }) => variablesOf(model),
    faults: ({ address, value: variable }) => {
      const conditions = listOf(variable.validation).map((validation) =>
        String(Object(validation).condition),
      );
      return [
        !['string', 'number', 'bool'].includes(String(variable.type)) &&
          `type is ${String(variable.type)}`,
        variable.type === 'string' &&
          variable.sensitive !== true &&
          !conditions.some((condition) => condition.includes(address)) &&
          'has no validation of its value',
      ];
    },
  }),
];
