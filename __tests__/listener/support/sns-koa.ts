import Koa from 'koa';
import type { ListenerMiddleware, RequestState } from '../../../listener/src/http/middleware.ts';
import { startTestServer } from './sns-sockets.ts';

/** Answers of an application that is made of these middlewares, asked over a socket. */
export async function ask(
  middlewares: readonly ListenerMiddleware[],
  path = '/',
  init: RequestInit = {},
): Promise<{ status: number; headers: Headers; text: string }> {
  const app = new Koa<RequestState>();
  app.silent = true;
  for (const middleware of middlewares) {
    app.use(middleware);
  }
  const server = await startTestServer(app.callback());
  try {
    const response = await fetch(server.origin + path, init);
    return { status: response.status, headers: response.headers, text: await response.text() };
  } finally {
    await server.close();
  }
}
