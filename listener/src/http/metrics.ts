import type { IncomingMessage, ServerResponse } from 'node:http';
import { PATHS, type SERVED_PATHS } from '@file-processing/contract/listener-interface.ts';
import { VERDICTS, type Verdict } from '@file-processing/quality/verdict.ts';
import type { Logger } from 'pino';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { type ErrorCode, errorTable } from '../errors.ts';
import { PERIOD_STATES, type PeriodState } from '../schedule/transitions.ts';
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

const ways = ['sns', 'webhook', 'email'] as const;
const noticeOutcomes = ['delivered', 'failed', 'dead'] as const;

const routingOutcomes = ['done', 'partly', 'failed'] as const;

/** How an attempt to route a file by its verdict ended. `partly`: something that its rules ask for was not done. */
export type RoutingCount = (typeof routingOutcomes)[number];

const rulesLabels = ['mapping', 'none'] as const;

/** Whether a verdict was made by a mapping. */
export type RulesLabel = (typeof rulesLabels)[number];

const taskNames = [
  'supervision',
  'dead_letters',
  'repairs',
  'retention',
  'months',
  'clock',
  'notices',
] as const;

/** What a process that judges files does again and again beside that. */
export type Task = (typeof taskNames)[number];

const attemptOutcomes = ['done', 'failed', 'postponed', 'handed_back'] as const;

/** How an attempt at a job ended: `postponed` and `handed_back` use up none. */
export type AttemptOutcome = (typeof attemptOutcomes)[number];

const ruleSetOutcomes = ['applied', 'refused'] as const;
const spanOutcomes = ['sent', 'lost'] as const;

const s3Outcomes = ['answered', 'refused', 'failed', 'unanswered'] as const;

/** How a request to S3 ended. */
export type S3Outcome = (typeof s3Outcomes)[number];

/** Operations of S3 that the listener asks for; others count as one. */
const s3Operations = [
  'GetObject',
  'PutObject',
  'CopyObject',
  'CreateMultipartUpload',
  'UploadPartCopy',
  'CompleteMultipartUpload',
  'GetObjectTagging',
  'PutObjectTagging',
] as const;

const endsWithoutVerdict = ['gone', 'replaced', 'error'] as const;

/** How a judgement ended that has no verdict. */
export type EndWithoutVerdict = (typeof endsWithoutVerdict)[number];

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
  /** @param rules whether a mapping made the verdict */
  countRun(verdict: Verdict, rules: RulesLabel): void;
  /** Counts judgements that ended without a verdict. @param count @default 1 */
  countWithoutVerdict(end: EndWithoutVerdict, count?: number): void;
  /** @param seconds - from the start of a job to its verdict */
  observeJob(seconds: number): void;
  /** Counts an attempt to write a report to the bucket. */
  countReport(outcome: ReportOutcome): void;
  /** Counts an attempt to deliver a notice; `lost` ones are another process's. */
  countNotice(way: (typeof ways)[number], outcome: (typeof noticeOutcomes)[number] | 'lost'): void;
  /** Counts an attempt to route a file. */
  countRouting(outcome: RoutingCount): void;
  addChecked(amount: { readonly rows: number; readonly bytes: number }): void;
  /** @param seconds - from the enqueueing of a job to its first attempt */
  observeWait(seconds: number): void;
  /** Counts an attempt at a job. */
  countAttempt(outcome: AttemptOutcome): void;
  /** Counts a request to S3. @param seconds - until its answer began */
  observeS3(operation: string, outcome: S3Outcome, seconds: number): void;
  /** Counts a turn of what is done again and again. */
  countTask(task: Task, isDone: boolean): void;
  /** Counts periods that have another state. */
  countPeriods(state: PeriodState, count: number): void;
  /** Counts what was deleted for its age. */
  countDeleted(deleted: Readonly<Record<DeletedKind, number>>): void;
  /** Counts a rule set at RULES_LOCATION that was applied, or that turned out to be broken. */
  countRuleSet(outcome: (typeof ruleSetOutcomes)[number]): void;
  /** Counts what SQS answered in the place of messages, and messages that it did not delete. */
  countQueueError(): void;
  /** Counts spans that the collector has taken, or that are lost since it did not. */
  countSpans(outcome: (typeof spanOutcomes)[number], count: number): void;
}

