import { isObject } from '@file-processing/contract/json-object.ts';
import { referencesIn } from '../model/expression.ts';
import { type Resource, type StackModel, valueAt } from '../model/model.ts';
import type { Attributes } from '../synthesized-stack.ts';
import { plannedArguments, plannedValues, shapeOf } from './plan-values.ts';

/** An argument of the configuration as a plan shows it. */
export type Expression =
  | { readonly constant_value: unknown }
  | { readonly references: readonly string[] }
  | Expressions
  | readonly Expressions[];

/** Arguments by name. */
export interface Expressions {
  readonly [name: string]: Expression;
}

/** The arguments of a resource: constant, or what they refer to (Terraform, "JSON Output Format"). */
function expressionsOf(type: string, attributes: Attributes): Expressions {
  return blockOf(type, plannedArguments(attributes));
}

function blockOf(type: string, block: Attributes): Expressions {
  return Object.fromEntries(
    Object.entries(block).map(([name, value]) => [name, expressionOf(type, name, value)]),
  );
}

function expressionOf(type: string, name: string, value: unknown): Expression {
  switch (shapeOf(type, name, value)) {
    case 'blocks': {
      const blocks = (Array.isArray(value) ? value : [value]).filter(isObject);
      return blocks.map((block) => blockOf(type, block));
    }
    case 'block':
      return blockOf(type, value as Attributes);
    default: {
      const references = referencesIn(value).flatMap(({ address, attribute }) =>
        attribute === '' ? [address] : [joined(address, attribute), address],
      );
      return references.length === 0 ? { constant_value: value } : { references };
    }
  }
}

function joined(address: string, attribute: string): string {
  return attribute.startsWith('[') ? `${address}${attribute}` : `${address}.${attribute}`;
}

/** A resource of a plan, and whose it is. */
interface PlanAddress {
  readonly address: string;
  readonly mode: 'managed' | 'data';
  readonly type: string;
  readonly name: string;
}

/** A stack in the form of `terraform show -json PLAN` (Terraform, "JSON Output Format"). */
export interface PlanJson {
  readonly format_version: '1.2';
  readonly terraform_version: string;
  readonly variables: Readonly<Record<string, { readonly value: unknown }>>;
  readonly planned_values: {
    readonly outputs: Readonly<Record<string, { readonly sensitive: boolean }>>;
    readonly root_module: {
      readonly resources: readonly (PlanAddress & {
        readonly provider_name: string;
        readonly schema_version: 0;
        readonly values: Readonly<Record<string, unknown>>;
        readonly sensitive_values: Readonly<Record<string, never>>;
      })[];
    };
  };
  readonly resource_changes: readonly (PlanAddress & {
    readonly provider_name: string;
    readonly change: {
      readonly actions: readonly ['create'];
      readonly before: null;
      readonly after: Readonly<Record<string, unknown>>;
      readonly after_unknown: Readonly<Record<string, unknown>>;
      readonly before_sensitive: false;
      readonly after_sensitive: Readonly<Record<string, never>>;
    };
  })[];
  readonly configuration: {
    readonly provider_config: Readonly<Record<string, unknown>>;
    readonly root_module: {
      readonly resources: readonly (PlanAddress & {
        readonly provider_config_key: string;
        readonly expressions: Expressions;
        readonly schema_version: 0;
        readonly depends_on?: unknown;
      })[];
    };
  };
}

/**
 * The plan of a first apply as far as the JSON alone tells, for scanners that read plans. What is
 * known after apply only is unknown there, too; but a text with such a value in it, as policies are,
 * has a stand-in of the same form in its place, or no scanner could read it.
 * Write-only arguments and sensitive variables are left out.
 */
export function planOf(stack: StackModel): PlanJson {
  const planned = stack.resources.map((resource) => ({
    place: placeOf(resource),
    provider_name: providerName(resource.type, stack),
    ...plannedValues(resource.type, resource.attributes, stack),
  }));
  return {
    format_version: '1.2',
    terraform_version: terraformVersion(stack),
    variables: variablesOf(stack),
    planned_values: {
      outputs: Object.fromEntries(
        Object.entries(stack.json.output ?? {}).map(([name, { sensitive }]) => [
          name,
          { sensitive: sensitive === true },
        ]),
      ),
      root_module: {
        resources: planned.map(({ place, provider_name, values }) => ({
          ...place,
          provider_name,
          schema_version: 0,
          values,
          sensitive_values: {},
        })),
      },
    },
    resource_changes: planned.map(({ place, provider_name, values, unknown }) => ({
      ...place,
      provider_name,
      change: {
        actions: ['create'],
        before: null,
        after: values,
        after_unknown: unknown,
        before_sensitive: false,
        after_sensitive: {},
      },
    })),
    configuration: {
      provider_config: providerConfig(stack),
      root_module: {
        resources: [...stack.resources, ...stack.data].map((resource) => ({
          ...placeOf(resource),
          provider_config_key: providerKey(resource.type),
          expressions: expressionsOf(resource.type, resource.attributes),
          schema_version: 0,
          ...(resource.attributes.depends_on !== undefined && {
            depends_on: resource.attributes.depends_on,
          }),
        })),
      },
    },
  };
}

function placeOf({ address, mode, type, name }: Resource): PlanAddress {
  return { address, mode, type, name };
}

function providerKey(type: string): string {
  return type.split('_')[0] ?? type;
}

/** Full name of a provider (Terraform, "Provider Requirements"): the public registry is implied. */
function providerName(type: string, stack: StackModel): string {
  const key = providerKey(type);
  const source = valueAt(stack.json.terraform, `required_providers.${key}.source`);
  return `registry.terraform.io/${typeof source === 'string' ? source : `hashicorp/${key}`}`;
}

function providerConfig({ json, region }: StackModel): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.keys(json.provider ?? {}).map((name) => [
      name,
      { name, expressions: name === 'aws' ? { region: { constant_value: region } } : {} },
    ]),
  );
}

/** The oldest version that the stack takes. */
function terraformVersion({ json }: StackModel): string {
  const required = String(json.terraform?.required_version ?? '');
  return required.match(/\d+\.\d+\.\d+/)?.[0] ?? '1.11.0';
}

function variablesOf({ json }: StackModel): PlanJson['variables'] {
  return Object.fromEntries(
    Object.entries(json.variable ?? {})
      .filter(([, variable]) => variable.sensitive !== true && 'default' in variable)
      .map(([name, variable]) => [name, { value: variable.default }]),
  );
}
