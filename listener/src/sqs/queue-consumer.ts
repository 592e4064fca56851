import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  type Message,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { proxyAgents } from '../config/proxy-agents.ts';

/** What became of one message. */
export type Handled =
  /** It is recorded, and can be deleted. */
  | 'done'
  /** It stays in the queue: SQS hands it out again, and after some times to the dead-letter queue. */
  | 'kept'
  /** As kept, and no other is fetched for a while: what it needs is unavailable. */
  | 'unavailable'
  /** The database can't record it now: it is held and tried again, and no other is fetched meanwhile. */
  | 'unrecorded';

/** A message as SQS hands it out; id and time are the same each time it does. */
export interface QueuedMessage {
  readonly body: string;
  readonly id: string;
  /** When it was put into the queue. */
  readonly sentAt: Date;
}

/** What {@link startQueueConsumer} works with. */
export interface QueueConsumerOptions {
  readonly client: SQSClient;
  readonly queueUrl: string;
  /** Takes a message; it must not throw. */
  readonly handle: (message: QueuedMessage) => Promise<Handled>;
  /** Called with what SQS answers instead of messages, and for messages that it did not delete. */
  readonly onError: (error: unknown) => void;
  /**
   * Whether a message could be recorded. After one that could not, and after a fetch that brought none, nothing is
   * fetched before this says so: each fetch counts against a message. @default always
   */
  readonly isReady?: () => Promise<boolean>;
  /** Fetches at the same time. @default 2, so that one waits while the other works */
  readonly fetchers?: number;
  /** Waits between an error and the next fetch. @default a timer that ends with the signal */
  readonly pause?: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/** A client for the queue. Credentials come from the environment, as the SDK reads them. */
export function queueClient({
  region,
  endpoint,
  fips,
}: {
  readonly region: string | undefined;
  readonly endpoint: string | undefined;
  readonly fips: boolean;
}): SQSClient {
  return new SQSClient({
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    // The queue's URL names the host of the plain endpoint, which would else take the place of the other.
    ...(fips ? { useFipsEndpoint: true, useQueueUrlAsEndpoint: false } : {}),
    // A long poll takes 20 seconds by itself.
    requestHandler: { connectionTimeout: 5_000, socketTimeout: 30_000, ...proxyAgents() },
  });
}

/** Fetches messages until it is stopped. */
export interface QueueConsumer {
  /** Fetches no more; settles when what was fetched is handled and deleted. */
  stop(): Promise<void>;
}

/** The first pause after an error; each next one is twice as long. */
const SHORTEST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;

/** While the database is away it is asked, not the queue: soon, so that nothing waits long once it is back. */
const LONGEST_ASKING_MS = 5_000;

/** Some eight hours; what is not recorded then may be refused for good by what it says. */
const MOST_TRIES = 500;

/** Both are the most that SQS allows (Amazon SQS API Reference, "ReceiveMessage"). */
const MESSAGES_AT_ONCE = 10;
const LONGEST_POLL_SECONDS = 20;

/**
 * Starts to fetch. Each message is deleted only once it is handled; what is fetched twice, since a
 * process ended between the two, is a duplicate to the intake.
 */
export function startQueueConsumer(options: QueueConsumerOptions): QueueConsumer {
  const { fetchers = 2 } = options;
  const stopping = new AbortController();
  const progress: Progress = { taken: 0 };
  const loops = Array.from({ length: fetchers }, () =>
    fetchUntil(stopping.signal, options, progress),
  );
  return {
    async stop() {
      stopping.abort();
      await Promise.all(loops);
    },
  };
}

/** What all fetchers of a process have taken. */
interface Progress {
  taken: number;
}

async function fetchUntil(
  stopping: AbortSignal,
  options: QueueConsumerOptions,
  progress: Progress,
): Promise<void> {
  const { pause = timer } = options;
  let pauseMs = SHORTEST_PAUSE_MS;
  while (!stopping.aborted) {
    const { end, unrecorded = [] } = await fetchOnce(stopping, options, progress);
    if (unrecorded.length > 0) {
      await untilTaken(unrecorded, stopping, options, progress);
      continue;
    }
    // Another fetcher, of another process as well, may have learnt it from the very message that comes next: were each to
    // learn it from that one, it would be dead after the fifth.
    if (end === 'unavailable' || end === 'none') await untilReady(stopping, options);
    if (end === 'fine' || end === 'none') {
      pauseMs = SHORTEST_PAUSE_MS;
      continue;
    }
    await pause(pauseMs, stopping);
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }
}

/**
 * Tries messages again that the database did not record, though it may answer, as one does whose disk is full: no fetch
 * counts against them or others meanwhile. What it refuses while it records others is let go, for SQS to count.
 */
async function untilTaken(
  messages: readonly Message[],
  stopping: AbortSignal,
  options: QueueConsumerOptions,
  progress: Progress,
): Promise<void> {
  const { pause = timer } = options;
  let held = messages;
  let pauseMs = SHORTEST_PAUSE_MS;
  for (let tries = 1; tries <= MOST_TRIES; tries += 1) {
    await untilReady(stopping, options);
    await pause(pauseMs, stopping);
    if (stopping.aborted) return;
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    const takenBefore = progress.taken;
    // One says enough: the log has a line for each that is refused.
    const { unrecorded } = await take(held.slice(0, 1), options, progress);
    if (unrecorded.length === 0) {
      ({ unrecorded: held } = await take(held.slice(1), options, progress));
    }
    if (held.length === 0 || progress.taken > takenBefore) return;
  }
}

async function untilReady(
  stopping: AbortSignal,
  { isReady = async () => true, pause = timer }: QueueConsumerOptions,
): Promise<void> {
  let pauseMs = SHORTEST_PAUSE_MS;
  while (!stopping.aborted && !(await isReady())) {
    await pause(pauseMs, stopping);
    pauseMs = Math.min(pauseMs * 2, LONGEST_ASKING_MS);
  }
}

async function timer(milliseconds: number, signal: AbortSignal): Promise<void> {
  await setTimeout(milliseconds, undefined, { signal }).catch(() => undefined);
}

/** What one fetch came to. */
interface Fetched {
  /** `failed`: SQS gave an error; `none`: no message came; `unavailable`: what they need is not there. */
  readonly end: 'fine' | 'none' | 'failed' | 'unavailable';
  readonly unrecorded?: readonly Message[];
}

async function fetchOnce(
  stopping: AbortSignal,
  options: QueueConsumerOptions,
  progress: Progress,
): Promise<Fetched> {
  const { client, queueUrl, onError } = options;
  let messages: readonly Message[];
  try {
    const command = new ReceiveMessageCommand({
      QueueUrl: queueUrl,
      MaxNumberOfMessages: MESSAGES_AT_ONCE,
      WaitTimeSeconds: LONGEST_POLL_SECONDS,
      MessageSystemAttributeNames: ['SentTimestamp'],
    });
    ({ Messages: messages = [] } = await client.send(command, { abortSignal: stopping }));
  } catch (error) {
    if (!stopping.aborted) onError(error);
    return { end: 'failed' };
  }
  return messages.length === 0 ? { end: 'none' } : take(messages, options, progress);
}

/** Its time is in milliseconds (Amazon SQS API Reference, "ReceiveMessage"). */
function asQueued({ Body = '', MessageId = randomUUID(), Attributes }: Message): QueuedMessage {
  const sentAt = new Date(Number(Attributes?.SentTimestamp ?? Date.now()));
  return { body: Body, id: MessageId, sentAt };
}

/** Handles messages, and deletes those that are done. @returns which the database did not record */
async function take(
  messages: readonly Message[],
  { client, queueUrl, handle, onError }: QueueConsumerOptions,
  progress: Progress,
): Promise<Required<Fetched>> {
  const results = await Promise.all(messages.map((message) => handle(asQueued(message))));
  const done = messages.filter((_, index) => results[index] === 'done');
  progress.taken += done.length;
  await deleteAll(done, { client, queueUrl, onError });
  return {
    end: results.includes('unavailable') ? 'unavailable' : 'fine',
    unrecorded: messages.filter((_, index) => results[index] === 'unrecorded'),
  };
}

/** @returns how many are still there */
async function deleteAll(
  messages: readonly Message[],
  { client, queueUrl, onError }: Pick<QueueConsumerOptions, 'client' | 'queueUrl' | 'onError'>,
): Promise<number> {
  if (messages.length === 0) return 0;
  const Entries = messages.map(({ ReceiptHandle }, index) => ({ Id: `${index}`, ReceiptHandle }));
  try {
    const { Failed = [] } = await client.send(
      new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries }),
    );
    for (const { Id, Code } of Failed) {
      const { MessageId } = messages[Number(Id)] ?? {};
      onError(new Error(`SQS did not delete message ${MessageId}: ${Code}`));
    }
    return Failed.length;
  } catch (error) {
    onError(error);
    return messages.length;
  }
}

