import {
  type Model,
  type Resource,
  type StackModel,
  valueAt,
} from '../../../src/synthesized/model/model.ts';
import { canonical } from '../../policy/policies.ts';
import type { Audited } from '../rule.ts';

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

/** A list as it is, nothing as an empty list, and one value as a list of one. */
export function listOf(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}

/** Subjects of a rule: all resources of some types. */
export function every(...types: readonly string[]): (audited: Audited) => readonly Resource[] {
  return ({ model }) => model.ofType(...types);
}

/** Sentences of the faults that hold. */
export function faultsOf(...checks: readonly (readonly [boolean, string])[]): readonly string[] {
  return checks.flatMap(([faulty, sentence]) => (faulty ? [sentence] : []));
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
