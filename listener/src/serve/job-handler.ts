import type { Logger } from 'pino';
import type { Database } from '../database/connection.ts';
import { isOutageOfDatabase, reasonOf } from '../database/errors.ts';
import {
  type HeldJudgement,
  type JudgementReference,
  noteFailure,
  startJudgement,
} from '../database/judgements.ts';
import type { RoutingAct } from '../database/routing.ts';
import { findRun, objectOfRun } from '../database/runs.ts';
import type { Metrics } from '../http/metrics.ts';
import type { Engine } from '../jobs/engine-ports.ts';
import type { Job, JobProgress, Unmonitored } from '../jobs/job.ts';
import {
  JudgementLostError,
  type RecordedJudgement,
  recordJudgement,
} from '../jobs/record-judgement.ts';
import { type RoutingForm, routeVerdict } from '../jobs/route-verdict.ts';
import { NO_RULES } from '../jobs/s3-data-quality-job.ts';
import { type ReportForm, writeReport } from '../jobs/write-report.ts';
import { type JobHandler, PostponedError } from '../queue/jobs-in-hand.ts';
import { RUN_QUEUE, type RunJob } from '../queue/queue.ts';
import type { Breakers, BucketAttempt } from '../storage/breaker.ts';
import type { ObjectName, ObjectStore } from '../storage/object-store.ts';
import {
  type Attributes,
  activeSpan,
  goingOnWith,
  inSpan,
  recordedTraceparent,
  type SpanOptions,
  type Tracer,
  traced,
} from '../tracing/tracing.ts';

/** What {@link jobHandler} works with. */
export interface JobHandlerDependencies {
  readonly database: Database;
  readonly store: ObjectStore;
  readonly job: Job;
  readonly engine: Engine;
  readonly maxFaults: number;
  /** See `JobContext`. @default judge */
  readonly unmonitored?: Unmonitored;
  /** Whether notices have a way out. @default false */
  readonly tells?: boolean;
  /** Keeps large files for Jobs of Kubernetes; undefined where this process judges all. @default undefined */
  readonly place?:
    | ((judgement: JudgementReference, traceparent: string | undefined) => Promise<boolean>)
    | undefined;
  /** Undefined where none is written. */
  readonly reports: ReportForm | undefined;
  /** What may be done with files by their verdicts; undefined for nothing. @default nothing */
  readonly routing?: RoutingForm | undefined;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** @default no traces */
  readonly tracer?: Tracer | undefined;
  /** Buckets whose files can't be read, and buckets that take no report, no copy and no tag. */
  readonly breakers: { readonly read: Breakers; readonly write: Breakers };
}

/** Jobs that have a verdict and are written of at the same time, beside those that judge. */
const WRITTEN_AT_ONCE = 16;

/**
 * Files whose verdicts are being recorded at the same time, beside those that are read: statements for more of them at once
 * cost less, and the next files are read meanwhile.
 */
const RECORDED_AT_ONCE = 16;

/** Until one is tried again for which there was no room. */
const WRITE_WAIT_SECONDS = 10;

/** How often a long run logs its progress. */
const PROGRESS_MS = 10_000;

/**
 * What the worker does with a job: one attempt at its judgement, one log line, the metrics; then its
 * report, and what is done with the file by its verdict. What has its verdict is not judged again because its report
 * can't be written: the job's next attempt finds it ended and does the rest alone.
 */
export function jobHandler(dependencies: JobHandlerDependencies): JobHandler {
  let written = 0;
  let recorded = 0;
  return tracedBy(dependencies, async (queued, signal, makeRoom) => {
    const { reports, routing, place, logger } = dependencies;
    if (await place?.(queued, activeSpan().traceparent || undefined)) {
      logger.debug(referenceOf(queued), 'judgement waits for a job of Kubernetes');
      return;
    }
    let isRecorded = false;
    try {
      await judge(dependencies, queued, signal, () => {
        isRecorded = true;
        recorded += 1;
        if (recorded <= RECORDED_AT_ONCE) makeRoom();
      });
    } finally {
      if (isRecorded) recorded -= 1;
    }
    if (reports === undefined && routing === undefined) return;
    // A bucket that does not answer a report keeps no verdict of another file waiting.
    if (written >= WRITTEN_AT_ONCE) {
      throw new PostponedError('too many reports are being written', WRITE_WAIT_SECONDS);
    }
    written += 1;
    makeRoom();
    try {
      const ended = await Promise.allSettled([
        reports && inSpan('write report', {}, () => report(dependencies, reports, queued, signal)),
        routing && inSpan('route file', {}, () => route(dependencies, routing, queued, signal)),
      ]);
      const failures = ended.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
      if (failures.length > 0) {
        // What is only postponed uses up no attempt, which a failure beside it has to.
        throw failures.find((failure) => !(failure instanceof PostponedError)) ?? failures[0];
      }
    } finally {
      written -= 1;
    }
  });
}

