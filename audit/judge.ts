import type { AuditResult } from './audit-result.ts';
import type { Finding, RuleDescription } from './finding.ts';
import { countsOf } from './floors/count.ts';
import { aboveFloor, type Floors } from './floors/floors.ts';
import { FLOOR_RULES, judgeFloors } from './floors/judge-floors.ts';
import type { Look } from './look.ts';
import { mergeFindings } from './merge-findings.ts';
import { BROKEN_RULE } from './run-rules.ts';
import { applyWaivers } from './waivers/apply-waivers.ts';
import { readWaivers, type WaiverProblem } from './waivers/read-waivers.ts';

/** The one waiver file, below the checkout. */
export const WAIVER_FILE = 'audit/waivers.yaml';

/** Id of the finding that Kubernetes resources have no manifests, so that nobody looked at them. */
export const UNSHOWN_MANIFEST = 'manifest-can-not-be-made';

const WAIVER_RULES = {
  'waiver-invalid': 'A waiver names rule, address, reason, owner and a day within a year',
  'waiver-expired': 'No waiver is older than its owner wanted',
  'waiver-unknown': 'Every waiver is about a rule, a resource and an environment that exist',
  'waiver-unused': 'Every waiver is needed',
} as const satisfies Record<WaiverProblem['rule'], string>;

/** Rules by which the audit judges itself. They can't be waived. */
export const OWN_RULES: readonly RuleDescription[] = Object.entries({
  [BROKEN_RULE]: 'Every rule could judge the stacks',
  [UNSHOWN_MANIFEST]: 'Every Kubernetes resource can be shown as a manifest',
  ...FLOOR_RULES,
  ...WAIVER_RULES,
}).map(([id, title]) => ({ by: 'audit', id, title, severity: 'high' }));

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
  readonly notes: readonly string[];
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
  return {
    environment,
    from: input.from,
    auditedAt: now,
    looks,
    rules,
    findings: [...own, ...applied.open],
    waived: applied.waived,
    counts: Object.fromEntries(looks.map((look) => [look.region, countsOf(look)])),
    notes: [...input.notes, ...floorNotes(input)],
  };
}

function rulesOf(looks: readonly Look[]): readonly RuleDescription[] {
  const all = [...looks.flatMap(({ rules }) => rules), ...OWN_RULES];
  return [...new Map(all.map((rule) => [rule.id, rule])).values()];
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

function floorNotes({ environment, looks, floors, recording }: AuditInput): readonly string[] {
  if (recording) return [];
  const recorded = floors[environment];
  if (recorded === undefined) {
    return [
      `No floor is recorded for ${environment}: that fewer resources or checks than before were looked at would not be noticed. Record one with --record-floors.`,
    ];
  }
  const risen = looks.filter(({ region, ...look }) => {
    const floor = recorded[region];
    return floor === undefined || aboveFloor(floor, countsOf({ region, ...look }));
  });
  return risen.map(
    ({ region }) =>
      `More was looked at for ${region} than the floor says: raise it with --record-floors.`,
  );
}
