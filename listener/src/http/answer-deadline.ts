import type { Logger } from 'pino';
import { ListenerError } from '../errors.ts';
import type { ListenerMiddleware } from './context.ts';

/**
 * Answers 503 when a request takes too long, so that SNS (which waits 15 seconds) tries again.
 * What was under way is told by the state's signal; a transaction that still commits does no harm,
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
