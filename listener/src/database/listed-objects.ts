import type { JobRequest, Queue } from '../queue/queue.ts';
import { identityOf, isSameWrite, storableText, toJsonb } from './column-values.ts';
import type { Database, Transaction } from './connection.ts';
import { requestJudgements } from './judgements.ts';
import { tablesOf } from './tables.ts';

/** An object version as a listing of its bucket has it. */
export interface ListedObject {
  readonly bucket: string;
  readonly key: string;
  /** Absent where the bucket keeps no versions. */
  readonly versionId?: string;
  readonly eTag?: string;
  readonly sizeBytes: number;
  readonly lastModified: Date;
}

/**
 * How a listed object version stands:
 *
 * - `known`: it has a verdict, or waits for one.
 * - `failed`: its run ended in error; whoever knows the reason has it tried again.
 * - `again`: its run ended, since nothing or something else was there. It is there now.
 * - `missing`: it has no run.
 */
export type Standing = 'known' | 'failed' | 'again' | 'missing';

/** How, and whether, {@link askForListed} asks. */
export interface ListedRequest {
  /** Only looks. */
  readonly dryRun: boolean;
  /** Why, for the record. */
  readonly reason?: string;
  /** Whether anybody is told of the verdicts. @default false: what is made up for is old, and may be much */
  readonly notify?: boolean;
}

/** How long intake may be kept waiting for a vacuum that gives way, in milliseconds; half of what it has for a message. */
const LOCK_WAIT_MS = 2_000;

/**
 * Asks for judgements of those object versions of a listing that have no verdict and wait for none, in one
 * transaction. A later call finds them known.
 *
 * @param objects - of one batch, each once
 * @returns how each stood; `again` and `missing` are those that were asked for
 */
export async function askForListed(
  database: Database,
  queue: Pick<Queue, 'enqueue'>,
  objects: readonly ListedObject[],
  { dryRun, reason, notify = false }: ListedRequest,
): Promise<readonly Standing[]> {
  const found = await standingsOf(database, objects);
  if (dryRun || found.every(({ standing }) => !isAskedFor(standing))) return standings(found);
  return database.transaction(async (transaction) => {
    if (found.some(({ standing, object }) => standing === 'missing' && !isVersion(object))) {
      await keepIntakeOut(transaction);
    }
    const now = await standingsOf(transaction, objects);
    const made = await makeRuns(
      transaction,
      now.filter(({ standing }) => standing === 'missing').map(({ object }) => object),
      { reason, quiet: !notify },
    );
    const ended = now.flatMap(({ standing, runId }) =>
      standing === 'again' && runId !== null ? [runId] : [],
    );
    const asked = await requestJudgements(transaction, ended, {
      askedBy: 'backfill',
      quiet: !notify,
      ...(reason !== undefined && { reason }),
    });
    await queue.enqueue([...made, ...asked], transaction, true);
    return standings(now);
  });
}

/** When the database was first migrated: from then on the listener could have known of objects. */
export async function installationTime(database: Database): Promise<Date> {
  const [time] = await database(tablesOf(database).migrations)
    .orderBy('migration_time')
    .limit(1)
    .pluck<Date[]>('migration_time');
  if (time === undefined) throw new Error('the database knows of no migration');
  return time;
}

interface Found {
  readonly object: ListedObject;
  readonly standing: Standing;
  readonly runId: string | null;
}

function standings(found: readonly Found[]): readonly Standing[] {
  return found.map(({ standing }) => standing);
}

function isAskedFor(standing: Standing): boolean {
  return standing === 'missing' || standing === 'again';
}

/** The one version of an object that had none when it was written can be written over, and so names no content. */
function isVersion({ versionId = 'null' }: ListedObject): boolean {
  return versionId !== 'null';
}

