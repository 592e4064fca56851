import { isTemplate, templateParts } from '../model/expression.ts';
import type { StackModel } from '../model/model.ts';
import type { Attributes } from '../synthesized-stack.ts';
import { isObject, plannedArguments, shapeOf } from './plan-fields.ts';
import { withStandIns } from './stand-in.ts';

/** What Terraform would know of a resource before it makes it. */
export interface PlannedValues {
  readonly values: Readonly<Record<string, unknown>>;
  /** The same shape with `true` for what is known after apply only. */
  readonly unknown: Readonly<Record<string, unknown>>;
}

interface Planned {
  readonly value: unknown;
  readonly unknown: unknown;
}

/** Values of a resource or data source: references resolved, blocks as lists. */
export function plannedValues(
  type: string,
  attributes: Attributes,
  stack: StackModel,
): PlannedValues {
  const { value, unknown } = plannedBlock(type, plannedArguments(attributes), stack);
  return {
    values: value as PlannedValues['values'],
    unknown: { id: true, ...(unknown as PlannedValues['unknown']) },
  };
}

function plannedBlock(type: string, block: Attributes, stack: StackModel): Planned {
  const values: Record<string, unknown> = {};
  const unknowns: Record<string, unknown> = {};
  for (const [name, given] of Object.entries(block)) {
    const { value, unknown } = plannedArgument(type, name, given, stack);
    // What isn't known yet is left out, as Terraform does.
    if (unknown !== true) values[name] = value;
    if (!isEmpty(unknown)) unknowns[name] = unknown;
  }
  return { value: values, unknown: unknowns };
}

function plannedArgument(type: string, name: string, given: unknown, stack: StackModel): Planned {
  switch (shapeOf(type, name, given)) {
    case 'map':
      return isObject(given) ? plannedMap(given, stack) : plannedValue(given, stack);
    case 'block':
      return plannedBlock(type, given as Attributes, stack);
    case 'blocks': {
      const blocks = (Array.isArray(given) ? given : [given]).filter(isObject);
      const planned = blocks.map((block) => plannedBlock(type, block, stack));
      return listOf(planned);
    }
    case 'value':
      return Array.isArray(given)
        ? listOf(given.map((one) => plannedValue(one, stack)))
        : plannedValue(given, stack);
  }
}

function plannedMap(map: Attributes, stack: StackModel): Planned {
  return {
    value: Object.fromEntries(
      Object.entries(map).map(([key, value]) => [
        withStandIns(key, stack),
        plannedText(stack.resolve(value), stack),
      ]),
    ),
    unknown: {},
  };
}

/** One reference that only AWS can answer is unknown; text around one gets a stand-in. */
function plannedValue(given: unknown, stack: StackModel): Planned {
  const resolved = stack.resolve(given);
  if (typeof resolved !== 'string' || !isTemplate(resolved))
    return { value: resolved, unknown: false };
  const parts = templateParts(resolved);
  if (parts.length === 1 && parts[0]?.expression) return { value: null, unknown: true };
  return { value: plannedText(resolved, stack), unknown: false };
}

function plannedText(value: unknown, stack: StackModel): unknown {
  return typeof value === 'string' ? withStandIns(value, stack) : value;
}

function listOf(items: readonly Planned[]): Planned {
  return {
    value: items.map(({ value }) => value),
    unknown: items.every(({ unknown }) => isEmpty(unknown))
      ? []
      : items.map(({ unknown }) => unknown),
  };
}

function isEmpty(unknown: unknown): boolean {
  if (Array.isArray(unknown)) return unknown.every(isEmpty);
  return unknown === false || (isObject(unknown) && Object.keys(unknown).length === 0);
}
