import { isSeq, LineCounter, type ParsedNode, parseDocument } from 'yaml';
import { ACCEPTANCE_RULES, type Finding, type WAIVER_RULES } from './findings.ts';
import { currentId } from './rules/all-rules.ts';

/** The one waiver file, below the checkout. */
export const WAIVER_FILE = 'audit/waivers.yaml';

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

/** A reason shorter than this, in characters, says nothing. */
export const SHORTEST_REASON = 20;

/** Days that a waiver may hold from today on: it is looked at again within a year. */
const LONGEST_DAYS = 366;

/** Whether a rule's id is that of a scanner's check. */
function isScannerRule(id: string): boolean {
  return /^CKV2?_/.test(id);
}

/** Something that is wrong with the waiver file. */
export interface WaiverProblem {
  readonly rule: keyof typeof WAIVER_RULES;
  /** 1-based. */
  readonly line: number;
  readonly message: string;
}

/** What a waiver file holds. */
export interface WaiverFile {
  readonly waivers: readonly Waiver[];
  readonly problems: readonly WaiverProblem[];
}

const FIELDS = ['rule', 'address', 'finding', 'environments', 'reason', 'owner', 'expires'];
const ADDRESS = /^[\w-]+\/[^*\s][^*]*$/;

/** Reads the text of a waiver file: a YAML list. An invalid entry waives nothing and is a problem. */
export function readWaivers(text: string): WaiverFile {
  const lines = new LineCounter();
  // Dates stay text.
  const document = parseDocument(text, { lineCounter: lines, schema: 'failsafe' });
  const broken = document.errors.map(
    ({ message, pos }): WaiverProblem => ({
      rule: 'waiver-invalid',
      line: lines.linePos(pos[0]).line,
      message: message.split('\n')[0] ?? message,
    }),
  );
  if (broken.length > 0) return { waivers: [], problems: broken };
  if (document.contents === null) return { waivers: [], problems: [] };
  if (!isSeq<ParsedNode>(document.contents)) {
    const message = 'The file must be a list of waivers.';
    return { waivers: [], problems: [{ rule: 'waiver-invalid', line: 1, message }] };
  }
  const entries = document.contents.items.map((item) => ({
    line: lines.linePos(item.range[0]).line,
    value: item.toJS(document) as unknown,
  }));
  const judged = entries.map(({ line, value }) => ({ line, value, faults: faultsOf(value) }));
  const waivers = judged
    .filter(({ faults }) => faults.length === 0)
    .map(({ line, value }) => {
      const waiver = value as Omit<Waiver, 'line'>;
      return { ...waiver, rule: currentId(waiver.rule), line };
    });
  const problems = judged.flatMap(({ line, faults }) =>
    faults.map((message): WaiverProblem => ({ rule: 'waiver-invalid', line, message })),
  );
  return { waivers, problems: [...problems, ...repeated(waivers)] };
}

function faultsOf(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return ['A waiver must have the fields rule, address, reason, owner and expires.'];
  }
  const given = value as Readonly<Record<string, unknown>>;
  const unknown = Object.keys(given).filter((field) => !FIELDS.includes(field));
  const quoted = isScannerRule(String(given.rule)) ? [] : ['finding'];
  const missing = ['rule', 'address', ...quoted, 'reason', 'owner', 'expires'].filter((field) => {
    const text = given[field];
    return typeof text !== 'string' || text.trim() === '';
  });
  const isAcceptance = Object.hasOwn(ACCEPTANCE_RULES, String(given.rule));
  return [
    ...(isAcceptance
      ? [`${given.rule} can't be waived: accept the JSON with --accept, or undo what differs.`]
      : []),
    ...unknown.map(
      (field) => `${field} is not a field of a waiver; allowed are ${FIELDS.join(', ')}.`,
    ),
    ...missing.map((field) => `${field} is missing or empty.`),
    ...wellFormed(given)
      .filter(({ field }) => !missing.includes(field))
      .map(({ message }) => message),
  ];
}

function wellFormed(given: Readonly<Record<string, unknown>>) {
  const { address, environments, reason, expires } = given;
  const names = environments ?? [''];
  return [
    !ADDRESS.test(String(address)) && {
      field: 'address',
      message: `address ${String(address)} must be one exact address, such as file-processing/aws_sns_topic.events; there are no patterns.`,
    },
    String(reason).trim().length < SHORTEST_REASON && {
      field: 'reason',
      message: `reason must be at least ${SHORTEST_REASON} characters long and say why the finding is acceptable.`,
    },
    !isDate(String(expires)) && {
      field: 'expires',
      message: `expires ${String(expires)} must be a day such as 2027-06-30.`,
    },
    !(Array.isArray(names) && names.length > 0 && names.every((n) => typeof n === 'string')) && {
      field: 'environments',
      message: 'environments must be a list of environments, or be left out.',
    },
  ].filter((fault) => fault !== false);
}

/** Whether a text is a day of the calendar, such as `2027-06-30`. */
function isDate(text: string): boolean {
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.valueOf()) && date.toISOString().slice(0, 10) === text;
}

function repeated(waivers: readonly Waiver[]): readonly WaiverProblem[] {
  return waivers.flatMap((waiver, index) => {
    const first = waivers
      .slice(0, index)
      .find(({ rule, address }) => rule === waiver.rule && address === waiver.address);
    if (first === undefined) return [];
    const message = `${waiver.rule} on ${waiver.address} is waived on line ${first.line} already; name all environments there.`;
    return [{ rule: 'waiver-invalid', line: waiver.line, message }];
  });
}

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
