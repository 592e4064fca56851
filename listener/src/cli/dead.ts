import { EXIT } from '@file-processing/contract/listener-interface.ts';
import type { DeliveryFilter } from '@file-processing/contract/s3-event.ts';
import type { Database } from '../database/connection.ts';
import type { RunFilter } from '../database/runs.ts';
import {
  countMessages,
  discardMessages,
  findMessage,
  listMessages,
  type SnsMessage,
} from '../database/sns-messages.ts';
import { rereadMessage } from '../intake/sns-intake.ts';
import {
  countDeadMessages,
  type DeadMessage,
  discardMessages as discardNotices,
  findDeadMessage,
  listDeadMessages,
  retryMessages,
} from '../notices/messages.ts';
import {
  countDeadLetters,
  countDeadRuns,
  type DeadRun,
  discardDeadRuns,
  listDeadRuns,
  retryDeadRuns,
} from '../queue/dead-letters.ts';
import type { Queue } from '../queue/queue.ts';
import { type Command, UsageError } from './command-context.ts';
import type { DeadKind } from './options.ts';
import { amount, COUNT_AT_MOST, countText, printable, tableText } from './report-text.ts';
import { RUNS_AT_ONCE, runIdOf, show as showRun } from './runs.ts';
import { withDatabase, withQueue } from './with-database.ts';

/** Which of them; all but ignored messages where no kind is named. */
interface Selection extends Pick<RunFilter, 'since' | 'until'> {
  readonly kind?: DeadKind;
}

/** Options of `dead list`. */
export interface DeadListOptions extends Selection {
  readonly after?: string;
  readonly limit: number;
  readonly json: boolean;
}

/** Lists what nobody has settled, newest first. */
export const list: Command<DeadListOptions> = (context, { kind, limit, json, ...filter }) =>
  withDatabase(context, async (database) => {
    if (filter.after !== undefined && kind === undefined) {
      throw new UsageError('--after needs the --kind whose next ones are asked for');
    }
    const lists = [];
    for (const one of kind === undefined ? (['runs', 'messages', 'notices'] as const) : [kind]) {
      const shown = await LISTS[one](database, filter, limit, !json);
      lists.push({ ...shown, kind: one });
    }
    if (json) {
      const items = lists.flatMap((one) => one.items.map((item) => ({ kind: one.kind, ...item })));
      context.stdout.write(`${JSON.stringify(items, null, 2)}\n`);
      return EXIT.ok;
    }
    const texts = lists.map((one) => listText(one, limit));
    if (kind === undefined) {
      const letters = await countDeadLetters(database, COUNT_AT_MOST);
      texts.push(`dead letters in the queue: ${countText(letters, letters)}\n`);
    }
    context.stdout.write(texts.join('\n'));
    return EXIT.ok;
  });

/** A page for a reader, or for a program. */
interface Page {
  readonly items: readonly object[];
  readonly all: number;
  readonly title: string;
  readonly lastId: string | undefined;
  readonly text: string;
}

type ListOf = (
  database: Database,
  filter: Omit<DeadListOptions, 'kind' | 'limit' | 'json'>,
  limit: number,
  counts: boolean,
) => Promise<Page>;

const LISTS: Readonly<Record<DeadKind, ListOf>> = {
  async runs(database, { after, ...range }, limit, counts) {
    const id = after === undefined ? {} : { after: await runIdOf(database, after) };
    const items = await listDeadRuns(database, { ...range, ...id }, limit);
    return {
      items,
      all: counts ? await countDeadRuns(database, range, COUNT_AT_MOST) : items.length,
      title: 'runs whose attempts are used up',
      lastId: items.at(-1)?.id,
      text: tableText(['id', 'delivered', 'attempts', 'object', 'why'], items.map(runCells)),
    };
  },
  messages: messageList('dead', 'messages that could not be read'),
  ignored: messageList('ignored', 'messages that were ignored'),
  async notices(database, filter, limit, counts) {
    if (filter.after !== undefined && !(await findDeadMessage(database, filter.after))) {
      throw new UsageError(`there is no dead notice ${filter.after}; see dead list --kind notices`);
    }
    const items = await listDeadMessages(database, filter, limit);
    return {
      items,
      all: counts ? await countDeadMessages(database, filter, COUNT_AT_MOST) : items.length,
      title: 'notices that were not delivered',
      lastId: items.at(-1)?.id,
      text: tableText(['id', 'made', 'attempts', 'to', 'why'], items.map(noticeCells)),
    };
  },
};

