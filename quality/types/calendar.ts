export const DAY_MS = 86_400_000;

/** A day of the proleptic Gregorian calendar as milliseconds since 1970; NaN when there is no such day. */
export function dayMilliseconds(year: number, month: number, day: number): number {
  if (year < 0 || month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) {
    return Number.NaN;
  }
  // Years counted from March put the leap day last, so the months' lengths follow one formula; four
  // hundred years more keep all of it positive, where dropping the fraction is rounding down.
  const y = (month > 2 ? year : year - 1) + 400;
  const shifted = month > 2 ? month - 3 : month + 9;
  const century = (y / 100) | 0;
  const leapDays = (y >> 2) - century + (century >> 2);
  const days = y * 365 + leapDays + (((153 * shifted + 2) / 5) | 0) + day - 865_566;
  return days * DAY_MS;
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) {
    return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  }
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}
