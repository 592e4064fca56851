import {
  type DeliveryFilter,
  readS3Event,
  type S3Event,
} from '@file-processing/contract/s3-event.ts';
import type { Database } from '../database/connection.ts';
import { type Envelope, insertSubscriptionMessage } from '../database/sns-messages.ts';
import type { Queue } from '../queue/queue.ts';
import type { QueueIntake } from '../sqs/queued-delivery.ts';
import { openIntake, withinDeadline } from './accept-message.ts';

/** What {@link snsIntake} works with. */
export interface SnsIntakeOptions {
  readonly database: Database;
  readonly queue: Queue;
  /** Which objects are deliveries. */
  readonly filter: DeliveryFilter;
  /** Called when new runs were enqueued. */
  readonly onRuns: () => void;
}

/** The intake that HTTP and the queue hand verified messages to. */
export function snsIntake({ database, queue, filter, onRuns }: SnsIntakeOptions): QueueIntake {
  const accept = openIntake({ database, queue });
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
