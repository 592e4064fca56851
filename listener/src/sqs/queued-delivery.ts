import type { Logger } from 'pino';
import { ListenerError } from '../errors.ts';
import type { Metrics } from '../http/metrics.ts';
import type { Intake } from '../http/sns-delivery.ts';
import { parseEnvelope } from '../sns/envelope.ts';
import type { Verifier } from '../sns/verifier.ts';
import type { Handled } from './queue-consumer.ts';

/** What {@link queuedDelivery} works with. */
export interface QueuedDeliveryDependencies {
  readonly verifier: Verifier;
  readonly intake: Pick<Intake, 'acceptNotification'>;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, 'countQueued' | 'observeIntake'>;
}

/**
 * Takes a message that SNS put into a queue. It is signed as over HTTP and verified as there, unless
 * raw delivery is on, which is refused. What is refused stays in the queue and so comes to the
 * dead-letter queue.
 */
export function queuedDelivery({ verifier, intake, logger, metrics }: QueuedDeliveryDependencies) {
  return async (body: string): Promise<Handled> => {
    const startedAt = performance.now();
    try {
      const envelope = parseEnvelope(body);
      const { messageId, topicArn, type } = envelope;
      if (type !== 'Notification') {
        const problems = `Type is ${type}, from a queue only Notification is taken`;
        throw new ListenerError('envelope_invalid', { problems });
      }
      await verifier.verify(envelope);
      const taken = await intake.acceptNotification(envelope);
      const seconds = (performance.now() - startedAt) / 1000;
      metrics.countQueued(taken.outcome);
      metrics.observeIntake(seconds);
      logger.info(
        { messageId, topicArn, ...taken, milliseconds: Math.round(seconds * 1000) },
        'message taken from the queue',
      );
      return 'done';
    } catch (error) {
      // What is not an error of the table came from the intake: the database is unavailable, or a bug.
      const known = error instanceof ListenerError ? error : undefined;
      const code = known?.code ?? 'intake_failed';
      metrics.countQueued(code);
      logger.warn({ err: error, code }, 'message stays in the queue');
      return known === undefined || known.retryable ? 'unavailable' : 'kept';
    }
  };
}
