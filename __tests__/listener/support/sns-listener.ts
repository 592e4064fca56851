import { Writable } from 'node:stream';
import type { SignedMessage } from '@file-processing/contract/sns-envelope.ts';
import { type Logger, pino } from 'pino';
import { makeSigningKey, type SigningKey } from '../../../listener/local/sns/signing-key.ts';
import { ListenerError } from '../../../listener/src/errors.ts';
import { type AppDependencies, createApp } from '../../../listener/src/http/app.ts';
import { createMetrics, type Metrics } from '../../../listener/src/http/metrics.ts';
import {
  type ConnectionTableOptions,
  closureReport,
  createConnectionTable,
  type ServerLimits,
  startHttpServer,
} from '../../../listener/src/http/server.ts';
import { createCertificateStore } from '../../../listener/src/sns/certificates.ts';
import { createVerifier, type VerifierOptions } from '../../../listener/src/sns/verifier.ts';
import type { QueueIntake } from '../../../listener/src/sqs/queued-delivery.ts';
import { topicArn, topicOf } from './sns-messages.ts';
import { startTestServer } from './sns-sockets.ts';

/** A logger whose lines a test can read. */
export function collectingLogger(): { logger: Logger; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(JSON.parse(chunk.toString()));
      done();
    },
  });
  return { logger: pino({ level: 'debug' }, stream), lines };
}

/** The value of a counter for one outcome. */
export async function requestsWith(metrics: Metrics, outcome: string): Promise<number> {
  const text = await metrics.registry.metrics();
  const line = `file_processing_http_requests_total{outcome="${outcome}"} `;
  const found = text.split('\n').find((candidate) => candidate.startsWith(line));
  return Number(found?.slice(line.length));
}

/** An intake that keeps the calls and accepts everything. */
export function recordingIntake(changes: Partial<QueueIntake> = {}) {
  const calls: string[] = [];
  const intake: QueueIntake = {
    async acceptNotification(envelope) {
      calls.push(`notification ${envelope.messageId}`);
      return (
        (await changes.acceptNotification?.(envelope)) ?? { outcome: 'accepted', runIds: ['run-1'] }
      );
    },
    async acceptUnsigned(envelope, event) {
      calls.push(`unsigned ${envelope.messageId} from ${envelope.topicArn}`);
      return (
        (await changes.acceptUnsigned?.(envelope, event)) ?? {
          outcome: 'accepted',
          runIds: ['run-1'],
        }
      );
    },
    async recordConfirmation(envelope) {
      calls.push(`confirmation ${envelope.messageId}`);
      await changes.recordConfirmation?.(envelope);
    },
    async recordUnsubscribe(envelope) {
      calls.push(`unsubscribe ${envelope.messageId}`);
      await changes.recordUnsubscribe?.(envelope);
    },
  };
  return { intake, calls };
}

export interface TestListenerOptions {
  readonly intake?: Partial<QueueIntake>;
  readonly app?: Partial<AppDependencies>;
  readonly verifier?: Partial<VerifierOptions>;
  readonly limits?: Partial<ServerLimits>;
  readonly connections?: ConnectionTableOptions;
  /** Certificate of the key; its host answers 500 where this is undefined. */
  readonly certificate?: string;
}

/**
 * The application on a real socket with real verification. A host on loopback serves the
 * certificate; ConfirmSubscription (AWS) and the intake are the only parts that are not real.
 */
export async function startTestListener(key: SigningKey, options: TestListenerOptions = {}) {
  const certificate = 'certificate' in options ? options.certificate : key.certificate;
  const certificates = await startTestServer((_, response) =>
    certificate === undefined ? response.writeHead(500).end() : response.end(certificate),
  );
  const { intake, calls } = recordingIntake(options.intake);
  const { logger, lines } = collectingLogger();
  const metrics = createMetrics();
  const confirmed: string[] = [];
  const connections = createConnectionTable({
    onClosure: closureReport(logger, metrics.countClosure),
    ...options.connections,
  });
  const app = createApp({
    verifier: createVerifier({
      topics: [topicOf(topicArn)],
      certificates: createCertificateStore(),
      trustedOrigins: [certificates.origin],
      ...options.verifier,
    }),
    confirmer: {
      async confirm(envelope, topic) {
        confirmed.push(`${topic.arn} ${envelope.token}`);
        return `${topic.arn}:subscription`;
      },
    },
    intake,
    logger,
    metrics,
    onVerified: connections.protect,
    readiness: async () => true,
    ...options.app,
  });
  const server = await startHttpServer(app.callback(), {
    port: 0,
    portSetting: 'PORT',
    host: '127.0.0.1',
    limits: options.limits,
    connections,
  });
  const origin = `http://127.0.0.1:${server.port}`;

  return {
    origin,
    port: server.port,
    server,
    metrics,
    /** Log lines. */
    lines,
    /** Calls of the intake. */
    calls,
    /** Subscriptions that were confirmed: topic and token. */
    confirmed,
    certificateUrl: `${certificates.origin}/SimpleNotificationService-0.pem`,
    certificateRequests: certificates.requests,
    post(message: SignedMessage, headers: Record<string, string> = {}): Promise<Response> {
      return fetch(origin, {
        method: 'POST',
        headers: {
          'x-amz-sns-message-type': message.Type,
          'content-type': 'text/plain; charset=UTF-8',
          ...headers,
        },
        body: JSON.stringify(message),
      });
    },
    async close() {
      await server.close(0);
      await certificates.close();
    },
  };
}

export type TestListener = Awaited<ReturnType<typeof startTestListener>>;

/** A key pair made once for all test files of a worker. */
let sharedKey: Promise<SigningKey> | undefined;

export function testKey(): Promise<SigningKey> {
  sharedKey ??= makeSigningKey();
  return sharedKey;
}

/** What AWS's failure looks like to the application. */
export function awsFailure(): ListenerError {
  return new ListenerError('confirmation_failed', { topicArn, reason: 'AccessDenied' });
}
