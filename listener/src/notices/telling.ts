import type { Logger } from 'pino';
import type { NoticeConfig } from '../config/notice-config.ts';
import type { Config } from '../config.ts';
import type { Database } from '../database/connection.ts';
import type { ReportForm } from '../jobs/write-report.ts';
import { type Repeated, repeat } from '../queue/worker.ts';
import { type Span, type Tracer, traced } from '../tracing/tracing.ts';
import {
  type Attempted,
  claimMessages,
  contentOf,
  endAbandonedMessages,
  type HeldMessage,
  settleMessage,
  withdrawMessage,
} from './messages.ts';
import type { Outlet } from './outlet.ts';
import { planNotices } from './plan.ts';
import { type Audience, LEASE_MS, RefusedError, type Way } from './policy.ts';

/** What telling works with. */
export interface TellingOptions {
  readonly database: Database;
  readonly audience: Audience;
  readonly outlets: readonly Outlet[];
  /** Where reports are written; undefined where none are. */
  readonly reports: Pick<ReportForm, 'prefix'> | undefined;
  readonly logger: Logger;
  /** Counts an attempt. */
  readonly onAttempt?: (way: Way, outcome: Attempted) => void;
  /** Called after each planning, with whether it was done without an error. */
  readonly onPlanned?: (isDone: boolean) => void;
  /** @default no traces */
  readonly tracer?: Tracer | undefined;
  /** @default the clock of the process */
  readonly now?: () => Date;
}

/** Between two looks of an idle process, in milliseconds. */
const LOOK_MS = 2_000;

/** Messages of one outlet that are sent at the same time. */
const SENT_AT_ONCE = 5;

/** No attempt may outlast its lease, or another process sends the same message meanwhile. */
const ATTEMPT_MS = LEASE_MS / 2;

/** Who hears of changes by the settings. */
export function audienceOf({ states, operators, mail, webhook, topic }: NoticeConfig): Audience {
  return {
    ...{ states, operators, mail: mail !== undefined },
    ...{ topicArn: topic?.arn, webhooks: webhook?.urls ?? [] },
  };
}

/** The ways out of the settings; the packages of the others are not loaded. */
export async function outletsOf({
  notices: { mail, webhook, topic },
  aws: { region },
}: Pick<Config, 'notices' | 'aws'>): Promise<readonly Outlet[]> {
  const outlets: Outlet[] = [];
  if (mail?.smtp !== undefined) {
    outlets.push((await import('./smtp.ts')).smtpOutlet({ from: mail.from, smtp: mail.smtp }));
  } else if (mail !== undefined) {
    outlets.push((await import('./ses.ts')).sesOutlet({ from: mail.from, region }));
  }
  if (webhook !== undefined) {
    outlets.push(...(await import('./webhook.ts')).webhookOutlets(webhook));
  }
  if (topic !== undefined) outlets.push((await import('./topic.ts')).topicOutlet(topic));
  return outlets;
}

/**
 * Tells of changes until it is stopped: plans what the outbox holds, and delivers what is due, each outlet by itself so
 * that one that hangs holds up no other. Any number of processes may do so at once.
 */
export function startTelling(options: TellingOptions): Repeated {
  const { outlets, logger } = options;
  const end = new AbortController();
  const onError = (err: unknown) => logger.warn({ err }, 'notices could not be looked after');
  const repeated = [
    repeat(LOOK_MS, () => planCounted(options), onError),
    ...outlets.map((outlet) =>
      repeat(LOOK_MS, () => deliverAll(options, outlet, end.signal), onError),
    ),
  ];
  return {
    async stop() {
      end.abort(new Error('the process is shutting down'));
      await Promise.all(repeated.map((one) => one.stop()));
      for (const outlet of outlets) outlet.close();
    },
  };
}

async function planCounted(options: TellingOptions): Promise<void> {
  try {
    await planAll(options);
    options.onPlanned?.(true);
  } catch (error) {
    options.onPlanned?.(false);
    throw error;
  }
}

/** Plans all that waits, and ends what nobody delivers any more. */
export async function planAll({
  database,
  audience,
  logger,
  now = () => new Date(),
}: TellingOptions): Promise<void> {
  let changes: number;
  do {
    ({ changes } = await planNotices(database, audience, now()));
  } while (changes > 0);
  const abandoned = await endAbandonedMessages(database, now());
  if (abandoned > 0) logger.error({ messages: abandoned }, 'notices were delivered by nobody');
}

/** Delivers all that is due by one outlet. */
export async function deliverAll(
  options: TellingOptions,
  outlet: Outlet,
  signal: AbortSignal,
): Promise<void> {
  const { database, now = () => new Date() } = options;
  let held: readonly HeldMessage[];
  do {
    if (signal.aborted) return;
    held = await claimMessages(database, outlet, now(), SENT_AT_ONCE);
    await Promise.all(held.map((message) => deliverTraced(options, outlet, message, signal)));
  } while (held.length === SENT_AT_ONCE);
}

/** A trace of its own for each attempt, with links to what is told: a digest tells of many, and waits for minutes. */
function deliverTraced(
  options: TellingOptions,
  outlet: Outlet,
  message: HeldMessage,
  signal: AbortSignal,
): Promise<void> {
  const attributes = {
    'messaging.operation.name': 'send',
    'messaging.operation.type': 'send',
    'messaging.message.id': message.id,
    'messaging.batch.message_count': message.noticeIds.length,
    'file_processing.notice.way': message.way,
    'file_processing.attempt': message.attempts,
  };
  return traced(options.tracer, 'send notice', { kind: 'producer', attributes }, (span) =>
    deliver(options, outlet, message, { signal, span }),
  );
}

async function deliver(
  { database, reports, logger, onAttempt, now = () => new Date() }: TellingOptions,
  outlet: Outlet,
  message: HeldMessage,
  { signal, span }: { readonly signal: AbortSignal; readonly span: Span },
): Promise<void> {
  const { id, way, attempts } = message;
  // The address of a person, or of a target, is in the database and in no log.
  const line = { noticeMessage: id, way, attempt: attempts, changes: message.noticeIds.length };
  let error: Error | undefined;
  try {
    const content = await contentOf(database, message, reports);
    for (const traceparent of content.traceparents) span.link(traceparent);
    if (content.isPast) {
      await withdrawMessage(database, message, now());
      logger.info(line, 'notice not sent: what it asks for has come');
      return;
    }
    if (content.notices.length === 0) throw new RefusedError('what it tells of was deleted');
    const limit = AbortSignal.any([signal, AbortSignal.timeout(ATTEMPT_MS)]);
    await untilAborted(limit, outlet.send({ ...message, ...content }, limit));
  } catch (thrown) {
    error = thrown instanceof Error ? thrown : new Error(String(thrown));
    span.fail(error);
  }
  const outcome = await settleMessage(database, message, error, now());
  onAttempt?.(way, outcome);
  if (outcome === 'delivered') logger.info(line, 'notice delivered');
  else if (outcome === 'failed') {
    logger.warn({ ...line, reason: error?.message }, 'notice not delivered, it is tried again');
  } else if (outcome === 'dead') {
    logger.error({ ...line, reason: error?.message }, 'notice not delivered, it is a dead letter');
  }
}

/** Not every library can be told to give up. */
async function untilAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    if (signal.aborted) throw signal.reason;
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
    work.catch(() => undefined);
  }
}
