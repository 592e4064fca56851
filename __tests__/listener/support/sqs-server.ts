import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { json } from 'node:stream/consumers';
import { startTestServer, type TestServer } from './sns-sockets.ts';

/** A queue on loopback, with what a consumer needs of Amazon SQS. */
export interface SqsServer extends TestServer {
  readonly queueUrl: string;
  /** Bodies of the messages that wait, handed out or not. */
  readonly waiting: () => readonly string[];
  /** Bodies of those that are handed out, and so hidden. */
  readonly hidden: () => readonly string[];
  /** How often the message was handed out that was handed out most often. */
  readonly mostReceives: () => number;
  /** Bodies of those that were handed out as often as is allowed: SQS moves them to the dead-letter queue. */
  readonly dead: () => readonly string[];
  /** Actions that were asked for, in their order. */
  readonly actions: readonly string[];
  /** Puts a message into the queue. @param sentAt @default now */
  send(body: string, sentAt?: Date): void;
  /** Hands out again what was handed out and not deleted, as SQS does after the visibility timeout. */
  showAgain(): void;
  /** Answers the next request of an action with an error. @param type @default QueueDoesNotExist */
  failNext(action: string, type?: string): void;
}

interface Queued {
  readonly id: string;
  readonly body: string;
  readonly sentAt: Date;
  hidden: boolean;
  receives: number;
  /** The timer that shows it again. */
  shownLater?: NodeJS.Timeout;
}

interface Receive {
  readonly MaxNumberOfMessages: number;
  readonly WaitTimeSeconds?: number;
  readonly MessageSystemAttributeNames?: readonly string[];
}

/**
 * Stands in for SQS: ReceiveMessage, DeleteMessageBatch, ChangeMessageVisibilityBatch and GetQueueAttributes.
 *
 * @param options.waits - ReceiveMessage waits for a message as a long poll does; else it answers with none @default true
 * @param options.policy - of the queue @default none
 * @param options.visibilityMs - what is handed out is handed out again after it @default never, but for `showAgain`
 * @param options.maxReceives - after so many, a message is dead @default any number
 */
export async function startSqsServer({
  waits = true,
  policy = undefined as string | undefined,
  visibilityMs = undefined as number | undefined,
  maxReceives = Number.POSITIVE_INFINITY,
} = {}): Promise<SqsServer> {
  let messages: Queued[] = [];
  const dead: string[] = [];
  let mostReceives = 0;
  const actions: string[] = [];
  const failing = new Map<string, string>();
  const arrived = new EventTarget();
  const announce = () => arrived.dispatchEvent(new Event('message'));

  const show = (message: Queued) => {
    message.hidden = false;
    if (message.receives < maxReceives) return announce();
    messages = messages.filter((other) => other !== message);
    dead.push(message.body);
  };
  const hide = (message: Queued) => {
    message.hidden = true;
    message.receives += 1;
    mostReceives = Math.max(mostReceives, message.receives);
    if (visibilityMs === undefined) return;
    clearTimeout(message.shownLater);
    message.shownLater = setTimeout(() => {
      if (messages.includes(message)) show(message);
    }, visibilityMs).unref();
  };

  const answers: Record<string, (input: never, gone: AbortSignal) => unknown> = {
    ReceiveMessage: async (input: Receive, gone) => {
      const { MaxNumberOfMessages, WaitTimeSeconds = 0, MessageSystemAttributeNames = [] } = input;
      const over = AbortSignal.timeout(WaitTimeSeconds * 1000);
      const signal = AbortSignal.any([gone, over]);
      while (waits && !signal.aborted && messages.every(({ hidden }) => hidden)) {
        await once(arrived, 'message', { signal }).catch(() => undefined);
      }
      // Nobody is there any more to whom it could be handed out.
      gone.throwIfAborted();
      const found = messages.filter(({ hidden }) => !hidden).slice(0, MaxNumberOfMessages);
      for (const message of found) hide(message);
      const Messages = found.map(({ id, body, sentAt }) => ({
        MessageId: id,
        ReceiptHandle: id,
        Body: body,
        MD5OfBody: createHash('md5').update(body).digest('hex'),
        // SQS says it only when asked.
        ...(MessageSystemAttributeNames.includes('SentTimestamp') && {
          Attributes: { SentTimestamp: `${sentAt.getTime()}` },
        }),
      }));
      return { Messages };
    },
    DeleteMessageBatch: ({ Entries }: { Entries: { Id: string; ReceiptHandle: string }[] }) => {
      messages = messages.filter(({ id }) => Entries.every((entry) => entry.ReceiptHandle !== id));
      return { Successful: Entries.map(({ Id }) => ({ Id })), Failed: [] };
    },
    ChangeMessageVisibilityBatch: ({ Entries }: { Entries: { ReceiptHandle: string }[] }) => {
      for (const message of messages) {
        if (Entries.some((entry) => entry.ReceiptHandle === message.id)) message.hidden = false;
      }
      return { Successful: [], Failed: [] };
    },
    GetQueueAttributes: () => ({ Attributes: policy === undefined ? {} : { Policy: policy } }),
  };
  const server = await startTestServer(async (request, response) => {
    const action = String(request.headers['x-amz-target']).replace('AmazonSQS.', '');
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const input = await json(request).catch(() => gone.abort());
    if (gone.signal.aborted) return;
    actions.push(action);
    response.setHeader('Content-Type', 'application/x-amz-json-1.0');
    const error = failing.get(action);
    if (error !== undefined) {
      failing.delete(action);
      response.writeHead(400).end(JSON.stringify({ __type: `com.amazonaws.sqs#${error}` }));
      return;
    }
    try {
      response.end(JSON.stringify(await answers[action]?.(input as never, gone.signal)));
    } catch (error) {
      if (!gone.signal.aborted) throw error;
    }
  });
  return {
    ...server,
    queueUrl: `${server.origin}/123456789012/deliveries`,
    actions,
    waiting: () => messages.map(({ body }) => body),
    hidden: () => messages.filter(({ hidden }) => hidden).map(({ body }) => body),
    mostReceives: () => mostReceives,
    dead: () => dead,
    send(body, sentAt = new Date()) {
      messages.push({ id: randomUUID(), body, sentAt, hidden: false, receives: 0 });
      announce();
    },
    showAgain() {
      for (const message of messages.filter(({ hidden }) => hidden)) show(message);
    },
    failNext(action, type = 'QueueDoesNotExist') {
      failing.set(action, type);
    },
  };
}
