import type { Model, Resource } from '../../src/synthesized/model/model.ts';
import { OWN_ACCOUNT, type PolicyKind, policiesOf } from '../policy/policies.ts';
import {
  type PolicyCondition,
  type PolicyDocument,
  type PolicyStatement,
  type Principal,
  parsePolicy,
} from '../policy/policy-document.ts';
import words from './words.json' with { type: 'json' };

/** A policy as a report shows it. */
export interface ShownPolicy {
  readonly stack: string;
  /** Address of the resource that carries it. */
  readonly address: string;
  readonly kind: PolicyKind | 'other';
  /** Who has what it grants, where the statements name no principal: roles, by their addresses. */
  readonly holders: readonly string[];
  /** What it is about, where the statements name nothing. */
  readonly about: string;
  /** Undefined where the JSON does not tell. */
  readonly document: PolicyDocument | undefined;
}

/**
 * Every policy in the stacks: those in the places that are known, and whatever else is a policy by its
 * form, so that a new kind of resource is not left out.
 */
export function shownPolicies(model: Model): readonly ShownPolicy[] {
  const known = policiesOf(model);
  const listed = known.map(({ stack, address, kind, holder, about, document }) => ({
    stack,
    address,
    kind,
    holders: kind === 'identity' ? holdersOf(model, holder, about) : [],
    about: (about ?? holder).address,
    document,
  }));
  const others = model.resources
    .filter((resource) => !known.some(({ holder }) => holder === resource))
    .flatMap((resource) =>
      Object.values(resource.attributes).flatMap((value) => {
        const document = parsePolicy(value);
        const { stack, address } = resource;
        return document === undefined
          ? []
          : [{ stack, address, kind: 'other' as const, holders: [], about: address, document }];
      }),
    );
  return [...listed, ...others];
}

/** A policy of others that a role has: AWS's managed ones, above all. */
export interface AttachedPolicy {
  readonly stack: string;
  readonly address: string;
  readonly role: string;
  readonly policyArn: string;
}

/** Attachments of policies whose text is not in the stacks. */
export function attachedPolicies(model: Model): readonly AttachedPolicy[] {
  return attachments(model).flatMap((attachment) => {
    const stack = model.stackOf(attachment);
    const { policy_arn: policy } = attachment.attributes;
    if (stack.target(policy) !== undefined) return [];
    const { address } = attachment;
    return [
      {
        stack: stack.name,
        address,
        role: principalOf(model, attachment),
        policyArn: String(policy),
      },
    ];
  });
}

function holdersOf(model: Model, holder: Resource, about: Resource | undefined): readonly string[] {
  if (about !== undefined && about !== holder) return [about.address];
  if (about === undefined) return [principalOf(model, holder)];
  return attachments(model)
    .filter(
      (attachment) => model.stackOf(attachment).target(attachment.attributes.policy_arn) === holder,
    )
    .map((attachment) => principalOf(model, attachment));
}

function attachments(model: Model): readonly Resource[] {
  return model.resources.filter(
    ({ type, attributes }) => type.startsWith('aws_iam_') && 'policy_arn' in attributes,
  );
}

function principalOf(model: Model, { stack, attributes }: Resource): string {
  const value = attributes.role ?? attributes.user ?? attributes.group ?? attributes.roles;
  return model.stackOf({ stack }).target(value)?.address ?? String(value);
}

/** What a statement leaves to the place that it stands in. */
export interface StatementContext {
  /** Who has the policy, where the statement names nobody. */
  readonly holders: readonly string[];
  /** What the policy is about, where the statement names nothing. */
  readonly about: string;
}

/**
 * One statement as an English sentence: who may, or must not, do what on what under which condition
 * (IAM User Guide, "IAM JSON policy elements reference").
 */
export function statementInWords(statement: PolicyStatement, context: StatementContext): string {
  const verb = statement.effect === 'Deny' ? 'must not' : 'may';
  const conditions = statement.conditions.map(conditionInWords);
  const only = statement.effect === 'Deny' ? 'when' : 'only when';
  return [
    who(statement, context),
    verb,
    what(statement),
    'on',
    onWhat(statement, context),
    ...(conditions.length === 0 ? [] : [`${only} ${conditions.join(' and ')}`]),
  ]
    .join(' ')
    .concat('.');
}