/** Of several runs that fit, the one counts that is furthest. */
async function standingsOf(
  database: Database | Transaction,
  objects: readonly ListedObject[],
): Promise<readonly Found[]> {
  const { rows } = await database.raw<{
    rows: { position: number; runId: string | null; standing: Standing }[];
  }>(
    `SELECT position, run.id AS "runId", CASE
       WHEN run.id IS NULL THEN 'missing'
       WHEN run.verdict IS NOT NULL OR run.status = 'pending' THEN 'known'
       WHEN run.status = 'error' THEN 'failed'
       ELSE 'again'
     END AS standing
     FROM jsonb_to_recordset(?::jsonb) AS listed (
       position integer, bucket text, key text, is_version boolean, version_id text, e_tag text,
       last_modified timestamptz
     )
     LEFT JOIN LATERAL (
       SELECT id, status, verdict FROM ${tablesOf(database).runs} AS run
       WHERE run.bucket = listed.bucket AND run.key = listed.key AND CASE
         WHEN listed.is_version THEN run.version_id = listed.version_id
         ELSE coalesce(run.version_id, 'null') = 'null' AND run.e_tag = listed.e_tag
           AND (run.last_modified = listed.last_modified OR ${isSameWrite({
             ...{ eTag: 'listed.e_tag', eventTime: 'run.event_time' },
             ...{ lastModified: 'listed.last_modified', listedAt: 'now()' },
           })})
       END
       ORDER BY verdict IS NULL, status <> 'pending', status = 'error' LIMIT 1
     ) AS run ON true
     ORDER BY position`,
    [
      JSON.stringify(
        objects.map((object, position) => ({
          position,
          bucket: object.bucket,
          key: object.key,
          is_version: isVersion(object),
          version_id: object.versionId,
          e_tag: object.eTag,
          last_modified: object.lastModified,
        })),
      ),
    ],
  );
  return rows.flatMap(({ position, standing, runId }) => {
    const object = objects[position];
    return object === undefined ? [] : [{ object, standing, runId }];
  });
}

/**
 * Nothing unique says that an event and a listing tell of the same object without version: so no message is recorded
 * between the look and the commit. What intake writes to is locked, since nobody but it does much there, and for a moment
 * only; a statement of intake that waits for it sees afterwards what was made.
 */
async function keepIntakeOut(transaction: Transaction): Promise<void> {
  await transaction.raw(`SET LOCAL lock_timeout = ${LOCK_WAIT_MS}`);
  const { messages } = tablesOf(transaction);
  await transaction.raw(`LOCK TABLE ${messages} IN SHARE ROW EXCLUSIVE MODE`);
}

/** In an order that is the same in every transaction, as intake makes runs. */
async function makeRuns(
  transaction: Transaction,
  objects: readonly ListedObject[],
  { reason, quiet }: { readonly reason: string | undefined; readonly quiet: boolean },
): Promise<readonly JobRequest[]> {
  const { runs, judgements } = tablesOf(transaction);
  const { rows } = await transaction.raw<{ rows: JobRequest[] }>(
    `WITH made AS (
       INSERT INTO ${runs} (bucket, key, identity, version_id, e_tag, size_bytes, last_modified)
       SELECT bucket, key, identity, version_id, e_tag, size_bytes, last_modified
       FROM jsonb_to_recordset(?::jsonb) AS listed (
         bucket text, key text, identity text, version_id text, e_tag text, size_bytes bigint,
         last_modified timestamptz
       )
       ORDER BY bucket COLLATE "C", key COLLATE "C", identity COLLATE "C"
       ON CONFLICT (bucket, key, identity) DO NOTHING
       RETURNING id
     )
     INSERT INTO ${judgements} (run_id, number, asked_by, reason, quiet)
     SELECT id, 1, 'backfill', ?, ? FROM made
     RETURNING run_id AS "runId", number, job_id AS "jobId"`,
    [
      JSON.stringify(
        objects.map((object) => ({
          bucket: object.bucket,
          key: object.key,
          identity: identityOf(object, object),
          version_id: object.versionId,
          e_tag: object.eTag,
          size_bytes: object.sizeBytes,
          last_modified: object.lastModified,
        })),
      ),
      reason === undefined ? null : storableText(reason),
      quiet,
    ],
  );
  return rows;
}

/** What a listing of places found. */
export interface RecordedListing {
  readonly places: readonly { readonly bucket: string; readonly prefix: string }[];
  /** Object versions by what was found of them. */
  readonly counts: Readonly<Record<string, number>>;
  readonly reason: string | undefined;
}

/** Notes what a listing found, for who looks after it. */
export async function recordListing(
  database: Database,
  { places, counts, reason }: RecordedListing,
): Promise<void> {
  await database(tablesOf(database).listings).insert({
    places: toJsonb(places),
    counts: toJsonb(counts),
    reason: reason === undefined ? null : storableText(reason),
  });
}

/** The last listings, newest first. */
export async function lastListings(
  database: Database,
  limit: number,
): Promise<readonly (RecordedListing & { readonly endedAt: Date })[]> {
  return database(tablesOf(database).listings)
    .select({ endedAt: 'ended_at', places: 'places', counts: 'counts', reason: 'reason' })
    .orderBy('id', 'desc')
    .limit(limit);
}
