import type { ObjectReference, S3Event } from '@file-processing/contract/s3-event.ts';
import {
  IS_LISTED,
  identityOf,
  isSameWrite,
  readableTime,
  storableText,
} from '../database/column-values.ts';
import type { Database, Transaction } from '../database/connection.ts';
import { DatabaseUnavailableError, meansUnavailable, sqlStateOf } from '../database/errors.ts';
import { groupCommit, PATIENCE_MS } from '../database/group-commit.ts';
import type { Envelope } from '../database/sns-messages.ts';
import { type Tables, tablesOf } from '../database/tables.ts';
import type { ClientsOf, Queue } from '../queue/queue.ts';

/** What became of a message. */
export interface Acceptance {
  /**
   * `duplicate`: the message was recorded before, and nothing was done. `known`: it is recorded, and all
   * of its objects have runs already, by other messages.
   */
  readonly outcome: 'accepted' | 'known' | 'duplicate' | 'ignored' | 'dead';
  /** The new runs; none for objects that other messages named before. */
  readonly runIds: readonly string[];
  /** Why it is ignored or dead, or what of it is ignored; as it is recorded. */
  readonly reason?: string;
}

/**
 * Records a verified notification. When it returns, message, runs and jobs are committed.
 *
 * @throws {DatabaseUnavailableError} when the database is down, out of connections or too slow; a
 * transaction that commits after that does no harm, since the delivery comes again as a duplicate
 */
export type AcceptMessage = (envelope: Envelope, event: S3Event) => Promise<Acceptance>;

/** What {@link openIntake} works with. */
export interface IntakeOptions {
  readonly database: Database;
  readonly queue: Pick<Queue, 'enqueue'>;
  /** Whose files they are. @default judgements get their places in the queue a moment later */
  readonly clientsOf?: ClientsOf | undefined;
  /** Time for one message, in milliseconds. @default 4500, so that HTTP answers within 5 s */
  readonly deadlineMs?: number;
}

/** Attempts at a transaction that PostgreSQL broke off in favour of another one. */
const ATTEMPTS = 3;

/** One message as it is recorded. */
interface MessageRow {
  readonly envelope: Envelope;
  readonly outcome: 'accepted' | 'ignored' | 'dead';
  readonly reason: string | null;
  readonly objects: readonly ObjectReference[];
}

/**
 * Makes the intake: a message, a run for each new object and a job for each new run are one
 * transaction, which deliveries that arrive at the same time share.
 *
 * What makes a message or an object new is a unique constraint, so any number of processes may take
 * the same delivery at once. A message whose content the database refuses (a key that no object has, a
 * text that PostgreSQL can't hold) is recorded as dead.
 */
export function openIntake({
  database,
  queue,
  clientsOf,
  deadlineMs = 4_500,
}: IntakeOptions): AcceptMessage {
  const record = groupCommit<MessageRow, Acceptance>({
    run: (rows) => recordGroup({ database, queue, clientsOf }, rows),
    // One that waits for a duplicate in another process must not hold up all the others.
    ...{ groupsAtOnce: 2, patienceMs: PATIENCE_MS },
    largestGroup: 100,
  });
  return (envelope, event) =>
    withinDeadline(deadlineMs, () => record({ envelope, ...rowOf(event) }));
}

function rowOf(event: S3Event): Omit<MessageRow, 'envelope'> {
  if (event.kind !== 'objects') {
    return { outcome: event.kind, reason: event.reason, objects: [] };
  }
  const reasons = [...new Set(event.ignored.map(({ reason }) => reason))];
  return {
    outcome: 'accepted',
    reason: reasons.length === 0 ? null : reasons.join('; '),
    objects: event.objects,
  };
}

type Intake = Omit<IntakeOptions, 'deadlineMs'>;

/** One message that the database refuses must not take the others of its group with it. */
async function recordGroup(
  intake: Intake,
  rows: readonly MessageRow[],
): Promise<readonly Acceptance[]> {
  try {
    return await withAttempts(() => recordTogether(intake, rows));
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    const [row] = rows;
    if (rows.length === 1 && row !== undefined) {
      const dead: MessageRow = { ...row, outcome: 'dead', reason: refusal, objects: [] };
      return withAttempts(() => recordTogether(intake, [dead]));
    }
    const results: Acceptance[] = [];
    for (const alone of rows) results.push(...(await recordGroup(intake, [alone])));
    return results;
  }
}

