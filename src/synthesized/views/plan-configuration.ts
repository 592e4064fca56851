import { referencesIn } from '../model/expression.ts';
import type { Attributes } from '../synthesized-stack.ts';
import { isObject, plannedArguments, shapeOf } from './plan-fields.ts';

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
export function expressionsOf(type: string, attributes: Attributes): Expressions {
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