const PRINCIPALS: Readonly<Record<string, string>> = words.principals;

function who({ principals, notPrincipals }: PolicyStatement, { holders }: StatementContext) {
  if (notPrincipals.length > 0) {
    return `Everyone except ${list(notPrincipals.map(principalInWords), 'and')}`;
  }
  if (principals !== undefined) return list(principals.map(principalInWords), 'and') || 'Nobody';
  return list(holders, 'and') || 'Nobody (the policy is attached to nothing)';
}

function principalInWords({ type, value }: Principal): string {
  if (type === '*') return 'Anyone';
  if (type === 'AWS' && value.endsWith(`:${OWN_ACCOUNT}:root`)) {
    return 'Whoever the own account allows it by IAM';
  }
  return `${PRINCIPALS[type] ?? type} ${plain(value)}`;
}

function what({ actions, notActions }: PolicyStatement): string {
  if (notActions.length > 0) return `do everything except ${list(notActions, 'and')}`;
  if (actions.includes('*')) return 'do everything';
  return list(actions, 'and') || 'do nothing';
}

function onWhat(
  { principals, notPrincipals, resources, notResources }: PolicyStatement,
  { about }: StatementContext,
): string {
  if (notResources.length > 0) return `everything except ${list(notResources.map(plain), 'and')}`;
  if (resources.length === 0) return about;
  // In the policy of a key or a queue, which names principals, "*" is that key or queue.
  const ofResource = principals !== undefined || notPrincipals.length > 0;
  const everything = ofResource ? about : 'everything';
  return list(
    resources.map((resource) => (resource === '*' ? everything : plain(resource))),
    'and',
  );
}

const OPERATORS: Readonly<Record<string, { readonly words: string; readonly negated?: boolean }>> =
  words.operators;

/** One condition, such as `aws:SourceAccount is the own account`. */
export function conditionInWords({ operator, key, values }: PolicyCondition): string {
  const subject = plain(key);
  if (operator === 'Null') return `${subject} is ${values[0] === 'true' ? 'absent' : 'present'}`;
  const [, set, name = operator, ifExists] =
    operator.match(/^(?:(ForAllValues|ForAnyValue):)?(.*?)(IfExists)?$/) ?? [];
  const known = OPERATORS[name];
  const verb = known?.words ?? `satisfies ${name}`;
  const joined = list(values.map(plain), known?.negated ? 'and' : 'or');
  const sets: Readonly<Record<string, string>> = {
    ForAllValues: `every value of ${subject}`,
    ForAnyValue: `some value of ${subject}`,
  };
  return `${sets[set ?? ''] ?? subject} ${verb} ${joined}${ifExists ? ' (or is absent)' : ''}`;
}

/** However its scheme is cut off. */
const OIDC_ISSUER = /\$\{[^}]*?(\w+\.[\w-]+)\.identity\[0\]\.oidc\[0\]\.issuer[^}]*\}/g;

/** Values without Terraform's punctuation: `${aws_kms_key.events.arn}` is `aws_kms_key.events`. */
function plain(value: string): string {
  if (value === OWN_ACCOUNT) return 'the own account';
  return value
    .replaceAll(/\$\{data\.aws_caller_identity\.[\w-]+\.account_id\}/g, OWN_ACCOUNT)
    .replaceAll(OIDC_ISSUER, '<OIDC issuer of $1>')
    .replaceAll(/\$\{([a-z]\w*\.[\w-]+)\.(?:arn|id|name)\}/g, '$1')
    .replaceAll(/\$\{([^}]*)\}/g, '$1');
}

function list(items: readonly string[], word: string): string {
  if (items.length < 2) return items[0] ?? '';
  return `${items.slice(0, -1).join(', ')} ${word} ${items.at(-1)}`;
}
