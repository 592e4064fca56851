import {
  type Model,
  type Resource,
  type StackModel,
  valueAt,
} from '../../../src/synthesized/model/model.ts';
import { canonical } from '../../policy/policies.ts';
import { type Audited, type Faults, type Rule, rule } from '../rule.ts';

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

/** Whether a subnet's route table leads to an internet gateway. */
export function isPublic(model: Model, subnet: Resource): boolean {
  const stack = model.stackOf(subnet);
  const tables = neighbours(model, subnet, 'aws_route_table_association')
    .filter(({ attributes }) => stack.target(attributes.subnet_id) === subnet)
    .map(({ attributes }) => stack.target(attributes.route_table_id));
  return neighbours(model, subnet, 'aws_route').some(
    ({ attributes }) =>
      tables.includes(stack.target(attributes.route_table_id)) &&
      attributes.gateway_id !== undefined,
  );
}

/** A block of a stack that may refer to others. */
export interface StackBlock {
  readonly stack: string;
  /** Such as `aws_sns_topic.events`, `output.topic_arn` or `provider.aws`. */
  readonly address: string;
  readonly value: unknown;
}

/** Every resource, data source, output, local and provider of a stack. */
export function blocksOfStack({ name, json, resources, data }: StackModel): readonly StackBlock[] {
  const named = (prefix: string, blocks: Readonly<Record<string, unknown>> = {}) =>
    Object.entries(blocks).map(([key, value]) => ({
      stack: name,
      address: `${prefix}.${key}`,
      value,
    }));
  return [
    ...[...resources, ...data].map(({ stack, address, attributes }) => ({
      stack,
      address,
      value: attributes,
    })),
    ...named('output', json.output),
    ...named('local', json.locals),
    ...named('provider', json.provider),
  ];
}

/** Whether a value says something: what is empty, false or null is a provider's default, and may be spelled out. */
export function isGiven(value: unknown): boolean {
  const isDefault = [undefined, null, false, '', 'false', 0].includes(value as undefined);
  return !isDefault && !(Array.isArray(value) && value.length === 0);
}

/** One argument of a resource, as a check looks at it. */
interface Argument extends ResourceReader {
  readonly path: string;
}

/** What is wrong with an argument, a sentence each; none where it is as it must be. */
export type Check = (argument: Argument) => Faults;

const reason = (why: string) => (why === '' ? '' : `: ${why}`);
const given = ({ text, path }: Argument) => text(path) || 'missing';
const check =
  (wrong: (argument: Argument) => boolean, sentence: (argument: Argument) => string): Check =>
  (argument) =>
    wrong(argument) ? [sentence(argument)] : [];

/** It must be set to true. */
export const mustBeTrue: Check = check(
  ({ isTrue, path }) => !isTrue(path),
  ({ path }) => `${path} must be true`,
);

/** It must be set to false; left out is not enough. */
export const mustBeFalse: Check = check(
  ({ isFalse, path }) => !isFalse(path),
  ({ path }) => `${path} must be false`,
);

/** It must be true or left out. */
export const mustNotBeFalse: Check = check(
  ({ isFalse, path }) => isFalse(path),
  ({ path }) => `${path} must not be false`,
);

/** It must be false or left out. @param harm - what it does otherwise, without a subject */
export const mustNotBeTrue = (harm: string): Check =>
  check(
    ({ isTrue, path }) => isTrue(path),
    ({ path }) => `${path} ${harm}`,
  );

/** It must be left out. @param harm - what it does otherwise, without a subject */
export const mustBeAbsent = (harm: string): Check =>
  check(
    ({ at, path }) => at(path) !== undefined,
    ({ path }) => `${path} ${harm}`,
  );

/** It must be set, to whatever. */
export const mustBeSet = (why: string): Check =>
  check(
    ({ text, path }) => text(path).trim() === '',
    ({ path }) => `${path} is missing: ${why}`,
  );

/** It must be one text. */
export const mustBe = (wanted: string, why = ''): Check =>
  check(
    ({ text, path }) => text(path) !== wanted,
    (argument) => `${argument.path} is ${given(argument)}, must be ${wanted}${reason(why)}`,
  );

/** It must be one of some texts, or left out. */
export const mayBe = (...allowed: readonly string[]): Check =>
  check(
    ({ text, path }) => !['', ...allowed].includes(text(path)),
    (argument) => `${argument.path} is ${given(argument)}, may be ${allowed.join(' or ')}`,
  );

/** It must be a number within bounds; left out is outside. */
export const mustBeWithin = (least: number, most: number, why = ''): Check =>
  check(
    ({ number, path }) => !(number(path) >= least && number(path) <= most),
    (argument) =>
      `${argument.path} is ${given(argument)}, must be ${most === Number.POSITIVE_INFINITY ? `at least ${least}` : `${least} to ${most}`}${reason(why)}`,
  );

/** It must be a number from a bound on; left out is below. */
export const mustBeAtLeast = (least: number, why = ''): Check =>
  mustBeWithin(least, Number.POSITIVE_INFINITY, why);

/** It must be a number up to a bound, or left out. */
export const mayBeAtMost = (most: number, why = ''): Check =>
  check(
    ({ number, path }) => number(path) > most,
    ({ path }) => `${path} must be at most ${most}${reason(why)}`,
  );

/** It must be a number from a bound on, or left out. */
export const mayBeAtLeast = (least: number, why = ''): Check =>
  check(
    ({ number, path }) => number(path) < least,
    ({ path }) => `${path} must be at least ${least}${reason(why)}`,
  );

/** It must refer to a resource of the stack. @param noun - what that is, with its article */
export const mustReferTo = (type: string, noun: string): Check =>
  check(
    ({ target, path }) => target(path)?.type !== type,
    ({ path }) => `${path} is not ${noun} of the stack`,
  );

/** Keys of AWS's own, whose policy cannot allow S3 or SNS. */
const AWS_KEY = /(^|:)alias\/aws\//;

/** It must be a key of the account's own. */
export const mustBeOwnKey: Check = ({ text, target, path }) => {
  const key = text(path);
  if (key === '') return [`${path} is missing: not encrypted with a key of the account`];
  if (AWS_KEY.test(key)) {
    return [
      `${path} is ${key}: no policy lets other services use this key, and none can be revoked`,
    ];
  }
  return target(path)?.type === 'aws_kms_key' || /^arn:[^:]+:kms:[^:]+:[^:]+:key\//.test(key)
    ? []
    : [`${path} is ${key}, not a key of the stack`];
};

/** A row of a table of rules: what arguments must be, by type of resource and by path. */
export function argumentRule(
  row: Omit<Rule, 'judge'> & {
    readonly must: Readonly<Record<string, Readonly<Record<string, Check>>>>;
    /** Resources of these types that it is about. @default all */
    readonly where?: (resource: Resource, audited: Audited) => boolean;
    /** What is wrong beside that. */
    readonly faults?: (resource: Resource, audited: Audited) => Faults;
  },
): Rule {
  const { must, where = () => true, faults = () => [], ...description } = row;
  return rule({
    ...description,
    subjects: (audited) =>
      audited.model.ofType(...Object.keys(must)).filter((one) => where(one, audited)),
    faults: (resource, audited) => [
      ...Object.entries(must[resource.type] ?? {}).flatMap(([path, judge]) =>
        judge({ ...read(audited.model, resource), path }),
      ),
      ...faults(resource, audited),
    ],
  });
}
