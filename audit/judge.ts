import { type Acceptance, type AcceptedState, judgeAccepted } from './accepted.ts';
import { withControl } from './controls.ts';
import type { Evidence } from './evidence.ts';
import {
  ACCEPTANCE_RULES,
  type Check,
  type Finding,
  FLOOR_RULES,
  type Look,
  mergeFindings,
  RUNNING_RULES,
  type RuleDescription,
  WAIVER_RULES,
} from './findings.ts';
import { type Counts, countsOf, type Floors, floorNotes, judgeFloors } from './floors.ts';
import type { Audited, Rule } from './rules/rule.ts';
import {
  applyWaivers,
  readWaivers,
  WAIVER_FILE,
  type WaivedFinding,
  type WaiverProblem,
} from './waivers.ts';

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
  /** Who accepted what of the JSON, newest first; undefined where that was left out. */
  readonly acceptances: readonly Acceptance[] | undefined;
  /** Counts by region. */
  readonly counts: Readonly<Record<string, Counts>>;
  /** What a reader must know to judge the result, sentences. */
  readonly notes: readonly string[];
  /** The baseline whose controls the report lists; a key of BASELINES. */
  readonly baseline: string;
  /** What the audit was made of. @default nobody gathered it */
  readonly evidence?: Evidence;
}

/** Id of the finding that a rule could not be run at all. */
const BROKEN_RULE: keyof typeof RUNNING_RULES = 'rule-can-not-judge';

/**
 * Runs rules. One that throws, because the JSON has a form that it did not foresee, fails by itself:
 * a rule that did not judge must not count as green.
 */
export function runRules(rules: readonly Rule[], audited: Audited): readonly Check[] {
  return rules.flatMap(({ id, judge }): readonly Check[] => {
    try {
      return judge(audited).map((judgement) => ({ by: 'rules', ...judgement }));
    } catch (error) {
      const stack = audited.model.stacks[0]?.name ?? '';
      const fault = `${id} could not judge the stacks: ${(error as Error).message}`;
      return [{ by: 'audit', rule: BROKEN_RULE, stack, address: 'terraform', faults: [fault] }];
    }
  });
}

/** Id of the finding that Kubernetes resources have no manifests, so that nobody looked at them. */
export const UNSHOWN_MANIFEST: keyof typeof RUNNING_RULES = 'manifest-can-not-be-made';

/** Rules by which the audit judges itself. They can't be waived. */
const OWN_RULES: readonly RuleDescription[] = [
  ...Object.entries({
    ...RUNNING_RULES,
    ...FLOOR_RULES,
    ...WAIVER_RULES,
  }).map(([id, title]) => ({ by: 'audit', id, title, severity: 'high' }) as const),
  ...Object.entries(ACCEPTANCE_RULES).map(
    ([id, title]) => ({ by: 'audit', id, title, severity: 'medium', control: 'CM-3(2)' }) as const,
  ),
];

/** What an audit judges. */
export interface AuditInput {
  readonly environment: string;
  readonly from: string | undefined;
  readonly looks: readonly [Look, ...Look[]];
  readonly floors: Floors;
  /** Text of the waiver file. */
  readonly waivers: string;
  /** All environments that there are. */
  readonly environments: readonly string[];
  readonly now: Date;
  /** Whether floors are about to be recorded, so that they are not judged. */
  readonly recording: boolean;
  /** What somebody accepted; undefined to judge by the rules alone. */
  readonly accepted: AcceptedState | undefined;
  readonly notes: readonly string[];
  readonly baseline: string;
}

/** Judges what was seen: findings, less those waived, plus what is wrong with waivers and floors. */
export function judge(input: AuditInput): AuditResult {
  const { environment, looks, now } = input;
  const rules = rulesOf(looks);
  const failed = mergeFindings(looks, rules);
  const { waivers, problems } = readWaivers(input.waivers);
  const applied = applyWaivers(
    failed.filter(({ by }) => by !== 'audit'),
    waivers,
    {
      environment,
      environments: input.environments,
      rules: new Set(rules.filter(({ by }) => by !== 'audit').map(({ id }) => id)),
      places: placesOf(looks),
      scanned: looks[0].scans !== undefined,
      today: now,
    },
  );
  const recorded = input.floors[environment];
  const own = [
    ...failed.filter(({ by }) => by === 'audit'),
    ...looks.flatMap((look) =>
      judgeFloors(look, input.recording ? undefined : recorded?.[look.region]),
    ),
    ...[...problems, ...applied.problems].map(findingOf),
  ];
  const unaccepted =
    input.accepted === undefined ? [] : judgeAccepted(environment, looks[0], input.accepted);
  return {
    environment,
    from: input.from,
    auditedAt: now,
    looks,
    rules,
    findings: [...own, ...applied.open, ...unaccepted],
    waived: applied.waived,
    baseline: input.baseline,
    acceptances: input.accepted && (input.accepted.accepted?.acceptances ?? []),
    counts: Object.fromEntries(looks.map((look) => [look.region, countsOf(look)])),
    notes: [
      ...input.notes,
      ...(input.recording ? [] : floorNotes(environment, looks, input.floors)),
    ],
  };
}

function rulesOf(looks: readonly Look[]): readonly RuleDescription[] {
  const all = [...looks.flatMap(({ rules }) => rules), ...OWN_RULES];
  return [...new Map(all.map((rule) => [rule.id, rule])).values()].map(withControl);
}

function placesOf(looks: readonly Look[]): ReadonlySet<string> {
  return new Set(
    looks.flatMap(({ model, checks }) =>
      [...model.resources, ...checks].map(({ stack, address }) => `${stack}/${address}`),
    ),
  );
}

function findingOf({ rule, line, message }: WaiverProblem): Finding {
  return {
    by: 'audit',
    rule,
    severity: 'high',
    place: `${WAIVER_FILE}:${line}`,
    message,
    regions: [],
  };
}