async function withAttempts<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      const brokenOff = ['40001', '40P01'].includes(sqlStateOf(error) ?? '');
      if (!brokenOff || attempt === ATTEMPTS) throw error;
    }
  }
}

/** What an operator asks for who has a message read anew. */
export interface RereadRequest {
  readonly envelope: Envelope;
  readonly event: S3Event;
  /** Why it is read anew, for the record. */
  readonly reason: string;
  /** Why it was dead or ignored before. */
  readonly before: string | null;
}

/**
 * Records what a message says that was recorded as dead or ignored before. One that was taken meanwhile
 * is a duplicate. When it returns, message, runs and jobs are committed.
 *
 * @returns `dead` where the database refuses the content: then the record is as it was
 */
export async function acceptAnew(
  database: Database,
  queue: Pick<Queue, 'enqueue'>,
  { envelope, event, reason, before }: RereadRequest,
): Promise<Acceptance> {
  const row = rowOf(event);
  const told = [row.reason, before && `before: ${before}`].filter(Boolean).join('; ');
  const rows = [{ envelope, ...row, reason: told || null }];
  try {
    const [acceptance] = await withAttempts(() =>
      recordTogether({ database, queue }, rows, reason),
    );
    return acceptance ?? { outcome: 'duplicate', runIds: [] };
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    return { outcome: 'dead', runIds: [], reason: refusal };
  }
}

/** @param settledReason - takes messages anew that are dead or ignored, for this reason */
async function recordTogether(
  { database, queue, clientsOf }: Intake,
  rows: readonly MessageRow[],
  settledReason?: string,
): Promise<readonly Acceptance[]> {
  const clients = await clientsByObject(rows, clientsOf);
  const runIdsOf = await database.transaction(async (transaction) => {
    const statement = insertMessagesAndRuns(tablesOf(transaction), settledReason !== undefined);
    const { rows: inserted } = await transaction.raw<{ rows: InsertedRow[] }>(statement, [
      JSON.stringify(rows.map(messageColumns)),
      ...(settledReason === undefined ? [] : [storableText(settledReason)]),
      JSON.stringify(rows.flatMap(objectColumns)),
    ]);
    const adopted = inserted.some((row) => row.may_be_listed)
      ? await adoptListed(
          transaction,
          inserted.flatMap((row) => row.run_ids),
        )
      : new Set<string>();
    const newMessages = new Map(
      inserted.map((row) => [row.message_id, row.run_ids.filter((id) => !adopted.has(id))]),
    );
    const traces = new Map(rows.map(({ envelope }) => [envelope.messageId, envelope.traceparent]));
    // The job of a message's judgement has its run's id: it needs no column of its own.
    const jobs = inserted.flatMap(({ message_id, run_ids, buckets, keys }) =>
      run_ids
        .map((id, index) => ({
          ...{ runId: id, number: 1, jobId: id, traceparent: traces.get(message_id) },
          client: clients.get(nameOf(buckets[index], keys[index])),
        }))
        .filter(({ runId }) => !adopted.has(runId)),
    );
    await queue.enqueue(jobs, transaction);
    return newMessages;
  });
  return rows.map(({ envelope, outcome, reason }) => {
    const runIds = runIdsOf.get(envelope.messageId);
    // The same message twice in one group: only the first of them is new.
    runIdsOf.delete(envelope.messageId);
    if (runIds === undefined) return { outcome: 'duplicate', runIds: [] };
    const made = outcome === 'accepted' && runIds.length === 0 ? 'known' : outcome;
    return { outcome: made, runIds, ...(reason !== null && { reason }) };
  });
}

interface InsertedRow {
  readonly message_id: string;
  /** New runs, and in the same order their objects. */
  readonly run_ids: readonly string[];
  readonly buckets: readonly string[];
  readonly keys: readonly string[];
  readonly may_be_listed: boolean;
}

