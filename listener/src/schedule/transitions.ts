import { VERDICTS, type Verdict } from '@file-processing/quality/verdict.ts';
import type { Period } from './periods.ts';

/**
 * What is known of a period: `received` has a verdict of any kind, `recovered` got it after it had been missing, `corrected`
 * has another verdict than before, by a later delivery or another judgement.
 */
export const PERIOD_STATES = [
  'expected',
  'late',
  'missing',
  'received',
  'recovered',
  'corrected',
] as const;

/** One of {@link PERIOD_STATES}. */
export type PeriodState = (typeof PERIOD_STATES)[number];

/** What happens to a period: `verdict` is of a delivery that counts for it, `otherVerdict` one that differs from the last. */
export type PeriodEvent = 'due' | 'graceOver' | 'verdict' | 'otherVerdict';

/** Every change of a period's state. What is not here changes nothing. */
export const TRANSITIONS: Readonly<
  Record<PeriodState, Partial<Readonly<Record<PeriodEvent, PeriodState>>>>
> = {
  // Downtime over both times leaves out `late`: it would be told when it is past.
  expected: { due: 'late', graceOver: 'missing', verdict: 'received' },
  late: { graceOver: 'missing', verdict: 'received' },
  missing: { verdict: 'recovered' },
  received: { otherVerdict: 'corrected' },
  recovered: { otherVerdict: 'corrected' },
  corrected: { otherVerdict: 'corrected' },
};

/** A change of the state of a period, as it is recorded, and told by whoever tells of it. */
export interface PeriodChange {
  readonly client: string;
  /** Null for the period of a set. */
  readonly monitoringFileId: number | null;
  /** The set that it is of, or that the file belongs to; null for a file of none. */
  readonly set: string | null;
  /** Of the period, as {@link Period.name}. */
  readonly period: string;
  /** What the delivery is about. */
  readonly start: Date;
  readonly end: Date;
  readonly dueAt: Date;
  readonly missingAt: Date;
  /** In which the due time is meant. */
  readonly timeZone: string;
  readonly from: PeriodState;
  readonly to: PeriodState;
  /** The one that counts from now on, of a set the worst of its files; null while there is none. */
  readonly verdict: Verdict | null;
  /** Whose verdict it is; null for a set, and while there is none. */
  readonly judgement: { readonly runId: string; readonly number: number } | null;
  /** When it came about: a time of the schedule, or that of the verdict. */
  readonly at: Date;
}

/** What changes of a period. */
export interface PeriodStatus {
  readonly state: PeriodState;
  /** Null while nothing has come. */
  readonly verdict: Verdict | null;
}

/** A step from one state to another. */
export interface Step extends PeriodStatus {
  readonly from: PeriodState;
  readonly at: Date;
}

/** What the passing of time does to a period, up to now. */
export function stepsOfTime(
  { state, verdict }: PeriodStatus,
  { dueAt, missingAt }: Pick<Period, 'dueAt' | 'missingAt'>,
  now: Date,
): readonly Step[] {
  const [event, at] =
    now >= missingAt ? (['graceOver', missingAt] as const) : (['due', dueAt] as const);
  const to = now < at ? undefined : TRANSITIONS[state][event];
  return to === undefined ? [] : [{ from: state, state: to, verdict, at }];
}

/**
 * What a verdict does to a period. A delivery that came when it was late or missing was that before, also where the
 * clock has not looked at it meanwhile.
 *
 * @param verdict.deliveredAt when its file came
 * @param verdict.at when it was made
 */
export function stepsOfVerdict(
  status: PeriodStatus,
  period: Pick<Period, 'dueAt' | 'missingAt'>,
  { verdict, deliveredAt, at }: { verdict: Verdict; deliveredAt: Date; at: Date },
): readonly Step[] {
  const before = status.verdict === null ? stepsOfTime(status, period, deliveredAt) : [];
  const from = before.at(-1)?.state ?? status.state;
  const event = status.verdict === null || status.verdict === verdict ? 'verdict' : 'otherVerdict';
  const to = TRANSITIONS[from][event];
  return to === undefined ? before : [...before, { from, state: to, verdict, at }];
}

/** A file of a set, as far as the set's own state hangs on it. */
export interface SetFile extends PeriodStatus {
  /** Null while nothing has come. */
  readonly deliveredAt: Date | null;
  /** When its state last changed. */
  readonly changedAt: Date;
}

/**
 * What the states of its files make of a set: it is there when all of them are, with the worst of their verdicts, and
 * came when the last of them did; it is late, and missing, when the first of them is.
 */
export function stepsOfSet(
  status: PeriodStatus,
  period: Pick<Period, 'dueAt' | 'missingAt'>,
  files: readonly SetFile[],
): readonly Step[] {
  const verdicts = files.map(({ verdict }) => verdict);
  const verdict = VERDICTS.findLast((one) => verdicts.includes(one));
  if (verdict !== undefined && !verdicts.includes(null)) {
    return stepsOfVerdict(status, period, {
      verdict,
      deliveredAt: latest(files.map((file) => file.deliveredAt ?? file.changedAt)),
      at: latest(files.map((file) => file.changedAt)),
    });
  }
  const has = (state: PeriodState) => files.some((file) => file.state === state);
  if (has('missing')) return stepsOfTime(status, period, period.missingAt);
  return has('late') ? stepsOfTime(status, period, period.dueAt) : [];
}

function latest(times: readonly Date[]): Date {
  return new Date(Math.max(...times.map((time) => time.getTime())));
}
