import { partitionOf } from '@file-processing/contract/partition.ts';
import type { Attributes, SynthesizedStack, TerraformJson } from '../synthesized-stack.ts';
import {
  asTemplate,
  isTemplate,
  type Reference,
  referenceOf,
  referencesIn,
  templateParts,
} from './expression.ts';

/** A resource or data source. */
export interface Resource {
  readonly stack: string;
  readonly mode: 'managed' | 'data';
  /** Such as `aws_sns_topic`. */
  readonly type: string;
  readonly name: string;
  /** Unique within its stack: `<type>.<name>`, or `data.<type>.<name>`. */
  readonly address: string;
  readonly attributes: Attributes;
}

/** One stack as the rules see it. */
export interface StackModel {
  readonly name: string;
  readonly path: string;
  readonly json: TerraformJson;
  /** Region of its AWS provider. */
  readonly region: string;
  /** `aws`, `aws-us-gov` or `aws-cn`. */
  readonly partition: string;
  /** Tags that the AWS provider gives every resource. */
  readonly defaultTags: Readonly<Record<string, string>>;
  readonly resources: readonly Resource[];
  readonly data: readonly Resource[];
  /** A resource or data source by its address. */
  readonly at: (address: string) => Resource | undefined;
  /**
   * A value with every expression replaced that the JSON alone determines: variables with a default,
   * locals, and attributes of resources that are literal there. What only AWS knows stays `${...}`,
   * and `$${` stays escaped.
   */
  readonly resolve: (value: unknown) => unknown;
  /** The resource that a value is an attribute of; undefined for a literal. */
  readonly target: (value: unknown) => Resource | undefined;
}

/** All stacks of one synthesized folder. */
export interface Model {
  readonly stacks: readonly StackModel[];
  /** Resources of all stacks, without data sources. */
  readonly resources: readonly Resource[];
  /** The stack that a resource is in. */
  readonly stackOf: (resource: { readonly stack: string }) => StackModel;
  /** Resources of some types, in all stacks. */
  readonly ofType: (...types: readonly string[]) => readonly Resource[];
}

/** Reads synthesized stacks into a model. */
export function modelOf(stacks: readonly SynthesizedStack[]): Model {
  const models = stacks.map(stackModel);
  const resources = models.flatMap((stack) => stack.resources);
  return {
    stacks: models,
    resources,
    stackOf: ({ stack }) => {
      const found = models.find(({ name }) => name === stack);
      if (found === undefined) throw new Error(`There is no stack ${stack}`);
      return found;
    },
    ofType: (...types) => resources.filter(({ type }) => types.includes(type)),
  };
}

/** Blocks of a name: Terraform JSON takes one block as an object, several as a list. */
export function blocksOf(value: unknown): readonly Attributes[] {
  const list = Array.isArray(value) ? value : [value];
  return list.filter((block): block is Attributes => typeof block === 'object' && block !== null);
}

/**
 * Value at a path such as `spec.template.metadata.labels`; lists of one block are seen through.
 *
 * @returns undefined where there is none
 */
export function valueAt(attributes: unknown, path: string): unknown {
  let value = attributes;
  for (const key of path.split('.')) {
    const holder = Array.isArray(value) && !/^\d+$/.test(key) ? value[0] : value;
    if (typeof holder !== 'object' || holder === null) return undefined;
    value = (holder as Record<string, unknown>)[key];
  }
  return value;
}

