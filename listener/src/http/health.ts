import type { ListenerMiddleware } from './context.ts';

/** Says that the process runs. Asks nothing of the database, whose absence no restart heals. */
export const health: ListenerMiddleware = (ctx) => {
  ctx.status = 200;
  ctx.body = { status: 'ok' };
};
