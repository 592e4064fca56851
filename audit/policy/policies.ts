import { parseTopicArn } from '@file-processing/contract/arn.ts';
import {
  type Reference,
  referenceOf,
  templateParts,
} from '../../src/synthesized/model/expression.ts';
import {
  blocksOf,
  type Model,
  type Resource,
  type StackModel,
} from '../../src/synthesized/model/model.ts';
import data from './policies.json' with { type: 'json' };
import { type PolicyDocument, type PolicyStatement, parsePolicy } from './policy-document.ts';

/** Stands for the number of the account that the stack is deployed to. */
export const OWN_ACCOUNT = '<account>';

/** The part of an ARN behind the partition, by type of resource. */
const ARN: Readonly<Record<string, string>> = data.arns;

/** The ARN that a resource of a known type will have; undefined where the JSON does not tell. */
export function arnOf(stack: StackModel, resource: Resource): string | undefined {
  const name = canonical(stack, resource.attributes.name);
  const rest = ARN[resource.type];
  if (rest === undefined || name === '' || name.includes('${')) return undefined;
  const own = rest.replace('<region>', stack.region).replace('<name>', () => name);
  return `arn:${stack.partition}:${own}`;
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
    .map(({ expression, text }) =>
      expression ? spelling(stack, `\${${text}}`) : ofOwn(stack, text),
    )
    .join('');
}

/** A text with the account's own number, where the provider takes no other account, as a reference to it would be. */
function ofOwn({ json }: StackModel, text: string): string {
  const [account, ...others] = [blocksOf(json.provider?.aws)[0]?.allowed_account_ids].flat();
  if (!/^\d{12}$/.test(String(account)) || others.length > 0) return text;
  return text.replaceAll(new RegExp(`(?<=^|[:/])${account}(?=[:/]|$)`, 'g'), OWN_ACCOUNT);
}

/** ARNs of topics of others that a stack which makes none works with: each a local that is the ARN of one. */
export function topicsOfOthers({ json, region }: StackModel): readonly string[] {
  if (json.resource?.aws_sns_topic !== undefined) return [];
  return Object.values(json.locals ?? {})
    .map(String)
    .filter((text) => parseTopicArn(text)?.region === region);
}

/** Whether a value is the ARN of a topic of the stack, or of the one of others that it works with. */
export function isTopicOf(stack: StackModel, value: unknown): boolean {
  return (
    stack.target(value)?.type === 'aws_sns_topic' ||
    topicsOfOthers(stack).includes(canonical(stack, value))
  );
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

/** What a policy is attached to, which decides what must be in it. */
export type PolicyKind = 'identity' | 'trust' | 'topic' | 'queue' | 'key' | 'repository';

/** A policy somewhere in the stacks. */
export interface Policy {
  readonly stack: string;
  /** Address of the resource that carries it. */
  readonly address: string;
  readonly kind: PolicyKind;
  /** The resource that carries it. */
  readonly holder: Resource;
  /** The role, topic, queue, key or repository that it is about; an IAM policy is about itself. */
  readonly about: Resource | undefined;
  /** Undefined where it cannot be read. Values are in their canonical spelling. */
  readonly document: PolicyDocument | undefined;
}

interface Place {
  readonly kind: PolicyKind;
  readonly argument: string;
  /** Argument that refers to what the policy is about, where that is another resource. */
  readonly about?: string;
}

/** Where the AWS provider takes policies, by type of resource. */
const PLACES = data.places as Readonly<Record<string, Place>>;

const read = new WeakMap<Model, readonly Policy[]>();

/** Every policy of every stack. */
export function policiesOf(model: Model): readonly Policy[] {
  const known = read.get(model);
  if (known !== undefined) return known;
  const policies = model.resources.flatMap((holder) => {
    const place = PLACES[holder.type];
    const text = place && holder.attributes[place.argument];
    if (place === undefined || text === undefined) return [];
    const stack = model.stackOf(holder);
    const { stack: stackName, address } = holder;
    const about = place.about === undefined ? holder : stack.target(holder.attributes[place.about]);
    const document = parsePolicy(text);
    return [
      {
        stack: stackName,
        address,
        kind: place.kind,
        holder,
        about,
        document: document && canonicalDocument(stack, document),
      },
    ];
  });
  read.set(model, policies);
  return policies;
}

/** A statement and the policy that it is in. */
export interface PlacedStatement extends Policy {
  readonly statement: PolicyStatement;
}

/** Every statement of the policies of some kinds. */
export function statementsOf(
  model: Model,
  ...kinds: readonly PolicyKind[]
): readonly PlacedStatement[] {
  return policiesOf(model)
    .filter(({ kind }) => kinds.includes(kind))
    .flatMap((policy) =>
      (policy.document?.statements ?? []).map((statement) => ({ ...policy, statement })),
    );
}

/** Statements of the resource policies about one resource. */
export function statementsAbout(model: Model, resource: Resource): readonly PolicyStatement[] {
  return policiesOf(model)
    .filter(({ about, kind }) => about === resource && kind !== 'identity' && kind !== 'trust')
    .flatMap(({ document }) => document?.statements ?? []);
}

/** Statements that a role has by its inline and its attached policies. */
export function statementsOfRole(model: Model, role: Resource): readonly PlacedStatement[] {
  const stack = model.stackOf(role);
  const attached = model
    .ofType('aws_iam_role_policy_attachment')
    .filter((attachment) => attachment.stack === role.stack)
    .filter(({ attributes }) => stack.target(attributes.role) === role)
    .map(({ attributes }) => stack.target(attributes.policy_arn));
  return statementsOf(model, 'identity').filter(
    ({ about, holder }) => about === role || attached.includes(holder),
  );
}

function canonicalDocument(stack: StackModel, document: PolicyDocument): PolicyDocument {
  const spell = (text: string) => canonical(stack, text);
  const all = (list: readonly string[]) => list.map(spell);
  return {
    version: document.version,
    statements: document.statements.map((statement) => ({
      ...statement,
      ...(statement.principals && {
        principals: statement.principals.map(({ type, value }) => ({ type, value: spell(value) })),
      }),
      resources: all(statement.resources),
      notResources: all(statement.notResources),
      conditions: statement.conditions.map(({ operator, key, values }) => ({
        operator,
        key: spell(key),
        values: all(values),
      })),
    })),
  };
}
