import baselinesData from './controls/baselines.json' with { type: 'json' };
import cisData from './controls/cis.json' with { type: 'json' };
import catalogue from './controls/nist-800-53-rev5.json' with { type: 'json' };
import reviewed from './controls/reviewed.json' with { type: 'json' };
import {
  checksOf,
  type Examiner,
  type Finding,
  type Look,
  type RuleDescription,
} from './findings.ts';
import type { WaivedFinding } from './waivers.ts';

type Table = Readonly<Record<string, string>>;

/** Where the data comes from, sentences for a reader. */
export const SOURCES = [catalogue.source, baselinesData.source, reviewed.about, cisData.source];

/** Baselines that a report can be held against: the ids of their controls. */
export const BASELINES: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  Object.entries(baselinesData.baselines).map(([name, ids]) => [name, ids.split(' ')]),
);

/** The baseline that most systems of police and of federal agencies are held to. */
export const DEFAULT_BASELINE = 'fedramp-moderate';

/** Areas that the CJIS Security Policy 6.0 has beside the families of NIST SP 800-53. */
export const CJIS_AREAS = ['Information Exchange Agreements', 'Formal Audits', 'Mobile Devices'];

const TITLES: Table = catalogue.controls;
const FAMILIES: Table = catalogue.families;
const CHECKOV: Table = reviewed.checkov;
const AUDIT: Table = reviewed.audit;
const CIS: Table = cisData.rules;
const WITHOUT_BEARING = new Set(reviewed['without-bearing'].checks.split(' '));

/** Controls that the tables of a report bear on, where their rows come from no rule. */
export const REPORT_CONTROLS = reviewed.report;

/** Why some checks of a scanner serve no control here. */
export const WITHOUT_BEARING_REASON = reviewed['without-bearing'].reason;

/** What the audit judges itself for: control assessments. */
const OF_THE_AUDIT = 'CA-2';

/** A rule with the control that our own tables give it, where it names none itself. */
export function withControl(rule: RuleDescription): RuleDescription {
  const control =
    rule.control ?? (rule.by === 'audit' ? (AUDIT[rule.id] ?? OF_THE_AUDIT) : CHECKOV[rule.id]);
  return control === undefined ? rule : { ...rule, control };
}

/** Ids of recommendations of CIS benchmarks that a rule serves; empty where none is assigned. */
export function cisOf(rule: string): string {
  return CIS[rule] ?? '';
}

/** Title of a control; empty for one that is in none of the NIST baselines. */
export function titleOf(control: string): string {
  return TITLES[control] ?? '';
}

/** Family of a control, such as `Access Control` of AC-6(5). */
export function familyOf(control: string): string {
  return FAMILIES[control.split('-')[0] ?? ''] ?? '';
}

/** How a rule or a control came out; the worst of its parts. */
export type Verdict = 'red' | 'waived' | 'green' | 'nothing to look at' | 'not covered';

const WORST_FIRST: readonly Verdict[] = ['red', 'waived', 'green', 'nothing to look at'];

/** A rule that serves a control, and how it came out. */
export interface RuleOutcome {
  readonly id: string;
  readonly by: Examiner;
  readonly title: string;
  /** Ids of CIS recommendations. */
  readonly cis: string;
  /** How often it looked, in all regions. */
  readonly looked: number;
  readonly verdict: Verdict;
  /** Places with open findings. */
  readonly findings: readonly string[];
  readonly waived: readonly {
    readonly place: string;
    readonly owner: string;
    /** Last day of the waiver. */
    readonly until: string;
  }[];
}

/** A control, and everything of the audit that bears on it. */
export interface ControlOutcome {
  readonly id: string;
  readonly title: string;
  readonly family: string;
  /** Whether the chosen baseline has it. */
  readonly inBaseline: boolean;
  readonly verdict: Verdict;
  readonly rules: readonly RuleOutcome[];
}

/** What controls are judged by: a part of the result of an audit. */
export interface Judged {
  readonly baseline: string;
  readonly looks: readonly Look[];
  readonly rules: readonly RuleDescription[];
  readonly findings: readonly Finding[];
  readonly waived: readonly WaivedFinding[];
}

/** Every control of the baseline and every other one that a rule or a table bears on, in the catalogue's order. */
export function controlsOf(result: Judged): readonly ControlOutcome[] {
  const baseline = new Set(BASELINES[result.baseline]);
  const outcomes = Map.groupBy(
    result.rules.map((rule) => ({ control: rule.control, outcome: outcomeOf(rule, result) })),
    ({ control }) => control,
  );
  const served = [...outcomes.keys()].filter((id) => id !== undefined);
  const borne = Object.values(REPORT_CONTROLS);
  return [...new Set([...baseline, ...served, ...borne])].sort(byNumber).map((id) => {
    const rules = (outcomes.get(id) ?? []).map(({ outcome }) => outcome);
    return {
      id,
      title: titleOf(id),
      family: familyOf(id),
      inBaseline: baseline.has(id),
      verdict:
        WORST_FIRST.find((verdict) => rules.some((rule) => rule.verdict === verdict)) ??
        'not covered',
      rules,
    };
  });
}

function outcomeOf(
  { id, by, title }: RuleDescription,
  { looks, findings, waived }: Judged,
): RuleOutcome {
  const looked = looks.flatMap((look) => checksOf(id, look)).length;
  const open = findings.filter(({ rule }) => rule === id).map(({ place }) => place);
  const lived = waived.filter(({ rule }) => rule === id);
  // The audit looks at itself once, and says nothing where nothing is wrong.
  const seen = looked > 0 || by === 'audit';
  const untouched: Verdict = seen ? 'green' : 'nothing to look at';
  return {
    id,
    by,
    title,
    cis: cisOf(id),
    looked,
    verdict: open.length > 0 ? 'red' : lived.length > 0 ? 'waived' : untouched,
    findings: open,
    waived: lived.map(({ place, waiver }) => ({
      place,
      owner: waiver.owner,
      until: waiver.expires,
    })),
  };
}

/** Checks that serve no control: those without a row in our table, and those that bear on nothing here. */
export function withoutControl({ rules }: Judged) {
  const without = rules.filter(({ control }) => control === undefined).map(({ id }) => id);
  return {
    unmapped: without.filter((id) => !WITHOUT_BEARING.has(id)),
    withoutBearing: without.filter((id) => WITHOUT_BEARING.has(id)),
  };
}

/** Made once, since making one takes longer than comparing with it. */
const NUMERIC = new Intl.Collator('en', { numeric: true });

/** `AC-6(10)` comes after `AC-6(2)`, and both after `AC-6`. */
export function byNumber(one: string, other: string): number {
  return NUMERIC.compare(one, other);
}
