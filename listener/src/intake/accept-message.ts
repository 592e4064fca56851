import { randomUUID } from 'node:crypto';
import type { ObjectReference, S3Event } from '@file-processing/contract/s3-event.ts';
import { identityOf, readableTime, storableText } from '../database/column-values.ts';
import type { Database } from '../database/connection.ts';
import { DatabaseUnavailableError, meansUnavailable, sqlStateOf } from '../database/errors.ts';
import { groupCommit, PATIENCE_MS } from '../database/group-commit.ts';
import type { Envelope } from '../database/sns-messages.ts';
import { schemaOf } from '../database/tables.ts';
import { type ClientsOf, jobData, stepOf, type Weights } from '../queue/queue.ts';

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
  /** Whose files they are. @default judgements get their places in the queue a moment later */
  readonly clientsOf?: ClientsOf | undefined;
  /** Of these clients. @default 1 for each */
  readonly weights?: Weights | undefined;
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
  clientsOf,
  weights,
  deadlineMs = 4_500,
}: IntakeOptions): AcceptMessage {
  const record = groupCommit<MessageRow, Acceptance>({
    run: (rows) => recordGroup({ database, clientsOf, weights }, rows),
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
  { envelope, event, reason, before }: RereadRequest,
): Promise<Acceptance> {
  const row = rowOf(event);
  const told = [row.reason, before && `before: ${before}`].filter(Boolean).join('; ');
  const rows = [{ envelope, ...row, reason: told || null }];
  try {
    const [acceptance] = await withAttempts(() => recordTogether({ database }, rows, reason));
    return acceptance ?? { outcome: 'duplicate', runIds: [] };
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    return { outcome: 'dead', runIds: [], reason: refusal };
  }
}

/**
 * One statement, since round trips and plans are most of what intake would cost; see migration 0027.
 *
 * @param settledReason - takes messages anew that are dead or ignored, for this reason
 */
async function recordTogether(
  { database, clientsOf, weights = new Map() }: Intake,
  rows: readonly MessageRow[],
  settledReason?: string,
): Promise<readonly Acceptance[]> {
  const objects = rows.flatMap(objectColumns);
  const clients = (await clientsOf?.(objects)) ?? [];
  const named = objects.map((object, index) => {
    const client = clients[index];
    return client === undefined ? object : { ...object, client, step: stepOf(weights, client) };
  });
  const answer = await database.raw<{ rows: AcceptedRow[] }>(
    `SELECT taken, made FROM ${schemaOf(database)}.accept_messages(?::jsonb, ?::jsonb, ?::text)`,
    [
      JSON.stringify(rows.map(messageColumns)),
      JSON.stringify(named),
      settledReason === undefined ? null : storableText(settledReason),
    ],
  );
  const [{ taken, made } = NOTHING] = answer.rows;
  const runIdsOf = new Map((taken ?? []).map((id): [string, string[]] => [id, []]));
  const isMade = new Set(made);
  for (const { id, message_id } of objects) {
    if (isMade.has(id)) runIdsOf.get(message_id)?.push(id);
  }
  return rows.map(({ envelope, outcome, reason }) => {
    const runIds = runIdsOf.get(envelope.messageId);
    // The same message twice in one group: only the first of them is new.
    runIdsOf.delete(envelope.messageId);
    if (runIds === undefined) return { outcome: 'duplicate', runIds: [] };
    const made = outcome === 'accepted' && runIds.length === 0 ? 'known' : outcome;
    return { outcome: made, runIds, ...(reason !== null && { reason }) };
  });
}

/** Messages that are new, and new runs; null for none. */
interface AcceptedRow {
  readonly taken: readonly string[] | null;
  readonly made: readonly string[] | null;
}

const NOTHING: AcceptedRow = { taken: null, made: null };

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
function objectColumns({ envelope, objects }: MessageRow) {
  const { messageId, traceparent } = envelope;
  return objects.map((object) => {
    const id = randomUUID();
    return {
      // Of its run, if that is new.
      id,
      message_id: messageId,
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
      data: jobData({ runId: id, number: 1 }, traceparent),
    };
  });
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
