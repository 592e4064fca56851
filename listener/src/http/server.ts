import {
  createServer,
  get,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';

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
  readonly maxRequestsPerConnection: number;
}

/** The limits in production. */
export const serverLimits: ServerLimits = {
  headersMilliseconds: 5000,
  requestMilliseconds: 10_000,
  // As the default of KEEP_ALIVE_SECONDS.
  keepAliveMilliseconds: 65_000,
  checkMilliseconds: 1000,
  maxHeaderBytes: 16_384,
  maxHeaders: 100,
  maxRequestsPerConnection: 1000,
};

/** Why a connection was closed: what it was doing, or that nothing could be closed for it. */
export const CLOSURES = ['no_request', 'idle', 'unverified', 'refused'] as const;

/** One of {@link CLOSURES}. */
export type Closure = (typeof CLOSURES)[number];

/**
 * The connections of a server. Node.js drops the newest one when there are too many, so that a few
 * idle clients keep everybody else out; this table closes those that are least likely to bring a
 * message.
 */
export interface ConnectionTable {
  /** Takes a new connection in; where there are too many, another one is closed for it. */
  admit(socket: Socket): void;
  /** Notes that a request is in hand until its response is closed. */
  begin(request: IncomingMessage, response: ServerResponse): void;
  /** The request holds a verified message: its connection is not closed until it is answered. */
  protect(request: IncomingMessage): void;
}

/** Settings of {@link createConnectionTable}; each has a default. */
export interface ConnectionTableOptions {
  /** @default 1000 */
  readonly maxConnections?: number;
  /**
   * Connections of one address, 0 for no limit. Behind a load balancer or a node that passes them on,
   * many clients have one address. @default 0
   */
  readonly maxConnectionsPerAddress?: number;
  /**
   * Time that a new connection has for the head of its request, and a request for its verification,
   * before they are closed in favour of others. @default 1000
   */
  readonly graceMilliseconds?: number;
  /** Called for each connection that is closed or refused. */
  readonly onClosure?: (closure: Closure) => void;
  /** Clock in milliseconds. @default performance.now */
  readonly now?: () => number;
}

type ConnectionState = Exclude<Closure, 'refused'> | 'verified';

interface Connection {
  readonly socket: Socket;
  readonly address: string | undefined;
  /** Requests in hand, and whether the message of each is verified. */
  readonly requests: Map<IncomingMessage, boolean>;
  state: ConnectionState;
  /** When it came into this state. */
  since: number;
}

/**
 * Makes a table of connections. When it is full, one is closed in this order, of each kind the one
 * that has been so for longest: without a request yet and past its grace; idle between two requests;
 * with a request that is not verified and past its grace; what is in its grace, oldest first. Where
 * each connection has a verified message in hand, the new one is refused.
 */
export function createConnectionTable(options: ConnectionTableOptions = {}): ConnectionTable {
  const {
    maxConnections = 1000,
    maxConnectionsPerAddress = 0,
    graceMilliseconds = 1000,
    onClosure = () => undefined,
    now = () => performance.now(),
  } = options;
  const connections = new Map<Socket, Connection>();
  const perAddress = new Map<string | undefined, number>();
  // Sets keep the order of insertion: the first one of a state has been in it for longest.
  const inState: Readonly<Record<ConnectionState, Set<Connection>>> = {
    no_request: new Set(),
    idle: new Set(),
    unverified: new Set(),
    verified: new Set(),
  };

  const move = (connection: Connection, state: ConnectionState): void => {
    if (connection.state === state) return;
    inState[connection.state].delete(connection);
    connection.state = state;
    connection.since = now();
    inState[state].add(connection);
  };

  const update = (connection: Connection): void => {
    // One that was closed to make room is known no longer.
    if (connections.has(connection.socket)) move(connection, stateOf(connection));
  };

  const add = (socket: Socket): void => {
    const address = socket.remoteAddress;
    const requests = new Map<IncomingMessage, boolean>();
    const connection: Connection = { socket, address, requests, state: 'no_request', since: now() };
    connections.set(socket, connection);
    inState.no_request.add(connection);
    perAddress.set(address, (perAddress.get(address) ?? 0) + 1);
    socket.once('close', () => remove(connection));
  };

  const remove = (connection: Connection): void => {
    const { socket, address, state } = connection;
    if (!connections.delete(socket)) return;
    inState[state].delete(connection);
    const left = (perAddress.get(address) ?? 0) - 1;
    if (left > 0) perAddress.set(address, left);
    else perAddress.delete(address);
  };

  const isPastGrace = (connection: Connection | undefined): boolean =>
    connection !== undefined && now() - connection.since >= graceMilliseconds;

  /** Which connection to close, among all or among those of one address. */
  const choose = (isCandidate: (connection: Connection) => boolean): Connection | undefined => {
    const longest = (state: ConnectionState) => first(inState[state], isCandidate);
    const waiting = longest('no_request');
    if (isPastGrace(waiting)) return waiting;
    const idle = longest('idle');
    if (idle !== undefined) return idle;
    const unverified = longest('unverified');
    if (isPastGrace(unverified)) return unverified;
    return waiting && unverified
      ? [waiting, unverified].sort((one, other) => one.since - other.since)[0]
      : (waiting ?? unverified);
  };

  /** @returns false where every candidate has a verified message in hand */
  const makeRoom = (isCandidate: (connection: Connection) => boolean): boolean => {
    const chosen = choose(isCandidate);
    if (chosen === undefined) return false;
    onClosure(chosen.state as Closure);
    remove(chosen);
    chosen.socket.destroy();
    return true;
  };

  return {
    admit(socket) {
      const { remoteAddress } = socket;
      const ofAddress = perAddress.get(remoteAddress) ?? 0;
      const hasRoom =
        (maxConnectionsPerAddress === 0 ||
          ofAddress < maxConnectionsPerAddress ||
          makeRoom(({ address }) => address === remoteAddress)) &&
        (connections.size < maxConnections || makeRoom(() => true));
      if (hasRoom) {
        add(socket);
        return;
      }
      onClosure('refused');
      socket.destroy();
    },

    begin(request, response) {
      const connection = connections.get(request.socket);
      if (connection === undefined) return;
      connection.requests.set(request, false);
      update(connection);
      response.once('close', () => {
        connection.requests.delete(request);
        update(connection);
      });
    },

    protect(request) {
      const connection = connections.get(request.socket);
      // Its answer may have been that time was up.
      if (!connection?.requests.has(request)) return;
      connection.requests.set(request, true);
      update(connection);
    },
  };
}

