import {
  type Reference,
  referenceOf,
  templateParts,
} from '../../src/synthesized/model/expression.ts';
import type { Resource, StackModel } from '../../src/synthesized/model/model.ts';

/** Stands for the number of the account that the stack is deployed to. */
export const OWN_ACCOUNT = '<account>';

/** The part of an ARN behind the partition, by type of resource. */
const ARN: Readonly<Record<string, (name: string, region: string) => string>> = {
  aws_sns_topic: (name, region) => `sns:${region}:${OWN_ACCOUNT}:${name}`,
  aws_sqs_queue: (name, region) => `sqs:${region}:${OWN_ACCOUNT}:${name}`,
  aws_cloudwatch_log_group: (name, region) => `logs:${region}:${OWN_ACCOUNT}:log-group:${name}`,
  aws_eks_cluster: (name, region) => `eks:${region}:${OWN_ACCOUNT}:cluster/${name}`,
  aws_iam_role: (name) => `iam::${OWN_ACCOUNT}:role/${name}`,
  aws_iam_policy: (name) => `iam::${OWN_ACCOUNT}:policy/${name}`,
};

/** The ARN that a resource of a known type will have; undefined where the JSON does not tell. */
export function arnOf(stack: StackModel, resource: Resource): string | undefined {
  const name = canonical(stack, resource.attributes.name);
  const rest = ARN[resource.type];
  if (rest === undefined || name === '' || name.includes('${')) return undefined;
  return `arn:${stack.partition}:${rest(name, stack.region)}`;
}

/**
 * One spelling for what can be written as a reference or as a literal: `${aws_sns_topic.t.arn}` becomes
 * the ARN made from its name, and the account of the caller becomes {@link OWN_ACCOUNT}.
 */
export function canonical(stack: StackModel, value: unknown): string {
  const resolved = stack.resolve(value);
  if (typeof resolved === 'number' || typeof resolved === 'boolean') return String(resolved);
  if (typeof resolved !== 'string') return '';
  return templateParts(resolved)
    .map(({ expression, text }) => (expression ? spelling(stack, `\${${text}}`) : text))
    .join('');
}

function spelling(stack: StackModel, expression: string): string {
  const reference = referenceOf(expression);
  if (reference === undefined) return expression;
  if (isOwnAccount(reference)) return OWN_ACCOUNT;
  const resource = stack.at(reference.address);
  if (resource === undefined || reference.attribute !== 'arn') return expression;
  return arnOf(stack, resource) ?? expression;
}

function isOwnAccount({ address, attribute }: Reference): boolean {
  return address.startsWith('data.aws_caller_identity.') && attribute === 'account_id';
}
