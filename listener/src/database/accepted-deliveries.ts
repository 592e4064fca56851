import type { AcceptedDelivery, DeliveredColumn } from '@file-processing/quality/delivery-rules.ts';
import type { Database } from './connection.ts';
import { tablesOf } from './tables.ts';

/** When an object was delivered: as its event or a listing tells, else when it was first heard of. */
export const DELIVERED_AT = 'coalesce(event_time, last_modified, created_at)';

/** Which accepted deliveries are looked for. */
export interface AcceptedBefore {
  readonly monitoringFileId: number;
  /** The run of the delivery that they came before. */
  readonly runId: string;
  /** The most of them, the last ones. */
  readonly limit: number;
}

/** An accepted delivery that is recorded. */
export interface RecordedDelivery extends AcceptedDelivery {
  readonly runId: string;
}

/**
 * The deliveries of a monitored file that were accepted before one of them, the last one first. Accepted is an object
 * version whose verdict that stands is `passed` or `warned`, and was made for this monitored file, by whatever version
 * of its mapping. Their order is that of their delivery, whenever they were judged: a run that is backfilled or judged
 * again has the same ones before it as if it had been judged at once, as far as these have been judged by now.
 *
 * Only the last one has its columns, and only where they were kept.
 */
export async function acceptedBefore(
  database: Database,
  { monitoringFileId, runId, limit }: AcceptedBefore,
): Promise<RecordedDelivery[]> {
  const { runs, judgements } = tablesOf(database);
  const { rows } = await database.raw<{ rows: AcceptedRow[] }>(
    `SELECT run.id, delivered_at, judgement.row_count AS rows, judgement.byte_count AS bytes, sha256,
       CASE WHEN row_number() OVER (ORDER BY delivered_at DESC, run.created_at DESC, run.id DESC) = 1
         THEN accepted_columns END AS columns
     FROM (
       SELECT id, verdict_number, created_at, ${DELIVERED_AT} AS delivered_at FROM ${runs}
       WHERE accepted_file = ? AND (${DELIVERED_AT}, created_at, id)
         < (SELECT ${DELIVERED_AT}, created_at, id FROM ${runs} WHERE id = ?)
       ORDER BY ${DELIVERED_AT} DESC, created_at DESC, id DESC LIMIT ?
     ) AS run
     JOIN ${judgements} AS judgement ON run_id = run.id AND number = verdict_number
     ORDER BY delivered_at DESC, run.created_at DESC, run.id DESC`,
    [monitoringFileId, runId, limit],
  );
  return rows.map(({ id, delivered_at, rows: rowCount, bytes, sha256, columns }) => ({
    runId: id,
    deliveredAt: delivered_at.toISOString(),
    rows: Number(rowCount),
    bytes: Number(bytes),
    ...(sha256 === null ? {} : { sha256 }),
    ...(columns === null ? {} : { columns }),
  }));
}

/** When the object of a run was delivered. */
export async function deliveredAt(database: Database, runId: string): Promise<string> {
  const { rows } = await database.raw<{ rows: { delivered_at: Date }[] }>(
    `SELECT ${DELIVERED_AT} AS delivered_at FROM ${tablesOf(database).runs} WHERE id = ?`,
    [runId],
  );
  const [run] = rows;
  if (run === undefined) throw new Error(`run ${runId} has vanished`);
  return run.delivered_at.toISOString();
}

interface AcceptedRow {
  readonly id: string;
  readonly delivered_at: Date;
  readonly rows: number | string;
  readonly bytes: number | string;
  readonly sha256: string | null;
  readonly columns: DeliveredColumn[] | null;
}
