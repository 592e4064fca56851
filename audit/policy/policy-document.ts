import { isObject } from '@file-processing/contract/json-object.ts';
import data from './policies.json' with { type: 'json' };

/** Who a statement is about: `{ type: 'Service', value: 'sns.amazonaws.com' }`; `*` is type `*`. */
export interface Principal {
  readonly type: string;
  readonly value: string;
}

/** One key of a condition with the values that it is compared to. */
export interface PolicyCondition {
  /** Such as `StringEquals`. */
  readonly operator: string;
  /** Such as `aws:SourceArn`. */
  readonly key: string;
  readonly values: readonly string[];
}

/** One statement, with single values as lists of one (IAM User Guide, "IAM JSON policy elements reference"). */
export interface PolicyStatement {
  readonly sid: string;
  readonly effect: string;
  /** Undefined where the statement has no `Principal`. */
  readonly principals?: readonly Principal[];
  readonly notPrincipals: readonly Principal[];
  readonly actions: readonly string[];
  readonly notActions: readonly string[];
  readonly resources: readonly string[];
  readonly notResources: readonly string[];
  readonly conditions: readonly PolicyCondition[];
  /** Elements that IAM does not know, such as a misspelt `Conditions`. */
  readonly unknownElements: readonly string[];
}

/** A policy as it is judged. */
export interface PolicyDocument {
  readonly version: string;
  readonly statements: readonly PolicyStatement[];
}

const ELEMENTS: readonly string[] = data.elements;

/**
 * Reads a policy, as the JSON text that Terraform takes.
 *
 * @returns undefined where the text is not JSON with statements, such as an expression
 */
export function parsePolicy(text: unknown): PolicyDocument | undefined {
  const document = parseJson(text);
  if (!isObject(document) || document.Statement === undefined) return undefined;
  const statements = asList(document.Statement);
  if (!statements.every(isObject)) return undefined;
  return { version: String(document.Version ?? ''), statements: statements.map(statementOf) };
}

/** The value of a JSON text; undefined where it is not JSON. */
export function parseJson(text: unknown): unknown {
  if (typeof text !== 'string') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether an action of a policy, which may have wildcards, includes an action, ignoring case. */
export function includesAction(pattern: string, action: string): boolean {
  return matchesPattern(pattern.toLowerCase(), action.toLowerCase());
}

/** Whether a text matches a pattern with `*` for any characters and `?` for one. */
export function matchesPattern(pattern: string, text: string): boolean {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's').test(text);
}

/** Whether a statement allows an action, whatever its conditions are. */
export function allows(statement: PolicyStatement, action: string): boolean {
  if (statement.effect !== 'Allow') return false;
  if (statement.actions.some((pattern) => includesAction(pattern, action))) return true;
  const { notActions } = statement;
  return notActions.length > 0 && !notActions.some((pattern) => includesAction(pattern, action));
}

/** Conditions of a statement on one key, ignoring case as IAM does. */
export function conditionsOn(statement: PolicyStatement, key: string): readonly PolicyCondition[] {
  return statement.conditions.filter(
    (condition) => condition.key.toLowerCase() === key.toLowerCase(),
  );
}

/** Operators that hold only where the key is there and equals one of the values. */
const EQUALITY = ['StringEquals', 'ArnEquals', 'ArnLike', 'StringLike'];

/** Values that one key must have for the statement to hold; wildcards are left in them. */
export function requiredValues(statement: PolicyStatement, key: string): readonly string[] {
  return conditionsOn(statement, key)
    .filter(({ operator }) => EQUALITY.includes(operator))
    .flatMap(({ values }) => values);
}

function statementOf(statement: Readonly<Record<string, unknown>>): PolicyStatement {
  return {
    sid: String(statement.Sid ?? ''),
    effect: String(statement.Effect ?? ''),
    ...(statement.Principal !== undefined && { principals: principalsOf(statement.Principal) }),
    notPrincipals: principalsOf(statement.NotPrincipal),
    actions: texts(statement.Action),
    notActions: texts(statement.NotAction),
    resources: texts(statement.Resource),
    notResources: texts(statement.NotResource),
    conditions: Object.entries(isObject(statement.Condition) ? statement.Condition : {}).flatMap(
      ([operator, keys]) =>
        Object.entries(isObject(keys) ? keys : {}).map(([key, values]) => ({
          operator,
          key,
          values: texts(values),
        })),
    ),
    unknownElements: Object.keys(statement).filter((element) => !ELEMENTS.includes(element)),
  };
}

function principalsOf(value: unknown): readonly Principal[] {
  if (typeof value === 'string') return [{ type: value === '*' ? '*' : 'unknown', value }];
  return Object.entries(isObject(value) ? value : {}).flatMap(([type, values]) =>
    texts(values).map((text) => ({ type: text === '*' ? '*' : type, value: text })),
  );
}

function texts(value: unknown): readonly string[] {
  return asList(value).map(String);
}

function asList(value: unknown): readonly unknown[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}
