import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { type HttpServer, type HttpServerOptions, startHttpServer } from './server.ts';

/** Where the metrics server listens; its port setting is METRICS_PORT. */
export type MetricsServerOptions = Omit<HttpServerOptions, 'portSetting'>;

/** Starts the server that answers `GET /metrics` and nothing else. */
export function startMetricsServer(
  registry: Registry,
  logger: Logger,
  options: MetricsServerOptions,
): Promise<HttpServer> {
  const handler = (request: IncomingMessage, response: ServerResponse): void => {
    answer(registry, request, response).catch((err: unknown) => {
      logger.error({ err }, 'metrics could not be collected');
      response.writeHead(500).end();
    });
  };
  return startHttpServer(handler, { ...options, portSetting: 'METRICS_PORT' });
}

async function answer(
  registry: Registry,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.url?.split('?')[0] !== '/metrics') {
    response.writeHead(404, { Connection: 'close' }).end();
    return;
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { Allow: 'GET, HEAD', Connection: 'close' }).end();
    return;
  }
  const text = await registry.metrics();
  response.writeHead(200, { 'Content-Type': registry.contentType }).end(text);
}
