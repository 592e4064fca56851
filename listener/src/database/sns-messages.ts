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
  /** When SNS signed it, or an unsigned event was put into the queue: the same in each repetition. */
  readonly timestamp: Date | string;
  readonly subject?: string;
  readonly message: string;
  /** W3C `traceparent` of its intake, which its jobs go on with; it is not kept with the message. */
  readonly traceparent?: string;
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
  /** When somebody had it read anew, or decided that it needs nothing more. */
  readonly settledAt: Date | null;
  /** Why. */
  readonly settledReason: string | null;
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
  settledAt: 'settled_at',
  settledReason: 'settled_reason',
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
  const inserted = await database(tablesOf(database).messages)
    .insert({
      message_id: envelope.messageId,
      topic_arn: envelope.topicArn,
      type: TYPE_OF[outcome],
      outcome,
      subject: envelope.subject === undefined ? null : storableText(envelope.subject),
      message: storableText(envelope.message),
      signed_at: envelope.timestamp,
    })
    // Each of its tables has its own key.
    .onConflict()
    .ignore()
    .returning('message_id');
  return inserted.length === 1;
}

/** One message. */
export async function findMessage(
  database: Database,
  messageId: string,
): Promise<SnsMessage | undefined> {
  return database(tablesOf(database).messages)
    .where({ message_id: messageId })
    .first<SnsMessage | undefined>(MESSAGE_COLUMNS);
}

/** Which messages with an outcome. */
export interface MessageFilter {
  /** Only those that were received then or later. */
  readonly since?: Date;
  /** Only those that were received earlier. */
  readonly until?: Date;
  /** Only what comes after this one: the id of the previous page's last one. */
  readonly after?: string;
}

/** Messages with an outcome, newest first; of the dead ones those that nobody has settled. */
export async function listMessages(
  database: Database,
  outcome: MessageOutcome,
  filter: MessageFilter,
  limit: number,
): Promise<SnsMessage[]> {
  return messagesWith(database, outcome, filter)
    .select(MESSAGE_COLUMNS)
    .orderBy([{ column: 'received_at', order: 'desc' }, 'message_id'])
    .limit(limit);
}

/** How many they are. @param atMost counts no further than this */
export async function countMessages(
  database: Database,
  outcome: MessageOutcome,
  filter: Omit<MessageFilter, 'after'>,
  atMost: number,
): Promise<number> {
  const some = messagesWith(database, outcome, filter).select('message_id').limit(atMost);
  const [{ count }] = await database.from(some.as('message')).count({ count: '*' });
  return Number(count);
}

function messagesWith(
  database: Database,
  outcome: MessageOutcome,
  { since, until, after }: MessageFilter,
) {
  const { messages } = tablesOf(database);
  const query = database(messages).where({ outcome });
  if (outcome === 'dead') query.whereNull('settled_at');
  if (since) query.where('received_at', '>=', since);
  if (until) query.where('received_at', '<', until);
  if (after !== undefined) {
    const time = `(SELECT received_at FROM ${messages} WHERE message_id = ?)`;
    // The first half is what the index finds.
    query.whereRaw(`received_at <= ${time} AND (received_at < ${time} OR message_id > ?)`, [
      after,
      after,
      after,
    ]);
  }
  return query;
}

/** Settles dead messages without reading them: they are listed no more. @returns how many this call has settled */
export async function discardMessages(
  database: Database,
  messageIds: readonly string[],
  reason: string,
): Promise<number> {
  return database(tablesOf(database).messages)
    .whereIn('message_id', messageIds)
    .where({ outcome: 'dead', settled_at: null })
    .update({ settled_at: database.fn.now(), settled_reason: storableText(reason) });
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
