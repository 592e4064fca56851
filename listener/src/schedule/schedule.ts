import { isObject } from '@file-processing/contract/json-object.ts';
import { unknownText } from '@file-processing/quality/descriptor-error.ts';
import { CronExpressionParser } from 'cron-parser';
import { DAY_MS, isTimeZone, MINUTE_MS, type WallTime } from './time-zone.ts';

/** When deliveries of a monitored file are due. */
export type Schedule = (CronSchedule | PeriodSchedule) & {
  /** Of the IANA database. @default UTC */
  readonly timeZone?: string;
  /** ISO 8601 duration: for so long after its due time a delivery that is not there is late, then missing. @default none */
  readonly grace?: string;
  /** ISO 8601 duration before a due time from which deliveries count for it. @default half of the time since the one before */
  readonly early?: string;
  /** Whether a day in a key, the last one, says which period a delivery is of, whenever it comes. @default false */
  readonly dated?: boolean;
  /** Days on which nothing is due. @default none */
  readonly holidays?: Holidays;
  /** Name, among the client's, of the set of files that are due together. @default none */
  readonly set?: string;
};

interface CronSchedule {
  /** Five fields: minute, hour, day of the month, month, day of the week. */
  readonly cron: string;
}

interface PeriodSchedule {
  /** ISO 8601 duration of what a delivery is about, by the calendar: one of {@link EVERY}. */
  readonly every: string;
  /** ISO 8601 duration after the period's end at which its delivery is due. @default PT0S, at its end */
  readonly due?: string;
}

/** Days on which nothing is due, as they are kept with the schedule. */
export interface Holidays {
  /** The file of the rule set that they came from; undefined for days that the monitored file lists itself. */
  readonly calendar?: string;
  /** What becomes of a due time on one: the same time of the next working day, or nothing. */
  readonly on: (typeof ON_HOLIDAY)[number];
  /** `2026-11-26`. */
  readonly days: readonly string[];
  /** Days of each week that are not working days either. @default saturday and sunday */
  readonly weekend?: readonly string[];
}

/** A file below `holidays/` of a rule set. */
export interface HolidayCalendar extends Pick<Holidays, 'days' | 'weekend'> {
  readonly name: string;
}

/** What can become of a due time that is on no working day. */
export const ON_HOLIDAY = ['next', 'drop'] as const;

/** Lengths of periods, all by the calendar: weeks begin on Monday, months at their first day. */
export const EVERY = ['P1D', 'P1W', 'P1M', 'P3M', 'P6M', 'P1Y'] as const;

/** In the order of JavaScript's and cron's numbers. */
export const WEEKDAYS = [
  'sunday',
  'monday',
  'tuesday',
  'wednesday',
  'thursday',
  'friday',
  'saturday',
] as const;

/** Due times are at least so far apart. */
const CLOSEST_MINUTES = 15;

/** A calendar of two hundred years of holidays. */
const MOST_DAYS = 2_000;

/** Reports what is wrong with a part, and what is allowed. */
type Report = (path: string, message: string) => void;

const CRON = `five fields of cron (minute, hour, day of the month, month, day of the week) with due times at least ${CLOSEST_MINUTES} minutes apart`;
const DURATION = 'an ISO 8601 duration such as PT6H or P3D';

/** Milliseconds of an ISO 8601 duration, and of them whole days, which may have 23 or 25 hours. */
export interface Duration {
  readonly days: number;
  readonly ms: number;
}

/** Reads weeks, or days, hours and minutes. @returns undefined for anything else */
export function durationOf(text: string): Duration | undefined {
  const found =
    /^P(?=\d|T\d)(?:(\d{1,3})W|(?:(\d{1,4})D)?(?:T(?=\d)(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:0S)?)?)$/;
  const [whole, ...parts] = found.exec(text) ?? [];
  if (whole === undefined) return undefined;
  const [weeks = 0, days = 0, hours = 0, minutes = 0] = parts.map((part) => Number(part ?? 0));
  return { days: weeks * 7 + days, ms: (hours * 60 + minutes) * MINUTE_MS };
}

/** Names that a schedule may have beside its holidays. */
const NAMES = ['cron', 'every', 'due', 'timeZone', 'grace', 'early', 'dated', 'holidays', 'set'];

/**
 * Reads the schedule of a monitored file.
 *
 * @param calendars of the same rule set, by their names
 * @param report what is wrong, each with its path below the schedule
 * @returns with the days of its calendar; what is wrong is not left out
 */
