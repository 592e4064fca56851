import {
  blocksOf,
  type Model,
  type Resource,
  type StackModel,
  valueAt,
} from '../../../src/synthesized/model/model.ts';
import { canonical } from '../../policy/policies.ts';
import requirements from '../arguments.json' with { type: 'json' };
import { type Audited, type Faults, type Rule, type RuleId, rule } from '../rule.ts';

/** Arguments of a resource as values: expressions replaced where the JSON alone tells. */
interface ResourceReader {
  readonly stack: StackModel;
  readonly at: (path: string) => unknown;
  /** In its canonical spelling; empty where it is not set. */
  readonly text: (path: string) => string;
  /** NaN where it is not set or no number. */
  readonly number: (path: string) => number;
  readonly isTrue: (path: string) => boolean;
  /** Whether it is set to false, which is not the same as left out. */
  readonly isFalse: (path: string) => boolean;
  /** A list, or one value as a list of one. */
  readonly list: (path: string) => readonly unknown[];
  /** The resource that an argument refers to. */
  readonly target: (path: string) => Resource | undefined;
}

/** Reads a resource of a model. */
export function read(model: Model, resource: Resource): ResourceReader {
  const stack = model.stackOf(resource);
  const raw = (path: string) => valueAt(resource.attributes, path);
  const at = (path: string) => stack.resolve(raw(path));
  return {
    stack,
    at,
    text: (path) => canonical(stack, raw(path)),
    number: (path) => {
      const value = at(path);
      return value === undefined || value === null || value === '' ? Number.NaN : Number(value);
    },
    isTrue: (path) => at(path) === true || at(path) === 'true',
    isFalse: (path) => at(path) === false || at(path) === 'false',
    list: (path) => listOf(at(path)),
    target: (path) => stack.target(raw(path)),
  };
}

/** Whether a role is for the Cluster Autoscaler, whose ServiceAccount comes with its chart: no stack makes it. */
export function isAutoscalerRole({ attributes }: Pick<Resource, 'attributes'>): boolean {
  return /(system:serviceaccount:kube-system:|kubernetes-service-account":")cluster-autoscaler"/.test(
    String(attributes.assume_role_policy),
  );
}

/** A list as it is, nothing as an empty list, and one value as a list of one. */
export function listOf(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}

/** The items of a text that lists some between commas. */
export function itemsOf(text: string | undefined): readonly string[] {
  return (text ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean);
}

/** Subjects of a rule: all resources of some types. */
export function every(...types: readonly string[]): (audited: Audited) => readonly Resource[] {
  return ({ model }) => model.ofType(...types);
}

/** Resources of a type in the same stack. */
export function neighbours(
  model: Model,
  resource: { readonly stack: string },
  ...types: readonly string[]
): readonly Resource[] {
  return model.ofType(...types).filter(({ stack }) => stack === resource.stack);
}

/** Resources of a type in the same stack, of which an argument refers to a resource. */
export function referring(
  model: Model,
  resource: Resource,
  type: string,
  argument: string,
): readonly Resource[] {
  return neighbours(model, resource, type).filter(
    (one) => read(model, one).target(argument) === resource,
  );
}

/** Route tables of a subnet. */
export function tablesOf(model: Model, subnet: Resource): readonly Resource[] {
  return referring(model, subnet, 'aws_route_table_association', 'subnet_id')
    .map((association) => read(model, association).target('route_table_id'))
    .filter((table) => table !== undefined);
}

/** Routes of route tables. */
export function routesOf(model: Model, tables: readonly Resource[]): readonly Resource[] {
  return tables.flatMap((table) => referring(model, table, 'aws_route', 'route_table_id'));
}

/** Whether a subnet's route table leads to an internet gateway. */
export function isPublic(model: Model, subnet: Resource): boolean {
  return routesOf(model, tablesOf(model, subnet)).some(
    ({ attributes }) => attributes.gateway_id !== undefined,
  );
}

/** A block of a stack that may refer to others. */
export interface StackBlock {
  readonly stack: string;
  /** Such as `aws_sns_topic.events`, `output.topic_arn` or `provider.aws`. */
  readonly address: string;
  readonly value: unknown;
}

/** Named parts of a stack, such as its outputs: `output.topic_arn`. */
export function partsOf<Part>(
  stack: string,
  prefix: string,
  parts: Readonly<Record<string, Part>> = {},
) {
  return Object.entries(parts).map(([name, value]) => ({
    stack,
    address: `${prefix}.${name}`,
    name,
    value,
  }));
}

/** The outputs of all stacks. */
export function outputsOf({ stacks }: Model) {
  return stacks.flatMap(({ name, json }) => partsOf(name, 'output', json.output));
}

/** The variables of all stacks. */
export function variablesOf({ stacks }: Model) {
  return stacks.flatMap(({ name, json }) => partsOf(name, 'var', json.variable));
}

/** Every resource, data source, output, local and provider of a stack. */
export function blocksOfStack({ name, json, resources, data }: StackModel): readonly StackBlock[] {
  return [
    ...[...resources, ...data].map(({ stack, address, attributes }) => ({
      stack,
      address,
      value: attributes,
    })),
    ...partsOf(name, 'output', json.output),
    ...partsOf(name, 'local', json.locals),
    ...partsOf(name, 'provider', json.provider),
  ];
}

/** What may name a partition, a region or a secret: variables, imports and the state's place, too. */
export function namingBlocks(stack: StackModel): readonly StackBlock[] {
  const { name, json } = stack;
  const backend = valueAt(json.terraform, 'backend');
  return [
    ...blocksOfStack(stack),
    ...partsOf(name, 'var', json.variable).map((one) => ({ ...one, value: one.value.default })),
    { stack: name, address: 'terraform.backend', value: backend },
    ...blocksOf(json.import).map(({ to, id }) => ({
      stack: name,
      address: `import.${String(to)}`,
      value: id,
    })),
  ];
}

