import type { Database } from '../database/connection.ts';
import type { Intake } from '../http/sns-delivery.ts';
import { openIntake } from '../intake/accept-message.ts';
import { recordConfirmation, recordUnsubscribe } from '../intake/record-subscription.ts';
import type { Queue } from '../queue/queue.ts';
import { readS3Event } from '../s3/event-records.ts';

export interface SnsIntakeOptions {
  readonly database: Database;
  readonly queue: Queue;
  /** Keys below it are our own reports. */
  readonly reportPrefix: string;
  /** Told when new runs were enqueued. */
  readonly onRuns: () => void;
}

/** The intake that HTTP hands verified messages to. */
export function snsIntake({ database, queue, reportPrefix, onRuns }: SnsIntakeOptions): Intake {
  const accept = openIntake({ database, queue });
  return {
    async acceptNotification(envelope) {
      const acceptance = await accept(envelope, readS3Event(envelope.message, { reportPrefix }));
      if (acceptance.runIds.length > 0) onRuns();
      return acceptance;
    },
    recordConfirmation: (envelope) => recordConfirmation(database, envelope),
    recordUnsubscribe: (envelope) => recordUnsubscribe(database, envelope),
  };
}
