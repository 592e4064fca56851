import { DEAD_LETTER_QUEUE, RUN_QUEUE } from '../queue/queue.ts';
import type { Database } from './connection.ts';
import { queueSchemaOf, schemaOf, tablesOf } from './tables.ts';

/** What waits for somebody; counts go no further than {@link COUNTED_TO}. */
export interface Backlog {
  /** Jobs whose attempts are used up and that no operator has settled. */
  readonly deadLetters: number;
  /** Messages that could not be read and that no operator has settled. */
  readonly deadMessages: number;
  /**
   * Verdicts of the last days that stand and whose report is not in the bucket; undefined where none
   * are written.
   */
  readonly missingReports: number | undefined;
  /** Files of the last days whose verdict is of no mapping, as `runs list --unmonitored` has them. */
  readonly unmonitoredFiles: number;
  /** Deliveries that are past their due time, and not missing yet. */
  readonly lateDeliveries: number;
  /** Those that are missing, until some days after the next one's time has begun. */
  readonly missingDeliveries: number;
  /** Notices that could not be delivered, and that no operator has settled. */
  readonly deadNotices: number;
  readonly waitingNotices: number;
  /** Age of the oldest one that was tried and waits for another attempt; 0 for none. */
  readonly oldestNoticeSeconds: number;
  /** When the buckets were last listed, in seconds since 1970; undefined where they never were. */
  readonly lastListing: number | undefined;
  /** What that listing enqueued. */
  readonly foundByListing: number | undefined;
  /** From now to the end of the last month that has its tables, which the listener makes. */
  readonly monthsAheadSeconds: number;
  /** Age of the oldest judgement that has not ended; 0 for none. A listing's and a rule change's take their time. */
  readonly oldestWaitingSeconds: number;
}

/** Figures that there need not be. */
type Absent = 'missingReports' | 'lastListing' | 'foundByListing';

type BacklogRow = Omit<Backlog, Absent> & Readonly<Record<Absent, number | null>>;

/** More than these are not counted, so that a count stays cheap on the day when everything is wrong. */
export const COUNTED_TO = 10_000;

/** Verdicts as old as these are not looked at any more; the commands list all. */
export const BACKLOG_DAYS = 7;

/** A report is tried again for a quarter of an hour. */
const REPORT_MINUTES = 30;

/**
 * Counts what waits for somebody, in one statement. Each part has a partial index.
 *
 * @param writesReports - WRITE_REPORTS
 */
