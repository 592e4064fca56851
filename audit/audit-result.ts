import type { Finding, RuleDescription } from './finding.ts';
import type { Counts } from './floors/floors.ts';
import type { Look } from './look.ts';
import type { WaivedFinding } from './waivers/apply-waivers.ts';

/** Everything that an audit of one environment found out; the reports are made of it. */
export interface AuditResult {
  readonly environment: string;
  /** The folder that was given by `--from`; undefined where the audit synthesized anew. */
  readonly from: string | undefined;
  readonly auditedAt: Date;
  /** The first is as configured; a second, where there is one, is for the partition `aws`. */
  readonly looks: readonly [Look, ...Look[]];
  readonly rules: readonly RuleDescription[];
  /** What must be changed or waived, worst first. */
  readonly findings: readonly Finding[];
  readonly waived: readonly WaivedFinding[];
  /** Counts by region. */
  readonly counts: Readonly<Record<string, Counts>>;
  /** What a reader must know to judge the result, sentences. */
  readonly notes: readonly string[];
}
