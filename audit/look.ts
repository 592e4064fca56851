import type { Model } from '../src/synthesized/model/model.ts';
import type { KubernetesObject } from '../src/synthesized/views/kubernetes-object.ts';
import type { Check, RuleDescription } from './finding.ts';
import type { CheckovReport } from './scanners/checkov-report.ts';

/** The stacks of one environment as they are for one region, and what was said of them. */
export interface Look {
  readonly region: string;
  readonly partition: string;
  /** Folder of the synthesized stacks. */
  readonly folder: string;
  readonly model: Model;
  readonly objects: readonly KubernetesObject[];
  readonly checks: readonly Check[];
  /** What checkov said, by stack; undefined where it did not run. */
  readonly scans: Readonly<Record<string, CheckovReport>> | undefined;
  /** Whether our own rules looked: they do not at a translation of a given folder. */
  readonly ruled: boolean;
  /** Rules that were run. */
  readonly rules: readonly RuleDescription[];
}
