/** What the names of samples say of where others arrive. */
export interface SamplePlaces {
  /** Of all keys, in whatever folder. */
  readonly keyPattern: string;
  /** What does not change from sample to sample, without the extension. */
  readonly stem: string;
  /** Why, in a sentence. */
  readonly why: string;
}

/**
 * A key pattern for the names of samples: numbers and days change from delivery to delivery, and so does what samples do not
 * have in common.
 *
 * @param names without folders, at least one
 */
export function placesOfSamples(names: readonly string[]): SamplePlaces {
  const patterns = [
    ...new Set(names.map((name) => name.replace(CHANGING, '*').replace(/\*+/g, '*'))),
  ];
  const [only = '*'] = patterns;
  const pattern = patterns.length === 1 ? only : commonOf(patterns);
  const stem = pattern.replace(/\.[^.]*$/, '').replaceAll('*', '_');
  const why = pattern.includes('*')
    ? 'What differs in the names of the samples, and days and numbers in them, is left open.'
    : 'The name of the sample, in any folder.';
  return { keyPattern: `**/${pattern}`, stem, why };
}

/** Days, and other digits between marks. */
const CHANGING = /\d+(?:[-_.]\d+)*/g;

function commonOf(texts: readonly string[]): string {
  const [first = '', ...others] = texts;
  let start = 0;
  while (start < first.length && others.every((text) => text[start] === first[start])) start += 1;
  const least = Math.min(...texts.map(({ length }) => length)) - start;
  let end = 0;
  while (end < least && others.every((text) => text.at(-1 - end) === first.at(-1 - end))) end += 1;
  const tail = end === 0 ? '' : first.slice(-end);
  return `${first.slice(0, start)}*${tail}`.replace(/\*+/g, '*');
}

const DAY_MS = 86_400_000;

/** Fewer days than these show no schedule. */
const FEWEST_DAYS = 3;

/**
 * A schedule that days in the names of samples show: each day, each week, or each month.
 *
 * @returns undefined where they show none
 */
export function scheduleOfDays(
  names: readonly string[],
): { readonly cron: string; readonly why: string } | undefined {
  const found = names.map((name) => /(20\d\d)[-_.]?([01]\d)[-_.]?([0-3]\d)/.exec(name));
  const days = found
    .map((match) => (match === null ? Number.NaN : Date.parse(match.slice(1).join('-'))))
    .sort((one, other) => one - other);
  if (days.length < FEWEST_DAYS || days.some(Number.isNaN)) return undefined;
  const steps = new Set(days.slice(1).map((day, index) => (day - (days[index] ?? 0)) / DAY_MS));
  const dates = days.map((day) => new Date(day));
  const [first] = dates;
  const [step] = steps;
  if (first === undefined) return undefined;
  const why = (each: string) =>
    `The names of ${days.length} samples have a day each ${each}; no hour.`;
  if (steps.size === 1 && step === 1) return { cron: '0 12 * * *', why: why('day') };
  if (steps.size === 1 && step === 7) {
    return { cron: `0 12 * * ${first.getUTCDay()}`, why: why('week') };
  }
  const sameDay = dates.every((date) => date.getUTCDate() === first.getUTCDate());
  const months = dates.map((date) => date.getUTCFullYear() * 12 + date.getUTCMonth());
  const monthly = months.every((month, index) => month === (months[0] ?? 0) + index);
  if (!sameDay || !monthly) return undefined;
  return { cron: `0 12 ${first.getUTCDate()} * *`, why: why('month') };
}