export async function backlogOf(
  database: Database,
  { writesReports }: { readonly writesReports: boolean },
): Promise<Backlog> {
  const { messages, runs, judgements } = tablesOf(database);
  const { periods, periodSchedules, noticeMessages, listings } = tablesOf(database);
  const recent = `now() - interval '${BACKLOG_DAYS} days'`;
  // The limit comes before the join, so that this is at most so many look-ups.
  const missingReports = `(
    SELECT count(*) FROM (
      SELECT run_id, number FROM ${judgements}
      WHERE report_key IS NULL AND (report IS NOT NULL OR reported_at IS NOT NULL)
        AND finished_at > ${recent}
        AND finished_at < now() - interval '${REPORT_MINUTES} minutes' LIMIT ${COUNTED_TO}
    ) AS judgement JOIN ${runs} ON id = run_id AND verdict_number = number
  )`;
  const absent = (condition: string) => `(
    SELECT count(*) FROM (
      SELECT FROM ${periods} WHERE ${condition} AND monitoring_file_id IN (
        SELECT monitoring_file_id FROM ${periodSchedules}
      ) LIMIT ${COUNTED_TO}
    ) AS period)`;
  const { rows } = await database.raw<{ rows: readonly BacklogRow[] }>(
    `SELECT
       (SELECT count(*) FROM (
         SELECT FROM ${queueSchemaOf(database)}.job
         WHERE name = '${DEAD_LETTER_QUEUE}' AND state < 'active' LIMIT ${COUNTED_TO}
       ) AS dead) AS "deadLetters",
       (SELECT count(*) FROM (
         SELECT FROM ${messages} WHERE outcome = 'dead' AND settled_at IS NULL LIMIT ${COUNTED_TO}
       ) AS dead) AS "deadMessages",
       ${writesReports ? missingReports : 'NULL'} AS "missingReports",
       (SELECT count(*) FROM (
         SELECT FROM ${runs} WHERE unmonitored AND created_at > ${recent} LIMIT ${COUNTED_TO}
       ) AS run) AS "unmonitoredFiles",
       ${absent("state = 'late'")} AS "lateDeliveries",
       ${absent(`state = 'missing' AND closes_at > ${recent}`)} AS "missingDeliveries",
       (SELECT count(*) FROM (
         SELECT FROM ${noticeMessages} WHERE status = 'dead' LIMIT ${COUNTED_TO}
       ) AS dead) AS "deadNotices",
       (SELECT count(*) FROM (
         SELECT FROM ${noticeMessages} WHERE status = 'waiting' LIMIT ${COUNTED_TO}
       ) AS waiting) AS "waitingNotices",
       coalesce((
         SELECT extract(epoch FROM now() - min(created_at)) FROM (
           SELECT created_at FROM ${noticeMessages}
           WHERE status = 'waiting' AND attempts > 0 LIMIT ${COUNTED_TO}
         ) AS tried
       ), 0)::float8 AS "oldestNoticeSeconds",
       extract(epoch FROM last_listing.ended_at)::float8 AS "lastListing",
       ((last_listing.counts ->> 'missing')::bigint + (last_listing.counts ->> 'again')::bigint)
         AS "foundByListing",
       (SELECT extract(epoch FROM min(until) - now()) FROM (
         SELECT max(ends) AS until FROM ${schemaOf(database)}.months() GROUP BY parent
       ) AS made)::float8 AS "monthsAheadSeconds",
       extract(epoch FROM now() - least(
         now(),
         (SELECT min(created_at) FROM ${runs}
          WHERE status = 'pending' AND last_number = 1 AND message_id IS NOT NULL),
         (SELECT min(created_at) FROM ${judgements}
          WHERE status IN ('queued', 'running') AND asked_by IN ('worker', 'operator'))
       ))::float8 AS "oldestWaitingSeconds"
     FROM (SELECT) AS once LEFT JOIN LATERAL (
       SELECT ended_at, counts FROM ${listings} ORDER BY id DESC LIMIT 1
     ) AS last_listing ON true`,
  );
  const [figures] = rows;
  if (figures === undefined) throw new Error('the database does not say what waits');
  return {
    ...figures,
    missingReports: figures.missingReports ?? undefined,
    lastListing: figures.lastListing ?? undefined,
    foundByListing: figures.foundByListing ?? undefined,
  };
}

/** Jobs of the queue of judgements, by what becomes of them; counts go no further than {@link COUNTED_TO}. */
export interface QueueState {
  /** That are due. */
  readonly waiting: number;
  /** Waiting for their next attempt. */
  readonly postponed: number;
  readonly running: number;
}

/** Counts the jobs of the queue. */
export async function queueState(database: Database): Promise<QueueState> {
  const jobs = (condition: string) => `(
    SELECT count(*) FROM (
      SELECT FROM ${queueSchemaOf(database)}.job
      WHERE name = '${RUN_QUEUE}' AND ${condition} LIMIT ${COUNTED_TO}
    ) AS job)`;
  const { rows } = await database.raw<{ rows: QueueState[] }>(
    `SELECT ${jobs("state < 'active' AND start_after <= now()")} AS waiting,
       ${jobs("state < 'active' AND start_after > now()")} AS postponed,
       ${jobs("state = 'active'")} AS running`,
  );
  const [state] = rows;
  if (state === undefined) throw new Error('the database does not say what is queued');
  return state;
}
