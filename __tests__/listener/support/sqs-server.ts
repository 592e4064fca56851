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
  /** Actions that were asked for, in their order. */
  readonly actions: readonly string[];
  /** Puts a message into the queue. */
  send(body: string): void;
  /** Hands out again what was handed out and not deleted, as SQS does after the visibility timeout. */
  showAgain(): void;
  /** Answers the next request of an action with an error. @param type @default QueueDoesNotExist */
  failNext(action: string, type?: string): void;
}

interface Queued {
  readonly id: string;
  readonly body: string;
  hidden: boolean;
}

/**
 * Stands in for SQS: ReceiveMessage, DeleteMessageBatch, ChangeMessageVisibilityBatch and GetQueueAttributes.
 *
 * @param options.waits - ReceiveMessage waits for a message as a long poll does, but without end; else it answers with
 * none @default true
 * @param options.policy - of the queue @default none
 */
export async function startSqsServer({
  waits = true,
  policy = undefined as string | undefined,
} = {}): Promise<SqsServer> {
  let messages: Queued[] = [];
  const actions: string[] = [];
  const failing = new Map<string, string>();
  const arrived = new EventTarget();
  const announce = () => arrived.dispatchEvent(new Event('message'));

  const answers: Record<string, (input: never) => unknown> = {
    ReceiveMessage: async ({ MaxNumberOfMessages }: { MaxNumberOfMessages: number }) => {
      while (waits && messages.every(({ hidden }) => hidden)) await once(arrived, 'message');
      const found = messages.filter(({ hidden }) => !hidden).slice(0, MaxNumberOfMessages);
      for (const message of found) message.hidden = true;
      const Messages = found.map(({ id, body }) => ({
        MessageId: id,
        ReceiptHandle: id,
        Body: body,
        MD5OfBody: createHash('md5').update(body).digest('hex'),
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
    const input = await json(request);
    actions.push(action);
    response.setHeader('Content-Type', 'application/x-amz-json-1.0');
    const error = failing.get(action);
    if (error !== undefined) {
      failing.delete(action);
      response.writeHead(400).end(JSON.stringify({ __type: `com.amazonaws.sqs#${error}` }));
      return;
    }
    response.end(JSON.stringify(await answers[action]?.(input as never)));
  });
  return {
    ...server,
    queueUrl: `${server.origin}/123456789012/deliveries`,
    actions,
    waiting: () => messages.map(({ body }) => body),
    hidden: () => messages.filter(({ hidden }) => hidden).map(({ body }) => body),
    send(body) {
      messages.push({ id: randomUUID(), body, hidden: false });
      announce();
    },
    showAgain() {
      for (const message of messages) message.hidden = false;
      announce();
    },
    failNext(action, type = 'QueueDoesNotExist') {
      failing.set(action, type);
    },
  };
}