/** What {@link drainQueue} has done. */
export interface Drained {
  /** Recorded and deleted. */
  readonly taken: number;
  /** Refused: they wait in the queue again. */
  readonly kept: number;
  /** Recorded, but SQS did not delete them. */
  readonly undeleted: number;
  /** `empty`: the queue hands out nothing more that was not refused already. */
  readonly end: 'empty' | 'unavailable' | 'stopped';
}

/** Waits for a message in each fetch: more than none, so that SQS asks all its servers (long polling). */
const DRAIN_POLL_SECONDS = 5;

/** What was refused is not handed out again for so long, so that it does not stand in the way of others. */
const DRAIN_HIDDEN_SECONDS = 600;

/**
 * Takes what waits in a queue, each message once, until nothing comes any more. Each is deleted only once it is
 * handled. What is refused is shown to others again at the end.
 *
 * @throws what SQS answers instead of messages
 */
export async function drainQueue(
  options: Pick<QueueConsumerOptions, 'client' | 'queueUrl' | 'handle' | 'onError'> & {
    readonly signal: AbortSignal;
  },
): Promise<Drained> {
  const { client, queueUrl, handle, signal } = options;
  const kept = new Map<string, Message>();
  let taken = 0;
  let undeleted = 0;
  let end: Drained['end'] | undefined;
  try {
    while (end === undefined) {
      const command = new ReceiveMessageCommand({
        QueueUrl: queueUrl,
        MaxNumberOfMessages: MESSAGES_AT_ONCE,
        WaitTimeSeconds: DRAIN_POLL_SECONDS,
        VisibilityTimeout: DRAIN_HIDDEN_SECONDS,
        MessageSystemAttributeNames: ['SentTimestamp'],
      });
      // A fetch that is broken off would leave what SQS had handed out hidden.
      const { Messages = [] } = await client.send(command);
      const fresh = Messages.filter(({ MessageId = '' }) => !kept.has(MessageId));
      const results = signal.aborted
        ? fresh.map((): Handled => 'kept')
        : await Promise.all(fresh.map((message) => handle(asQueued(message))));
      const done = fresh.filter((_, index) => results[index] === 'done');
      const left = await deleteAll(done, options);
      taken += done.length - left;
      undeleted += left;
      for (const message of Messages) {
        if (!done.includes(message)) kept.set(message.MessageId ?? '', message);
      }
      if (signal.aborted) end = 'stopped';
      else if (results.some((result) => result === 'unavailable' || result === 'unrecorded')) {
        end = 'unavailable';
      } else if (fresh.length === 0) end = 'empty';
    }
  } finally {
    await showAgain([...kept.values()], options);
  }
  return { taken, kept: kept.size, undeleted, end };
}

async function showAgain(
  messages: readonly Message[],
  { client, queueUrl, onError }: Pick<QueueConsumerOptions, 'client' | 'queueUrl' | 'onError'>,
): Promise<void> {
  for (let from = 0; from < messages.length; from += MESSAGES_AT_ONCE) {
    const Entries = messages
      .slice(from, from + MESSAGES_AT_ONCE)
      .map(({ ReceiptHandle }, index) => ({ Id: `${index}`, ReceiptHandle, VisibilityTimeout: 0 }));
    const command = new ChangeMessageVisibilityBatchCommand({ QueueUrl: queueUrl, Entries });
    // They are shown in ten minutes anyway.
    await client.send(command).catch(onError);
  }
}
