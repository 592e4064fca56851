/** Somebody's decision to live with one finding, for a while. */
export interface Waiver {
  /** Id of the rule, of our own or of a scanner. */
  readonly rule: string;
  /** `<stack>/<address>`, exactly. */
  readonly address: string;
  /**
   * The finding's text that was accepted, so that a worse one of the same rule is not. Scanners say the
   * same whatever the value is, so it may be left out for their checks.
   */
  readonly finding?: string;
  /** Environments that it is meant for; @default all that are audited */
  readonly environments?: readonly string[];
  /** Why it is acceptable, at least {@link SHORTEST_REASON} characters. */
  readonly reason: string;
  readonly owner: string;
  /** Last day that it holds, such as `2027-06-30` (UTC). */
  readonly expires: string;
  /** 1-based line in the waiver file. */
  readonly line: number;
}

/** A reason shorter than this, in characters, is none. */
export const SHORTEST_REASON = 20;

/** Days that a waiver may hold from today on: it is looked at again within a year. */
export const LONGEST_DAYS = 366;

/** Whether a rule's id is that of a scanner's check. */
export function isScannerRule(id: string): boolean {
  return /^CKV2?_/.test(id);
}