function noticeCells({ id, createdAt, attempts, way, target, error }: DeadMessage): string[] {
  const to = `${way} ${target}`;
  return [id, createdAt.toISOString(), `${attempts}`, to, error ?? ''].map(printable);
}

function messageList(outcome: 'dead' | 'ignored', title: string): ListOf {
  return async (database, filter, limit, counts) => {
    const { after, ...range } = filter;
    if (after !== undefined && (await findMessage(database, after)) === undefined) {
      throw new UsageError(`there is no message ${after}; see dead list`);
    }
    const items = await listMessages(database, outcome, filter, limit);
    return {
      items,
      all: counts ? await countMessages(database, outcome, range, COUNT_AT_MOST) : items.length,
      title,
      lastId: items.at(-1)?.messageId,
      text: tableText(['id', 'received', 'from', 'why'], items.map(messageCells)),
    };
  };
}

function runCells(run: DeadRun): string[] {
  const { id, createdAt, attempts, bucket, key, status, verdict, error } = run;
  const why = error ?? 'its error was deleted for its age';
  const notes = {
    queued: 'another judgement waits',
    running: 'another judgement is in hand',
    finished: `${verdict}, its report was not written`,
    gone: 'the object is gone since',
    replaced: 'the object was replaced since',
    error: undefined,
  } as const;
  const note = notes[status];
  return [
    id,
    createdAt.toISOString(),
    `${attempts}`,
    printable(`${bucket}/${key}`),
    printable(note === undefined ? why : `${note}: ${why}`),
  ];
}

function messageCells({ messageId, receivedAt, topicArn, reason }: SnsMessage): string[] {
  return [messageId, receivedAt.toISOString(), topicArn, reason ?? ''].map(printable);
}

function listText(
  { items, all, title, lastId, text, kind }: Page & { readonly kind: DeadKind },
  limit: number,
): string {
  if (items.length === 0) return `${title}: ${all === 0 ? 'none' : 'no more'}\n`;
  const next =
    items.length === limit && all > limit
      ? `the next ones: --kind ${kind} --after ${lastId}\n`
      : '';
  return `${title}: ${countText(items.length, all)}\n${text}${next}`;
}

/** Options of `dead show`. */
export interface DeadShowOptions {
  /** Of a run, of which the first 8 characters will do, or of a message. */
  readonly id: string;
  readonly json: boolean;
}

/** Shows a message with what it says, a notice that was not delivered, or a run. */
export const show: Command<DeadShowOptions> = async (context, options) => {
  const { id } = options;
  const message = await withDatabase(context, async (database) => {
    const found = (await findMessage(database, id)) ?? (await findDeadMessage(database, id));
    if (found === undefined) await runIdOf(database, id, none(id));
    return found;
  });
  if (message === undefined) return showRun(context, options);
  context.stdout.write(
    options.json
      ? `${JSON.stringify(message, null, 2)}\n`
      : Object.entries(message)
          .filter(([, value]) => value !== null)
          .map(([name, value]) => `${name}: ${printable(textOf(value))}\n`)
          .join(''),
  );
  return EXIT.ok;
};

function none(id: string): string {
  return `there is no run, message or dead notice ${id}; see dead list`;
}

function textOf(value: unknown): string {
  return value instanceof Date ? value.toISOString() : String(value);
}

/** Options of `dead retry` and `dead discard`. */
export interface DeadActOptions extends Selection {
  /** Of runs, messages and notices; none where all are meant. */
  readonly ids: readonly string[];
  /** All that nobody has settled, within times and kind. */
  readonly all: boolean;
  readonly reason: string;
  readonly json: boolean;
}

