import { randomUUID } from 'node:crypto';
import type { RequestListener } from 'node:http';
import {
  OWN_REQUEST_SECONDS,
  PATHS,
  READINESS_SECONDS,
  ROLES,
  type Role,
} from '@file-processing/contract/listener-interface.ts';
import { LONGEST_IN_QUEUES_SECONDS } from '@file-processing/contract/listener-variables.ts';
import type { Logger } from 'pino';
import { proxyAgents } from '../config/proxy-agents.ts';
import type { Config, ConfigWithDatabase } from '../config.ts';
import { backlogOf } from '../database/backlog.ts';
import { type BucketOutage, outageTeller } from '../database/bucket-outages.ts';
import { answers, connect, type Database, onceAvailable, poolOf } from '../database/connection.ts';
import { failJudgements } from '../database/judgements.ts';
import { countKubernetesJobs, placeJudgement } from '../database/kubernetes-jobs.ts';
import { migrate } from '../database/migrate.ts';
import { makeMonths } from '../database/months.ts';
import { lookAtPeriods } from '../database/period-clock.ts';
import { deleteOld } from '../database/retention.ts';
import { checkSchema, isUsable } from '../database/schema-version.ts';
import { type Envelope, signingCertificates } from '../database/sns-messages.ts';
import { createApp } from '../http/app.ts';
import { createMetrics, type Metrics, startMetricsServer, type Task } from '../http/metrics.ts';
import {
  type ConnectionTable,
  closureReport,
  createConnectionTable,
  type HttpServer,
  startHttpServer,
} from '../http/server.ts';
import type { IntakeResult } from '../http/sns-delivery.ts';
import { snsIntake } from '../intake/sns-intake.ts';
import { createEngine } from '../jobs/engine-ports.ts';
import { allowedRouting, routingFormOf } from '../jobs/route-verdict.ts';
import { s3DataQualityJob } from '../jobs/s3-data-quality-job.ts';
import { reportFormOf } from '../jobs/write-report.ts';
import { audienceOf, outletsOf, startTelling } from '../notices/telling.ts';
import { clientsOfObjects } from '../queue/clients.ts';
import {
  endDeadJudgements,
  lookForDeadProcesses,
  repairJudgements,
  settleOvertaken,
} from '../queue/dead-letters.ts';
import { forgetIdleClients, placeWaiting } from '../queue/fair-order.ts';
import { jobRunner, returnToPool } from '../queue/job-runner.ts';
import { kubernetesJobs } from '../queue/kubernetes-api.ts';
import { type ClientsOf, openQueue, type Queue } from '../queue/queue.ts';
import { type Repeated, repeat, startWorker, type Worker } from '../queue/worker.ts';
import { isLoopback, trustedCertificateOrigins } from '../sns/certificate-url.ts';
import { type CertificateStore, createCertificateStore } from '../sns/certificates.ts';
import { createConfirmer, createSnsClients } from '../sns/confirmation.ts';
import { createVerifier, type Verifier } from '../sns/verifier.ts';
import { type QueueConsumer, queueClient, startQueueConsumer } from '../sqs/queue-consumer.ts';
import { missingCertificates, type QueueIntake, queuedDelivery } from '../sqs/queued-delivery.ts';
import { type Breakers, type BreakersOptions, createBreakers } from '../storage/breaker.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { openStore } from '../storage/open-store.ts';
import { activeSpan, inSpan, type SpanOptions, type Tracer, traced } from '../tracing/tracing.ts';
import { jobHandler } from './job-handler.ts';
import { type RulesInForce, startRules } from './rules-in-force.ts';
import { shutdownBudget } from './shutdown.ts';

/** What {@link startListener} works with. */
export interface ListenerOptions {
  readonly config: ConfigWithDatabase;
  readonly role: Role;
  /** Brings an old schema up to date; without it an old schema is refused. */
  readonly migrate: boolean;
  readonly logger: Logger;
}

