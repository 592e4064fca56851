import type { Finding } from '../finding.ts';
import type { WaiverProblem } from './read-waivers.ts';
import { isScannerRule, LONGEST_DAYS, type Waiver } from './waiver.ts';

/** A finding that somebody decided to live with. */
export interface WaivedFinding extends Finding {
  readonly waiver: Waiver;
}

/** What waivers are judged against. */
export interface WaiverCircumstances {
  /** The environment that is audited. */
  readonly environment: string;
  /** All environments that there are. */
  readonly environments: readonly string[];
  /** Ids of the rules that were run; a waiver of another rule is unknown. */
  readonly rules: ReadonlySet<string>;
  /** `<stack>/<address>` of all resources. */
  readonly places: ReadonlySet<string>;
  /** Whether a scanner ran. Waivers of its checks can't be judged when none did. */
  readonly scanned: boolean;
  readonly today: Date;
}

/** Findings after the waivers, and what is wrong with these. */
export interface AppliedWaivers {
  readonly open: readonly Finding[];
  readonly waived: readonly WaivedFinding[];
  readonly problems: readonly WaiverProblem[];
}

/**
 * Takes the waived findings out. A waiver that quotes another text than the finding's, that is expired, or that holds for too long, waives
 * nothing; one that names an unknown rule or resource, or that nothing needs, is a problem.
 */
export function applyWaivers(
  findings: readonly Finding[],
  waivers: readonly Waiver[],
  circumstances: WaiverCircumstances,
): AppliedWaivers {
  const known = waivers.flatMap((waiver) => unknownEnvironments(waiver, circumstances));
  const meant = waivers.filter(
    ({ rule, environments = [circumstances.environment] }) =>
      environments.includes(circumstances.environment) &&
      (circumstances.scanned || !isScannerRule(rule)),
  );
  const judged = meant.map((waiver) => ({
    waiver,
    needed: findings.some((finding) => isAbout(waiver, finding)),
    outdated: outdated(waiver, circumstances.today),
  }));
  const valid = judged.filter(({ outdated }) => outdated === undefined).map(({ waiver }) => waiver);
  const waiverOf = (finding: Finding) => valid.find((waiver) => covers(waiver, finding));
  return {
    open: findings.filter((finding) => waiverOf(finding) === undefined),
    waived: findings.flatMap((finding) => {
      const waiver = waiverOf(finding);
      return waiver === undefined ? [] : [{ ...finding, waiver }];
    }),
    problems: [
      ...known,
      ...judged.flatMap(({ waiver, needed, outdated }) => {
        const problems = outdated === undefined ? [] : [outdated];
        return needed ? problems : [...problems, useless(waiver, circumstances)];
      }),
    ],
  };
}

function covers(waiver: Waiver, finding: Finding): boolean {
  return (
    isAbout(waiver, finding) &&
    [undefined, words(finding.message)].includes(waiver.finding && words(waiver.finding))
  );
}

/** A finding that became another one is open again; its waiver is not unused, but out of date. */
function isAbout({ rule, address }: Waiver, finding: Finding): boolean {
  return rule === finding.rule && address === finding.place;
}

/** A text without its line breaks, which YAML folds. */
function words(text: string): string {
  return text.trim().replaceAll(/\s+/g, ' ');
}

function outdated(
  { rule, address, expires, line }: Waiver,
  today: Date,
): WaiverProblem | undefined {
  const subject = `The waiver of ${rule} on ${address}`;
  const day = 24 * 60 * 60 * 1000;
  const left = (Date.parse(expires) + day - today.valueOf()) / day;
  if (left <= 0) {
    const message = `${subject} expired on ${expires}: remove the fault, or decide anew.`;
    return { rule: 'waiver-expired', line, message };
  }
  if (left > LONGEST_DAYS + 1) {
    const message = `${subject} holds until ${expires}, which is more than ${LONGEST_DAYS} days: name an earlier day.`;
    return { rule: 'waiver-invalid', line, message };
  }
  return undefined;
}

function useless(
  { rule, address, line }: Waiver,
  { environment, rules, places }: WaiverCircumstances,
): WaiverProblem {
  if (!rules.has(rule)) {
    const message = `There is no rule ${rule} among those that looked at ${environment}: correct its name or remove the waiver.`;
    return { rule: 'waiver-unknown', line, message };
  }
  if (!places.has(address)) {
    const message = `There is no ${address} in ${environment}: correct the address, name the environments that have it, or remove the waiver.`;
    return { rule: 'waiver-unknown', line, message };
  }
  const message = `${rule} finds nothing on ${address} in ${environment} any more: remove the waiver, or name the environments that need it.`;
  return { rule: 'waiver-unused', line, message };
}

function unknownEnvironments(
  { environments = [], line }: Waiver,
  circumstances: WaiverCircumstances,
): readonly WaiverProblem[] {
  return environments
    .filter((name) => !circumstances.environments.includes(name))
    .map((name) => ({
      rule: 'waiver-unknown',
      line,
      message: `There is no environment ${name}; there are ${circumstances.environments.join(', ')}.`,
    }));
}
