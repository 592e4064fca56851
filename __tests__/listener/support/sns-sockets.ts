import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

/** A server on loopback for one test. */
export interface TestServer {
  readonly origin: string;
  readonly port: number;
  /** Paths of the requests so far. */
  readonly requests: readonly string[];
  close(): Promise<void>;
}

/** Starts a plain HTTP server on a free port. */
export async function startTestServer(handler: RequestListener): Promise<TestServer> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.url ?? '');
    handler(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    port,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A bare TCP connection whose answer is collected. */
export interface RawConnection {
  readonly socket: Socket;
  /** All that came, once the server has closed the connection. */
  readonly closed: Promise<string>;
}

/** Connects and sends a text as it is. */
export async function connectRaw(port: number, text: string): Promise<RawConnection> {
  const socket = connect({ port, host: '127.0.0.1' });
  let received = '';
  socket.on('data', (chunk) => {
    received += chunk.toString();
  });
  // A reset ends the connection as well.
  socket.on('error', () => undefined);
  const closed = new Promise<string>((resolve) => socket.on('close', () => resolve(received)));
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  socket.write(text);
  return { socket, closed };
}