/** What a local, a provider, an output or a variable is called; empty for what has a type. */
export function nameIn(address: string): string {
  return /^(local|provider|output|var)\.(.*)$/.exec(address)?.[2] ?? '';
}

/** Whether a value says something: what is empty, false or null is a provider's default, and may be spelled out. */
export function isGiven(value: unknown): boolean {
  const isDefault = [undefined, null, false, '', 'false', 0].includes(value as undefined);
  return !isDefault && !(Array.isArray(value) && value.length === 0);
}

/** What an argument must be, in one row of arguments.json; what is undefined is not asked for. */
export interface Requirement {
  /** It must be set to this. */
  readonly is?: boolean | string;
  /** It must not be this, and may be left out. */
  readonly isNot?: boolean;
  /** It must be one of these, or left out. */
  readonly oneOf?: readonly string[];
  /** It must be a number from here on. */
  readonly atLeast?: number;
  /** It must be a number up to here. */
  readonly atMost?: number;
  /** Whether a number may be left out. */
  readonly optional?: boolean;
  /** It must be set, to whatever. */
  readonly present?: boolean;
  /** It must be left out. */
  readonly absent?: boolean;
  /** It must refer to a resource of this type, which is called `noun`. */
  readonly refersTo?: string;
  readonly noun?: string;
  /** It must be a key of the account's own. */
  readonly ownKey?: boolean;
  /** What it does otherwise, in place of what it must be. */
  readonly harm?: string;
  /** Why, behind what it must be. */
  readonly why?: string;
}

/** What arguments must be, by the id of a rule, the type of the resource and the argument's path. */
export const REQUIREMENTS: Readonly<
  Record<string, Readonly<Record<string, Readonly<Record<string, Requirement>>>>>
> = requirements;

/** What is wrong with an argument; undefined where it is as it must be. */
export function argumentFault(
  reader: ResourceReader,
  path: string,
  must: Requirement,
): string | undefined {
  const wanted = unmet(reader, path, must);
  if (wanted === undefined) return undefined;
  if (must.harm !== undefined) return `${path} ${must.harm}`;
  return `${path} ${wanted}${must.why === undefined ? '' : `: ${must.why}`}`;
}

/** The end of the sentence on an argument that is not what it must be. */
function unmet(reader: ResourceReader, path: string, must: Requirement): string | undefined {
  const { is, isNot, oneOf, present, absent, refersTo, noun, ownKey } = must;
  const text = reader.text(path);
  const given = text || 'missing';
  const has = (flag: boolean) => (flag ? reader.isTrue(path) : reader.isFalse(path));
  if (typeof is === 'boolean') return has(is) ? undefined : `must be ${is}`;
  if (is !== undefined) return text === is ? undefined : `is ${given}, must be ${is}`;
  if (isNot !== undefined) return has(isNot) ? `must not be ${isNot}` : undefined;
  if (oneOf)
    return ['', ...oneOf].includes(text) ? undefined : `is ${given}, may be ${oneOf.join(' or ')}`;
  if (present) return text.trim() === '' ? 'is missing' : undefined;
  if (absent) return isGiven(reader.at(path)) ? 'must be left out' : undefined;
  if (refersTo)
    return reader.target(path)?.type === refersTo ? undefined : `is not ${noun} of the stack`;
  return ownKey ? keyFault(reader, path) : boundsFault(reader, path, must);
}

function boundsFault(reader: ResourceReader, path: string, must: Requirement): string | undefined {
  const { atLeast = Number.NEGATIVE_INFINITY, atMost = Number.POSITIVE_INFINITY, optional } = must;
  const number = reader.number(path);
  if (number >= atLeast && number <= atMost) return undefined;
  if (optional && Number.isNaN(number)) return undefined;
  const range = [
    must.atLeast === undefined ? '' : `at least ${atLeast}`,
    must.atMost === undefined ? '' : `at most ${atMost}`,
  ].filter(Boolean);
  const wanted = range.length === 2 ? `${atLeast} to ${atMost}` : range.join();
  return `is ${reader.text(path) || 'missing'}, must be ${wanted}`;
}

/** Keys of AWS's own, whose policy cannot allow S3 or SNS. */
const AWS_KEY = /(^|:)alias\/aws\//;

function keyFault({ text, target }: ResourceReader, path: string): string | undefined {
  const key = text(path);
  if (key === '') return 'is missing: not encrypted with a key of the account';
  if (AWS_KEY.test(key)) {
    return `is ${key}: no policy lets other services use this key, and none can be revoked`;
  }
  return target(path)?.type === 'aws_kms_key' || /^arn:[^:]+:kms:[^:]+:[^:]+:key\//.test(key)
    ? undefined
    : `is ${key}, not a key of the stack`;
}

/** A rule on what arguments.json says of it: what arguments must be, by type of resource and by path. */
export function argumentRule(row: {
  readonly id: RuleId;
  /** Resources of these types that it is about. @default all */
  readonly where?: (resource: Resource, audited: Audited) => boolean;
  /** What is wrong beside that. */
  readonly faults?: (resource: Resource, audited: Audited) => Faults;
}): Rule {
  const { id, where = () => true, faults = () => [] } = row;
  const byType = REQUIREMENTS[id] ?? {};
  return rule({
    id,
    subjects: (audited) =>
      audited.model.ofType(...Object.keys(byType)).filter((one) => where(one, audited)),
    faults: (resource, audited) => [
      ...Object.entries(byType[resource.type] ?? {}).flatMap(
        ([path, must]) => argumentFault(read(audited.model, resource), path, must) ?? [],
      ),
      ...faults(resource, audited),
    ],
  });
}
