import type { IncomingMessage, ServerResponse } from 'node:http';
import { PATHS, type SERVED_PATHS } from '@file-processing/contract/listener-interface.ts';
import { VERDICTS, type Verdict } from '@file-processing/quality/verdict.ts';
import type { Logger } from 'pino';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { type ErrorCode, errorTable } from '../errors.ts';
import {
  CLOSURES,
  type Closure,
  type HttpServer,
  type HttpServerOptions,
  startHttpServer,
} from './server.ts';

const requestOutcomes = [
  'accepted',
  'known',
  'duplicate',
  'ignored',
  'dead',
  'confirmed',
  'unsubscribed',
] as const;

/** How a request ended: what became of the message, or the code of the error. */
export type RequestOutcome = (typeof requestOutcomes)[number] | ErrorCode;

const reportOutcomes = ['written', 'failed'] as const;

/** A bucket that can't be used for now, whatever the file. */
export interface BucketOutage {
  readonly bucket: string;
  /** Whether its files can't be read, or no report be written. */
  readonly way: 'read' | 'write';
  readonly outage: string;
}

/** How an attempt to write a report ended. */
export type ReportOutcome = (typeof reportOutcomes)[number];

/** The listener's metrics, in a registry of their own. */
export interface Metrics {
  readonly registry: Registry;
  countRequest(outcome: RequestOutcome): void;
  /** Counts a connection that was closed to let another one in. */
  countClosure(closure: Closure): void;
  /** Counts a message that was fetched from a queue. */
  countQueued(outcome: RequestOutcome): void;
  /** @param seconds - from the request's head to the commit */
  observeIntake(seconds: number): void;
  countRun(verdict: Verdict): void;
  /** @param seconds - from the start of a job to its verdict */
  observeJob(seconds: number): void;
  /** Counts an attempt to write a report to the bucket. */
  countReport(outcome: ReportOutcome): void;
  addChecked(amount: { readonly rows: number; readonly bytes: number }): void;
}

/** Settings of {@link createMetrics}. */
export interface MetricsOptions {
  /** Jobs that wait, by queue; asked at each scrape. @default none */
  readonly queueDepths?: () => Promise<Readonly<Record<string, number>>>;
  /** Buckets that are out; asked at each scrape. @default none */
  readonly bucketOutages?: () => readonly BucketOutage[];
}

/**
 * Makes the metrics. Names follow the Prometheus conventions: base units, `_total` on counters.
 * Every label value is there from the start, so that rates work from the first event on.
 */
export function createMetrics({ queueDepths, bucketOutages }: MetricsOptions = {}): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });

  const requests = new Counter({
    name: 'file_processing_http_requests_total',
    help: 'HTTP requests by outcome: what became of the message, or the code of the error.',
    labelNames: ['outcome'],
    registers,
  });
  const closures = new Counter({
    name: 'file_processing_http_closed_connections_total',
    help: 'Connections that were closed to let others in, by what they were doing, or refused.',
    labelNames: ['closure'],
    registers,
  });
  const queued = new Counter({
    name: 'file_processing_queued_messages_total',
    help: 'Messages fetched from SQS by outcome: what became of them, or the code of the error.',
    labelNames: ['outcome'],
    registers,
  });
  const intake = new Histogram({
    name: 'file_processing_intake_duration_seconds',
    help: 'From the head of a delivery, or the fetch of a message, to the commit of its message.',
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers,
  });
  const runs = new Counter({
    name: 'file_processing_runs_total',
    help: 'Finished runs by verdict.',
    labelNames: ['verdict'],
    registers,
  });
  const jobs = new Histogram({
    name: 'file_processing_job_duration_seconds',
    help: 'From the start of a job to its verdict.',
    buckets: [0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 900],
    registers,
  });
  const reports = new Counter({
    name: 'file_processing_reports_total',
    help: 'Attempts to write a report to the bucket, by outcome.',
    labelNames: ['outcome'],
    registers,
  });
  const rows = new Counter({
    name: 'file_processing_checked_rows_total',
    help: 'Rows of data that were checked.',
    registers,
  });
  const bytes = new Counter({
    name: 'file_processing_checked_bytes_total',
    help: 'Bytes of files that were checked.',
    registers,
  });
  if (queueDepths !== undefined) {
    registerQueueDepth(registry, queueDepths);
  }
  if (bucketOutages !== undefined) {
    new Gauge({
      name: 'file_processing_bucket_outage',
      help: 'Buckets that can not be used for now, by what refuses: 1 each. Their files wait and use up no attempt.',
      labelNames: ['bucket', 'way', 'outage'],
      registers,
      collect() {
        this.reset();
        for (const { bucket, way, outage } of bucketOutages()) this.set({ bucket, way, outage }, 1);
      },
    });
  }

  for (const outcome of [...requestOutcomes, ...Object.keys(errorTable)]) {
    requests.inc({ outcome }, 0);
    queued.inc({ outcome }, 0);
  }
  for (const closure of CLOSURES) {
    closures.inc({ closure }, 0);
  }
  for (const verdict of VERDICTS) {
    runs.inc({ verdict }, 0);
  }
  for (const outcome of reportOutcomes) {
    reports.inc({ outcome }, 0);
  }

  return {
    registry,
    countRequest: (outcome) => requests.inc({ outcome }),
    countClosure: (closure) => closures.inc({ closure }),
    countQueued: (outcome) => queued.inc({ outcome }),
    observeIntake: (seconds) => intake.observe(seconds),
    countRun: (verdict) => runs.inc({ verdict }),
    observeJob: (seconds) => jobs.observe(seconds),
    countReport: (outcome) => reports.inc({ outcome }),
    addChecked: (amount) => {
      rows.inc(amount.rows);
      bytes.inc(amount.bytes);
    },
  };
}

