import type { Database } from './connection.ts';
import { tablesOf } from './tables.ts';

/** A bucket that is out for a process. */
export interface BucketOutage {
  readonly bucket: string;
  /** What can't be done there. */
  readonly way: 'read' | 'write';
  /** As `Outage` of the breakers has it. */
  readonly outage: string;
  readonly since: Date;
}

/** How often a process says again that a bucket is out, in seconds. */
const SAID_EVERY_SECONDS = 60;

/** What was said so long ago, in seconds, is of a process that has ended. */
const FORGOTTEN_SECONDS = 3 * SAID_EVERY_SECONDS;

/**
 * Makes what tells the database which buckets are out for a process, which otherwise only its memory knows. It writes where
 * that has changed, or was said a minute ago; what the database fails with is thrown, and the next call does it.
 *
 * @param process another one for each start
 */
export function outageTeller(
  database: Database,
  process: string,
  now = () => performance.now(),
): (open: readonly BucketOutage[]) => Promise<void> {
  let told = '[]';
  let toldAt = 0;
  return async (open) => {
    const text = JSON.stringify(open);
    const isOld = open.length > 0 && now() - toldAt >= SAID_EVERY_SECONDS * 1000;
    if (text === told && !isOld) return;
    const outages = tablesOf(database).bucketOutages;
    await database.transaction(async (transaction) => {
      await transaction(outages)
        .where({ process })
        .orWhereRaw('said_at < now() - make_interval(secs => ?)', [FORGOTTEN_SECONDS])
        .delete();
      if (open.length === 0) return;
      await transaction(outages).insert(
        open.map(({ bucket, way, outage, since }) => ({ process, bucket, way, outage, since })),
      );
    });
    told = text;
    toldAt = now();
  };
}

/** A bucket that is out for some processes, since the first of them found it so. */
export interface KnownOutage extends BucketOutage {
  readonly processes: number;
}

/** The buckets that are out, the oldest outage first. */
export async function bucketOutages(database: Database, limit: number): Promise<KnownOutage[]> {
  return database(tablesOf(database).bucketOutages)
    .whereRaw('said_at >= now() - make_interval(secs => ?)', [FORGOTTEN_SECONDS])
    .groupBy('bucket', 'way', 'outage')
    .orderByRaw('min(since), bucket, way, outage')
    .limit(limit)
    .select<KnownOutage[]>(
      ...['bucket', 'way', 'outage'],
      database.raw('min(since) AS since, count(*)::integer AS processes'),
    );
}
