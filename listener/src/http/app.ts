import { PATHS } from '@file-processing/contract/listener-interface.ts';
import Koa from 'koa';
import { answerDeadline, errorAnswers, type RequestState } from './middleware.ts';
import { health, readyz, routes } from './routes.ts';
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
  const { logger, metrics, readiness, answerMilliseconds = 5000 } = dependencies;
  const app = new Koa<RequestState>();
  // What the error middleware did not see: a client that went away during the answer.
  app.on('error', (error: unknown) => logger.debug({ err: error }, 'connection failed'));

  app.use(errorAnswers(logger, metrics));
  app.use(answerDeadline(answerMilliseconds, logger));
  const ready = readyz(readiness);
  app.use(
    routes({
      [PATHS.delivery]: { GET: health, HEAD: health, POST: snsDelivery(dependencies) },
      [PATHS.liveness]: { GET: health, HEAD: health },
      [PATHS.readiness]: { GET: ready, HEAD: ready },
    }),
  );
  return app;
}
