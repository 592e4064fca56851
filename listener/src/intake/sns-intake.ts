import {
  type DeliveryFilter,
  readS3Event,
  type S3Event,
  unsignedEvent,
} from '@file-processing/contract/s3-event.ts';
import type { Database } from '../database/connection.ts';
import {
  type Envelope,
  insertSubscriptionMessage,
  type SnsMessage,
} from '../database/sns-messages.ts';
import type { ClientsOf, Weights } from '../queue/queue.ts';
import type { QueueIntake } from '../sqs/queued-delivery.ts';
import { type Acceptance, acceptAnew, openIntake, withinDeadline } from './accept-message.ts';

/** What {@link snsIntake} works with. */
export interface SnsIntakeOptions {
  readonly database: Database;
  /** Whose they are. @default see {@link openIntake} */
  readonly clientsOf?: ClientsOf;
  /** Of their clients. @default 1 for each */
  readonly weights?: Weights;
  /** Which objects are deliveries. */
  readonly filter: DeliveryFilter;
  /** Called when new runs were enqueued. */
  readonly onRuns: () => void;
}

/** The intake that HTTP and the queue hand verified messages to. */
export function snsIntake({
  database,
  clientsOf,
  weights,
  filter,
  onRuns,
}: SnsIntakeOptions): QueueIntake {
  const accept = openIntake({ database, clientsOf, weights });
  const record = async (envelope: Envelope, event: S3Event) => {
    const acceptance = await accept(envelope, event);
    if (acceptance.runIds.length > 0) onRuns();
    return acceptance;
  };
  return {
    acceptNotification: (envelope) => record(envelope, readS3Event(envelope.message, filter)),
    acceptUnsigned: (envelope, event) => record(envelope, event.read(filter)),
    recordConfirmation: (envelope) => recordConfirmation(database, envelope),
    recordUnsubscribe: (envelope) => recordUnsubscribe(database, envelope),
  };
}

/**
 * Reads a message that is dead or was ignored anew, with the filter of today, and makes its runs as if it came
 * now. What still says nothing, and what was taken already, stays as it is recorded.
 *
 * @param reason - why, for the record
 */
export async function rereadMessage(
  { database, filter }: Pick<SnsIntakeOptions, 'database' | 'filter'>,
  stored: SnsMessage,
  reason: string,
): Promise<Acceptance> {
  const { messageId, topicArn, message, signedAt: timestamp, outcome } = stored;
  if (outcome !== 'dead' && outcome !== 'ignored') return { outcome: 'duplicate', runIds: [] };
  const event = readStored(stored, filter);
  if (event.kind === 'dead' || event.kind === outcome) {
    return { outcome: event.kind, runIds: [], ...('reason' in event && { reason: event.reason }) };
  }
  const envelope = { messageId, topicArn, timestamp, message };
  return acceptAnew(database, { envelope, event, reason, before: stored.reason });
}

function readStored({ topicArn, message }: SnsMessage, filter: DeliveryFilter): S3Event {
  // The key in it would be another one than the object's.
  if (/[\u2400\ufffd]/.test(message)) {
    return { kind: 'dead', reason: 'its text could not be stored as it came' };
  }
  // What no topic signed is recorded under its bucket.
  const unsigned = topicArn.split(':')[2] === 's3' ? unsignedEvent(message) : undefined;
  return unsigned?.read(filter) ?? readS3Event(message, filter);
}

/** So that HTTP answers within 5 s. */
const DEADLINE_MS = 4_500;

/**
 * Records that a subscription was confirmed.
 *
 * @returns whether the message was new
 * @throws {DatabaseUnavailableError}
 */
export async function recordConfirmation(database: Database, envelope: Envelope): Promise<boolean> {
  return withinDeadline(DEADLINE_MS, () =>
    insertSubscriptionMessage(database, envelope, 'confirmation'),
  );
}

/**
 * Records that a subscription ended.
 *
 * @returns whether the message was new
 * @throws {DatabaseUnavailableError}
 */
export async function recordUnsubscribe(database: Database, envelope: Envelope): Promise<boolean> {
  return withinDeadline(DEADLINE_MS, () =>
    insertSubscriptionMessage(database, envelope, 'unsubscribe'),
  );
}
