import { type DeliveryFilter, readS3Event } from '@file-processing/contract/s3-event.ts';
import type { Database } from '../database/connection.ts';
import { type Envelope, insertSubscriptionMessage } from '../database/sns-messages.ts';
import type { Intake } from '../http/sns-delivery.ts';
import type { Queue } from '../queue/queue.ts';
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

/** The intake that HTTP hands verified messages to. */
export function snsIntake({ database, queue, filter, onRuns }: SnsIntakeOptions): Intake {
  const accept = openIntake({ database, queue });
  return {
    async acceptNotification(envelope) {
      const acceptance = await accept(envelope, readS3Event(envelope.message, filter));
      if (acceptance.runIds.length > 0) onRuns();
      return acceptance;
    },
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
