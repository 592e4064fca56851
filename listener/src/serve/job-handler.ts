import type { Logger } from 'pino';
import type { Database } from '../database/connection.ts';
import { findRun, type Run } from '../database/runs.ts';
import type { Metrics } from '../http/metrics.ts';
import type { Job, JobProgress } from '../jobs/job.ts';
import { type RecordedRun, recordRun } from '../jobs/record-run.ts';
import { writeReport } from '../jobs/write-report.ts';
import type { JobHandler } from '../queue/jobs-in-hand.ts';
import type { RunJob } from '../queue/queue.ts';
import type { ObjectStore } from '../storage/object-store.ts';

/** What {@link jobHandler} works with. */
export interface JobHandlerDependencies {
  readonly database: Database;
  readonly store: ObjectStore;
  readonly job: Job;
  readonly maxFaults: number;
  /** Key prefix of the reports; undefined where none is written. */
  readonly reportPrefix: string | undefined;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** How often a long run logs its progress. */
const PROGRESS_MS = 10_000;

/**
 * What the worker does with a job: one attempt at its run, one log line, the metrics; then its
 * report. A run that has its verdict is not judged again because its report can't be written: the
 * job's next attempt finds it ended and writes the report alone.
 */
export function jobHandler(dependencies: JobHandlerDependencies): JobHandler {
  return async (queued, signal) => {
    await judge(dependencies, queued, signal);
    await report(dependencies, queued, signal);
  };
}

async function judge(
  dependencies: JobHandlerDependencies,
  queued: RunJob,
  signal: AbortSignal,
): Promise<void> {
  const { logger, metrics, reportPrefix: _, ...running } = dependencies;
  try {
    const recorded = await recordRun(queued.runId, {
      ...running,
      signal,
      onProgress: progressLog(logger, queued.runId),
    });
    if (recorded === undefined) {
      logger.debug({ runId: queued.runId }, 'run had ended before');
      return;
    }
    logger.info(finishedLine(recorded), 'run finished');
    count(metrics, recorded);
  } catch (error) {
    if (!signal.aborted) await logFailure(dependencies, queued, error);
    throw error;
  }
}

async function report(
  dependencies: JobHandlerDependencies,
  queued: RunJob,
  signal: AbortSignal,
): Promise<void> {
  const { database, store, logger, metrics, reportPrefix } = dependencies;
  if (reportPrefix === undefined) return;
  const { runId } = queued;
  try {
    const written = await writeReport(runId, { database, store, prefix: reportPrefix, signal });
    if (written === undefined) return;
    logger.info({ runId, ...written }, 'report written');
    metrics.countReport('written');
  } catch (error) {
    if (!signal.aborted) {
      metrics.countReport('failed');
      await logReportFailure(dependencies, queued, error);
    }
    throw error;
  }
}

function identityOf(run: Run): Record<string, unknown> {
  const { id, messageId, bucket, key, versionId, eTag } = run;
  return { runId: id, messageId, bucket, key, versionId, eTag };
}

function finishedLine({ run, outcome, seconds }: RecordedRun): Record<string, unknown> {
  const line = {
    ...identityOf(run),
    status: outcome.status,
    attempts: run.attempts,
    milliseconds: Math.round(seconds * 1000),
  };
  if (outcome.status !== 'finished') return { ...line, reason: outcome.reason };
  const { report, monitored } = outcome;
  return {
    ...line,
    verdict: report.verdict,
    rows: report.rows,
    bytes: report.bytes,
    faults: report.faultCount,
    faultCounts: report.faultCounts,
    ...(monitored === undefined
      ? { monitored: false }
      : {
          monitored: true,
          client: monitored.client,
          mapping: `${monitored.mapping.name} ${monitored.mapping.version}`,
        }),
  };
}

function count(metrics: Metrics, { outcome, seconds }: RecordedRun): void {
  if (outcome.status !== 'finished') return;
  const { verdict, rows, bytes } = outcome.report;
  metrics.countRun(verdict);
  metrics.observeJob(seconds);
  metrics.addChecked({ rows, bytes });
}

/** A failed attempt is a warning; the last one ends the run without a verdict. */
async function logFailure(
  { database, logger }: JobHandlerDependencies,
  { runId, retryCount, retryLimit }: RunJob,
  error: unknown,
): Promise<void> {
  const run = await findRun(database, runId).catch(() => undefined);
  const line = { ...(run === undefined ? { runId } : identityOf(run)), err: error };
  if (retryCount < retryLimit) {
    logger.warn({ ...line, attempt: retryCount + 1 }, 'attempt failed, the run is tried again');
  } else {
    logger.error({ ...line, status: 'error', attempts: retryCount + 1 }, 'run finished');
  }
}

/** The run keeps its verdict, and so its status. */
async function logReportFailure(
  { database, logger }: JobHandlerDependencies,
  { runId, retryCount, retryLimit }: RunJob,
  error: unknown,
): Promise<void> {
  const run = await findRun(database, runId).catch(() => undefined);
  const about = run === undefined ? { runId } : { ...identityOf(run), verdict: run.verdict };
  const line = { ...about, err: error, attempt: retryCount + 1 };
  if (retryCount < retryLimit) {
    logger.warn(line, 'the report was not written, it is tried again');
  } else {
    logger.error(line, 'the verdict stands, its report was not written');
  }
}

function progressLog(logger: Logger, runId: string): (progress: JobProgress) => void {
  let last = performance.now();
  return (progress) => {
    if (performance.now() - last < PROGRESS_MS) return;
    last = performance.now();
    logger.info({ runId, ...progress }, 'run in progress');
  };
}
