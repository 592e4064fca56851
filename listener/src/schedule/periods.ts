import {
  type Cron,
  durationOf,
  type Holidays,
  readCron,
  type Schedule,
  WEEKDAYS,
} from './schedule.ts';
import { DAY_MS, instantOf, type WallTime, wallText, wallTimeAt } from './time-zone.ts';

/** One time at which a delivery is due, and what counts for it. The due time names it: no two periods of a schedule share one. */
export interface Period {
  /** `2026-11` and the like of a period of the calendar, `2026-11-09/P1W` of a week; else the due time in its zone. */
  readonly name: string;
  /** What the delivery is about: by the calendar, or since the due time before. */
  readonly start: Date;
  readonly end: Date;
  /** Deliveries count for it from then on, until those of the next one do. */
  readonly opensAt: Date;
  readonly closesAt: Date;
  /** Late from then on. */
  readonly dueAt: Date;
  /** Missing from then on. */
  readonly missingAt: Date;
}

/** How far due times are looked for, in days: that far there is one, or none at all. */
const FARTHEST_DAYS = 10 * 366;

/** How far a due time moves at most to find a working day. */
const FARTHEST_MOVE_DAYS = 60;

/**
 * The periods of a schedule that are due from one time to before another, in their order.
 *
 * Which one a delivery belongs to hangs on its time, or the day in its key, alone, whatever has come before: so it is the
 * same whenever and by whomever it is worked out.
 */
export function periodsDue(schedule: Schedule, from: Date, to: Date): readonly Period[] {
  const dues = duesBetween(schedule, from.getTime(), to.getTime());
  return dues.length === 0 ? [] : periodsOf(schedule, dues);
}

/** The period that a delivery counts for; undefined where the schedule has none. */
export function periodOfDelivery(
  schedule: Schedule,
  { key, deliveredAt }: { readonly key: string; readonly deliveredAt: Date },
): Period | undefined {
  const day = schedule.dated === true ? dayIn(key) : undefined;
  return day === undefined ? periodAt(schedule, deliveredAt) : periodOfDay(schedule, day);
}

/** Days and months as names of files have them: `2026-11-05`, `20261105`, `2026_11`. */
const DAY_IN_KEY = /(?<!\d)(20\d\d)([-_.]?)([01]\d)(?:\2([0-3]\d))?(?!\d)/g;

/** The last day that a key has, of a month the first; undefined where it has none. */
function dayIn(key: string): WallTime | undefined {
  const days = [...key.matchAll(DAY_IN_KEY)].map(([, year, , month, day = '01']) => {
    const text = `${year}-${month}-${day}`;
    const time = new Date(`${text}T00:00Z`);
    return !Number.isNaN(time.getTime()) && time.toISOString().startsWith(text)
      ? time.getTime()
      : undefined;
  });
  return days.findLast((day) => day !== undefined);
}

/** Periods whose due time comes after a day that is before them, as where `due` is long. */
const MOST_TRIED = 100;

/** The period of the calendar that has the day, else the first that is due from then on. */
function periodOfDay(schedule: Schedule, day: WallTime): Period | undefined {
  const from = new Date(instantOf(day, schedule.timeZone ?? 'UTC'));
  let period = periodDueFrom(schedule, from);
  if (!('every' in schedule)) return period;
  for (let tried = 0; tried < MOST_TRIED && period !== undefined; tried += 1) {
    if (from < period.end) return period.start <= from ? period : undefined;
    period = periodDueFrom(schedule, new Date(period.dueAt.getTime() + 1));
  }
  return undefined;
}

/** The period that a delivery at a time counts for by its time alone; undefined where the schedule has none. */
export function periodAt(schedule: Schedule, time: Date): Period | undefined {
  const at = time.getTime();
  const candidates = [
    lastBefore(schedule, at + 1),
    firstFrom(schedule, at + 1),
    secondFrom(schedule, at + 1),
  ].filter((due) => due !== undefined);
  return periodsOf(schedule, candidates).find(
    ({ opensAt, closesAt }) => opensAt <= time && time < closesAt,
  );
}

/** The first period that is due at a time or later. */
export function periodDueFrom(schedule: Schedule, time: Date): Period | undefined {
  const due = firstFrom(schedule, time.getTime());
  return due === undefined ? undefined : periodsOf(schedule, [due])[0];
}

