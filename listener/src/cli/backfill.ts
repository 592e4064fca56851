import { EXIT, type INSTALLATION } from '@file-processing/contract/listener-interface.ts';
import {
  type DeliveryBucket,
  type DeliveryFilter,
  reasonToIgnore,
} from '@file-processing/contract/s3-event.ts';
import { keyProblem } from '@file-processing/contract/s3-object.ts';
import type { Config } from '../config.ts';
import type { Database } from '../database/connection.ts';
import {
  askForListed,
  installationTime,
  type ListedObject,
  recordListing,
  type Standing,
} from '../database/listed-objects.ts';
import type { Queue } from '../queue/queue.ts';
import { createLogger, logLines } from '../serve/logger.ts';
import { type ListedVersion, type Listing, openListing } from '../storage/list-objects.ts';
import { type Command, type CommandContext, UsageError } from './command-context.ts';
import { withQueue } from './with-database.ts';

/** Options of `backfill`. */
export interface BackfillOptions {
  /** @default each bucket of the settings */
  readonly bucket?: string;
  /** Keys begin with it. @default the key prefixes of the settings */
  readonly prefix?: string;
  /** Objects that were last modified before are left out. */
  readonly since: Date | typeof INSTALLATION;
  /** Objects that were last modified then or later are left out. */
  readonly until?: Date;
  readonly dryRun: boolean;
  /** Recorded with each judgement. */
  readonly reason?: string;
  /** Tells of the verdicts, as of those of messages. */
  readonly notify: boolean;
  readonly json: boolean;
  /** The counts are a line of the log: a warning where object versions were found. */
  readonly log: boolean;
}

/** Looks at what a bucket holds, and has object versions judged that no message announced. */
export const backfill: Command<BackfillOptions> = (context, options) =>
  withQueue(context, async (database, queue, config) => {
    if (config.s3.localRoot !== undefined) {
      throw new UsageError(
        'LOCAL_S3_ROOT is set, but backfill lists buckets of S3: of a folder, run judges single files',
      );
    }
    const { since, until, reason, dryRun, notify } = options;
    const places = placesOf(config.s3.buckets, options);
    const listing = openListing(config);
    try {
      const counts = await backfillPlaces(
        { database, queue, listing, filter: config.s3 },
        {
          ...{ places, dryRun, notify, now: new Date() },
          since: since === 'installation' ? await installationTime(database) : since,
          ...(until && { until }),
          ...(reason !== undefined && { reason }),
        },
      );
      if (!dryRun) await recordListing(database, { places, counts, reason });
      show(context, config.logLevel, options, counts);
      return EXIT.ok;
    } finally {
      listing.close();
    }
  });

/** A part of a bucket that is listed. */
interface Place {
  readonly bucket: string;
  readonly prefix: string;
}

/** The key prefixes of the settings, and what of them is asked for: of other keys nothing would be a delivery. */
function placesOf(
  buckets: readonly DeliveryBucket[],
  { bucket, prefix = '' }: Pick<BackfillOptions, 'bucket' | 'prefix'>,
): readonly Place[] {
  const known = buckets.map(({ name }) => name).filter((name) => name !== undefined);
  const asked = bucket === undefined ? known : [bucket];
  if (asked.length === 0) throw new UsageError('--bucket is needed: the settings name none');
  const places = asked.flatMap((name) => {
    const own = buckets.find((one) => (one.name ?? name) === name);
    if (own === undefined) {
      throw new UsageError(`--bucket ${name} is none of the settings: ${known.join(', ')}`);
    }
    const prefixes = own.prefixes.length === 0 ? [''] : own.prefixes;
    return prefixes
      .filter((one) => !prefixes.some((other) => one !== other && one.startsWith(other)))
      .filter((one) => one.startsWith(prefix) || prefix.startsWith(one))
      .map((one) => ({ bucket: name, prefix: one.length > prefix.length ? one : prefix }));
  });
  if (places.length === 0) {
    throw new UsageError(`no key below --prefix ${prefix} is a delivery; see S3_PREFIXES`);
  }
  return places;
}

/** What {@link backfillPlaces} works with. */
export interface BackfillParts {
  readonly database: Database;
  readonly queue: Pick<Queue, 'enqueue'>;
  readonly listing: Pick<Listing, 'pages'>;
  readonly filter: DeliveryFilter;
}

