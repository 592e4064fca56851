import { ListenerError } from '../errors.ts';
import type { ListenerMiddleware } from './context.ts';

/**
 * Says whether messages can be taken.
 *
 * @param readiness - false, or an error, while the database is away or the process drains
 */
export function readyz(readiness: () => Promise<boolean>): ListenerMiddleware {
  return async (ctx) => {
    if (!(await isReady(readiness))) {
      throw new ListenerError('not_ready');
    }
    ctx.status = 200;
    ctx.body = { status: 'ready' };
  };
}

async function isReady(readiness: () => Promise<boolean>): Promise<boolean> {
  try {
    return await readiness();
  } catch {
    return false;
  }
}
