import type { Attributes } from '../synthesized-stack.ts';

/** Attributes that are maps; every other object in Terraform JSON is a block. */
const MAPS = new Set([
  'annotations',
  'binary_data',
  'data',
  'dimensions',
  'environment_variables',
  'labels',
  'limits',
  'match_labels',
  'node_selector',
  'parameters',
  'request_parameters',
  'requests',
  'tags',
  'tags_all',
  'variables',
]);

/** Blocks of which a plan holds one object, not a list. */
const SINGLE_BLOCKS = new Set(['timeouts']);

/** Write-only arguments never reach a plan (Terraform, "Use write-only arguments"). */
const WRITE_ONLY = /_wo$/;

/** Arguments of every resource that are Terraform's own. */
const META = new Set([
  '//',
  'connection',
  'count',
  'depends_on',
  'for_each',
  'lifecycle',
  'provider',
  'provisioner',
]);

/** How a plan shows an argument. */
export type Shape = 'value' | 'map' | 'block' | 'blocks';

/** The arguments of a resource that a plan has values of. */
export function plannedArguments(attributes: Attributes): Attributes {
  return Object.fromEntries(
    Object.entries(attributes).filter(([name]) => !META.has(name) && !WRITE_ONLY.test(name)),
  );
}

/** How a plan shows an argument with a value. */
export function shapeOf(type: string, name: string, value: unknown): Shape {
  if (MAPS.has(name) || (name === 'selector' && type.startsWith('kubernetes_service_v1')))
    return 'map';
  if (Array.isArray(value)) return value.some(isObject) ? 'blocks' : 'value';
  if (!isObject(value)) return 'value';
  return SINGLE_BLOCKS.has(name) ? 'block' : 'blocks';
}

/** Whether a value is an object of JSON. */
export function isObject(value: unknown): value is Attributes {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