/** As soon as it is found: a table of a thousand is not copied for each new connection. */
function first<Item>(items: Iterable<Item>, fits: (item: Item) => boolean): Item | undefined {
  for (const item of items) {
    if (fits(item)) return item;
  }
  return undefined;
}

function stateOf({ requests }: Connection): ConnectionState {
  if (requests.size === 0) return 'idle';
  return [...requests.values()].includes(true) ? 'verified' : 'unverified';
}

/** How often closures are logged: a flood of connections must not become one of lines. */
const CLOSURE_LOG_MILLISECONDS = 10_000;

/**
 * Counts each closure, and logs the first one and then how many there were since, at most every ten
 * seconds.
 */
export function closureReport(
  logger: Logger,
  count: (closure: Closure) => void,
  now: () => number = () => performance.now(),
): (closure: Closure) => void {
  let loggedAt = Number.NEGATIVE_INFINITY;
  let closed: Partial<Record<Closure, number>> = {};
  return (closure) => {
    count(closure);
    closed[closure] = (closed[closure] ?? 0) + 1;
    if (now() - loggedAt < CLOSURE_LOG_MILLISECONDS) return;
    loggedAt = now();
    logger.warn({ closed }, 'too many connections: some were closed to let others in');
    closed = {};
  };
}

/** Where and how to listen. */
export interface HttpServerOptions {
  /** 0 picks a free one. */
  readonly port: number;
  /** Name of the setting that the port comes from, for the error message. */
  readonly portSetting: 'PORT' | 'METRICS_PORT' | '--port';
  /** @default '0.0.0.0' */
  readonly host?: string;
  /** @default serverLimits */
  readonly limits?: Partial<ServerLimits>;
  /** @default a table of its own with the defaults */
  readonly connections?: ConnectionTable;
}

/** A server that listens. */
export interface HttpServer {
  readonly port: number;
  /**
   * Whether a request of our own, by a connection that its table does not count, is answered with 200. It
   * waits for its turn in the event loop like any other.
   */
  answers(path: string, milliseconds: number): Promise<boolean>;
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
  const { port, portSetting, host = '0.0.0.0', connections = createConnectionTable() } = options;
  const limits = { ...serverLimits, ...options.limits };
  const running = new Set<ServerResponse>();
  const ownPorts = new Set<number | undefined>();
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
      connections.begin(request, response);
      running.add(response);
      response.once('close', () => running.delete(response));
      if (closing) {
        response.setHeader('Connection', 'close');
      }
      handler(request, response);
    },
  );
  server.maxHeadersCount = limits.maxHeaders;
  server.maxRequestsPerSocket = limits.maxRequestsPerConnection;
  server.on('connection', (socket: Socket) => {
    const isOwn = socket.remoteAddress === LOOPBACK && ownPorts.has(socket.remotePort);
    if (!isOwn) connections.admit(socket);
  });
  server.on('clientError', answerClientError);

  await listen(server, port, host, portSetting);

  const listening = (server.address() as AddressInfo).port;
  return {
    port: listening,
    answers: (path, milliseconds) => requestOwn(listening, path, milliseconds, ownPorts),
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

const LOOPBACK = '127.0.0.1';

/** @param ownPorts - holds the port that the connection comes from before the server sees it */
function requestOwn(
  port: number,
  path: string,
  milliseconds: number,
  ownPorts: Set<number | undefined>,
): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: LOOPBACK });
    let ownPort: number | undefined;
    // The system is asked for the connection in the tick before, and the server sees it in a later turn.
    process.nextTick(() => {
      ownPort = socket.localPort;
      ownPorts.add(ownPort);
    });
    const request = get({ createConnection: () => socket, host: LOOPBACK, port, path });
    const timer = setTimeout(() => request.destroy(new Error('timed out')), milliseconds);
    const end = (answered: boolean): void => {
      clearTimeout(timer);
      ownPorts.delete(ownPort);
      request.destroy();
      resolve(answered);
    };
    request.once('response', ({ statusCode }) => end(statusCode === 200));
    request.on('error', () => end(false));
  });
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