/** One span for each attempt at a job, in the trace of the message that asked for it (OpenTelemetry, "Messaging spans"). */
function tracedBy({ tracer, metrics }: JobHandlerDependencies, handle: JobHandler): JobHandler {
  const work = postponing(handle);
  return (queued, signal, makeRoom) => {
    const { runId, number, createdAt, retryCount, traceparent } = queued;
    const waitedMs = createdAt === undefined ? 0 : Math.max(0, Date.now() - createdAt.getTime());
    if (retryCount === 0 && createdAt !== undefined) metrics.observeWait(waitedMs / 1000);
    const destination = {
      'messaging.system': 'pg-boss',
      'messaging.destination.name': RUN_QUEUE,
      'messaging.message.id': queued.id,
    };
    const options: SpanOptions = {
      kind: 'consumer',
      attributes: {
        ...destination,
        'messaging.operation.name': 'process',
        'messaging.operation.type': 'process',
        'file_processing.run': runId,
        'file_processing.judgement': number,
        'file_processing.attempt': retryCount + 1,
        'file_processing.queue.seconds': waitedMs / 1000,
      },
      ...goingOnWith(traceparent, waitedMs),
    };
    if (options.parent !== undefined && retryCount === 0) {
      const waiting = { attributes: destination, parent: traceparent, startedAt: createdAt };
      tracer?.start(`wait in ${RUN_QUEUE}`, waiting).end();
    }
    return traced(tracer, `process ${RUN_QUEUE}`, options, () =>
      counted(metrics, signal, () => work(queued, signal, makeRoom)),
    );
  };
}

async function counted(
  metrics: Metrics,
  signal: AbortSignal,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
    metrics.countAttempt(signal.aborted ? 'handed_back' : 'done');
  } catch (error) {
    if (signal.aborted) metrics.countAttempt('handed_back');
    else metrics.countAttempt(error instanceof PostponedError ? 'postponed' : 'failed');
    throw error;
  }
}

/** Until a job is tried again that the database kept from its end. */
const DATABASE_WAIT_SECONDS = 10;

/** An outage of the database counts against no file. */
function postponing(handle: JobHandler): JobHandler {
  return async (queued, signal, makeRoom) => {
    try {
      await handle(queued, signal, makeRoom);
    } catch (error) {
      if (signal.aborted || !isOutageOfDatabase(error)) throw error;
      throw new PostponedError(reasonOf(error), DATABASE_WAIT_SECONDS);
    }
  };
}

async function judge(
  dependencies: JobHandlerDependencies,
  queued: RunJob,
  signal: AbortSignal,
  onFound: () => void,
): Promise<void> {
  const {
    logger,
    metrics,
    reports: _,
    routing: __,
    place: ___,
    breakers,
    ...running
  } = dependencies;
  const { database } = running;
  // Only an outage costs a job this look.
  const object = breakers.read.anyOpen ? await objectOfRun(database, queued.runId) : undefined;
  let attempt = object && beginAt(breakers.read, object);
  const held = await startJudgement(database, queued, recordedTraceparent()).catch(
    (error: unknown) => {
      attempt?.end(error);
      throw error;
    },
  );
  if (held === undefined) {
    attempt?.end(new Error('nothing is left to read'));
    logger.debug(referenceOf(queued), 'judgement had ended before');
    return;
  }
  const logProgress = progressLog(logger, queued);
  try {
    attempt ??= beginAt(breakers.read, held.object);
    const { reached, end } = attempt;
    const recorded = await recordJudgement(held, {
      ...running,
      ...{ signal, onFound },
      onProgress(progress) {
        reached();
        logProgress(progress);
      },
    });
    end();
    logger.info(finishedLine(recorded), 'run finished');
    count(metrics, recorded);
    activeSpan().set(conclusionOf(recorded));
  } catch (error) {
    const isOutage = attempt?.end(signal.aborted ? signal.reason : error) === true;
    // Handed back, the judgement may be in another worker's hands by now: it is not ours to touch.
    if (signal.aborted) throw error;
    if (!(error instanceof JudgementLostError)) await noteFailure(database, held, reasonOf(error));
    if (isOutage) throw new PostponedError(reasonOf(error), OUTAGE_WAIT_SECONDS);
    if (!(error instanceof PostponedError)) logFailure(logger, held, queued, error);
    throw error;
  }
}

