import type { Database, Transaction } from '../database/connection.ts';
import { sqlStateOf } from '../database/errors.ts';
import { queueSchemaOf, schemaOf, tablesOf } from '../database/tables.ts';
import {
  type ClientsOf,
  RUN_QUEUE,
  takePlaces,
  UNPLACED_PRIORITY,
  type Weights,
  waitForPlaces,
} from './queue.ts';

/** Jobs that one transaction places. */
const PLACED_AT_ONCE = 1_000;

/** A transaction of intake takes tens of milliseconds, and ten times that on a machine that has no time. */
const PLACES_WAIT_MS = 1_000;

/** A job that is due and has no place; its run may be gone. */
interface Unplaced {
  readonly id: string;
  readonly bucket: string | null;
  readonly key: string | null;
  /** With its id the order of arrival; text, since a Date has no microseconds. */
  readonly since: string;
  readonly seenAt: string;
}

/**
 * Places jobs that are due and have no place: what an operator asks for, what is tried again, what an older version
 * of this program enqueued. Any number of processes may call it at once.
 *
 * One call comes to all that are there when it begins. Where intake is giving out places of a client, it waits for these: under a stream of
 * messages that never ends they are hardly ever free, and whoever only tries gets none for minutes.
 *
 * @param waitMs until another transaction is taken for one of a frozen process. @default 1000
 * @returns how many
 */
export async function placeWaiting(
  database: Database,
  clientsOf: ClientsOf,
  weights: Weights,
  waitMs = PLACES_WAIT_MS,
): Promise<number> {
  let count = 0;
  let isFrozen = false;
  let first: Unplaced | undefined;
  for (let last: Unplaced | undefined; ; ) {
    // One that is tried again has come before those that never stop coming: it is only met by a call that begins anew.
    const seen = await unplaced(database, first?.seenAt, last);
    if (seen.length === 0) return count;
    const clients = await clientsOf(
      seen.map(({ bucket, key }) => ({ bucket: bucket ?? '', key: key ?? '' })),
    );
    const jobs = seen.map(({ id }, index) => ({ id, client: clients[index] ?? '' }));
    const { placed, left } = await database.transaction((transaction) =>
      placeIn(transaction, jobs, weights),
    );
    count += placed;
    for (const [client, some] of Map.groupBy(left, (job) => job.client)) {
      // A process that holds places for so long may be frozen: the others are not to wait for it again and again.
      if (isFrozen) break;
      const waited = await placeAfterWaiting(database, client, some, weights, waitMs);
      isFrozen = waited === undefined;
      count += waited ?? 0;
    }
    first ??= seen[0];
    last = seen.at(-1);
    if (seen.length < PLACED_AT_ONCE) return count;
  }
}

/** What makes a job of the queue one that is due and has no place. */
const UNPLACED = `name = '${RUN_QUEUE}' AND priority = ${UNPLACED_PRIORITY} AND state < 'active'
  AND NOT blocked AND start_after <= now()`;

/**
 * The next ones, oldest first.
 *
 * @param until when the first ones were seen @default now
 */
async function unplaced(
  database: Database,
  until: string | undefined,
  after: Unplaced | undefined,
): Promise<readonly Unplaced[]> {
  const { rows } = await database.raw<{ rows: Unplaced[] }>(
    `SELECT waiting.id, waiting.created_on::text AS since, now()::text AS "seenAt", run.bucket, run.key
     FROM (
       SELECT id, data, created_on FROM ${queueSchemaOf(database)}.job
       WHERE ${UNPLACED} AND created_on <= coalesce(?, now()) ${after === undefined ? '' : 'AND (created_on, id) > (?, ?)'}
       ORDER BY created_on, id LIMIT ${PLACED_AT_ONCE}
     ) AS waiting
     LEFT JOIN ${tablesOf(database).runs} AS run ON run.id = (data ->> 'runId')::uuid
     ORDER BY created_on, waiting.id`,
    [until ?? null, ...(after === undefined ? [] : [after.since, after.id])],
  );
  return rows;
}

interface JobOfClient {
  readonly id: string;
  readonly client: string;
}

/** @returns how many, or undefined where another transaction has the client's places for too long */
async function placeAfterWaiting(
  database: Database,
  client: string,
  jobs: readonly JobOfClient[],
  weights: Weights,
  waitMs: number,
): Promise<number | undefined> {
  try {
    return await database.transaction(async (transaction) => {
      // As the first statement, so that nobody waits for a row meanwhile.
      await waitForPlaces(transaction, client, waitMs);
      return (await placeIn(transaction, jobs, weights)).placed;
    });
  } catch (error) {
    if (sqlStateOf(error) === LOCK_NOT_AVAILABLE) return undefined;
    throw error;
  }
}

const LOCK_NOT_AVAILABLE = '55P03';

/** @returns how many, and those whose client's places another transaction has */
async function placeIn(
  transaction: Transaction,
  asked: readonly JobOfClient[],
  weights: Weights,
): Promise<{ readonly placed: number; readonly left: readonly JobOfClient[] }> {
  const job = `${queueSchemaOf(transaction)}.job`;
  const { rows: held } = await transaction.raw<{ rows: { id: string }[] }>(
    `SELECT id FROM ${job} WHERE ${UNPLACED} AND id = ANY (?::uuid[]) FOR UPDATE SKIP LOCKED`,
    [asked.map(({ id }) => id)],
  );
  const ids = new Set(held.map(({ id }) => id));
  const jobs = asked.filter(({ id }) => ids.has(id));
  const priorities = await takePlaces(transaction, jobs, weights);
  const isPlaced = (index: number) => priorities[index] !== UNPLACED_PRIORITY;
  const placed = jobs
    .map(({ id }, index) => ({ id, priority: priorities[index] }))
    .filter((_, index) => isPlaced(index));
  await transaction.raw(
    `UPDATE ${job} AS job SET priority = placed.priority
     FROM jsonb_to_recordset(?::jsonb) AS placed (id uuid, priority integer)
     WHERE job.name = '${RUN_QUEUE}' AND job.id = placed.id`,
    [JSON.stringify(placed)],
  );
  return { placed: placed.length, left: jobs.filter((_, index) => !isPlaced(index)) };
}

/** Forgets clients that are not ahead of what is fetched now, as if they had never been there. @returns how many */
export async function forgetIdleClients(database: Database): Promise<number> {
  const { queueClients } = tablesOf(database);
  const { rowCount } = await database.raw<{ rowCount: number }>(
    `DELETE FROM ${queueClients} WHERE client IN (
       SELECT client FROM ${queueClients} WHERE next_round < (SELECT ${schemaOf(database)}.current_round())
         -- Where none waits, the last one says where the rounds go on.
         AND next_round < (SELECT max(next_round) FROM ${queueClients})
       FOR UPDATE SKIP LOCKED
     )`,
  );
  return rowCount;
}
