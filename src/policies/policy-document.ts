/** Who a statement is about. `*` is only for statements whose conditions say who. */
export type Principal =
  | '*'
  | { readonly Service: string }
  | { readonly AWS: string }
  | { readonly Federated: string };

/** Conditions by operator and key (IAM User Guide, "IAM JSON policy elements: Condition"). */
export type Condition = Readonly<
  Record<string, Readonly<Record<string, string | readonly string[]>>>
>;

/** One statement of a policy. */
export interface PolicyStatement {
  /** Says in one word what the statement is for. */
  readonly Sid: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Principal?: Principal;
  readonly Action: string | readonly string[];
  readonly Resource?: string | readonly string[];
  readonly Condition?: Condition;
}

/** A list as a policy has it: its only item stands alone. */
export function oneOrMany(values: readonly string[]): string | readonly string[] {
  const [only] = values;
  return values.length === 1 && only !== undefined ? only : values;
}

/**
 * Writes a policy as JSON. A scanner can read it in the synthesized Terraform JSON, which is not so
 * for `data.aws_iam_policy_document` and `jsonencode`.
 */
export function policyJson(statements: readonly PolicyStatement[]): string {
  return JSON.stringify(policyDocument(statements));
}

/** A policy before it is written. */
export function policyDocument(statements: readonly PolicyStatement[]) {
  return { Version: '2012-10-17', Statement: statements };
}