function nameOf(bucket: string | undefined, key: string | undefined): string {
  return `${bucket}/${key}`;
}

/** Before the transaction: it may need a connection of its own. */
async function clientsByObject(
  rows: readonly MessageRow[],
  clientsOf: ClientsOf | undefined,
): Promise<ReadonlyMap<string, string>> {
  const objects = rows.flatMap((row) => row.objects);
  const clients = (await clientsOf?.(objects)) ?? [];
  return new Map(clients.map((client, i) => [nameOf(objects[i]?.bucket, objects[i]?.key), client]));
}

/**
 * One statement for both tables, since round trips are most of what intake costs. Messages and then
 * runs are inserted in an order that is the same in every transaction, so that two of them which
 * hold the same ones can't wait for each other.
 *
 * Messages are a table for each month in which SNS signed them or they were put into the queue, as a repetition says again;
 * each has its own key.
 */
const insertMessagesAndRuns = ({ messages, runs }: Tables, anew: boolean) => `
  WITH given AS (
    SELECT * FROM jsonb_to_recordset(?::jsonb) AS message (
      message_id text, topic_arn text, outcome text, reason text, subject text, message text,
      signed_at timestamptz
    )
  ), ${anew ? takenAnew(messages) : ''} new_messages AS (
    INSERT INTO ${messages}
      (message_id, topic_arn, type, outcome, reason, subject, message, signed_at)
    SELECT message_id, topic_arn, 'Notification', outcome, reason, subject, message, signed_at
    FROM given
    ORDER BY message_id COLLATE "C"
    ON CONFLICT DO NOTHING
    RETURNING message_id
  ), taken AS (
    SELECT message_id FROM new_messages ${anew ? 'UNION ALL SELECT message_id FROM taken_anew' : ''}
  ), new_runs AS (
    INSERT INTO ${runs}
      (message_id, bucket, key, identity, version_id, e_tag, sequencer, size_bytes, event_name,
       event_time, aws_region)
    SELECT object.*
    FROM taken JOIN jsonb_to_recordset(?::jsonb) AS object (
      message_id text, bucket text, key text, identity text, version_id text, e_tag text,
      sequencer text, size_bytes bigint, event_name text, event_time timestamptz, aws_region text
    ) USING (message_id)
    ORDER BY bucket COLLATE "C", key COLLATE "C", identity COLLATE "C"
    ON CONFLICT (bucket, key, identity) DO NOTHING
    RETURNING id, message_id, bucket, key, e_tag
  )
  SELECT message_id, ${['id', 'bucket', 'key'].map(
    (column) => `ARRAY(
      SELECT ${column} FROM new_runs WHERE new_runs.message_id = taken.message_id ORDER BY id
    ) AS ${column === 'id' ? 'run_ids' : `${column}s`}`,
  )}, EXISTS (
    SELECT FROM new_runs JOIN LATERAL (
      SELECT FROM ${runs} AS run
      WHERE ${IS_LISTED} AND run.bucket = new_runs.bucket AND run.key = new_runs.key
        AND run.e_tag = new_runs.e_tag
      LIMIT 1
    ) AS listed ON true
  ) AS may_be_listed
  FROM taken`;

/** Changes those that are there, dead or ignored; a message that the retention has deleted meanwhile is a new one. */
const takenAnew = (messages: string) => `taken_anew AS (
    UPDATE ${messages} AS present
    SET outcome = given.outcome, reason = given.reason, settled_at = now(), settled_reason = ?
    FROM given WHERE present.message_id = given.message_id
      AND present.outcome IN ('dead', 'ignored')
    RETURNING present.message_id
  ),`;

/**
 * Takes back new runs of objects that a listing found before: the listing's run takes over what their event says, its
 * identity as well, so that the same event in another message finds it.
 *
 * @returns those that are no more
 */