/** A due time, with what its delivery is about where that is a period of the calendar. */
interface Due {
  readonly at: number;
  readonly start: WallTime;
  readonly end: WallTime;
}

/** @param dues that follow each other */
function periodsOf(schedule: Schedule, dues: readonly Due[]): Period[] {
  const [first] = dues;
  const last = dues.at(-1);
  if (first === undefined || last === undefined) return [];
  const before = lastBefore(schedule, first.at);
  const after = firstFrom(schedule, last.at + 1);
  const { timeZone = 'UTC' } = schedule;
  return dues.map((due, index) => {
    const previous = dues[index - 1] ?? before;
    const next = dues[index + 1] ?? after;
    return {
      ...('every' in schedule
        ? {
            name: calendarName(schedule.every, due),
            start: new Date(instantOf(due.start, timeZone)),
            end: new Date(instantOf(due.end, timeZone)),
          }
        : {
            name: wallText(wallTimeAt(due.at, timeZone)),
            start: new Date(previous?.at ?? due.at),
            end: new Date(due.at),
          }),
      opensAt: new Date(opening(schedule, previous, due)),
      closesAt: new Date(next === undefined ? LAST_TIME : opening(schedule, due, next)),
      dueAt: new Date(due.at),
      missingAt: new Date(moved(due.at, schedule.grace, timeZone, 1)),
    };
  });
}

/** Of several that a holiday has put together, the last one's. */
function calendarName(every: string, { end }: Due): string {
  const { indexAt, startOf } = calendarPeriods(every);
  const start = new Date(startOf(indexAt(end) - 1));
  const day = start.toISOString().slice(0, 10);
  const [year, month] = [day.slice(0, 4), start.getUTCMonth()];
  const names: Readonly<Record<string, string>> = {
    P1D: day,
    P1W: `${day}/P1W`,
    P1M: day.slice(0, 7),
    P3M: `${year}-Q${month / 3 + 1}`,
    P6M: `${year}-H${month / 6 + 1}`,
    P1Y: year,
  };
  return names[every] ?? day;
}

/** That a Date has, and PostgreSQL's timestamps too. */
const LAST_TIME = Date.UTC(9999, 11, 31);

function opening(schedule: Schedule, previous: Due | undefined, due: Due): number {
  if (schedule.early !== undefined) {
    const wanted = moved(due.at, schedule.early, schedule.timeZone ?? 'UTC', -1);
    return Math.max(wanted, (previous?.at ?? Number.NEGATIVE_INFINITY) + 1);
  }
  return previous === undefined ? due.at : previous.at + Math.ceil((due.at - previous.at) / 2);
}

/** A time that a duration lies after, or before: days by the calendar of the zone, hours by the clock. */
function moved(
  at: number,
  duration: string | undefined,
  timeZone: string,
  direction: 1 | -1,
): number {
  const { days, ms } = durationOf(duration ?? 'PT0M') ?? { days: 0, ms: 0 };
  const onDay =
    days === 0 ? at : instantOf(wallTimeAt(at, timeZone) + direction * days * DAY_MS, timeZone);
  return onDay + direction * ms;
}

function lastBefore(schedule: Schedule, at: number): Due | undefined {
  for (let days = 2; days <= FARTHEST_DAYS * 4; days *= 4) {
    const found = duesBetween(schedule, at - Math.min(days, FARTHEST_DAYS) * DAY_MS, at).at(-1);
    if (found !== undefined) return found;
  }
  return undefined;
}

function firstFrom(schedule: Schedule, at: number): Due | undefined {
  for (let days = 2; days <= FARTHEST_DAYS * 4; days *= 4) {
    const [found] = duesBetween(schedule, at, at + Math.min(days, FARTHEST_DAYS) * DAY_MS);
    if (found !== undefined) return found;
  }
  return undefined;
}

function secondFrom(schedule: Schedule, at: number): Due | undefined {
  const first = firstFrom(schedule, at);
  return first && firstFrom(schedule, first.at + 1);
}