function registerQueueDepth(
  registry: Registry,
  queueDepths: () => Promise<Readonly<Record<string, number>>>,
): void {
  new Gauge({
    name: 'file_processing_queue_depth',
    help: 'Jobs that wait, by queue. Absent while the database is unavailable.',
    labelNames: ['queue'],
    registers: [registry],
    async collect() {
      this.reset();
      // A database that is unavailable must not cost the other metrics.
      const depths = await queueDepths().catch(() => ({}));
      for (const [queue, depth] of Object.entries(depths)) {
        this.set({ queue }, depth);
      }
    },
  });
}

/** What the probes of Kubernetes ask. */
export interface Probes {
  /** Whether the process works, but for what no restart would mend. */
  readonly alive: () => Promise<boolean>;
  /** Why no messages can be taken; undefined while they can. */
  readonly unready: () => Promise<string | undefined>;
}

/** Where the metrics server listens; its port setting is METRICS_PORT. */
export type MetricsServerOptions = Omit<HttpServerOptions, 'portSetting'> & {
  readonly probes: Probes;
};

/**
 * Starts the server that answers `GET /metrics` and the probes: on a port of their own, where nobody
 * from outside waits in the same queue.
 */
export function startMetricsServer(
  registry: Registry,
  logger: Logger,
  { probes, ...options }: MetricsServerOptions,
): Promise<HttpServer> {
  const probe =
    (reasonAgainst: () => Promise<string | undefined>): Answer =>
    async (response) => {
      const reason = await reasonAgainst();
      const status = reason === undefined ? 'ok' : 'unavailable';
      response.writeHead(reason === undefined ? 200 : 503, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify({ status, reason }));
    };
  const answers: Readonly<Record<(typeof SERVED_PATHS.METRICS_PORT)[number], Answer>> = {
    [PATHS.metrics]: async (response) => {
      const text = await registry.metrics();
      response.writeHead(200, { 'Content-Type': registry.contentType }).end(text);
    },
    [PATHS.liveness]: probe(async () =>
      (await probes.alive()) ? undefined : 'the port of messages takes no connection',
    ),
    [PATHS.readiness]: probe(probes.unready),
  };
  const handler = (request: IncomingMessage, response: ServerResponse): void => {
    answerBy(answers, request, response).catch((err: unknown) => {
      logger.error({ err }, `${request.url} could not be answered`);
      response.writeHead(500).end();
    });
  };
  return startHttpServer(handler, { ...options, portSetting: 'METRICS_PORT' });
}

type Answer = (response: ServerResponse) => Promise<void>;

async function answerBy(
  answers: Readonly<Record<string, Answer>>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = request.url?.split('?')[0] ?? '';
  const answer = Object.hasOwn(answers, path) ? answers[path] : undefined;
  if (answer === undefined) {
    response.writeHead(404, { Connection: 'close' }).end();
    return;
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { Allow: 'GET, HEAD', Connection: 'close' }).end();
    return;
  }
  await answer(response);
}
