import { isObject } from '@file-processing/contract/json-object.ts';
import { isTemplate, type Reference, referencesIn, templateParts } from '../model/expression.ts';
import { type Resource, type StackModel, valueAt } from '../model/model.ts';
import type { Attributes } from '../synthesized-stack.ts';

/** What an object can't be made without, or is made with once and for all. */
const FIXED_AT_CREATION: readonly string[] = ['metadata[0].name', 'spec[0].load_balancer_class'];

/**
 * A resource's arguments without those that its `ignore_changes` names, as `spec[0].replicas` does
 * (Terraform, "The lifecycle Meta-Argument"); those that can't change in an object stay.
 */
export function withoutIgnored(attributes: Attributes): Attributes {
  const ignored = valueAt(attributes, 'lifecycle.ignore_changes');
  return (Array.isArray(ignored) ? ignored.map(String) : [])
    .filter((path) => !FIXED_AT_CREATION.includes(path))
    .reduce<Attributes>((left, path) => without(left, stepsOf(path)) as Attributes, attributes);
}

function stepsOf(path: string): readonly string[] {
  return path.split(/[.[\]"]+/).filter((step) => step !== '');
}

function without(value: unknown, [step, ...others]: readonly string[]): unknown {
  if (step === undefined || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    return value.map((item, at) => (step === `${at}` ? without(item, others) : item));
  }
  // The only block of a kind may be written without a list.
  if (step === '0') return without(value, others);
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, field]) => {
      if (key !== step) return [[key, field]];
      return others.length === 0 ? [] : [[key, without(field, others)]];
    }),
  );
}

/** The account of stand-ins: the one of AWS's own examples. */
export const ACCOUNT = '123456789012';

/** What an ARN ends with where that isn't `<thing>/<name>`, by type of resource. */
const ARN_ENDINGS: Readonly<Record<string, (name: string, number: number) => string>> = {
  aws_cloudwatch_log_group: (name) => `log-group:${name}`,
  aws_cloudwatch_metric_alarm: (name) => `alarm:${name}`,
  aws_iam_openid_connect_provider: (name) => `oidc-provider/${name}`,
  aws_kms_key: (_, number) => `key/${keyId(number)}`,
  aws_s3_bucket: (name) => name,
  aws_sns_topic: (name) => name,
  aws_sqs_queue: (name) => name,
};

/** Services whose ARNs are not of the type's second word. */
const SERVICES: readonly (readonly [prefix: string, service: string])[] = [
  ['aws_cloudwatch_log_', 'logs'],
  ['aws_lb', 'elasticloadbalancing'],
  ['aws_vpc', 'ec2'],
  ['aws_subnet', 'ec2'],
  ['aws_security_group', 'ec2'],
  ['aws_db_', 'rds'],
  ['aws_sfn_', 'states'],
];

/** Services whose ARNs name no region. */
const GLOBAL_SERVICES = ['iam', 's3'];

/**
 * A text with every expression that is left in it replaced by a value of the form that AWS would
 * give: an ARN for an `arn`, twelve digits for an account. The same reference gets the same value.
 *
 * @param text - with everything resolved that the JSON knows
 */
export function withStandIns(text: string, stack: StackModel): string {
  if (!isTemplate(text)) return text;
  return templateParts(text)
    .map(({ expression, text: part }) => (expression ? standInFor(part, stack) : part))
    .join('');
}

function standInFor(expression: string, stack: StackModel): string {
  const [reference] = referencesIn(`\${${expression}}`);
  if (reference === undefined) return 'unknown';
  const value = referredValue(reference, stack);
  const replace = expression.match(/^replace\(.*, *\\?"([^"]*?)\\?", *\\?"([^"]*?)\\?"\)$/);
  return replace ? value.replaceAll(replace[1] ?? '', replace[2] ?? '') : value;
}

function referredValue({ address, attribute }: Reference, stack: StackModel): string {
  const resource = stack.at(address);
  const number = resource === undefined ? 0 : numberOf(resource, stack);
  const last =
    attribute
      .replaceAll(/\[[^\]]*\]/g, '')
      .split('.')
      .at(-1) ?? '';
  if (last === 'account_id') return ACCOUNT;
  if (last === 'arn' || last.endsWith('_arn')) return arnOf(resource, address, number, stack);
  if (last === 'key_id') return keyId(number);
  if (last === 'issuer') {
    return `https://oidc.eks.${stack.region}.amazonaws.com/id/${digits(number, 32)}`;
  }
  const type = resource?.type ?? address;
  return `${type.replace(/^aws_/, '').replaceAll(/[._]/g, '-')}-${digits(number, 17)}`;
}

/** Resources and data sources are numbered from 1 in the order of the JSON. */
function numberOf(resource: Resource, { resources, data }: StackModel): number {
  return resource.mode === 'managed'
    ? 1 + resources.indexOf(resource)
    : 1 + resources.length + data.indexOf(resource);
}

function arnOf(
  resource: Resource | undefined,
  address: string,
  number: number,
  { partition, region, resolve }: StackModel,
): string {
  const [type = '', local = ''] = address.replace(/^data\./, '').split('.');
  const service =
    SERVICES.find(([prefix]) => type.startsWith(prefix))?.[1] ?? type.split('_')[1] ?? 'unknown';
  const given = resolve(resource?.attributes.name ?? resource?.attributes.bucket);
  const name = typeof given === 'string' && !given.includes('${') ? given : local;
  const thing = type.split('_').slice(2).join('-') || type;
  const ending = ARN_ENDINGS[type]?.(name, number) ?? `${thing}/${name}`;
  const place = GLOBAL_SERVICES.includes(service) ? '' : region;
  return `arn:${partition}:${service}:${place}:${service === 's3' ? '' : ACCOUNT}:${ending}`;
}

function keyId(number: number): string {
  return `00000000-0000-4000-8000-${digits(number, 12)}`;
}

function digits(number: number, length: number): string {
  return `${number}`.padStart(length, '0');
}

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