/** What {@link backfillPlaces} looks at. */
export interface BackfillRange {
  readonly places: readonly Place[];
  readonly since: Date;
  readonly until?: Date;
  readonly now: Date;
  readonly dryRun: boolean;
  readonly reason?: string;
  /** See `askForListed`. @default false */
  readonly notify?: boolean;
}

/** Why an object version is left out, or how it stands in the database. */
type Finding = 'filtered' | 'outside' | 'tooYoung' | 'archived' | Standing;

/** How many object versions of a listing there are of each kind. */
export type BackfillCounts = Readonly<Record<'listed' | Finding, number>>;

/** A message comes within seconds, and is tried again for an hour (Amazon SNS, "Message delivery retries"). */
const LEFT_TO_MESSAGES_MS = 3_600_000;

/** Object versions of one transaction. */
const BATCH = 250;

/**
 * Lists places page by page, and enqueues the object versions without a verdict. What was enqueued is known to the
 * next call, which so goes on where one was killed; no more than a page is held in memory.
 */
export async function backfillPlaces(
  { database, queue, listing, filter }: BackfillParts,
  range: BackfillRange,
): Promise<BackfillCounts> {
  const counts = {
    ...{ listed: 0, filtered: 0, outside: 0, tooYoung: 0, archived: 0 },
    ...{ known: 0, failed: 0, missing: 0, again: 0 },
  };
  for (const { bucket, prefix } of range.places) {
    for await (const { versions } of listing.pages(bucket, prefix)) {
      counts.listed += versions.length;
      const candidates: ListedObject[] = [];
      for (const version of versions) {
        const object = { ...version, bucket };
        const reason = reasonToLeaveOut(object, filter, range);
        if (reason === undefined) candidates.push(object);
        else counts[reason] += 1;
      }
      for (let from = 0; from < candidates.length; from += BATCH) {
        const batch = candidates.slice(from, from + BATCH);
        const standings = await askForListed(database, queue, batch, range);
        for (const standing of standings) counts[standing] += 1;
      }
    }
  }
  return counts;
}

function reasonToLeaveOut(
  { bucket, key, sizeBytes, lastModified, isArchived }: ListedVersion & { readonly bucket: string },
  filter: DeliveryFilter,
  { since, until, now }: BackfillRange,
): Exclude<Finding, Standing> | undefined {
  const object = { bucket, key, sizeBytes, eventName: 'ObjectCreated' };
  if (keyProblem(key) ?? reasonToIgnore(object, filter)) return 'filtered';
  const time = lastModified.getTime();
  if (time < since.getTime() || time >= (until?.getTime() ?? Infinity)) return 'outside';
  if (time > now.getTime() - LEFT_TO_MESSAGES_MS) return 'tooYoung';
  return isArchived ? 'archived' : undefined;
}

/** What each count is about, in the order of the work. */
const MEANINGS: Readonly<Record<keyof BackfillCounts, string>> = {
  listed: 'object versions that are there',
  filtered: 'no deliveries: prefix, suffix or report prefix of the settings leave them out',
  outside: 'last modified at another time',
  tooYoung: 'of the last hour: left to their message',
  archived: 'in S3 Glacier, from where nothing is read before it was restored',
  known: 'with a verdict, or waiting for one',
  failed: 'whose run ended in error: runs retry --status error',
  again: 'whose run ended, since nothing or something else was there',
  missing: 'that no message announced',
};

function show(
  { stdout }: CommandContext,
  logLevel: Config['logLevel'],
  { dryRun, json, log }: BackfillOptions,
  counts: BackfillCounts,
): void {
  const found = counts.again + counts.missing;
  const enqueued = dryRun ? 0 : found;
  if (log) {
    const logger = createLogger(logLevel, logLines(stdout, stdout.isTTY === true));
    if (found === 0) logger.info({ ...counts, enqueued }, 'no object version lacks a verdict');
    else logger.warn({ ...counts, enqueued }, 'object versions lack a verdict');
  } else if (json) {
    stdout.write(`${JSON.stringify({ ...counts, enqueued, dryRun })}\n`);
  } else {
    const lines = Object.entries(MEANINGS).map(
      ([name, meaning]) =>
        `${String(counts[name as keyof BackfillCounts]).padStart(9)}  ${name.padEnd(8)}  ${meaning}\n`,
    );
    const done = dryRun ? `${found} would be enqueued: a dry run` : `${enqueued} enqueued`;
    stdout.write(`${lines.join('')}${done}\n`);
  }
}
