import type { Model } from '../src/synthesized/model/model.ts';
import type { KubernetesObject } from '../src/synthesized/views/kubernetes-manifests.ts';
import ownRules from './own-rules.json' with { type: 'json' };
import type { Severity } from './rules/rule.ts';
import type { CheckovReport } from './scanners/checkov-report.ts';

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

/**
 * Rules by which the audit judges itself: whether everything could be judged, that no look saw too little, and waivers.
 * None of them can be waived.
 */
export const { running: RUNNING_RULES, floors: FLOOR_RULES, waivers: WAIVER_RULES } = ownRules;

/** Rules on what nobody accepted. They can't be waived: a command settles them, or the change is undone. */
export const ACCEPTANCE_RULES = ownRules.acceptance;

/** Characters of a line that a person still reads; a new Deployment is 6,000 in full. */
const READ_AT_ONCE = 300;

/** What a finding says, for people: a longer line, such as all values of a new block, ends after as many as are read. */
export function inShort(message: string): string {
  return message
    .split('\n')
    .map((line) => {
      if (line.length <= READ_AT_ONCE) return line;
      const end = line.lastIndexOf(', ', READ_AT_ONCE);
      const shown = line.slice(0, end < READ_AT_ONCE / 2 ? READ_AT_ONCE : end);
      return `${shown}, … (report.json has all of it)`;
    })
    .join('\n');
}

/** What a waiver names: `<stack>/<address>`. */
export function placeOf({ stack, address }: Pick<Check, 'stack' | 'address'>): string {
  return `${stack}/${address}`;
}

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

const byRule = new WeakMap<readonly Check[], ReadonlyMap<string, readonly Check[]>>();

/** What a rule said in a look. The checks are sorted by rule once: the reports ask for each of hundreds of rules. */
export function checksOf(rule: string, { checks }: Pick<Look, 'checks'>): readonly Check[] {
  const sorted = byRule.get(checks) ?? Map.groupBy(checks, (check) => check.rule);
  byRule.set(checks, sorted);
  return sorted.get(rule) ?? [];
}

/**
 * Failed checks as findings: one for each rule and place, however many views and regions show it. How often a rule of
 * our own found the same there is part of the finding, so that a waiver of one does not cover a second.
 *
 * @param rules - descriptions of all rules, for the severity
 */
export function mergeFindings(
  looks: readonly Pick<Look, 'region' | 'checks'>[],
  rules: readonly RuleDescription[],
): readonly Finding[] {
  const severities = new Map(rules.map(({ id, severity }) => [id, severity]));
  const merged = new Map<string, Finding & { readonly messages: readonly string[] }>();
  for (const { region, checks } of looks) {
    for (const check of checks.filter(({ faults }) => faults.length > 0)) {
      const place = placeOf(check);
      const key = `${check.rule} ${place}`;
      const before = merged.get(key);
      // Another region says the same of another ARN: the first one is enough, unless it says more.
      const sameLook = before === undefined || before.regions.at(-1) === region;
      const said = before?.messages.map((fault) => anywhere(fault, before.regions[0] ?? region));
      const more = check.faults.filter((fault) => !said?.includes(anywhere(fault, region)));
      const messages = [...(before?.messages ?? []), ...(sameLook ? check.faults : more)];
      merged.set(key, {
        by: check.by,
        rule: check.rule,
        severity: severities.get(check.rule) ?? 'high',
        place,
        message: (check.by === 'checkov' ? distinct(messages) : counted(messages))
          .map(sentence)
          .join(' '),
        regions: [...new Set([...(before?.regions ?? []), region])],
        messages,
      });
    }
  }
  return [...merged.values()].map(({ messages: _, ...finding }) => finding).sort(bySeverity);
}

/** Checkov spells the name of one check in upper case for one view, in lower case for the other. */
function distinct(texts: readonly string[]): readonly string[] {
  return [...new Map(texts.map((text) => [text.toLowerCase(), text])).values()];
}

/** A fault in the words of any region and partition. */
function anywhere(fault: string, region: string): string {
  return fault.replaceAll(region, '').replaceAll(/\barn:aws(-us-gov|-cn)?:/g, 'arn:');
}

/** A fault that is there twice is no longer the one that somebody accepted. */
function counted(faults: readonly string[]): readonly string[] {
  return [...new Set(faults)].map((fault) => {
    const times = faults.filter((other) => other === fault).length;
    return times === 1 ? fault : `${fault.replace(/\.$/, '')} (${times} times)`;
  });
}

const ORDER = ['high', 'medium', 'low'];

function bySeverity(one: Finding, other: Finding): number {
  const text = ({ severity, place, rule }: Finding) =>
    `${ORDER.indexOf(severity)} ${place} ${rule}`;
  return text(one) < text(other) ? -1 : 1;
}

/** A fault may begin with the name of an argument, which keeps its spelling. */
function sentence(fault: string): string {
  const text = fault.trim();
  const [word = ''] = text.split(/[\s:]/);
  const first = /^[a-z]+$/.test(word) ? text.charAt(0).toUpperCase() : text.charAt(0);
  return `${first}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;
}
