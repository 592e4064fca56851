import { userInfo } from 'node:os';
import { CONSOLE_RIGHTS, type ConsoleRight } from '@file-processing/contract/console.ts';
import { BUCKET_NAME, isBucketName } from '@file-processing/contract/s3-object.ts';
import { listOf, oneOf } from '@file-processing/contract/variable-kinds.ts';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { isKeyPattern } from '../database/key-pattern.ts';
import type { RunSelection } from '../database/runs.ts';
import { UsageError } from './command-context.ts';

/**
 * What there is to settle: runs whose attempts are used up, messages that could not be read, and messages that
 * the settings of their day left aside.
 */
export const DEAD_KINDS = ['runs', 'messages', 'ignored', 'notices'] as const;

/** One of {@link DEAD_KINDS}. */
export type DeadKind = (typeof DEAD_KINDS)[number];

/** A number of rows to show, or of deliveries to judge. @throws {InvalidArgumentError} */
export function limitValue(text: string): number {
  const number = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (number < 1) throw new InvalidArgumentError('A whole number from 1 to 99999 is needed.');
  return number;
}

/** The name of a bucket. @throws {InvalidArgumentError} */
export function bucketValue(text: string): string {
  if (isBucketName(text)) return text;
  throw new InvalidArgumentError(`It must be ${BUCKET_NAME}.`);
}

/** A number that a list has shown. @throws {InvalidArgumentError} */
export function idValue(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('The number is needed that the last page ended with.');
}

/** How the name of a period begins: a year, perhaps with a quarter, a half, a month, or a day and what follows it. */
const PERIOD_FORM =
  /^\d{4}(?:-(?:Q[1-4]|H[12]|0[1-9]|1[0-2]|(\d\d-\d\d)(?:\/P1W| ([01]\d|2[0-3])(?::[0-5]\d)?)?))?$/;

/** The beginning of the names of periods. @throws {InvalidArgumentError} */
export function periodValue(text: string): string {
  const [whole, day] = PERIOD_FORM.exec(text) ?? [];
  const isDay = day === undefined || isoOf(`${text.slice(0, 10)}T00:00Z`)?.slice(5, 10) === day;
  if (whole !== undefined && isDay) return text;
  throw new InvalidArgumentError(`It must be ${PERIOD}.`);
}

/** What {@link periodValue} takes, in words. */
export const PERIOD =
  'a year (2026), quarter (2026-Q4), half (2026-H2), month (2026-11), day (2026-11-05), week by its Monday (2026-11-09/P1W) or time that something is due (2026-11-05 17:00)';

/** The whole id of a run. @throws {InvalidArgumentError} */
export function runValue(text: string): string {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)) return text;
  throw new InvalidArgumentError('The whole id of a run is needed, as runs list --json shows it.');
}

/** What {@link timeValue} takes, in words. */
export const TIME =
  'a day (2026-11-28), a time (2026-11-28T17:00:00Z), in UTC unless it says otherwise, or how long ago (90m, 24h, 7d)';

const TIME_FORM = /^(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?)(Z|[+-]\d\d:\d\d)?)?$/;

const SECONDS = { m: 60, h: 3600, d: 86_400 } as const;

/** A port; 0 for a free one. @throws {InvalidArgumentError} */
export function portNumber(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new InvalidArgumentError('A whole number from 0 to 65535 is needed.');
}

/** Rights in the console. @throws {InvalidArgumentError} */
export function rightsValue(text: string): readonly ConsoleRight[] {
  const { allowed, read } = listOf(oneOf(...CONSOLE_RIGHTS));
  const rights = read(text);
  if (rights === undefined) throw new InvalidArgumentError(`It must be ${allowed}.`);
  return rights;
}

/** A time. @throws {InvalidArgumentError} */
export function timeValue(text: string): Date {
  const [, count, unit] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  if (count !== undefined) {
    const ago = Number(count) * SECONDS[unit as keyof typeof SECONDS] * 1000;
    // Before, there were no objects; no database is asked for a year before 1.
    return new Date(Math.max(Date.now() - ago, 0));
  }
  const [, day = '', clock = '00:00', zone = 'Z'] = TIME_FORM.exec(text) ?? [];
  // JavaScript takes the 30th of February for a day in March.
  const isDay = isoOf(`${day}T00:00Z`)?.slice(0, 10) === day;
  const read = new Date(`${day}T${clock}${zone}`);
  if (isDay && !Number.isNaN(read.getTime())) return read;
  throw new InvalidArgumentError(`It must be ${TIME}.`);
}

function isoOf(text: string): string | undefined {
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}

/** A reason that is kept. @throws {InvalidArgumentError} */
function reasonValue(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('A reason is needed, in your own words.');
  return text.trim();
}

/** A pattern of keys, as a monitored file has it. @throws {InvalidArgumentError} */
function keyPatternValue(text: string): string {
  if (isKeyPattern(text)) return text;
  throw new InvalidArgumentError(
    'A pattern is needed: at most 1,024 bytes, ** only as a whole segment.',
  );
}

/** A mapping, `name` or `name@version`. @throws {InvalidArgumentError} */
export function mappingValue(text: string): NonNullable<RunSelection['mapping']> {
  const [, name, version] = /^([a-z][a-z0-9_]{0,62})(?:@([1-9]\d{0,8}))?$/.exec(text) ?? [];
  if (name === undefined) {
    throw new InvalidArgumentError('A mapping is needed, as officer_detail or officer_detail@2.');
  }
  return version === undefined ? { name } : { name, version: Number(version) };
}

/** `--json` */
export const json = () => new Option('--json', 'print JSON').default(false);

/** `--dry-run` of what asks for judgements. */
export const dryRun = () => new Option('--dry-run', 'only count').default(false);

/** `--reason`, which may be left out. */
export const optionalReason = () =>
  new Option('--reason <text>', 'why, for the record').argParser(reasonValue);

/** `--reason`, which must be there. */
export const reason = () => optionalReason().makeOptionMandatory();

/** `--by`, who acts: the database knows its role alone. */
export const actor = () =>
  new Option('--by <name>', 'who asks for it, for the record').default(
    signedIn(),
    'who is signed in',
  );

/** Who runs this program. A pod's user may be a number without a name. */
export function signedIn(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.()}`;
  }
}

/** `--key` of objects. */
export const keyPattern = () =>
  new Option('--key <pattern>', 'as in a monitored file: ** any folders, * and ? in one').argParser(
    keyPatternValue,
  );

/** `--limit` of a list. */
export const pageSize = () =>
  new Option('--limit <number>', 'how many to list').argParser(limitValue).default(50);

/** `--since` of what was delivered. */
export const since = () =>
  new Option('--since <time>', `delivered since: ${TIME}`).argParser(timeValue);

/** `--until` beside {@link since}. */
export const until = () => new Option('--until <time>', 'and before then').argParser(timeValue);

/** Refuses times between which nothing can be. @throws {UsageError} */
export function requireRange({ since, until }: { since?: unknown; until?: unknown }): void {
  if (!(since instanceof Date && until instanceof Date) || since < until) return;
  throw new UsageError(
    `--until is ${until.toISOString()}; it must be later than --since, ${since.toISOString()}`,
  );
}

/** Gives a command the options that select runs. */
export function selecting(command: Command): Command {
  return command
    .addOption(since())
    .addOption(until())
    .option('--client <client>', 'files that are monitored for it today')
    .option('--bucket <bucket>')
    .addOption(keyPattern())
    .option('--key-prefix <prefix>');
}
