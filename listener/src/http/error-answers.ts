import type { Logger } from 'pino';
import { ListenerError } from '../errors.ts';
import type { ListenerMiddleware } from './context.ts';
import type { Metrics } from './metrics.ts';

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
      logger[levelOf(error)](
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

function levelOf({ status }: ListenerError): 'debug' | 'warn' | 'error' {
  if (status >= 500) {
    return 'error';
  }
  // Scanners ask for many paths; that is not worth a line each.
  return status === 404 || status === 405 ? 'debug' : 'warn';
}

function causeOf({ cause }: ListenerError): { err?: unknown } {
  return cause === undefined ? {} : { err: cause };
}
