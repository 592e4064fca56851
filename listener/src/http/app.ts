import Koa from 'koa';
import { answerDeadline, errorAnswers, type RequestState } from './middleware.ts';
import { listenerRoutes, type RouteDependencies, routes } from './routes.ts';

/** What {@link createApp} wires together. */
export interface AppDependencies extends RouteDependencies {
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
