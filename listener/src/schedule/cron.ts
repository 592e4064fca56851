import { CronExpressionParser } from 'cron-parser';
import { DAY_MS, MINUTE_MS, type WallTime } from './time-zone.ts';

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
export function closestOf({ timesOfDay }: Cron): number {
  const [first = 0] = timesOfDay;
  const gaps = timesOfDay.map((time, index) => (timesOfDay[index + 1] ?? first + DAY_MS) - time);
  return Math.min(...gaps);
}