/** Tries runs and notices again, reads messages anew with the settings of today, and settles them. */
export const retry: Command<DeadActOptions> = (context, options) => {
  requireIdsOrAll(options);
  return withQueue(context, async (database, queue, config) => {
    const done = { judgements: 0, reports: 0, messages: 0, newRuns: 0, ignored: 0, notices: 0 };
    const unread: Retried['unread'][number][] = [];
    for await (const batch of chosen(database, options)) {
      const parts = { database, queue, filter: config.s3 };
      const { unread: still, ...retried } = await retryBatch(parts, batch, options.reason);
      for (const name of Object.keys(done) as (keyof typeof done)[]) done[name] += retried[name];
      unread.push(...still);
    }
    context.stdout.write(
      options.json ? `${JSON.stringify({ ...done, unread })}\n` : retriedText({ ...done, unread }),
    );
    return unread.length > 0 ? EXIT.bad : EXIT.ok;
  });
};

/** What {@link retryBatch} works with. */
export interface RetryParts {
  readonly database: Database;
  readonly queue: Queue;
  /** Which objects are deliveries, by the settings of today. */
  readonly filter: DeliveryFilter;
}

/** What a retry came to: counts, and the messages that still can't be read, each with the reason. */
export interface Retried
  extends Readonly<
    Record<'judgements' | 'reports' | 'messages' | 'newRuns' | 'ignored' | 'notices', number>
  > {
  readonly unread: readonly { readonly messageId: string; readonly reason: string }[];
}

/** Tries a batch again, and settles it. What is settled already, or waits, is left alone. */
export async function retryBatch(
  parts: RetryParts,
  { runIds, messages, noticeIds }: Batch,
  reason: string,
): Promise<Retried> {
  const { database, queue } = parts;
  const done = { messages: 0, newRuns: 0, ignored: 0 };
  const unread: { messageId: string; reason: string }[] = [];
  const notices = await retryMessages(database, noticeIds, new Date());
  const runs = await retryDeadRuns(database, queue, runIds, reason);
  for (const message of messages) {
    const read = await rereadMessage(parts, message, reason);
    const { messageId, outcome: before } = message;
    if (read.outcome === 'dead') unread.push({ messageId, reason: read.reason ?? '' });
    else if (read.outcome === before) done.ignored += 1;
    else if (read.outcome !== 'duplicate') done.messages += 1;
    done.newRuns += read.runIds.length;
  }
  return { ...runs, ...done, notices, unread };
}

/** What a retry came to, for a reader. */
export function retriedText({ unread, ...done }: Retried): string {
  const { judgements, reports, messages, newRuns, ignored, notices } = done;
  const lines = [
    ...(judgements > 0 ? [`judged again: ${amount(judgements, 'run')}`] : []),
    ...(reports > 0 ? [`written again: ${amount(reports, 'report')}`] : []),
    ...(notices > 0 ? [`sent again: ${amount(notices, 'notice')}`] : []),
    ...(messages > 0
      ? [`read: ${amount(messages, 'message')}, ${amount(newRuns, 'new run')}`]
      : []),
    ...(ignored > 0 ? [`still ignored: ${amount(ignored, 'message')}`] : []),
    ...unread.map((one) => `still not read: ${printable(`${one.messageId}: ${one.reason}`)}`),
  ];
  return lines.length === 0 ? NOTHING : `${lines.join('\n')}\n`;
}

const NOTHING = 'nothing to do: settled already, or waiting\n';

/** Settles runs, messages and notices as they are, for a reason that is kept. */
export const discard: Command<DeadActOptions> = (context, options) => {
  requireIdsOrAll(options);
  if (options.kind === 'ignored') {
    throw new UsageError('what was ignored needs nothing more: it is not among the dead');
  }
  return withQueue(context, async (database, queue) => {
    const settled = { runs: 0, messages: 0, notices: 0 };
    for await (const batch of chosen(database, options)) {
      const some = await discardBatch({ database, queue }, batch, options.reason);
      for (const name of Object.keys(settled) as (keyof Discarded)[]) settled[name] += some[name];
    }
    context.stdout.write(options.json ? `${JSON.stringify(settled)}\n` : discardedText(settled));
    return EXIT.ok;
  });
};

