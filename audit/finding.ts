import type { Severity } from './rules/rule.ts';

/** Who looked: our own rules, a scanner, or the audit at itself. */
export type Examiner = 'rules' | 'checkov' | 'audit';

/** One look of one check at one resource. */
export interface Check {
  readonly by: Examiner;
  /** Id of the rule, such as `topic-policy-conditions` or `CKV_AWS_26`. */
  readonly rule: string;
  readonly stack: string;
  readonly address: string;
  /** What is wrong, a sentence each; empty means passed. */
  readonly faults: readonly string[];
}

/** What a rule is about, for people. */
export interface RuleDescription {
  readonly by: Examiner;
  readonly id: string;
  readonly title: string;
  readonly severity: Severity;
  /** Why it matters; scanners keep that to themselves. */
  readonly reason?: string;
  /** Control of NIST SP 800-53 Rev. 5. */
  readonly control?: string;
}

/** Something that must be changed or waived. */
export interface Finding {
  readonly by: Examiner;
  readonly rule: string;
  readonly severity: Severity;
  /** `<stack>/<address>`, which is what a waiver names; or the file that is at fault. */
  readonly place: string;
  /** What is wrong, sentences. */
  readonly message: string;
  /** Regions that it was found for, where the audit looked at more than one. */
  readonly regions: readonly string[];
}

/** What a waiver names: `<stack>/<address>`. */
export function placeOf({
  stack,
  address,
}: {
  readonly stack: string;
  readonly address: string;
}): string {
  return `${stack}/${address}`;
}
