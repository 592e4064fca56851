import { PATHS, type SERVED_PATHS } from '@file-processing/contract/listener-interface.ts';
import Koa from 'koa';
import { ListenerError } from '../errors.ts';
import {
  answerDeadline,
  errorAnswers,
  type ListenerMiddleware,
  type RequestState,
} from './middleware.ts';
import { type SnsDeliveryDependencies, snsDelivery } from './sns-delivery.ts';

/** What {@link createApp} wires together. */
export interface AppDependencies extends SnsDeliveryDependencies {
  /** False while the database is unavailable or the process drains. */
  readonly readiness: () => Promise<boolean>;
  /** Milliseconds until 503. @default 5000 */
  readonly answerMilliseconds?: number;
}

/** The listener's HTTP application; `app.callback()` is the handler for a server. */
export function createApp(dependencies: AppDependencies): Koa<RequestState> {
  const { logger, metrics, answerMilliseconds = 5000 } = dependencies;
  const app = new Koa<RequestState>();
  // What the error middleware did not see: a client that went away during the answer.
  app.on('error', (error: unknown) => logger.debug({ err: error }, 'connection failed'));

  app.use(errorAnswers(logger, metrics));
  app.use(answerDeadline(answerMilliseconds, logger));
  app.use(routes(listenerRoutes(dependencies)));
  return app;
}

/** Everything that the listener answers over HTTP, a row for each path of its interface. */
function listenerRoutes(dependencies: AppDependencies): Record<ServedPath, RouteTable[string]> {
  const ready = readyz(dependencies.readiness);
  return {
    [PATHS.delivery]: { GET: health, HEAD: health, POST: snsDelivery(dependencies) },
    [PATHS.liveness]: { GET: health, HEAD: health },
    [PATHS.readiness]: { GET: ready, HEAD: ready },
  };
}

type ServedPath = (typeof SERVED_PATHS.PORT)[number];

/** Path, then method, to what answers. */
export type RouteTable = Readonly<Record<string, Readonly<Record<string, ListenerMiddleware>>>>;

/**
 * Sends each request to its route.
 *
 * @throws ListenerError `not_found` for another path, `method_not_allowed` for another method
 */
export function routes(table: RouteTable): ListenerMiddleware {
  return (ctx, next) => {
    const methods = Object.hasOwn(table, ctx.path) ? table[ctx.path] : undefined;
    if (methods === undefined) {
      throw new ListenerError('not_found', { path: ctx.path });
    }
    const route = Object.hasOwn(methods, ctx.method) ? methods[ctx.method] : undefined;
    if (route === undefined) {
      throw new ListenerError('method_not_allowed', {
        path: ctx.path,
        method: ctx.method,
        allowed: Object.keys(methods).join(', '),
      });
    }
    return route(ctx, next);
  };
}

/** Says that the process runs. Does not ask the database, whose absence no restart would fix. */
export const health: ListenerMiddleware = (ctx) => {
  ctx.status = 200;
  ctx.body = { status: 'ok' };
};

/**
 * Says whether messages can be taken.
 *
 * @param readiness - false, or an error, while the database is unavailable or the process drains
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