function stackModel({ name, path, json }: SynthesizedStack): StackModel {
  const resources = blocks(name, 'managed', json.resource);
  const data = blocks(name, 'data', json.data);
  const byAddress = new Map([...resources, ...data].map((block) => [block.address, block]));
  const aws = blocksOf(json.provider?.aws)[0];
  const region = typeof aws?.region === 'string' ? aws.region : '';

  const known = (reference: Reference, seen: readonly string[]): unknown => {
    const { address, attribute } = reference;
    const key = `${address}.${attribute}`;
    if (seen.includes(key)) return undefined;
    const [kind, second = ''] = address.split('.');
    if (kind === 'var') return attribute === '' ? json.variable?.[second]?.default : undefined;
    if (kind === 'local') {
      const local = json.locals?.[second];
      return attribute === '' ? substitute(local, [...seen, key]) : undefined;
    }
    const block = byAddress.get(address);
    if (block === undefined || attribute === '') return undefined;
    const path = attribute.replaceAll(/\["?([^\]"]*)"?\]/g, '.$1').split('.');
    const value = path.reduce<unknown>(
      (holder, step) => (step === '0' && !Array.isArray(holder) ? holder : valueAt(holder, step)),
      block.attributes,
    );
    return substitute(value, [...seen, key]);
  };

  const resolved = new Map<string, unknown>();
  const substituteText = (text: string, seen: readonly string[]): unknown => {
    const parts = templateParts(text);
    if (parts.length === 1 && parts[0]?.expression) {
      const reference = referenceOf(text);
      return (reference && known(reference, seen)) ?? text;
    }
    return parts
      .map(({ expression, text: part }) => {
        // Stays escaped, or it would look like an expression that nobody knows the value of.
        if (!expression) return asTemplate(part);
        const result = substitute(`\${${part}}`, seen);
        return typeof result === 'string' || typeof result === 'number'
          ? String(result)
          : `\${${part}}`;
      })
      .join('');
  };

  const substitute = (value: unknown, seen: readonly string[] = []): unknown => {
    if (typeof value === 'string') {
      if (!isTemplate(value)) return value;
      // On the way round a circle of references nothing is remembered.
      if (seen.length > 0) return substituteText(value, seen);
      if (!resolved.has(value)) resolved.set(value, substituteText(value, seen));
      return resolved.get(value);
    }
    if (Array.isArray(value)) return value.map((item) => substitute(item, seen));
    if (typeof value === 'object' && value !== null) {
      return Object.fromEntries(
        Object.entries(value).map(([key, item]) => [
          String(substitute(key, seen)),
          substitute(item, seen),
        ]),
      );
    }
    return value;
  };

  return {
    name,
    path,
    json,
    region,
    partition: partitionOf(region).name,
    defaultTags: (valueAt(aws, 'default_tags.tags') ?? {}) as Record<string, string>,
    resources,
    data,
    at: (address) => byAddress.get(address),
    resolve: (value) => substitute(value),
    target: (value) => {
      const reference = referenceOf(value);
      return reference && byAddress.get(reference.address);
    },
  };
}

function blocks(
  stack: string,
  mode: Resource['mode'],
  named: TerraformJson['resource'] = {},
): readonly Resource[] {
  return Object.entries(named).flatMap(([type, byName]) =>
    Object.entries(byName).map(([name, attributes]) => ({
      stack,
      mode,
      type,
      name,
      address: `${mode === 'data' ? 'data.' : ''}${type}.${name}`,
      attributes,
    })),
  );
}

/** Who depends on whom in one stack, by expressions and by `depends_on`. */
export interface Graph {
  /** Resources and data sources that refer to an address; outputs and providers are not among them. */
  readonly users: (address: string) => readonly Resource[];
  /** Whether Terraform makes `to` before `from`, and destroys it after, however many steps between. */
  readonly waitsFor: (from: string, to: string) => boolean;
}

const graphs = new WeakMap<StackModel, Graph>();

/** The graph of a stack, made once. */
export function graphOf(stack: StackModel): Graph {
  const known = graphs.get(stack);
  if (known !== undefined) return known;
  const blocks = [...stack.resources, ...stack.data];
  const needs = new Map<string, ReadonlySet<string>>([
    ...blocks.map(({ address, attributes }) => [address, addressesIn(attributes)] as const),
    ...Object.entries(stack.json.locals ?? {}).map(
      ([name, value]) => [`local.${name}`, addressesIn(value)] as const,
    ),
  ]);
  const graph: Graph = {
    users: (address) => blocks.filter((block) => needs.get(block.address)?.has(address)),
    waitsFor: (from, to) => {
      const seen = new Set<string>();
      const open = [from];
      for (let next = open.pop(); next !== undefined; next = open.pop()) {
        if (seen.has(next)) continue;
        seen.add(next);
        const direct = needs.get(next);
        if (direct?.has(to)) return true;
        open.push(...(direct ?? []));
      }
      return false;
    },
  };
  graphs.set(stack, graph);
  return graph;
}

/** Addresses that a block refers to, in expressions and in `depends_on`. */
export function addressesIn(value: unknown): ReadonlySet<string> {
  const depends =
    typeof value === 'object' && value !== null
      ? (value as { depends_on?: unknown }).depends_on
      : [];
  const explicit = Array.isArray(depends) ? depends.map(String) : [];
  return new Set([...referencesIn(value).map(({ address }) => address), ...explicit]);
}
