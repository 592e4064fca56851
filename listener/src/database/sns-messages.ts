import type { MessageType } from '@file-processing/contract/sns-envelope.ts';
import { storableText } from './column-values.ts';
import type { Database } from './connection.ts';
import { tablesOf } from './tables.ts';

/** What became of a message. */
export const MESSAGE_OUTCOMES = [
  'accepted',
  'ignored',
  'dead',
  'confirmation',
  'unsubscribe',
] as const;

/** One of {@link MESSAGE_OUTCOMES}. */
export type MessageOutcome = (typeof MESSAGE_OUTCOMES)[number];

/** The fields of a verified SNS envelope that are kept. */
export interface Envelope {
  readonly messageId: string;
  readonly topicArn: string;
  /** When SNS signed it. */
  readonly timestamp: Date | string;
  readonly subject?: string;
  readonly message: string;
}

/** A message as it is kept, for audit and replay. */
export interface SnsMessage {
  readonly messageId: string;
  readonly topicArn: string;
  readonly type: MessageType;
  readonly outcome: MessageOutcome;
  /** Why it was ignored or is dead. */
  readonly reason: string | null;
  readonly subject: string | null;
  readonly message: string;
  readonly signedAt: Date;
  readonly receivedAt: Date;
}

const MESSAGE_COLUMNS = {
  messageId: 'message_id',
  topicArn: 'topic_arn',
  type: 'type',
  outcome: 'outcome',
  reason: 'reason',
  subject: 'subject',
  message: 'message',
  signedAt: 'signed_at',
  receivedAt: 'received_at',
};

const TYPE_OF = {
  confirmation: 'SubscriptionConfirmation',
  unsubscribe: 'UnsubscribeConfirmation',
} as const satisfies Record<string, MessageType>;

/**
 * Records a message about the subscription itself. A repeated one changes nothing.
 *
 * @returns whether it was new
 */
export async function insertSubscriptionMessage(
  database: Database,
  envelope: Envelope,
  outcome: 'confirmation' | 'unsubscribe',
): Promise<boolean> {
  const inserted = await database(tablesOf(database).snsMessages)
    .insert({
      message_id: envelope.messageId,
      topic_arn: envelope.topicArn,
      type: TYPE_OF[outcome],
      outcome,
      subject: envelope.subject === undefined ? null : storableText(envelope.subject),
      message: storableText(envelope.message),
      signed_at: envelope.timestamp,
    })
    .onConflict('message_id')
    .ignore()
    .returning('message_id');
  return inserted.length === 1;
}

/** One message. */
export async function findMessage(
  database: Database,
  messageId: string,
): Promise<SnsMessage | undefined> {
  return database(tablesOf(database).snsMessages)
    .where({ message_id: messageId })
    .first<SnsMessage | undefined>(MESSAGE_COLUMNS);
}

/** Messages with an outcome, newest first. @param limit @default 50 */
export async function listMessages(
  database: Database,
  outcome: MessageOutcome,
  limit = 50,
): Promise<SnsMessage[]> {
  return database(tablesOf(database).snsMessages)
    .select(MESSAGE_COLUMNS)
    .where({ outcome })
    .orderBy('received_at', 'desc')
    .limit(limit);
}

/** What is kept of a certificate that has verified messages. */
interface SigningCertificate {
  readonly url: string;
  readonly sha256: string;
  readonly validUntil: Date;
}

/** More than SNS uses at a time in all regions. */
const MOST_CERTIFICATES = 100;

/** The certificates that have verified messages, as all processes of this database know them. */
export function signingCertificates(database: Database) {
  const table = tablesOf(database).signingCertificates;
  return {
    /** Those that are valid, the last verified first. */
    list: (): Promise<SigningCertificate[]> =>
      database(table)
        .select<SigningCertificate[]>({ url: 'url', sha256: 'sha256', validUntil: 'valid_until' })
        .where('valid_until', '>', database.fn.now())
        .orderBy('verified_at', 'desc')
        .limit(MOST_CERTIFICATES),

    /** Takes the place of what was known of the URL; what has expired goes. */
    async add({ url, sha256, validUntil }: SigningCertificate): Promise<void> {
      await database(table).where('valid_until', '<=', database.fn.now()).delete();
      await database(table)
        .insert({ url, sha256, valid_until: validUntil })
        .onConflict('url')
        .merge({ sha256, valid_until: validUntil, verified_at: database.fn.now() });
    },
  };
}