/** Connections of the pool of this process, by what they do, and who waits for one. */
export type PoolFigures = Readonly<Record<'used' | 'free' | 'waiting', number>>;

/** What the retention deletes, by the metric's label. */
const DELETED = {
  messages: 'messages',
  details: 'reports',
  deadLetters: 'dead_letters',
  referenceKeys: 'reference_keys',
  notices: 'notices',
  months: 'months',
} as const;

type DeletedKind = keyof typeof DELETED;

/** Settings of {@link createMetrics}. */
export interface MetricsOptions {
  /** Jobs that wait, by queue; asked at each scrape. @default none */
  readonly queueDepths?: () => Promise<Readonly<Record<string, number>>>;
  /** Bucket outages; asked at each scrape. @default none */
  readonly bucketOutages?: () => readonly BucketOutage[];
  /** Judgements that wait for a Job of Kubernetes, and that have one; asked at each scrape. @default no such metric */
  readonly kubernetesJobs?: () => Promise<Readonly<Record<'waiting' | 'submitted', number>>>;
  /** Whether the rule set that is to be applied was refused; asked at each scrape. @default no such metric */
  readonly rulesRefused?: () => boolean;
  /** Connections to the database; asked at each scrape. @default no such metric */
  readonly pool?: () => PoolFigures;
  /** Jobs that are worked on, and how many may be at a time; asked at each scrape. @default no such metric */
  readonly jobsInHand?: () => { readonly running: number; readonly places: number };
  /** What waits for somebody; one answer serves all scrapes of some seconds. @default none */
  readonly backlog?: () => Promise<BacklogFigures>;
  /** How long one answer of `backlog` counts. @default 10000 */
  readonly keepMs?: number;
  /** How long a scrape waits for the database. @default 3000: Prometheus gives up after 10 s */
  readonly answerMs?: number;
}

/** Figures of the database, each a gauge; one that is left out is not shown. */
const BACKLOG_GAUGES = {
  deadLetters: {
    name: 'file_processing_dead_letters',
    help: 'Jobs whose attempts are used up and that no operator has settled.',
  },
  deadMessages: {
    name: 'file_processing_dead_messages',
    help: 'Genuine messages that could not be read and that no operator has settled.',
  },
  missingReports: {
    name: 'file_processing_missing_reports',
    help: 'Current verdicts, from seven days to half an hour old, whose report is not in the bucket.',
  },
  unmonitoredFiles: {
    name: 'file_processing_unmonitored_files',
    help: 'Files of the last seven days whose verdict no mapping made.',
  },
  lateDeliveries: {
    name: 'file_processing_late_deliveries',
    help: 'Deliveries of monitored files that are past their due time but within their grace period.',
  },
  missingDeliveries: {
    name: 'file_processing_missing_deliveries',
    help: 'Deliveries of monitored files that are past their grace period, until seven days after the next one is expected.',
  },
  deadNotices: {
    name: 'file_processing_dead_notices',
    help: 'Notices that could not be delivered within two days, or were refused for good, and that no operator has settled.',
  },
  waitingNotices: {
    name: 'file_processing_waiting_notices',
    help: 'Notices that are to be delivered.',
  },
  oldestNoticeSeconds: {
    name: 'file_processing_oldest_notice_seconds',
    help: 'Age of the oldest notice that was tried and is still undelivered; 0 for none.',
  },
  lastListing: {
    name: 'file_processing_last_listing_timestamp_seconds',
    help: 'When the buckets were last listed to their end for objects that no message announced, in seconds since 1970. Absent if they never were.',
  },
  foundByListing: {
    name: 'file_processing_last_listing_enqueued',
    help: 'Objects without a verdict, and not queued for one, that the last listing of the buckets found and enqueued. Absent if there was none.',
  },
  monthsAheadSeconds: {
    name: 'file_processing_months_ahead_seconds',
    help: 'From now to the end of the last month that has its tables for messages and reports; the listener creates them three months ahead.',
  },
  oldestWaitingSeconds: {
    name: 'file_processing_oldest_waiting_seconds',
    help: 'Age of the oldest judgement that is waiting or in progress, except those of a listing or a rule change; 0 for none.',
  },
} as const;

