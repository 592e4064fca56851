import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';

/** Limits that keep slow or many clients from using the server up. */
export interface ServerLimits {
  /** Time for a request's head, counted from the connection for the first one. */
  readonly headersMilliseconds: number;
  /** Time for a whole request, body included. */
  readonly requestMilliseconds: number;
  /** How long a connection may wait for its next request. */
  readonly keepAliveMilliseconds: number;
  /** How often these times are looked at. */
  readonly checkMilliseconds: number;
  readonly maxHeaderBytes: number;
  readonly maxHeaders: number;
  readonly maxConnections: number;
  readonly maxRequestsPerConnection: number;
}

/** The limits in production. */
export const serverLimits: ServerLimits = {
  headersMilliseconds: 5000,
  requestMilliseconds: 10_000,
  // Longer than the 60 seconds of AWS load balancers: they must be the ones to close, or they send
  // a request into a connection that we are closing.
  keepAliveMilliseconds: 65_000,
  checkMilliseconds: 1000,
  maxHeaderBytes: 16_384,
  maxHeaders: 100,
  maxConnections: 1000,
  maxRequestsPerConnection: 1000,
};

/** Where and how to listen. */
export interface HttpServerOptions {
  /** 0 picks a free one. */
  readonly port: number;
  /** Name of the setting that the port comes from, for the error message. */
  readonly portSetting: 'PORT' | 'METRICS_PORT';
  /** @default '0.0.0.0' */
  readonly host?: string;
  /** @default serverLimits */
  readonly limits?: Partial<ServerLimits>;
}

/** A server that listens. */
export interface HttpServer {
  readonly port: number;
  /**
   * Takes no more connections, ends keep-alive and waits for running requests.
   *
   * @param milliseconds - after which connections that are left are cut
   */
  close(milliseconds: number): Promise<void>;
}

/**
 * Starts an HTTP server.
 *
 * @throws Error with one clear line where the port can't be had
 */
export async function startHttpServer(
  handler: RequestListener,
  options: HttpServerOptions,
): Promise<HttpServer> {
  const { port, portSetting, host = '0.0.0.0' } = options;
  const limits = { ...serverLimits, ...options.limits };
  const running = new Set<ServerResponse>();
  let closing = false;

  const server = createServer(
    {
      headersTimeout: limits.headersMilliseconds,
      requestTimeout: limits.requestMilliseconds,
      keepAliveTimeout: limits.keepAliveMilliseconds,
      connectionsCheckingInterval: limits.checkMilliseconds,
      maxHeaderSize: limits.maxHeaderBytes,
    },
    (request, response) => {
      running.add(response);
      response.once('close', () => running.delete(response));
      if (closing) {
        response.setHeader('Connection', 'close');
      }
      handler(request, response);
    },
  );
  server.maxHeadersCount = limits.maxHeaders;
  server.maxConnections = limits.maxConnections;
  server.maxRequestsPerSocket = limits.maxRequestsPerConnection;
  server.on('clientError', answerClientError);

  await listen(server, port, host, portSetting);

  return {
    port: (server.address() as AddressInfo).port,
    close(milliseconds) {
      closing = true;
      for (const response of running) {
        if (!response.headersSent) {
          response.setHeader('Connection', 'close');
        }
      }
      return new Promise((resolve) => {
        const timer = setTimeout(() => server.closeAllConnections(), milliseconds);
        server.close(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    },
  };
}

function listen(server: Server, port: number, host: string, setting: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void => {
      reject(new Error(describeListenError(error, port, setting), { cause: error }));
    };
    server.once('error', onError);
    server.listen(port, host, () => {
      server.off('error', onError);
      resolve();
    });
  });
}

function describeListenError(error: NodeJS.ErrnoException, port: number, setting: string): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return `${setting} ${port} is in use by another process. Set ${setting} to a free port.`;
    case 'EACCES':
      return `${setting} ${port} may not be opened by this user. Set ${setting} to 1024 or above.`;
    default:
      return `${setting} ${port} can't be opened: ${error.message}`;
  }
}

function answerClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const answer = `HTTP/1.1 ${statusOf(error)}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`;
  // Destroyed at once: a client that never closes its side must not keep the connection.
  socket.end(answer, () => socket.destroy());
}

function statusOf(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'HPE_HEADER_OVERFLOW':
      return '431 Request Header Fields Too Large';
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      // Not 408: SNS takes that for final, while a stalled delivery is worth another try.
      return '503 Service Unavailable\r\nRetry-After: 5';
    default:
      return '400 Bad Request';
  }
}
