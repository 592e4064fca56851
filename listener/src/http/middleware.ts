import type { MessageType } from '@file-processing/contract/sns-envelope.ts';
import type { Middleware } from 'koa';
import type { Logger } from 'pino';
import { type ErrorCode, ListenerError } from '../errors.ts';
import type { Metrics } from './metrics.ts';

/** What the middlewares of one request tell each other. */
export interface RequestState {
  /** Aborted when the time for the answer is over. Set by the deadline. */
  signal?: AbortSignal;
  /** The SNS message, once it is read; for log lines. Not verified. */
  message?: { messageId: string; topicArn: string; type: MessageType };
}

/** A middleware of the listener's application. */
export type ListenerMiddleware = Middleware<RequestState>;

/** Seconds after which a client may try again. */
const RETRY_AFTER_SECONDS = 5;

/**
 * Turns errors into answers by the error table, counts them and logs them without the body. An
 * answer of 5xx names the code alone, since its reason may tell of our inside.
 */
export function errorAnswers(logger: Logger, metrics: Metrics): ListenerMiddleware {
  return async (ctx, next) => {
    try {
      await next();
    } catch (thrown) {
      const error =
        thrown instanceof ListenerError
          ? thrown
          : new ListenerError('internal_error', {}, { cause: thrown });
      metrics.countRequest(error.code);
      logger[levelOf(error, ctx.state.message !== undefined)](
        { code: error.code, status: error.status, ...ctx.state.message, ...causeOf(error) },
        error.message,
      );

      ctx.status = error.status;
      ctx.body =
        error.status < 500 ? { error: error.code, message: error.message } : { error: error.code };
      if (error.retryable) {
        ctx.set('Retry-After', String(RETRY_AFTER_SECONDS));
      }
      if (error.code === 'method_not_allowed') {
        ctx.set('Allow', String(error.details.allowed));
      }
      // Else the rest of the body would be read, at the pace of the client.
      if (!ctx.req.complete) {
        ctx.set('Connection', 'close');
      }
    }
  };
}

/** What a client can cause by nothing but connecting: whoever does so a thousand times would fill the log. */
const WITHOUT_A_MESSAGE: readonly ErrorCode[] = [
  'not_found',
  'method_not_allowed',
  'body_incomplete',
  'deadline_exceeded',
];

function levelOf({ code, status }: ListenerError, hasMessage: boolean): 'debug' | 'warn' | 'error' {
  if (!hasMessage && WITHOUT_A_MESSAGE.includes(code)) {
    return 'debug';
  }
  // A forged message can name a certificate that is not there.
  return status >= 500 && code !== 'certificate_unavailable' ? 'error' : 'warn';
}

function causeOf({ cause }: ListenerError): { err?: unknown } {
  return cause === undefined ? {} : { err: cause };
}

/**
 * Answers 503 when a request takes too long, so that SNS (which waits 15 seconds) tries again.
 * What is under way is aborted by the state's signal; a transaction that still commits does no harm,
 * since the retry is then a duplicate.
 *
 * @param milliseconds - time for reading the body and for the work
 */
export function answerDeadline(milliseconds: number, logger: Logger): ListenerMiddleware {
  return async (ctx, next) => {
    const controller = new AbortController();
    ctx.state.signal = controller.signal;
    const work = next();
    work.catch((error: unknown) => {
      if (controller.signal.aborted && error !== controller.signal.reason) {
        logger.warn({ err: error, ...ctx.state.message }, 'request failed after its deadline');
      }
    });

    const expired = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      const error = new ListenerError('deadline_exceeded', { milliseconds });
      controller.abort(error);
      expired.reject(error);
    }, milliseconds);
    try {
      await Promise.race([work, expired.promise]);
    } finally {
      clearTimeout(timer);
    }
  };
}