/** What {@link MetricsOptions.backlog} answers. */
export type BacklogFigures = Readonly<Record<keyof typeof BACKLOG_GAUGES, number | undefined>>;

/**
 * Makes the metrics. Names follow the Prometheus conventions: base units, `_total` on counters.
 * Every label value is there from the start, so that rates work from the first event on.
 */
export function createMetrics({
  queueDepths,
  bucketOutages,
  rulesRefused,
  pool,
  jobsInHand,
  kubernetesJobs,
  backlog,
  keepMs = 10_000,
  answerMs = 3_000,
}: MetricsOptions = {}): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });

  const requests = new Counter({
    name: 'file_processing_http_requests_total',
    help: 'HTTP requests by outcome: what became of the message, or the error code.',
    labelNames: ['outcome'],
    registers,
  });
  const closures = new Counter({
    name: 'file_processing_http_closed_connections_total',
    help: 'Connections that were closed to make room for others, by what they were doing, or refused.',
    labelNames: ['closure'],
    registers,
  });
  const queued = new Counter({
    name: 'file_processing_queued_messages_total',
    help: 'Messages received from SQS by outcome: what became of them, or the error code.',
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
    help: 'Finished runs by verdict, and by the rules used: a mapping, or none.',
    labelNames: ['verdict', 'rules'],
    registers,
  });
  const withoutVerdict = new Counter({
    name: 'file_processing_judgements_without_verdict_total',
    help: 'Judgements that ended without a verdict, by how: the object was gone or replaced, or the attempts were used up.',
    labelNames: ['status'],
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
  const notices = new Counter({
    name: 'file_processing_notices_total',
    help: 'Attempts to deliver a notice by channel and outcome: a failed one is retried, a dead one is not.',
    labelNames: ['way', 'outcome'],
    registers,
  });
  const routings = new Counter({
    name: 'file_processing_routings_total',
    help: 'Attempts to tag or copy a file by its verdict, by outcome.',
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
  const waits = new Histogram({
    name: 'file_processing_queue_wait_seconds',
    help: 'From enqueueing a job to its first attempt.',
    buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 30, 60, 300, 1800, 3600],
    registers,
  });
  const attempts = new Counter({
    name: 'file_processing_job_attempts_total',
    help: 'Attempts at jobs by outcome: a failed one is tried again, until ten retries are used up; postponed and handed_back ones use up none.',
    labelNames: ['outcome'],
    registers,
  });
  const s3Requests = new Counter({
    name: 'file_processing_s3_requests_total',
    help: "Requests to S3, the SDK's own retries within one, by operation and outcome: refused is an answer of 4xx, failed one of 5xx, unanswered none at all.",
    labelNames: ['operation', 'outcome'],
    registers,
  });
  const s3Seconds = new Histogram({
    name: 'file_processing_s3_request_duration_seconds',
    help: 'From a request to S3 to the start of its answer, or to its failure, by operation.',
    labelNames: ['operation'],
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 15, 60],
    registers,
  });
  const tasks = new Counter({
    name: 'file_processing_task_runs_total',
    help: 'Runs of recurring tasks: supervision of processes that died, dead letters, repairs, retention, tables of the next months, the clock of deliveries, the planning of notices.',
    labelNames: ['task', 'outcome'],
    registers,
  });
  const taskSuccess = new Gauge({
    name: 'file_processing_task_last_success_timestamp_seconds',
    help: 'When this process last did each of these tasks without an error, in seconds since 1970.',
    labelNames: ['task'],
    registers,
  });
  const periods = new Counter({
    name: 'file_processing_period_changes_total',
    help: 'Changes of the state of delivery periods, by the new state.',
    labelNames: ['state'],
    registers,
  });
  const deletions = new Counter({
    name: 'file_processing_deleted_total',
    help: 'What was deleted because it was older than RETENTION_DAYS.',
    labelNames: ['what'],
    registers,
  });
  const ruleSets = new Counter({
    name: 'file_processing_rule_sets_total',
    help: 'Rule sets at RULES_LOCATION that were applied, and those that were broken.',
    labelNames: ['outcome'],
    registers,
  });
  const queueErrors = new Counter({
    name: 'file_processing_queue_errors_total',
    help: 'Errors that SQS returned instead of messages, and messages that it did not delete.',
    registers,
  });
  const spans = new Counter({
    name: 'file_processing_spans_total',
    help: 'Trace spans that the collector accepted, and those that were lost because it did not.',
    labelNames: ['outcome'],
    registers,
  });
  if (pool !== undefined) {
    new Gauge({
      name: 'file_processing_database_connections',
      help: 'Connections of this process to the database, used and free, and statements that wait for one.',
      labelNames: ['state'],
      registers,
      collect() {
        for (const [state, count] of Object.entries(pool())) this.set({ state }, count);
      },
    });
  }
  if (jobsInHand !== undefined) {
    new Gauge({
      name: 'file_processing_jobs_in_hand',
      help: 'Jobs in progress in this process; the slot of a job that only writes its report is free for another.',
      registers,
      collect() {
        this.set(jobsInHand().running);
      },
    });
    new Gauge({
      name: 'file_processing_job_places',
      help: 'Files that this process checks at the same time: WORKER_CONCURRENCY.',
      registers,
      collect() {
        this.set(jobsInHand().places);
      },
    });
  }
  if (queueDepths !== undefined) {
    registerCounts(registry, QUEUE_DEPTH, answerOrNothing(queueDepths, { keepMs: 0, answerMs }));
  }
  if (kubernetesJobs !== undefined) {
    registerCounts(registry, JOB_PLACES, answerOrNothing(kubernetesJobs, { keepMs, answerMs }));
  }
  if (backlog !== undefined) {
    registerBacklog(registry, answerOrNothing(backlog, { keepMs, answerMs }));
  }
  if (bucketOutages !== undefined) {
    new Gauge({
      name: 'file_processing_bucket_outage',
      help: 'Buckets that cannot be used for now, by what refuses: 1 each. Their files wait and use up no attempt.',
      labelNames: ['bucket', 'way', 'outage'],
      registers,
      collect() {
        this.reset();
        for (const { bucket, way, outage } of bucketOutages()) this.set({ bucket, way, outage }, 1);
      },
    });
  }

  if (rulesRefused !== undefined) {
    new Gauge({
      name: 'file_processing_rules_refused',
      help: '1 if the rule set at RULES_LOCATION could not be read or applied; the previous rules then stay active.',
      registers,
      collect() {
        this.set(rulesRefused() ? 1 : 0);
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
    for (const rules of rulesLabels) runs.inc({ verdict, rules }, 0);
  }
  for (const status of endsWithoutVerdict) {
    withoutVerdict.inc({ status }, 0);
  }
  for (const outcome of reportOutcomes) {
    reports.inc({ outcome }, 0);
  }
  for (const way of ways) {
    for (const outcome of noticeOutcomes) notices.inc({ way, outcome }, 0);
  }
  for (const outcome of routingOutcomes) {
    routings.inc({ outcome }, 0);
  }
  for (const outcome of attemptOutcomes) attempts.inc({ outcome }, 0);
  for (const outcome of spanOutcomes) spans.inc({ outcome }, 0);
  for (const outcome of ruleSetOutcomes) ruleSets.inc({ outcome }, 0);
  for (const task of taskNames) {
    for (const outcome of ['done', 'failed']) tasks.inc({ task, outcome }, 0);
  }
  for (const state of PERIOD_STATES) periods.inc({ state }, 0);
  for (const what of Object.values(DELETED)) deletions.inc({ what }, 0);
  for (const outcome of s3Outcomes) s3Requests.inc({ operation: 'GetObject', outcome }, 0);

  return {
    registry,
    countRequest: (outcome) => requests.inc({ outcome }),
    countClosure: (closure) => closures.inc({ closure }),
    countQueued: (outcome) => queued.inc({ outcome }),
    observeIntake: (seconds) => intake.observe(seconds),
    countRun: (verdict, rules) => runs.inc({ verdict, rules }),
    countWithoutVerdict: (status, count = 1) => withoutVerdict.inc({ status }, count),
    observeJob: (seconds) => jobs.observe(seconds),
    countReport: (outcome) => reports.inc({ outcome }),
    countNotice: (way, outcome) => {
      if (outcome !== 'lost') notices.inc({ way, outcome });
    },
    countRouting: (outcome) => routings.inc({ outcome }),
    addChecked: (amount) => {
      rows.inc(amount.rows);
      bytes.inc(amount.bytes);
    },
    observeWait: (seconds) => waits.observe(seconds),
    countAttempt: (outcome) => attempts.inc({ outcome }),
    observeS3(asked, outcome, seconds) {
      const operation = s3Operations.find((known) => known === asked) ?? 'other';
      s3Requests.inc({ operation, outcome });
      s3Seconds.observe({ operation }, seconds);
    },
    countTask(task, isDone) {
      tasks.inc({ task, outcome: isDone ? 'done' : 'failed' });
      if (isDone) taskSuccess.setToCurrentTime({ task });
    },
    countPeriods: (state, count) => periods.inc({ state }, count),
    countDeleted(deleted) {
      for (const [kind, what] of Object.entries(DELETED)) {
        deletions.inc({ what }, deleted[kind as DeletedKind]);
      }
    },
    countRuleSet: (outcome) => ruleSets.inc({ outcome }),
    countQueueError: () => queueErrors.inc(),
    countSpans: (outcome, count) => spans.inc({ outcome }, count),
  };
}

const QUEUE_DEPTH = {
  name: 'file_processing_queue_depth',
  help: 'Jobs that wait, by queue. Absent while the database is unavailable.',
  label: 'queue',
};

const JOB_PLACES = {
  name: 'file_processing_kubernetes_jobs',
  help: 'Judgements of large files that wait for a Job of Kubernetes, or have one of the places of JOB_LIMIT. Absent while the database is unavailable.',
  label: 'state',
};

function registerCounts(
  registry: Registry,
  { name, help, label }: typeof QUEUE_DEPTH,
  counts: () => Promise<Readonly<Record<string, number>> | undefined>,
): void {
  new Gauge({
    ...{ name, help },
    labelNames: [label],
    registers: [registry],
    async collect() {
      const found = await counts();
      this.reset();
      for (const [value, count] of Object.entries(found ?? {})) this.set({ [label]: value }, count);
    },
  });
}

function registerBacklog(
  registry: Registry,
  backlog: () => Promise<BacklogFigures | undefined>,
): void {
  const names = Object.keys(BACKLOG_GAUGES) as (keyof BacklogFigures)[];
  for (const key of names) {
    const { name, help } = BACKLOG_GAUGES[key];
    new Gauge({
      name,
      help: `${help} Absent while the database is unavailable.`,
      registers: [registry],
      async collect() {
        const figure = (await backlog())?.[key];
        // Without it the gauge would be there with 0.
        this.remove();
        if (figure !== undefined) this.set(figure);
      },
    });
  }
}

/**
 * Asks the database for a scrape: once for all who ask at the same time, and at most once in `keepMs`. A
 * failure and an answer that is late are undefined, since a database that is unavailable must not cost the
 * other metrics.
 */
function answerOrNothing<Answer>(
  ask: () => Promise<Answer>,
  { keepMs, answerMs }: { readonly keepMs: number; readonly answerMs: number },
): () => Promise<Answer | undefined> {
  let asking: Promise<Answer | undefined> | undefined;
  let kept: { readonly answer: Answer; readonly until: number } | undefined;
  const askNow = async () => {
    try {
      const answer = await ask();
      kept = { answer, until: performance.now() + keepMs };
      return answer;
    } catch {
      return undefined;
    } finally {
      asking = undefined;
    }
  };
  return async () => {
    if (kept !== undefined && performance.now() < kept.until) return kept.answer;
    asking ??= Promise.resolve().then(askNow);
    const late = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => late.resolve(undefined), answerMs);
    try {
      return await Promise.race([asking, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  };
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
