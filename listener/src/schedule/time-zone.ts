/** What a clock on the wall shows, as the milliseconds that a clock in UTC would stand for: days and hours add up plainly. */
export type WallTime = number;

export const MINUTE_MS = 60_000;
export const DAY_MS = 24 * 60 * MINUTE_MS;

/** Whether a zone is known by this name. Which are, and their rules, is the time-zone data of Node's own ICU. */
export function isTimeZone(name: string): boolean {
  try {
    clockOf(name);
    return true;
  } catch {
    return false;
  }
}

/**
 * The instant at which a clock in the zone shows a time. One that it never shows, as clocks are put forward, counts at the
 * next time that it does show; one that it shows twice, as they are put back, counts at the first.
 */
export function instantOf(wall: WallTime, timeZone: string): number {
  const before = wall - offsetAt(wall - DAY_MS, timeZone);
  const after = wall - offsetAt(wall + DAY_MS, timeZone);
  // No change of the clock is near.
  if (before === after) return before;
  const [first, last] = before < after ? [before, after] : [after, before];
  for (const instant of [first, last]) if (wallTimeAt(instant, timeZone) === wall) return instant;
  // Between the two the clock jumps over it: at the first instant that shows more.
  let [low, high] = [first, last];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (wallTimeAt(middle, timeZone) < wall) low = middle;
    else high = middle;
  }
  return high;
}

/** What a clock in the zone shows at an instant. */
export function wallTimeAt(instant: number, timeZone: string): WallTime {
  return instant + offsetAt(instant, timeZone);
}

/** `2026-11-05 17:00`, of a wall time. */
export function wallText(wall: WallTime): string {
  return new Date(wall).toISOString().slice(0, 16).replace('T', ' ');
}

function offsetAt(instant: number, timeZone: string): number {
  // The format has no fractions of a second.
  const whole = Math.floor(instant / 1000) * 1000;
  // In the order of American English. As text, since its parts take more than twice as long.
  const [month = 0, day = 0, year = 0, ...time] =
    clockOf(timeZone).format(whole).match(/\d+/g)?.map(Number) ?? [];
  const [hour = 0, minute = 0, second = 0] = time;
  const shown = Date.UTC(year, month - 1, day, hour, minute, second);
  return shown - whole;
}

const clocks = new Map<string, Intl.DateTimeFormat>();

/** Making one takes longer than a thousand uses. @throws {RangeError} for a zone that is not known */
function clockOf(timeZone: string): Intl.DateTimeFormat {
  const known = clocks.get(timeZone);
  if (known !== undefined) return known;
  const numeric = 'numeric';
  const clock = new Intl.DateTimeFormat('en-US', {
    ...{ timeZone, calendar: 'gregory', numberingSystem: 'latn', hourCycle: 'h23' },
    ...{ year: numeric, month: numeric, day: numeric },
    ...{ hour: numeric, minute: numeric, second: numeric },
  });
  clocks.set(timeZone, clock);
  return clock;
}
