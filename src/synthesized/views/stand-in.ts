import { isTemplate, type Reference, referencesIn, templateParts } from '../model/expression.ts';
import type { Resource, StackModel } from '../model/model.ts';

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