export function readSchedule(
  value: object,
  calendars: ReadonlyMap<string, HolidayCalendar>,
  report: Report,
): Schedule {
  onlyNames(value, '', NAMES, report);
  const given = value as Readonly<Record<string, unknown>>;
  const { cron, every, due, timeZone, grace, early, dated, set } = given;
  const text = (path: string, fits: (text: string) => boolean, allowed: string) => {
    const part = given[path];
    if (typeof part !== 'string' || !fits(part)) {
      report(path, `is ${shown(part)}; allowed: ${allowed}`);
    }
  };
  if ((cron === undefined) === (every === undefined)) {
    report('', "has to have one of 'cron' (due times) and 'every' (periods by the calendar)");
  }
  if (cron !== undefined) text('cron', isCron, CRON);
  if (every !== undefined) text('every', isOneOf(EVERY), EVERY.join(', '));
  if (due !== undefined && every === undefined) {
    report('due', "stands beside 'every' alone: it is the time after the end of a period");
  } else if (due !== undefined) text('due', isDuration, DURATION);
  if (timeZone !== undefined) text('timeZone', isTimeZone, 'a zone such as America/Denver');
  if (grace !== undefined) text('grace', isDuration, DURATION);
  if (early !== undefined) text('early', isDuration, DURATION);
  if (dated !== undefined && typeof dated !== 'boolean') {
    report('dated', `is ${shown(dated)}; allowed: true, false`);
  }
  if (set !== undefined) text('set', isName, NAME);
  if (given.holidays === undefined) return value as Schedule;
  const holidays = readHolidays(given.holidays, calendars, (path, message) =>
    report(`holidays${path}`, message),
  );
  return { ...(value as Schedule), ...(holidays ? { holidays } : {}) };
}

function readHolidays(
  value: unknown,
  calendars: ReadonlyMap<string, HolidayCalendar>,
  report: Report,
): Holidays | undefined {
  if (!isObject(value)) {
    report('', "is not an object with 'on', and 'calendar' or 'days'");
    return undefined;
  }
  onlyNames(value, '.', ['calendar', 'on', 'days', 'weekend'], report);
  const { calendar, on, days, weekend } = value;
  if (!isOneOf(ON_HOLIDAY)(on)) {
    report('.on', `is ${shown(on)}; allowed: next (the next working day), drop`);
  }
  if (calendar === undefined) {
    readDays({ days, weekend }, '.', report);
    return value as unknown as Holidays;
  }
  if (days !== undefined || weekend !== undefined) {
    report('', "has to have one of 'calendar' and the days themselves, not both");
  }
  const found = calendars.get(String(calendar));
  if (found === undefined) {
    const known = [...calendars.keys()].sort().join(', ') || 'none';
    report('.calendar', `is ${shown(calendar)}; calendars of the rule set: ${known}`);
    return undefined;
  }
  const { days: ofCalendar, weekend: ofWeek } = found;
  return {
    ...{ calendar: found.name, on: on as Holidays['on'], days: ofCalendar },
    ...(ofWeek === undefined ? {} : { weekend: ofWeek }),
  };
}

/** A schedule as a file of a rule set has it: the days of a calendar are those of the calendar's file. */
export function scheduleAsWritten(schedule: Schedule): object {
  const { holidays } = schedule;
  if (holidays?.calendar === undefined) return schedule;
  return { ...schedule, holidays: { calendar: holidays.calendar, on: holidays.on } };
}

/** A schedule that needs no calendar of a rule set, as for another one that does not have it. */
export function scheduleAlone(schedule: Schedule): Schedule {
  if (schedule.holidays === undefined) return schedule;
  const { calendar: _calendar, ...holidays } = schedule.holidays;
  return { ...schedule, holidays };
}

/**
 * A schedule that the database has.
 *
 * @returns undefined for one that can't be worked by, as an older version or somebody by hand may have left there
 */
export function storedSchedule(value: object): Schedule | undefined {
  let ok = true;
  const schedule = readSchedule(scheduleAlone(value as Schedule) as object, new Map(), () => {
    ok = false;
  });
  return ok ? schedule : undefined;
}

