import { partitionOf } from '@file-processing/contract/partition.ts';
import {
  type TrustedSource,
  type UnsignedEvent,
  unsignedEvent,
} from '@file-processing/contract/s3-event.ts';
import type { Logger } from 'pino';
import { ListenerError } from '../errors.ts';
import type { Metrics } from '../http/metrics.ts';
import {
  type Intake,
  type IntakeResult,
  isDatabaseUnavailable,
  MESSAGE_UNREADABLE,
} from '../http/sns-delivery.ts';
import { parseEnvelope } from '../sns/envelope.ts';
import type { Verifier } from '../sns/verifier.ts';
import type { Handled, QueuedMessage } from './queue-consumer.ts';

/** Who sent an event that nobody signed, as a message of SNS would say it. */
export interface UnsignedEnvelope {
  /** By which the queue knows it. */
  readonly messageId: string;
  /** Bucket, in the place of the topic. */
  readonly topicArn: string;
  /** When it was put into the queue: what it says itself may be old, and a month goes by this. */
  readonly timestamp: Date;
  readonly message: string;
}

/** Records messages durably, of which some come without SNS. Each promise settles after the commit. */
export interface QueueIntake extends Intake {
  /** Records an event that nobody signed, once its sender is trusted. */
  acceptUnsigned(envelope: UnsignedEnvelope, event: UnsignedEvent): Promise<IntakeResult>;
}

/** What {@link queuedDelivery} works with. */
export interface QueuedDeliveryDependencies {
  readonly verifier: Verifier;
  readonly intake: Pick<QueueIntake, 'acceptNotification' | 'acceptUnsigned'>;
  /** Buckets whose events need no signature; empty for none. */
  readonly trustedSources: readonly TrustedSource[];
  readonly region: string | undefined;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, 'countQueued' | 'observeIntake'>;
  /** Called with the URL of a certificate that a message needs and that could not be fetched. */
  readonly onNoCertificate?: (url: string) => void;
}

/** The certificates that messages of a queue needed and that could not be fetched. */
export interface MissingCertificates {
  note(url: string): void;
  /** Whether one of them is worth waiting for, with nothing fetched from the queue meanwhile. */
  areWaitedFor(): Promise<boolean>;
}

/** After that a message is fetched as often as the queue allows, and is then a dead letter. */
const LONGEST_WAIT_MS = 20 * 60_000;

/** Only who may send to the queue names URLs; more than these are not waited for. */
const MOST_MISSING = 100;

/**
 * Remembers which certificates are missing. Each is waited for at most 20 minutes: one whose host never
 * answers, as that of another region where no way leads, must not keep the messages of others waiting.
 *
 * @param answers - whether there is an answer at a URL by now
 * @param now - milliseconds. @default performance.now
 */
export function missingCertificates(
  answers: (url: string) => Promise<boolean>,
  now: () => number = () => performance.now(),
): MissingCertificates {
  const since = new Map<string, number>();
  return {
    note(url) {
      if (!since.has(url) && since.size < MOST_MISSING) since.set(url, now());
    },
    async areWaitedFor() {
      for (const [url, notedAt] of since) {
        if (await answers(url)) since.delete(url);
        else if (now() - notedAt < LONGEST_WAIT_MS) return true;
      }
      return false;
    },
  };
}

/** A message that is recorded, for the log. */
interface Taken extends IntakeResult {
  readonly messageId: string;
  /** Topic, or bucket where no topic was between. */
  readonly topicArn: string;
}

/**
 * Takes a message from the queue. One that SNS put there is signed as over HTTP and verified as there, unless raw
 * delivery is on, which is refused. One that S3 or EventBridge put there is signed by nobody: it is taken where its
 * bucket is trusted, since the queue's policy says who may send. What is refused stays in the queue and so comes to
 * the dead-letter queue.
 */
export function queuedDelivery(dependencies: QueuedDeliveryDependencies) {
  const { trustedSources, logger, metrics } = dependencies;
  return async (queued: QueuedMessage): Promise<Handled> => {
    const { body, id: queueMessageId } = queued;
    const startedAt = performance.now();
    try {
      const event = trustedSources.length === 0 ? undefined : unsignedEvent(body);
      const taken =
        event === undefined
          ? await takeSigned(body, dependencies)
          : await takeUnsigned(event, queued, dependencies);
      const seconds = (performance.now() - startedAt) / 1000;
      metrics.countQueued(taken.outcome);
      metrics.observeIntake(seconds);
      const line = { ...taken, milliseconds: Math.round(seconds * 1000) };
      if (taken.outcome === 'dead') logger.error(line, MESSAGE_UNREADABLE);
      else logger.info(line, 'message taken from the queue');
      return 'done';
    } catch (error) {
      // What is not an error of the table came from the intake: the database is unavailable, or a bug.
      const known = error instanceof ListenerError ? error : undefined;
      const code = known?.code ?? 'intake_failed';
      if (code === 'certificate_unavailable') {
        dependencies.onNoCertificate?.(String(known?.details.url));
      }
      metrics.countQueued(code);
      // The table's errors say all in one line, and senders of forged messages cause them at will.
      const about = known === undefined ? { err: error } : { reason: known.message };
      logger.warn(
        { ...about, code, queueMessageId, messageId: messageIdIn(body) },
        'message stays in the queue',
      );
      if (isDatabaseUnavailable(error)) return 'unrecorded';
      return known === undefined || known.retryable ? 'unavailable' : 'kept';
    }
  };
}

/** As SNS sent it, for whoever looks for a message that was refused: it is not verified. */
function messageIdIn(body: string): string | undefined {
  const [, id] = /"MessageId"\s*:\s*"([\w-]{1,100})"/.exec(body) ?? [];
  return id;
}

async function takeSigned(
  body: string,
  { verifier, intake }: QueuedDeliveryDependencies,
): Promise<Taken> {
  const envelope = parseEnvelope(body);
  const { messageId, topicArn, type } = envelope;
  if (type !== 'Notification') {
    const problems = `Type is ${type}, from a queue only Notification is taken`;
    throw new ListenerError('envelope_invalid', { problems });
  }
  await verifier.verify(envelope);
  return { messageId, topicArn, ...(await intake.acceptNotification(envelope)) };
}

/** @throws {ListenerError} where one of its buckets is not trusted */
async function takeUnsigned(
  event: UnsignedEvent,
  { body, id: messageId, sentAt: timestamp }: QueuedMessage,
  { trustedSources, region, intake }: QueuedDeliveryDependencies,
): Promise<Taken> {
  // A notification of S3 names no account: the policy of the queue alone says whose bucket may send.
  const strange = event.sources.find(
    ({ bucket, account }) =>
      !trustedSources.some(
        (trusted) =>
          trusted.bucket === bucket && (account === undefined || trusted.account === account),
      ),
  );
  if (strange !== undefined) {
    const { bucket = '(none)', account } = strange;
    throw new ListenerError('source_not_trusted', { bucket, account: account || '(not said)' });
  }
  const [{ bucket = '' } = {}] = event.sources;
  const topicArn = `arn:${partitionOf(region ?? '').name}:s3:::${bucket}`;
  const taken = await intake.acceptUnsigned(
    { messageId, topicArn, timestamp, message: body },
    event,
  );
  return { messageId, topicArn, ...taken };
}
