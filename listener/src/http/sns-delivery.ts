import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { TopicArn } from '@file-processing/contract/arn.ts';
import { MESSAGE_TYPES, SNS_HEADERS } from '@file-processing/contract/sns-envelope.ts';
import type { Logger } from 'pino';
import { ListenerError } from '../errors.ts';
import type { Confirmer } from '../sns/confirmation.ts';
import {
  type Confirmation,
  type Envelope,
  type Notification,
  parseEnvelope,
} from '../sns/envelope.ts';
import type { Verifier } from '../sns/verifier.ts';
import type { Metrics } from './metrics.ts';
import type { ListenerMiddleware } from './middleware.ts';
import { readBody } from './read-body.ts';

/** What became of a notification. */
export interface IntakeResult {
  readonly outcome: 'accepted' | 'known' | 'duplicate' | 'ignored' | 'dead';
  /** Runs that this message made. */
  readonly runIds: readonly string[];
  /** Why it is ignored or dead, or what of it is ignored; for the log. */
  readonly reason?: string;
}

/** Records messages durably. Each promise settles after the commit. */
export interface Intake {
  acceptNotification(envelope: Notification): Promise<IntakeResult>;
  /** Called once AWS has confirmed; a confirmation that failed comes again and is not recorded. */
  recordConfirmation(envelope: Confirmation): Promise<unknown>;
  recordUnsubscribe(envelope: Confirmation): Promise<unknown>;
}

/** What {@link snsDelivery} works with. */
export interface SnsDeliveryDependencies {
  readonly verifier: Verifier;
  readonly confirmer: Confirmer;
  readonly intake: Intake;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Called once a request's message is verified, before anything is done with it. */
  readonly onVerified?: (request: IncomingMessage) => void;
}

/** The log's line about a genuine message that is recorded as dead; its reason is beside it. */
export const MESSAGE_UNREADABLE =
  'the message could not be read: it is kept as dead, and no file of it is checked';

interface Answer {
  readonly outcome: IntakeResult['outcome'] | 'confirmed' | 'unsubscribed';
  readonly runIds: readonly string[];
  readonly reason?: string;
}

/** Takes a delivery of Amazon SNS. The answer decides whether SNS tries again. */
export function snsDelivery(dependencies: SnsDeliveryDependencies): ListenerMiddleware {
  const { verifier, logger, metrics } = dependencies;
  return async (ctx) => {
    const startedAt = performance.now();
    const headerType = readMessageTypeHeader(ctx.req.headers);
    const envelope = parseEnvelope(await readBody(ctx.req, { signal: ctx.state.signal }));
    const { messageId, topicArn, type } = envelope;
    ctx.state.message = { messageId, topicArn, type };
    if (headerType !== type) {
      throw new ListenerError('message_type_mismatch', { header: headerType, type });
    }

    const topic = await verifier.verify(envelope);
    dependencies.onVerified?.(ctx.req);
    const answer = await handle(envelope, topic, dependencies, ctx.state.signal);

    const seconds = (performance.now() - startedAt) / 1000;
    if (!ctx.state.signal?.aborted) {
      metrics.countRequest(answer.outcome);
      metrics.observeIntake(seconds);
    }
    const line = { messageId, topicArn, type, ...answer, milliseconds: Math.round(seconds * 1000) };
    if (answer.outcome === 'dead') logger.error(line, MESSAGE_UNREADABLE);
    else logger.info(line, 'message taken');
    ctx.status = 200;
    ctx.body = { outcome: answer.outcome, runIds: answer.runIds };
  };
}

function readMessageTypeHeader(headers: IncomingHttpHeaders): string {
  if (String(headers[SNS_HEADERS.rawDelivery]).toLowerCase() === 'true') {
    const subscriptionArn = String(headers[SNS_HEADERS.subscriptionArn] ?? 'unknown');
    throw new ListenerError('raw_delivery', { subscriptionArn });
  }
  const type = headers[SNS_HEADERS.type];
  if (typeof type !== 'string' || type === '') {
    throw new ListenerError('message_type_missing', { allowed: MESSAGE_TYPES.join(', ') });
  }
  return type;
}

async function handle(
  envelope: Envelope,
  topic: TopicArn,
  { confirmer, intake, logger }: SnsDeliveryDependencies,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  switch (envelope.type) {
    case 'Notification':
      return recorded(intake.acceptNotification(envelope));
    case 'SubscriptionConfirmation': {
      const subscriptionArn = await confirmer.confirm(envelope, topic, signal);
      await recorded(intake.recordConfirmation(envelope));
      logger.info({ topicArn: topic.arn, subscriptionArn }, 'subscription confirmed');
      return { outcome: 'confirmed', runIds: [] };
    }
    case 'UnsubscribeConfirmation':
      await recorded(intake.recordUnsubscribe(envelope));
      logger.error(
        { messageId: envelope.messageId, topicArn: topic.arn },
        'the subscription has ended: no file of this topic is checked until someone subscribes again',
      );
      return { outcome: 'unsubscribed', runIds: [] };
  }
}

/** Whatever keeps a message from being recorded is worth another try by SNS. */
async function recorded<Value>(work: Promise<Value>): Promise<Value> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof ListenerError) {
      throw error;
    }
    const reason = error instanceof Error ? error.message : 'unknown';
    const code = isDatabaseUnavailable(error) ? 'database_unavailable' : 'intake_failed';
    throw new ListenerError(code, { reason }, { cause: error });
  }
}

/** Whether the database can't record now; by the code, since HTTP does not know the database. */
export function isDatabaseUnavailable(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'DATABASE_UNAVAILABLE';
}
