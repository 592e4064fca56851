import type { Model } from '../../src/synthesized/model/model.ts';
import type { KubernetesObject } from '../../src/synthesized/views/kubernetes-manifests.ts';
import register from './rules.json' with { type: 'json' };

/** What the rules judge: Terraform resources, and Kubernetes objects as manifests. */
export interface Audited {
  readonly model: Model;
  /** Objects of all stacks, names resolved. */
  readonly objects: readonly KubernetesObject[];
  /** The day that they are judged for. */
  readonly now: Date;
  /** What the environment's tfvars say, by stack; undefined where the JSON is all that there is. */
  readonly settings?: Settings;
}

/** Checked settings by the name of their variable, for each stack that they are for. */
export type Settings = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** How much harm a fault does. */
export type Severity = 'high' | 'medium' | 'low';

/** What a rule says of one subject. */
export interface Judgement {
  readonly rule: string;
  /** Stack and address of what was looked at. */
  readonly stack: string;
  readonly address: string;
  /** What is wrong, each a sentence with the value and what is needed; empty means passed. */
  readonly faults: readonly string[];
}

/** What a rule is about, for people: an entry of rules.json. */
export interface RuleText {
  /** One line: what holds where the rule is kept. */
  readonly title: string;
  /** Why a stack that breaks it deploys and is wrong all the same. */
  readonly reason: string;
  /** Control of NIST SP 800-53 Rev. 5, such as `AC-6` or `SC-8(1)`. */
  readonly control: string;
  readonly severity: Severity;
}

/** A rule of our own. It looks at types and relations, never at this project's names. */
export interface Rule extends RuleText {
  /** Kebab case; waivers and SARIF name it. */
  readonly id: string;
  readonly judge: (audited: Audited) => readonly Judgement[];
}

/** The id of a rule of rules.json. */
export type RuleId = keyof typeof register;

/** Every rule of our own by its id, with what it was called before: a waiver may still name it so. */
export const REGISTER: Readonly<
  Record<string, RuleText & { readonly formerly?: readonly string[] }>
> = register as Readonly<Record<RuleId, RuleText>>;

/** Sentences on what is wrong, each behind its condition: `isOpen && 'is open'`. */
export type Faults = readonly (string | false)[];

interface Place {
  readonly stack: string;
  readonly address: string;
}

/**
 * Makes a rule of two pure parts: what it looks at, and what is wrong with one of those. What it is about says rules.json.
 *
 * @param parts.subjects - each has `stack` and `address`
 * @param parts.faults - sentences; none means passed
 */
export function rule<Subject extends Place>(parts: {
  readonly id: RuleId;
  readonly subjects: (audited: Audited) => readonly Subject[];
  readonly faults: (subject: Subject, audited: Audited) => Faults;
}): Rule {
  const { id, subjects, faults } = parts;
  const { title, reason, control, severity } = register[id] as RuleText;
  return {
    ...{ id, title, reason, control, severity },
    judge: (audited) =>
      subjects(audited).map((subject) => ({
        rule: id,
        stack: subject.stack,
        address: subject.address,
        faults: faults(subject, audited).filter((fault) => fault !== false),
      })),
  };
}

/** How a value looks in a sentence; what is left out is called so. */
export function shown(value: unknown): string {
  return value === undefined ? 'left out' : JSON.stringify(value);
}

/** Values that are there more than once. */
export function repeated<T>(values: readonly T[]): readonly T[] {
  return [...new Set(values.filter((value, index) => values.indexOf(value) !== index))];
}