/** A listener that works. */
export interface RunningListener {
  /** Of the SNS endpoint; undefined for a worker. */
  readonly port: number | undefined;
  readonly metricsPort: number;
  /**
   * Drains: not ready from now on, jobs finish or go back to the queue, requests finish, all is
   * closed. A second call returns the first one's promise.
   */
  stop(): Promise<void>;
}

/** What the parts of one listener share. */
interface Parts {
  readonly options: ListenerOptions;
  readonly database: Database;
  readonly queue: Queue;
  /** Between whom the queue is shared out. */
  readonly clientsOf: ClientsOf;
  readonly metrics: Metrics;
  /** Undefined where no traces are made. */
  readonly tracer: Tracer | undefined;
  /** One of all messages, however they come. */
  readonly certificates: CertificateStore;
  readonly breakers: Readonly<Record<'read' | 'write', Breakers>>;
  readonly isDraining: () => boolean;
  /** Whether the database is there, with the schema of this program, and the process does not drain. */
  readonly isReady: () => Promise<boolean>;
}

/**
 * Starts everything that a role needs.
 *
 * @throws {SchemaOutdatedError} without `migrate`, {ConfigError}, or an error with one clear line
 * where a port can't be had; whatever was started is stopped again
 */
export async function startListener(options: ListenerOptions): Promise<RunningListener> {
  const { config, role, logger } = options;
  const budget = shutdownBudget(config.shutdownSeconds);
  const closers: (() => Promise<unknown>)[] = [];
  const closeAll = async () => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  let draining = false;

  try {
    const { takesMessages, judgesFiles } = ROLES[role];
    let waitsFor: string | undefined = 'the database';
    let opened: Queue | undefined;
    let server: HttpServer | undefined;
    let rules: RulesInForce | undefined;
    let worker: Worker | undefined;
    const database = connect(config.database);
    closers.push(() => database.destroy());
    const breakers = {
      read: createBreakers({ rightsDiffer: true, onChange: outageReport(logger, 'read') }),
      write: createBreakers({ onChange: outageReport(logger, 'written to') }),
    };
    const metrics = createMetrics({
      queueDepths: async () => (opened ? depthsOf(opened) : {}),
      bucketOutages: () => openBreakers(breakers),
      ...(judgesFiles && config.rulesLocation !== undefined
        ? { rulesRefused: () => rules?.isRefused() === true }
        : {}),
      pool: () => poolOf(database),
      ...(judgesFiles
        ? {
            jobsInHand: () => ({
              running: worker?.running ?? 0,
              places: config.workerConcurrency,
            }),
          }
        : {}),
      ...(judgesFiles && config.jobs !== undefined
        ? { kubernetesJobs: () => countKubernetesJobs(database) }
        : {}),
      backlog: () => backlogOf(database, { writesReports: config.s3.writeReports }),
    });
    const tracer = await startTracing(options, metrics);
    if (tracer) closers.push(() => tracer.stop(budget.spans));
    const isDraining = () => draining;
    const isReady = readiness(database, isDraining);
    const accepts = async () =>
      !takesMessages ||
      (await server?.answers(PATHS.liveness, OWN_REQUEST_SECONDS * 1000)) === true;
    const metricsServer = await startMetricsServer(metrics.registry, logger, {
      port: config.metricsPort,
      probes: {
        // No restart brings a database back.
        alive: async () => waitsFor !== undefined || (await accepts()),
        async unready() {
          if (waitsFor !== undefined) return `the listener waits for ${waitsFor}`;
          if (draining) return 'the process is shutting down';
          if (!(await isReady())) return 'the database is unavailable or lacks a migration';
          return (await accepts()) ? undefined : 'the port of messages takes no connection';
        },
      },
    });
    closers.push(() => metricsServer.close(0));
    const queue = await onceAvailable(
      async () => {
        if (options.migrate) await migrate(config.database, (line) => logger.info(line));
        await checkSchema(database);
        const onError = (error: Error) => logger.warn({ err: error }, 'queue failed');
        return openQueue(database, onError);
      },
      (reason) => {
        waitsFor = `the database: ${reason}`;
        logger.warn(
          { reason, metricsPort: metricsServer.port },
          'the database is not available, the listener waits for it',
        );
      },
    );
    waitsFor = undefined;
    opened = queue;
    closers.push(() => queue.close());
    const certificates = createCertificateStore({ known: signingCertificates(database) });
    const clientsOf = clientsOfObjects(database, config.s3.buckets);
    const parts: Parts = {
      ...{ options, database, queue, clientsOf, metrics, tracer, breakers, certificates },
      ...{ isDraining, isReady },
    };
    const store = openStore(config, metrics.observeS3);
    closers.push(async () => store.close());
    const { rulesLocation } = config;
    if (judgesFiles && rulesLocation !== undefined) {
      // Before the first job: what waits is judged by them.
      rules = await startRules({
        ...{ location: rulesLocation, database, store, logger },
        routing: allowedRouting(config),
        onRuleSet: metrics.countRuleSet,
      });
      closers.push(async () => rules?.stop());
    }
    worker = judgesFiles ? startJobs(parts, store) : undefined;
    closers.push(async () => worker?.stop(0));
    if (judgesFiles) {
      const tasks = [
        ...[startSupervision, startPlacing, startDeadLetters],
        ...[startRepairs, startMonths, startRetention, startClock],
        ...[startJobRunner, startOutages],
      ];
      for (const start of tasks) {
        const repeated = await start(parts);
        closers.push(() => repeated.stop());
      }
      const telling = await startNotices(parts);
      if (telling) closers.push(() => telling.stop());
    }
    const connections = createConnectionTable({
      maxConnectionsPerAddress: config.maxConnectionsPerAddress,
      onClosure: closureReport(logger, metrics.countClosure),
    });
    const delivery = takesMessages
      ? await startHttpServer(
          httpHandler(parts, connections, () => worker?.wake()),
          {
            port: config.port,
            portSetting: 'PORT',
            limits: { keepAliveMilliseconds: config.keepAliveSeconds * 1000 },
            connections,
          },
        )
      : undefined;
    if (delivery) closers.push(() => delivery.close(budget.requests));
    server = delivery;
    const consumer = takesMessages ? startFetching(parts, () => worker?.wake()) : undefined;
    if (consumer) closers.push(() => consumer.stop());

    let stopped: Promise<void> | undefined;
    const stop = async () => {
      draining = true;
      logger.info({ running: worker?.running ?? 0 }, 'draining');
      // Requests are answered meanwhile, the one for readiness with 503.
      const [jobs] = await Promise.all([worker?.stop(budget.jobs), consumer?.stop()]);
      await closeAll();
      logger.info({ ...jobs }, 'stopped');
    };
    const { port } = delivery ?? {};
    logger.info({ role, port, metricsPort: metricsServer.port }, 'listening');
    return {
      port,
      metricsPort: metricsServer.port,
      stop() {
        stopped ??= stop();
        return stopped;
      },
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** An outage is told once, and so is its end. */
function outageReport(logger: Logger, done: string): BreakersOptions['onChange'] {
  return (bucket, outage, isOpen) => {
    if (isOpen) logger.error({ bucket, outage }, `the bucket cannot be ${done}: its files wait`);
    else logger.info({ bucket, outage }, `the bucket can be ${done} again`);
  };
}

/** A task whose turns are counted, by whether each was done without an error. */
function countedTask(metrics: Metrics, task: Task, work: () => Promise<void>): () => Promise<void> {
  return async () => {
    try {
      await work();
      metrics.countTask(task, true);
    } catch (error) {
      metrics.countTask(task, false);
      throw error;
    }
  };
}

/** What makes traces is loaded where they have somewhere to go. */
async function startTracing(
  { config: { tracing }, logger }: ListenerOptions,
  metrics: Metrics,
): Promise<Tracer | undefined> {
  if (tracing === undefined) return undefined;
  const { otlpTracer } = await import('../tracing/otlp.ts');
  return otlpTracer({ config: tracing, logger, onSpans: metrics.countSpans });
}

function startJobs(
  { options, database, queue, metrics, tracer, breakers }: Parts,
  store: ObjectStore,
): Worker {
  const { config, logger } = options;
  return startWorker({
    queue,
    concurrency: config.workerConcurrency,
    handle: jobHandler({
      database,
      store,
      job: s3DataQualityJob,
      engine: createEngine(config),
      maxFaults: config.maxFaults,
      unmonitored: config.unmonitored,
      tells: config.notices.isOn,
      reports: config.s3.writeReports ? reportFormOf(config) : undefined,
      routing: routingFormOf(config),
      place:
        config.jobs &&
        ((queued, traceparent) =>
          placeJudgement(database, queued, config.jobs?.sizeBytes ?? 0, traceparent)),
      logger,
      metrics,
      tracer,
      breakers,
    }),
    onDead: async (dead) => {
      const ended = await failJudgements(database, dead);
      metrics.countWithoutVerdict('error', ended.length);
    },
    onError: (error) => logger.warn({ err: error }, 'worker could not reach the queue'),
  });
}

/** How often judgements are looked for whose process has died. */
const SUPERVISION_MS = 1_000;

function startSupervision({ options, database, queue, metrics }: Parts): Repeated {
  const { logger } = options;
  const look = lookForDeadProcesses(database, queue);
  return repeat(
    SUPERVISION_MS,
    countedTask(metrics, 'supervision', async () => {
      for (const { runId, number, outcome } of await look()) {
        const line = { runId, judgement: number, outcome };
        logger.warn(line, 'the process that judged a file has died');
        if (outcome === 'error') metrics.countWithoutVerdict('error', 1);
      }
    }),
    (error) => logger.warn({ err: error }, 'processes that died were not looked for'),
  );
}

/** How often judgements are looked for that have no place in the queue. */
const PLACING_MS = 1_000;

function startPlacing({ options, database, clientsOf }: Parts): Repeated {
  const { config, logger } = options;
  return repeat(
    PLACING_MS,
    async () => {
      await placeWaiting(database, clientsOf, config.clientWeights);
    },
    (error) => logger.warn({ err: error }, 'judgements got no place in the queue'),
  );
}

/** How often dead letters are looked for that no worker was there to see. */
const DEAD_LETTER_MS = 5_000;

function startDeadLetters({ options, database, metrics }: Parts): Repeated {
  return repeat(
    DEAD_LETTER_MS,
    countedTask(metrics, 'dead_letters', async () => {
      metrics.countWithoutVerdict('error', (await endDeadJudgements(database)).length);
    }),
    (error) => options.logger.warn({ err: error }, 'dead letters were not looked for'),
  );
}

/** How often judgements are looked for that nobody works on. */
const REPAIR_MS = 60_000;

/** Looks at once, and then again and again. */
async function startRepairs({ options, database, queue, metrics }: Parts): Promise<Repeated> {
  const { logger } = options;
  let after: string | undefined;
  const repair = countedTask(metrics, 'repairs', async () => {
    let enqueued = 0;
    // Where one is, there are more. Where none is, the next thousand runs have time until the next look.
    for (let found = true; found; ) {
      const repaired = await repairJudgements(database, queue, after);
      after = repaired.next;
      enqueued += repaired.enqueued;
      found = repaired.enqueued > 0 && after !== undefined;
    }
    if (enqueued > 0) logger.warn({ enqueued }, 'judgements that nobody worked on were enqueued');
    const settled = await settleOvertaken(database, queue);
    if (settled > 0) logger.info({ settled }, 'dead letters were settled by later judgements');
  });
  const onError = (error: unknown) => logger.warn({ err: error }, 'judgements were not repaired');
  await repair().catch(onError);
  return repeat(REPAIR_MS, repair, onError);
}

function openBreakers({ read, write }: Parts['breakers']): BucketOutage[] {
  return [
    ...read.open().map((open) => ({ ...open, way: 'read' as const })),
    ...write.open().map((open) => ({ ...open, way: 'write' as const })),
  ];
}

/** How often it is looked whether a bucket is out; only what has changed goes to the database. */
const OUTAGES_MS = 2_000;

/** Lets the console know which buckets are out for this process. */
function startOutages({ options, database, breakers }: Parts): Repeated {
  const { logger } = options;
  const tell = outageTeller(database, randomUUID());
  const repeated = repeat(
    OUTAGES_MS,
    () => tell(openBreakers(breakers)),
    (error) => logger.warn({ err: error }, 'which buckets are out was not recorded'),
  );
  return {
    async stop() {
      await repeated.stop();
      // Without the database it is forgotten after some minutes.
      await tell([]).catch(() => undefined);
    },
  };
}

/** How often it is looked how the Jobs stand that judge large files. */
const JOB_RUNNER_MS = 2_000;

/** Has large files judged by Jobs of Kubernetes, or, where that is off, gives back what still waits for one. */
function startJobRunner({ options, database, queue, clientsOf, metrics }: Parts): Repeated {
  const { config, logger } = options;
  if (config.jobs === undefined) {
    const giveBack = async () => {
      const returned = await returnToPool(database, queue);
      if (returned > 0) logger.info({ returned }, 'what waited for jobs goes to the worker pool');
    };
    return repeat(REPAIR_MS, giveBack, (error) =>
      logger.warn({ err: error }, 'what waits for jobs was not looked for'),
    );
  }
  const jobs = kubernetesJobs(config.jobs.api);
  const look = jobRunner({
    ...{ database, queue, jobs, clientsOf, logger },
    weights: config.clientWeights,
    templateFile: config.jobs.templateFile,
    limit: config.jobs.limit,
    onDead: (count) => metrics.countWithoutVerdict('error', count),
  });
  const repeated = repeat(JOB_RUNNER_MS, look, (error) =>
    logger.warn({ err: error }, 'jobs were not looked at'),
  );
  return {
    async stop() {
      await repeated.stop();
      jobs.close();
    },
  };
}

/** How often months are looked for that have no tables; each time costs next to nothing where there is none. */
const MONTHS_MS = 10 * 60_000;

/** Makes the tables of the next months, at once and again and again. */
function startMonths({ options, database, metrics }: Parts): Repeated {
  const { logger } = options;
  const make = countedTask(metrics, 'months', async () => {
    const tables = await makeMonths(database);
    if (tables > 0) logger.info({ tables }, 'tables of the next months were made');
  });
  const onError = (error: unknown) =>
    logger.warn({ err: error }, 'tables of the next months were not made');
  const first = make().catch(onError);
  const repeated = repeat(MONTHS_MS, make, onError);
  return {
    async stop() {
      await first;
      await repeated.stop();
    },
  };
}

/** How often what is too old is looked for; each time costs next to nothing where there is nothing. */
const RETENTION_MS = 10 * 60_000;

/** Deletes what is older than RETENTION_DAYS, at once and again and again, while the listener does everything else. */
function startRetention({ options, database, queue, metrics }: Parts): Repeated {
  const { config, logger } = options;
  const { retentionDays } = config;
  let stopping = false;
  const remove = countedTask(metrics, 'retention', async () => {
    const isStopping = () => stopping;
    await forgetIdleClients(database);
    const deleted = await deleteOld({ database, queue, days: retentionDays, isStopping });
    if (Object.values(deleted).every((count) => count === 0)) return;
    metrics.countDeleted(deleted);
    logger.info({ ...deleted, retentionDays }, 'what was older than RETENTION_DAYS was deleted');
  });
  const onError = (error: unknown) =>
    logger.warn({ err: error }, 'what is older than RETENTION_DAYS was not deleted');
  const first = remove().catch(onError);
  const repeated = repeat(RETENTION_MS, remove, onError);
  return {
    async stop() {
      stopping = true;
      await first;
      await repeated.stop();
    },
  };
}

/** How often the states of what is due are brought up to date. */
const CLOCK_MS = 5_000;

/** Works out again and again what has come, is late or is missing; of all processes one at a time. */
function startClock({ options, database, queue, metrics }: Parts): Repeated {
  const { config, logger } = options;
  const refused = new Set<string>();
  let stopping = false;
  const look = countedTask(metrics, 'clock', async () => {
    for (let more = true; more && !stopping; ) {
      const found = await lookAtPeriods({ database, queue, tells: config.notices.isOn });
      if (found === undefined) return;
      more = found.hasMore;
      for (const file of found.badSchedules) {
        if (refused.has(file)) continue;
        refused.add(file);
        logger.error({ file }, 'the schedule cannot be worked by: nothing is expected');
      }
      if (found.changes.length === 0) continue;
      const counts: Record<string, number> = {};
      for (const { to } of found.changes) {
        counts[to] = (counts[to] ?? 0) + 1;
        metrics.countPeriods(to, 1);
      }
      const isBad = (counts.late ?? 0) + (counts.missing ?? 0) > 0;
      logger[isBad ? 'warn' : 'info'](counts, 'states of deliveries changed');
    }
  });
  const repeated = repeat(CLOCK_MS, look, (error) =>
    logger.warn({ err: error }, 'the states of deliveries were not brought up to date'),
  );
  return {
    async stop() {
      stopping = true;
      await repeated.stop();
    },
  };
}

/** Tells of changes where there is a way to; what such a way needs is loaded by nobody else. */
async function startNotices({
  options,
  database,
  metrics,
  tracer,
}: Parts): Promise<Repeated | undefined> {
  const { config, logger } = options;
  if (!config.notices.isOn) return undefined;
  return startTelling({
    database,
    logger,
    audience: audienceOf(config.notices),
    outlets: await outletsOf(config),
    reports: config.s3.writeReports ? reportFormOf(config) : undefined,
    onAttempt: metrics.countNotice,
    onPlanned: (isDone) => metrics.countTask('notices', isDone),
    tracer,
  });
}

/** Fetches from the queue where there is one: only the topic may write into it, so age proves nothing. */
function startFetching(parts: Parts, onRuns: () => void): QueueConsumer | undefined {
  const { options, database, clientsOf, metrics, tracer, certificates } = parts;
  const { config, logger } = options;
  const { queueUrl } = config.sqs;
  if (queueUrl === undefined) return undefined;
  const client = queueClient(config.aws);
  const missing = missingCertificates(certificates.answers);
  const handle = queuedDelivery({
    verifier: tracedVerifier(
      verifierOf({ config, logger, certificates }, LONGEST_IN_QUEUES_SECONDS),
    ),
    intake: tracedIntake(
      snsIntake({ database, clientsOf, weights: config.clientWeights, filter: config.s3, onRuns }),
    ),
    trustedSources: config.sqs.trustedSources,
    region: config.aws.region,
    logger,
    metrics,
    onNoCertificate: missing.note,
  });
  const consumer = startQueueConsumer({
    client,
    queueUrl,
    handle: (message) =>
      traced(tracer, 'process message', messageSpan('aws_sqs'), async (span) => {
        const handled = await handle(message);
        if (handled !== 'done') span.fail(new Error(handled));
        return handled;
      }),
    isReady: async () =>
      (await answers(() => isUsable(database), READINESS_SECONDS * 1000)) &&
      (await missing.areWaitedFor()) === false,
    onError(error) {
      metrics.countQueueError();
      logger.warn({ err: error }, 'the queue could not be read');
    },
  });
  return {
    async stop() {
      await consumer.stop();
      client.destroy();
    },
  };
}

/** The verifier for messages of the topics of the settings, up to an age. */
export function verifierOf(
  {
    config,
    logger,
    certificates,
  }: {
    readonly config: Config;
    readonly logger: Logger;
    readonly certificates: CertificateStore;
  },
  maxAgeSeconds: number,
): Verifier {
  const trustedOrigins = trustedCertificateOrigins(config.aws.snsEndpoint);
  for (const origin of trustedOrigins) {
    // One on loopback is for work on one machine, and nothing is to be done about it.
    logger[isLoopback(origin) ? 'info' : 'warn'](
      { origin },
      'signing certificates from this origin are trusted, as AWS_ENDPOINT_URL_SNS says',
    );
  }
  return createVerifier({
    topics: config.sns.topics,
    certificates,
    maxAgeSeconds,
    signatureVersions: config.sns.signatureVersions,
    trustedOrigins,
  });
}

/** OpenTelemetry semantic conventions, "Messaging spans". */
function messageSpan(system: 'aws_sns' | 'aws_sqs'): SpanOptions {
  return {
    kind: 'consumer',
    attributes: {
      'messaging.system': system,
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
    },
  };
}

/** A span for each message that is genuine: whoever sends others is not to fill what keeps traces. */
function tracedRequests(tracer: Tracer | undefined, answer: RequestListener): RequestListener {
  if (tracer === undefined) return answer;
  return (request, response) => {
    if (request.method !== 'POST') return answer(request, response);
    return traced(tracer, 'process message', messageSpan('aws_sns'), async (span) => {
      span.discard();
      await answer(request, response);
      const status = response.statusCode;
      span.set({ 'http.response.status_code': status });
      if (status >= 500) span.fail(new Error(`${status}`));
    });
  };
}

function tracedVerifier(verifier: Verifier): Verifier {
  return {
    ...verifier,
    verify: (envelope) => inSpan('verify signature', {}, () => verifier.verify(envelope)),
  };
}

/** Says in the span around which message it is of, and has its jobs go on with the trace. */
function tracedIntake(intake: QueueIntake): QueueIntake {
  const recorded = <E extends Envelope>(
    envelope: E,
    accept: (envelope: E) => Promise<IntakeResult>,
  ) => {
    const span = activeSpan();
    span.set({
      'messaging.message.id': envelope.messageId,
      'messaging.destination.name': envelope.topicArn.slice(envelope.topicArn.lastIndexOf(':') + 1),
    });
    const { traceparent } = span;
    return inSpan('record message', {}, async () => {
      const result = await accept(traceparent === '' ? envelope : { ...envelope, traceparent });
      span.set({
        'file_processing.outcome': result.outcome,
        'file_processing.runs': result.runIds.length,
      });
      return result;
    });
  };
  return {
    ...intake,
    acceptNotification(envelope) {
      const { senderTraceparent } = envelope;
      // Nobody signed it: it decides neither what trace this is part of nor whether it is recorded.
      if (senderTraceparent !== undefined) activeSpan().link(senderTraceparent);
      return recorded(envelope, intake.acceptNotification);
    },
    acceptUnsigned: (envelope, event) =>
      recorded(envelope, (named) => intake.acceptUnsigned(named, event)),
  };
}

function httpHandler(
  parts: Parts,
  connections: ConnectionTable,
  onRuns: () => void,
): RequestListener {
  const { options, database, clientsOf, metrics, tracer, certificates } = parts;
  const { isDraining, isReady } = parts;
  const { config, logger } = options;
  const app = createApp({
    verifier: tracedVerifier(
      verifierOf({ config, logger, certificates }, config.sns.maxAgeSeconds),
    ),
    confirmer: createConfirmer(createSnsClients(proxyAgents())),
    intake: tracedIntake(
      snsIntake({ database, clientsOf, weights: config.clientWeights, filter: config.s3, onRuns }),
    ),
    logger,
    metrics,
    onVerified(request) {
      connections.protect(request);
      activeSpan().keep();
    },
    readiness: isReady,
  });
  const answer = tracedRequests(tracer, app.callback());
  return (request, response) => {
    // Ends keep-alive, so that clients have gone elsewhere by the time the server closes.
    if (isDraining()) response.setHeader('Connection', 'close');
    void answer(request, response);
  };
}

/** Everybody may ask, so those who ask at the same time get one answer of the database. */
function readiness(database: Database, isDraining: () => boolean): () => Promise<boolean> {
  let asking: Promise<boolean> | undefined;
  return async () => {
    asking ??= answers(() => isUsable(database), READINESS_SECONDS * 1000).finally(() => {
      asking = undefined;
    });
    return (await asking) && !isDraining();
  };
}

async function depthsOf(queue: Queue): Promise<Readonly<Record<string, number>>> {
  const { waiting, deadLetters } = await queue.depth();
  return { runs: waiting, runs_dead_letter: deadLetters };
}
