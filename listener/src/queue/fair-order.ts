import type { Database } from '../database/connection.ts';
import { queueSchemaOf, tablesOf } from '../database/tables.ts';
import {
  type ClientsOf,
  currentRound,
  RUN_QUEUE,
  takePlaces,
  UNPLACED_PRIORITY,
  type Weights,
} from './queue.ts';

/** Jobs that one call places; what is left waits for the next one. */
const PLACED_AT_ONCE = 1_000;

interface UnplacedRow {
  readonly id: string;
  readonly bucket: string;
  readonly key: string;
}

/**
 * Places jobs that are due and have no place: what an operator asks for, what is tried again, what an older version
 * of this program enqueued. Any number of processes may call it at once.
 *
 * @returns how many
 */
export async function placeWaiting(
  database: Database,
  clientsOf: ClientsOf,
  weights: Weights,
): Promise<number> {
  const job = `${queueSchemaOf(database)}.job`;
  const unplaced = `name = '${RUN_QUEUE}' AND priority = ${UNPLACED_PRIORITY} AND state < 'active'
    AND NOT blocked AND start_after <= now()`;
  const { rows: seen } = await database.raw<{ rows: UnplacedRow[] }>(
    `SELECT waiting.id, run.bucket, run.key FROM (
       SELECT id, data, created_on FROM ${job} WHERE ${unplaced} ORDER BY created_on LIMIT ?
     ) AS waiting JOIN ${tablesOf(database).runs} AS run ON run.id = (data ->> 'runId')::uuid
     ORDER BY created_on`,
    [PLACED_AT_ONCE],
  );
  if (seen.length === 0) return 0;
  const clients = await clientsOf(seen);
  return database.transaction(async (transaction) => {
    const { rows: held } = await transaction.raw<{ rows: { id: string }[] }>(
      `SELECT id FROM ${job} WHERE ${unplaced} AND id = ANY (?::uuid[]) FOR UPDATE SKIP LOCKED`,
      [seen.map(({ id }) => id)],
    );
    const ids = new Set(held.map(({ id }) => id));
    const jobs = seen
      .map(({ id }, index) => ({ id, client: clients[index] ?? '' }))
      .filter(({ id }) => ids.has(id));
    const priorities = await takePlaces(transaction, jobs, weights);
    const placed = jobs
      .map(({ id }, index) => ({ id, priority: priorities[index] }))
      .filter(({ priority }) => priority !== UNPLACED_PRIORITY);
    await transaction.raw(
      `UPDATE ${job} AS job SET priority = placed.priority
       FROM jsonb_to_recordset(?::jsonb) AS placed (id uuid, priority integer)
       WHERE job.name = '${RUN_QUEUE}' AND job.id = placed.id`,
      [JSON.stringify(placed)],
    );
    return placed.length;
  });
}

/** Forgets clients that are not ahead of what is fetched now, as if they had never been there. @returns how many */
export async function forgetIdleClients(database: Database): Promise<number> {
  const { queueClients } = tablesOf(database);
  const { rowCount } = await database.raw<{ rowCount: number }>(
    `DELETE FROM ${queueClients} WHERE client IN (
       SELECT client FROM ${queueClients} WHERE next_round < ${currentRound(database)}
         -- Where none waits, the last one says where the rounds go on.
         AND next_round < (SELECT max(next_round) FROM ${queueClients})
       FOR UPDATE SKIP LOCKED
     )`,
  );
  return rowCount;
}
