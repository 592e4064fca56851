import type { Logger } from 'pino';
import type { Database } from '../database/connection.ts';
import { findRun, type Run } from '../database/runs.ts';
import type { Metrics } from '../http/metrics.ts';
import type { Job, JobProgress } from '../jobs/job.ts';
import { type RecordedRun, recordRun } from '../jobs/record-run.ts';
import type { RunJob } from '../queue/queue.ts';
import type { JobHandler } from '../queue/worker.ts';
import type { ObjectStore } from '../storage/object-store.ts';

export interface JobHandlerDependencies {
  readonly database: Database;
  readonly store: ObjectStore;
  readonly job: Job;
  readonly maxFaults: number;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** How often a long run says how far it is. */
const PROGRESS_MS = 10_000;

/** What the worker does with a job: one attempt at its run, one log line, the metrics. */
export function jobHandler(dependencies: JobHandlerDependencies): JobHandler {
  const { logger, metrics, ...running } = dependencies;
  return async (queued, signal) => {
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
  };
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

function progressLog(logger: Logger, runId: string): (progress: JobProgress) => void {
  let last = performance.now();
  return (progress) => {
    if (performance.now() - last < PROGRESS_MS) return;
    last = performance.now();
    logger.info({ runId, ...progress }, 'run goes on');
  };
}