/** How many were settled as they are. */
export type Discarded = Readonly<Record<'runs' | 'messages' | 'notices', number>>;

/** Settles a batch as it is, for a reason that is kept. What is settled already is left alone. */
export async function discardBatch(
  { database, queue }: Pick<RetryParts, 'database' | 'queue'>,
  { runIds, messages, noticeIds }: Batch,
  reason: string,
): Promise<Discarded> {
  const messageIds = messages.map(({ messageId }) => messageId);
  return {
    runs: await discardDeadRuns(database, queue, runIds, reason),
    messages: await discardMessages(database, messageIds, reason),
    notices: await discardNotices(database, noticeIds, reason, new Date()),
  };
}

/** How many were settled, for a reader. */
export function discardedText({ runs, messages, notices }: Discarded): string {
  if (runs + messages + notices === 0) return NOTHING;
  const told = notices === 0 ? '' : `, ${amount(notices, 'notice')}`;
  return `discarded: ${amount(runs, 'run')}, ${amount(messages, 'message')}${told}\n`;
}

function requireIdsOrAll({ ids, all, kind, since, until }: DeadActOptions): void {
  if (all !== ids.length > 0) {
    if (all || [kind, since, until].every((one) => one === undefined)) return;
    throw new UsageError('--kind, --since and --until select among --all, not among ids');
  }
  throw new UsageError('either ids or --all are needed');
}

/** What is settled together. */
export interface Batch {
  readonly runIds: readonly string[];
  readonly messages: readonly SnsMessage[];
  readonly noticeIds: readonly string[];
}

/** Everything once, whatever becomes of it meanwhile. */
async function* chosen(database: Database, options: DeadActOptions): AsyncGenerator<Batch> {
  if (!options.all) {
    yield await batchOf(database, options.ids);
    return;
  }
  const { kind, since, until } = options;
  const range = { ...(since && { since }), ...(until && { until }) };
  if (kind === undefined || kind === 'runs') {
    yield* pages(async (after) => {
      const runs = await listDeadRuns(database, { ...range, ...after }, RUNS_AT_ONCE);
      const runIds = runs.map(({ id }) => id);
      return { batch: { runIds, messages: [], noticeIds: [] }, ids: runIds };
    });
  }
  if (kind === undefined || kind === 'notices') {
    yield* pages(async (after) => {
      const dead = await listDeadMessages(database, { ...range, ...after }, RUNS_AT_ONCE);
      const noticeIds = dead.map(({ id }) => id);
      return { batch: { runIds: [], messages: [], noticeIds }, ids: noticeIds };
    });
  }
  if (kind === 'runs' || kind === 'notices') return;
  const outcome = kind === 'ignored' ? 'ignored' : 'dead';
  yield* pages(async (after) => {
    const messages = await listMessages(database, outcome, { ...range, ...after }, RUNS_AT_ONCE);
    return {
      batch: { runIds: [], messages, noticeIds: [] },
      ids: messages.map(({ messageId }) => messageId),
    };
  });
}

/**
 * What some ids name; all are looked up before anything is done.
 *
 * @throws {UsageError} for one of nothing
 */
export async function batchOf(database: Database, ids: readonly string[]): Promise<Batch> {
  const runIds: string[] = [];
  const messages: SnsMessage[] = [];
  const noticeIds: string[] = [];
  for (const id of ids) {
    const message = await findMessage(database, id);
    if (message !== undefined) messages.push(message);
    else if ((await findDeadMessage(database, id)) !== undefined) noticeIds.push(id);
    else runIds.push(await runIdOf(database, id, none(id)));
  }
  return { runIds, messages, noticeIds };
}

async function* pages(
  pageAfter: (
    after: { readonly after: string } | Record<string, never>,
  ) => Promise<{ readonly batch: Batch; readonly ids: readonly string[] }>,
): AsyncGenerator<Batch> {
  let last: string | undefined;
  do {
    const { batch, ids } = await pageAfter(last === undefined ? {} : { after: last });
    yield batch;
    last = ids.length === RUNS_AT_ONCE ? ids.at(-1) : undefined;
  } while (last !== undefined);
}