/** Reads a file below `holidays/`. @returns undefined where anything is wrong, which was reported */
export function readCalendar(
  value: Readonly<Record<string, unknown>>,
  report: Report,
): HolidayCalendar | undefined {
  let ok = true;
  const fault: Report = (path, message) => {
    ok = false;
    report(path, message);
  };
  onlyNames(value, '', ['name', 'description', 'days', 'weekend'], fault);
  const { name, description = '' } = value;
  if (typeof name !== 'string' || !isName(name)) {
    fault('name', `is ${shown(name)}; allowed: ${NAME}`);
  }
  if (typeof description !== 'string') fault('description', 'is not a string');
  readDays(value, '', fault);
  const { days, weekend } = value as unknown as HolidayCalendar;
  const rest = weekend === undefined ? {} : { weekend };
  return ok ? { name: String(name), days, ...rest } : undefined;
}

function readDays(
  { days, weekend }: { readonly days?: unknown; readonly weekend?: unknown },
  prefix: string,
  report: Report,
): void {
  if (!Array.isArray(days) || days.length > MOST_DAYS) {
    report(`${prefix}days`, `is not a list of at most ${MOST_DAYS} days such as 2026-11-26`);
  } else {
    days.forEach((day, index) => {
      if (isDay(day)) return;
      report(`${prefix}days[${index}]`, `is ${shown(day)}; allowed: a day such as 2026-11-26`);
    });
  }
  if (weekend === undefined) return;
  const isList = Array.isArray(weekend) && weekend.every(isOneOf(WEEKDAYS));
  if (isList && new Set(weekend).size < WEEKDAYS.length) return;
  const allowed = `a list of ${WEEKDAYS.join(', ')}, not of all`;
  report(`${prefix}weekend`, `is ${shown(weekend)}; allowed: ${allowed}`);
}

function isCron(text: string): boolean {
  const cron = readCron(text);
  return cron !== undefined && closestOf(cron) >= CLOSEST_MINUTES * MINUTE_MS;
}

/** Five fields of cron, taken apart: a time is of them where its day and its time of day are. */
export interface Cron {
  /** Milliseconds after midnight, in their order. */
  readonly timesOfDay: readonly number[];
  /** @param midnight of the day */
  isDay(midnight: WallTime): boolean;
}

/** Has a leap year. */
const YEARS_TRIED = 9;

/**
 * Reads five fields of cron.
 *
 * The parser decides which days there are. It does not go from time to time itself: where clocks are changed, what it does
 * hangs on the fields, and its steps take up to a millisecond.
 *
 * @returns undefined for anything else, and for days that no year has
 */
export function readCron(text: string): Cron | undefined {
  // H is a time that the parser draws by lot.
  if (text.trim().split(/\s+/).length !== 5 || /(^|[\s,])H/.test(text)) return undefined;
  try {
    const expression = CronExpressionParser.parse(text, { tz: 'UTC' });
    const { hour, minute } = expression.fields;
    const timesOfDay = hour.values
      .flatMap((hours) => minute.values.map((minutes) => (hours * 60 + minutes) * MINUTE_MS))
      .sort((one, other) => one - other);
    const [first = 0] = timesOfDay;
    const isDay = (midnight: WallTime) => expression.includesDate(new Date(midnight + first));
    const days = { length: YEARS_TRIED * 366 };
    const isEver = Array.from(days, (_, index) => index * DAY_MS).some(isDay);
    return isEver ? { timesOfDay, isDay } : undefined;
  } catch {
    return undefined;
  }
}

/** The shortest time between two times of a day, or the last and the first of two days that follow each other. */
function closestOf({ timesOfDay }: Cron): number {
  const [first = 0] = timesOfDay;
  const gaps = timesOfDay.map((time, index) => (timesOfDay[index + 1] ?? first + DAY_MS) - time);
  return Math.min(...gaps);
}

function isDuration(text: string): boolean {
  return durationOf(text) !== undefined;
}

const NAME = 'lower-case letters, digits and underscores, starting with a letter, at most 63';

function isName(text: string): boolean {
  return /^[a-z][a-z0-9_]{0,62}$/.test(text);
}

function isDay(value: unknown): boolean {
  if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\d$/.test(value)) return false;
  const date = new Date(`${value}T00:00Z`);
  // JavaScript takes the 30th of February for a day in March.
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(value);
}

function isOneOf(allowed: readonly string[]): (value: unknown) => boolean {
  return (value) => allowed.some((one) => one === value);
}

function onlyNames(value: object, prefix: string, allowed: readonly string[], report: Report) {
  for (const name of Object.keys(value).filter((name) => !allowed.includes(name))) {
    report(`${prefix}${name}`, unknownText(name, allowed));
  }
}

function shown(value: unknown): string {
  return JSON.stringify(value) ?? 'missing';
}
