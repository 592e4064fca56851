import type { Context, Middleware } from 'koa';
import type { MessageType } from '../sns/envelope.ts';

/** What the middlewares of one request tell each other. */
export interface RequestState {
  /** Aborted when the time for the answer is over. Set by the deadline. */
  signal?: AbortSignal;
  /** The SNS message, once it is read; for log lines. Not verified. */
  message?: { messageId: string; topicArn: string; type: MessageType };
}

/** A middleware of the listener's application. */
export type ListenerMiddleware = Middleware<RequestState>;

/** Its context. */
export type ListenerContext = Context & { state: RequestState };