async function adoptListed(
  transaction: Transaction,
  newRunIds: readonly string[],
): Promise<ReadonlySet<string>> {
  const { runs } = tablesOf(transaction);
  const { rows } = await transaction.raw<{ rows: { id: string }[] }>(
    `WITH pair AS (
       SELECT event.id AS event_id, listed.id AS listed_id,
         abs(extract(epoch FROM listed.last_modified - event.event_time)) AS distance
       FROM ${runs} AS event JOIN ${runs} AS listed
         ON (listed.bucket, listed.key, listed.e_tag) = (event.bucket, event.key, event.e_tag)
         AND listed.${IS_LISTED} AND event.identity LIKE 'etag %'
         AND ${isSameWrite({
           ...{ eTag: 'event.e_tag', eventTime: 'event.event_time' },
           ...{ lastModified: 'listed.last_modified', listedAt: 'listed.created_at' },
         })}
       WHERE event.id = ANY (?::uuid[])
     ), nearest AS (
       -- Each event with at most one run, and the other way round.
       SELECT * FROM (
         SELECT DISTINCT ON (listed_id) * FROM (
           SELECT DISTINCT ON (event_id) * FROM pair ORDER BY event_id, distance, listed_id
         ) AS of_event
         ORDER BY listed_id, distance, event_id
       ) AS of_listed
     ), held AS (
       -- Another message may have been faster.
       SELECT event_id, listed_id FROM ${runs} AS run JOIN nearest ON run.id = listed_id
       WHERE run.${IS_LISTED} ORDER BY listed_id FOR NO KEY UPDATE OF run
     ), taken_back AS (
       DELETE FROM ${runs} AS event USING held WHERE event.id = event_id
       RETURNING listed_id, event.*
     )
     UPDATE ${runs} AS run
     SET identity = event.identity, sequencer = event.sequencer, event_name = event.event_name,
       event_time = event.event_time, aws_region = event.aws_region, message_id = event.message_id
     FROM taken_back AS event WHERE run.id = listed_id
     RETURNING event.id`,
    [[...newRunIds]],
  );
  return new Set(rows.map(({ id }) => id));
}

function messageColumns({ envelope, outcome, reason }: MessageRow): Record<string, unknown> {
  return {
    message_id: envelope.messageId,
    topic_arn: envelope.topicArn,
    outcome,
    reason: reason === null ? null : storableText(reason),
    subject: envelope.subject === undefined ? null : storableText(envelope.subject),
    message: storableText(envelope.message),
    signed_at: envelope.timestamp,
  };
}

/** Not made storable: a key that can't be stored would not be the object's key any more. */
function objectColumns({ envelope, objects }: MessageRow): Record<string, unknown>[] {
  return objects.map((object) => ({
    message_id: envelope.messageId,
    bucket: object.bucket,
    key: object.key,
    identity: identityOf(object, envelope),
    version_id: object.versionId,
    e_tag: object.eTag,
    sequencer: object.sequencer,
    size_bytes: object.sizeBytes,
    event_name: object.eventName,
    event_time: readableTime(object.eventTime),
    aws_region: object.awsRegion,
  }));
}

/**
 * Why the database refuses the content for good, or undefined for any other error: class 22 is
 * "data exception", 23514 a check constraint, 23502 a part that must be there.
 */
function refusalOf(error: unknown): string | undefined {
  const state = sqlStateOf(error) ?? '';
  if (!(error instanceof Error) || !/^(22...|23514|23502)$/.test(state)) return undefined;
  const rule = 'constraint' in error ? error.constraint : undefined;
  return `the database refuses what the event says: ${rule ?? `SQLSTATE ${state}`}`;
}

/**
 * Runs work on the database that a caller waits for. It may go on in the background after its time
 * is up; the caller has then been told to try again.
 *
 * @throws {DatabaseUnavailableError} when the time is up, or for any error that means it
 */
export async function withinDeadline<T>(deadlineMs: number, work: () => Promise<T>): Promise<T> {
  const expired = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => expired.reject(new DatabaseUnavailableError(`no answer within ${deadlineMs} ms`)),
    deadlineMs,
  );
  try {
    return await Promise.race([work(), expired.promise]);
  } catch (error) {
    if (error instanceof DatabaseUnavailableError || !meansUnavailable(error)) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new DatabaseUnavailableError(reason, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}