/** Until a file whose bucket turned out to be out is looked at again. */
const OUTAGE_WAIT_SECONDS = 20;

/** @throws {PostponedError} where the bucket is out */
function beginAt(
  breakers: Breakers,
  object: { readonly bucket: string; readonly key: string },
): BucketAttempt {
  const begun = breakers.begin(object);
  if ('end' in begun) return begun;
  throw new PostponedError(`the bucket ${object.bucket} is out of reach`, begun.waitMs / 1000);
}

async function report(
  dependencies: JobHandlerDependencies,
  form: ReportForm,
  queued: RunJob,
  signal: AbortSignal,
): Promise<void> {
  const { database, logger, metrics } = dependencies;
  try {
    const store = watchedWriter(dependencies);
    const written = await writeReport(queued, { ...form, database, store, signal });
    if (written === undefined) return;
    logger.info({ ...referenceOf(queued), ...written }, 'report written');
    metrics.countReport('written');
  } catch (error) {
    if (!signal.aborted && !(error instanceof PostponedError) && !isOutageOfDatabase(error)) {
      metrics.countReport('failed');
      await logFailedWrite(dependencies, queued, error, {
        again: 'the report was not written, it is tried again',
        never: 'the verdict stands, its report was not written',
      });
    }
    throw error;
  }
}

async function route(
  dependencies: JobHandlerDependencies,
  form: RoutingForm,
  queued: RunJob,
  signal: AbortSignal,
): Promise<void> {
  const { database, engine, logger, metrics } = dependencies;
  try {
    const store = watchedWriter(dependencies);
    const acts = await routeVerdict(queued, { ...form, database, store, engine, signal });
    if (acts === undefined) return;
    const line = { ...referenceOf(queued), acts };
    const isWhole = acts.every(isAsAsked);
    if (isWhole) logger.info(line, 'file routed by its verdict');
    else
      logger.warn(
        line,
        'file routed by its verdict, but not everything that its rules ask for was done',
      );
    metrics.countRouting(isWhole ? 'done' : 'partly');
  } catch (error) {
    if (!signal.aborted && !(error instanceof PostponedError) && !isOutageOfDatabase(error)) {
      metrics.countRouting('failed');
      await logFailedWrite(dependencies, queued, error, {
        again: 'the file was not routed by its verdict, it is tried again',
        never: 'the verdict stands, the file was not routed by it',
      });
    }
    throw error;
  }
}

/** What is superseded need not be there: who was late had perhaps not put it there yet. */
function isAsAsked({ act, outcome }: RoutingAct): boolean {
  return (
    ['done', 'overtaken'].includes(outcome ?? '') || (act === 'supersede' && outcome === 'gone')
  );
}

/** Writes where the bucket is within reach; a failure that is the bucket's postpones what is left. */
function watchedWriter({
  store,
  breakers,
}: Pick<JobHandlerDependencies, 'store' | 'breakers'>): ObjectStore {
  const watched = async <T>(
    name: ObjectName,
    signal: AbortSignal,
    work: () => Promise<T>,
  ): Promise<T> => {
    const attempt = beginAt(breakers.write, name);
    try {
      const result = await work();
      attempt.end();
      return result;
    } catch (error) {
      if (!attempt.end(signal.aborted ? signal.reason : error)) throw error;
      throw new PostponedError(reasonOf(error), OUTAGE_WAIT_SECONDS);
    }
  };
  const { tag } = store;
  return {
    ...store,
    write: (name, body, signal) => watched(name, signal, () => store.write(name, body, signal)),
    copy: (source, target, options) =>
      watched(target, options.signal, () => store.copy(source, target, options)),
    ...(tag === undefined
      ? {}
      : {
          tag: (reference, tags, signal) =>
            watched(reference, signal, () => tag(reference, tags, signal)),
        }),
  };
}

