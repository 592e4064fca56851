import type { Database } from '../database/connection.ts';
import { type Envelope, insertSubscriptionMessage } from '../database/sns-messages.ts';
import { withinDeadline } from './deadline.ts';

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
