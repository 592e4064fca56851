import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { defaultRetryPolicy, type RetryPolicy } from './delivery.ts';
import { answerQuery, createActions } from './query-api.ts';
import { createSender, type Sender } from './sender.ts';
import { makeSigningKey } from './signing-key.ts';
import { createTopics, type Topics } from './topics.ts';

/** Settings of {@link startLocalSns}. */
export interface LocalSnsOptions {
  /** On loopback. @default 0, a free one */
  readonly port?: number;
  /** @default '2' */
  readonly signatureVersion?: '1' | '2';
  /** What differs from the policy of SNS. @default nothing */
  readonly retryPolicy?: Partial<RetryPolicy>;
}

/** A small Amazon SNS on loopback that delivers over HTTP. */
export interface LocalSns
  extends Topics,
    Pick<Sender, 'attempts' | 'deadLetters' | 'injectFaults'> {
  /** For AWS_ENDPOINT_URL_SNS. */
  readonly origin: string;
  readonly certificateUrl: string;
  /** How often someone has visited a SubscribeURL, which a careful listener never does. */
  readonly subscribeUrlVisits: number;
  /** Signs with a new key from now on; its certificate is at the same URL. */
  rotateKey(): Promise<void>;
  /** Ends deliveries, also those that wait for a retry, and the server. */
  close(): Promise<void>;
}

/**
 * Starts a local SNS: topics, confirmation, signed deliveries and retries over real sockets, and
 * the calls of the AWS API that the listener's client and a script need.
 */
export async function startLocalSns(options: LocalSnsOptions = {}): Promise<LocalSns> {
  const { port = 0, signatureVersion = '2' } = options;
  const certificatePath = `/SimpleNotificationService-${randomBytes(16).toString('hex')}.pem`;
  let signingKey = await makeSigningKey();
  let subscribeUrlVisits = 0;
  let origin = '';

  const sender = createSender({ ...defaultRetryPolicy, ...options.retryPolicy }, () => ({
    privateKey: signingKey.privateKey,
    certificateUrl: origin + certificatePath,
    signatureVersion,
  }));
  const { topics, service } = createTopics({ send: sender.send, origin: () => origin });
  const actions = createActions(service);

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', origin);
    if (request.method === 'GET' && url.pathname === certificatePath) {
      response.writeHead(200, { 'content-type': 'application/x-pem-file' });
      response.end(signingKey.certificate);
      return;
    }
    if (url.pathname !== '/') {
      response.writeHead(404).end();
      return;
    }
    const isVisit = request.method === 'GET';
    const parameters = isVisit ? url.searchParams : new URLSearchParams(await text(request));
    if (isVisit && parameters.get('Action') === 'ConfirmSubscription') {
      subscribeUrlVisits += 1;
    }
    const isAuthenticated = request.headers.authorization !== undefined;
    const { status, body } = await answerQuery(actions, parameters, isAuthenticated);
    response.writeHead(status, { 'content-type': 'text/xml' }).end(body);
  };

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const { attempts, deadLetters, injectFaults } = sender;
  return {
    ...topics,
    attempts,
    deadLetters,
    injectFaults,
    origin,
    certificateUrl: origin + certificatePath,
    get subscribeUrlVisits() {
      return subscribeUrlVisits;
    },
    async rotateKey() {
      signingKey = await makeSigningKey();
    },
    async close() {
      await sender.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