function referenceOf({ runId, number }: JudgementReference): Record<string, unknown> {
  return { runId, judgement: number };
}

function subjectOf({ runId, number, messageId, object }: HeldJudgement): Record<string, unknown> {
  const { bucket, key, versionId, eTag } = object;
  return { runId, judgement: number, messageId, bucket, key, versionId, eTag };
}

/** What a log says of a judgement that came to an end; no value of the file is in it. */
export function finishedLine({
  judgement,
  outcome,
  seconds,
}: RecordedJudgement): Record<string, unknown> {
  const line = {
    ...subjectOf(judgement),
    status: outcome.status,
    attempts: judgement.attempts,
    milliseconds: Math.round(seconds * 1000),
  };
  if (outcome.status !== 'finished') return { ...line, reason: outcome.reason };
  const { report, monitored } = outcome;
  const [diagnosis] = report.diagnoses ?? [];
  return {
    ...line,
    verdict: report.verdict,
    rows: report.rows,
    bytes: report.bytes,
    faults: report.faultCount,
    faultCounts: report.faultCounts,
    // Sentences hold no text of the file, which evidence may.
    ...(diagnosis === undefined ? {} : { diagnosis: diagnosis.sentence }),
    ...(monitored === undefined
      ? { monitored: false, rules: NO_RULES }
      : {
          monitored: true,
          rules: report.rules,
          client: monitored.client,
          mapping: `${monitored.mapping.name} ${monitored.mapping.version}`,
        }),
  };
}

/** What a trace says of a judgement. */
export function conclusionOf({ outcome }: RecordedJudgement): Attributes {
  if (outcome.status !== 'finished') return { 'file_processing.status': outcome.status };
  const { report, monitored } = outcome;
  return {
    'file_processing.status': outcome.status,
    'file_processing.verdict': report.verdict,
    'file_processing.faults': report.faultCount,
    'file_processing.mapping': monitored === undefined ? NO_RULES : monitored.mapping.name,
  };
}

function count(metrics: Metrics, { outcome, seconds }: RecordedJudgement): void {
  if (outcome.status !== 'finished') {
    metrics.countWithoutVerdict(outcome.status);
    return;
  }
  const { verdict, rows, bytes } = outcome.report;
  metrics.countRun(verdict, outcome.monitored === undefined ? 'none' : 'mapping');
  metrics.observeJob(seconds);
  metrics.addChecked({ rows, bytes });
}

/** A failed attempt is a warning; the last one ends the judgement without a verdict. */
function logFailure(
  logger: Logger,
  held: HeldJudgement,
  { retryCount, retryLimit }: RunJob,
  error: unknown,
): void {
  const line = { ...subjectOf(held), err: error };
  if (retryCount < retryLimit || isOutageOfDatabase(error)) {
    logger.warn({ ...line, attempt: retryCount + 1 }, 'attempt failed, the run is tried again');
  } else {
    logger.error({ ...line, status: 'error', attempts: retryCount + 1 }, 'run finished');
  }
}

/** The verdict stands. */
async function logFailedWrite(
  { database, logger }: JobHandlerDependencies,
  queued: RunJob,
  error: unknown,
  message: { readonly again: string; readonly never: string },
): Promise<void> {
  const { retryCount, retryLimit } = queued;
  const run = await findRun(database, queued.runId).catch(() => undefined);
  const about =
    run === undefined
      ? {}
      : { bucket: run.bucket, key: run.key, versionId: run.versionId, eTag: run.eTag };
  const line = { ...referenceOf(queued), ...about, err: error, attempt: retryCount + 1 };
  if (retryCount < retryLimit) {
    logger.warn(line, message.again);
  } else {
    logger.error(line, message.never);
  }
}

/** Logs the progress of a long run from time to time. */
export function progressLog(
  logger: Logger,
  queued: JudgementReference,
): (progress: JobProgress) => void {
  let last = performance.now();
  return (progress) => {
    if (performance.now() - last < PROGRESS_MS) return;
    last = performance.now();
    logger.info({ ...referenceOf(queued), ...progress }, 'run in progress');
  };
}
