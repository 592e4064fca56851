import { OWN_ACCOUNT } from '../policy/arn.ts';
import type { PolicyCondition, PolicyStatement, Principal } from '../policy/policy-document.ts';

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

const PRINCIPALS: Readonly<Record<string, string>> = {
  AWS: 'AWS principal',
  CanonicalUser: 'Canonical user',
  Federated: 'Whoever signs in by',
  Service: 'Service',
};

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

interface Operator {
  readonly words: string;
  /** Whether each of several values is ruled out, not one of them required. */
  readonly negated?: true;
}

const OPERATORS: Readonly<Record<string, Operator>> = {
  StringEquals: { words: 'is' },
  StringNotEquals: { words: 'is not', negated: true },
  StringEqualsIgnoreCase: { words: 'is, in upper or lower case,' },
  StringNotEqualsIgnoreCase: { words: 'is not, in upper or lower case,', negated: true },
  StringLike: { words: 'matches' },
  StringNotLike: { words: 'does not match', negated: true },
  NumericEquals: { words: 'is' },
  NumericNotEquals: { words: 'is not', negated: true },
  NumericLessThan: { words: 'is less than' },
  NumericLessThanEquals: { words: 'is at most' },
  NumericGreaterThan: { words: 'is more than' },
  NumericGreaterThanEquals: { words: 'is at least' },
  DateEquals: { words: 'is' },
  DateNotEquals: { words: 'is not', negated: true },
  DateLessThan: { words: 'is before' },
  DateLessThanEquals: { words: 'is not after' },
  DateGreaterThan: { words: 'is after' },
  DateGreaterThanEquals: { words: 'is not before' },
  Bool: { words: 'is' },
  BinaryEquals: { words: 'is' },
  IpAddress: { words: 'is in' },
  NotIpAddress: { words: 'is not in', negated: true },
  // The same as ArnLike: wildcards count in both.
  ArnEquals: { words: 'matches' },
  ArnLike: { words: 'matches' },
  ArnNotEquals: { words: 'does not match', negated: true },
  ArnNotLike: { words: 'does not match', negated: true },
};

/** One condition, such as `aws:SourceAccount is the own account`. */
export function conditionInWords({ operator, key, values }: PolicyCondition): string {
  const subject = plain(key);
  if (operator === 'Null') return `${subject} is ${values[0] === 'true' ? 'absent' : 'present'}`;
  const [, set, name = operator, ifExists] =
    operator.match(/^(?:(ForAllValues|ForAnyValue):)?(.*?)(IfExists)?$/) ?? [];
  const known = OPERATORS[name];
  const words = known?.words ?? `satisfies ${name}`;
  const joined = list(values.map(plain), known?.negated ? 'and' : 'or');
  const sets: Readonly<Record<string, string>> = {
    ForAllValues: `every value of ${subject}`,
    ForAnyValue: `some value of ${subject}`,
  };
  return `${sets[set ?? ''] ?? subject} ${words} ${joined}${ifExists ? ' (or is absent)' : ''}`;
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