/** Due times from one time to before another; those that a change of the clock or a holiday puts together are one. */
function duesBetween(schedule: Schedule, from: number, to: number): Due[] {
  const { timeZone = 'UTC', holidays } = schedule;
  // A day for the zone; what is before may have been moved into it.
  const margin = DAY_MS * (holidays?.on === 'next' ? FARTHEST_MOVE_DAYS + 1 : 1);
  const isFree = holidays === undefined ? undefined : freeDays(holidays);
  const byTime = new Map<number, Due>();
  for (const { at: wall, start, end } of wallDues(schedule, from - margin, to + DAY_MS)) {
    const kept = isFree === undefined ? wall : onWorkingDay(wall, isFree, holidays?.on);
    if (kept === undefined) continue;
    const at = instantOf(kept, timeZone);
    if (at < from || at >= to) continue;
    const { start: first, end: last } = byTime.get(at) ?? { start, end };
    byTime.set(at, { at, start: Math.min(start, first), end: Math.max(end, last) });
  }
  return [...byTime.values()].sort((one, other) => one.at - other.at);
}

/** As {@link Due}, at wall times. */
function wallDues(schedule: Schedule, from: WallTime, to: WallTime): Iterable<Due> {
  return 'every' in schedule
    ? duesOfPeriods(schedule.every, schedule.due, from, to)
    : duesOfCron(cronOf(schedule), from, to);
}

const crons = new WeakMap<object, Cron>();

/** Read once for a schedule: that takes as long as hundreds of days. */
function cronOf(schedule: Schedule & { readonly cron: string }): Cron {
  const cron = crons.get(schedule) ?? readCron(schedule.cron);
  if (cron === undefined) throw new Error(`the schedule's cron is none: ${schedule.cron}`);
  crons.set(schedule, cron);
  return cron;
}

function* duesOfCron({ timesOfDay, isDay }: Cron, from: WallTime, to: WallTime): Iterable<Due> {
  for (let day = Math.floor(from / DAY_MS) * DAY_MS; day < to; day += DAY_MS) {
    if (!isDay(day)) continue;
    for (const time of timesOfDay) {
      const at = day + time;
      if (at >= from && at < to) yield { at, start: at, end: at };
    }
  }
}

function* duesOfPeriods(
  every: string,
  due: string | undefined,
  from: WallTime,
  to: WallTime,
): Iterable<Due> {
  const { days, ms } = durationOf(due ?? 'PT0M') ?? { days: 0, ms: 0 };
  const wait = days * DAY_MS + ms;
  const { indexAt, startOf } = calendarPeriods(every);
  for (let index = indexAt(from - wait) - 1; ; index += 1) {
    const [start, end] = [startOf(index), startOf(index + 1)];
    if (end + wait >= to) return;
    if (end + wait >= from) yield { at: end + wait, start, end };
  }
}

/** Periods of the calendar, numbered, in wall times. */
function calendarPeriods(every: string): {
  readonly indexAt: (wall: WallTime) => number;
  readonly startOf: (index: number) => WallTime;
} {
  const months = { P1M: 1, P3M: 3, P6M: 6, P1Y: 12 }[every];
  if (months !== undefined) {
    return {
      indexAt(wall) {
        const date = new Date(wall);
        return Math.floor((date.getUTCFullYear() * 12 + date.getUTCMonth()) / months);
      },
      startOf: (index) =>
        Date.UTC(Math.floor((index * months) / 12), (((index * months) % 12) + 12) % 12),
    };
  }
  const length = every === 'P1W' ? 7 * DAY_MS : DAY_MS;
  // The first Monday of 1970.
  const origin = every === 'P1W' ? Date.UTC(1970, 0, 5) : 0;
  return {
    indexAt: (wall) => Math.floor((wall - origin) / length),
    startOf: (index) => origin + index * length,
  };
}

function freeDays({ days, weekend = ['saturday', 'sunday'] }: Holidays): (day: Date) => boolean {
  const free = new Set(days);
  const ofWeek = new Set(weekend);
  return (day) =>
    free.has(day.toISOString().slice(0, 10)) || ofWeek.has(WEEKDAYS[day.getUTCDay()] ?? '');
}

function onWorkingDay(
  wall: WallTime,
  isFree: (day: Date) => boolean,
  on: Holidays['on'] | undefined,
): WallTime | undefined {
  for (let days = 0; days <= FARTHEST_MOVE_DAYS; days += 1) {
    const moved = wall + days * DAY_MS;
    if (!isFree(new Date(moved))) return moved;
    if (on === 'drop') return undefined;
  }
  return undefined;
}
