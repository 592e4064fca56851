import type { Logger } from 'pino';
import type { Database } from '../database/connection.ts';
import { type HeldJudgement, noteFailure, startJudgement } from '../database/judgements.ts';
import { findRun } from '../database/runs.ts';
import type { Metrics } from '../http/metrics.ts';
import type { Job, JobProgress } from '../jobs/job.ts';
import {
  JudgementLostError,
  type RecordedJudgement,
  recordJudgement,
} from '../jobs/record-judgement.ts';
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
 * What the worker does with a job: one attempt at its judgement, one log line, the metrics; then its
 * report. What has its verdict is not judged again because its report can't be written: the job's next
 * attempt finds it ended and writes the report alone.
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
  const { database } = running;
  const held = await startJudgement(database, queued);
  if (held === undefined) {
    logger.debug(referenceOf(queued), 'judgement had ended before');
    return;
  }
  try {
    const recorded = await recordJudgement(held, {
      ...running,
      signal,
      onProgress: progressLog(logger, queued),
    });
    logger.info(finishedLine(recorded), 'run finished');
    count(metrics, recorded);
  } catch (error) {
    // Handed back, the judgement may be in another worker's hands by now: it is not ours to touch.
    if (!signal.aborted) {
      logFailure(logger, held, queued, error);
      if (!(error instanceof JudgementLostError)) {
        await noteFailure(database, held, textOf(error));
      }
    }
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
  try {
    const written = await writeReport(queued, { database, store, prefix: reportPrefix, signal });
    if (written === undefined) return;
    logger.info({ ...referenceOf(queued), ...written }, 'report written');
    metrics.countReport('written');
  } catch (error) {
    if (!signal.aborted) {
      metrics.countReport('failed');
      await logReportFailure(dependencies, queued, error);
    }
    throw error;
  }
}

function referenceOf({ runId, number }: RunJob): Record<string, unknown> {
  return { runId, judgement: number };
}

function subjectOf({ runId, number, messageId, object }: HeldJudgement): Record<string, unknown> {
  const { bucket, key, versionId, eTag } = object;
  return { runId, judgement: number, messageId, bucket, key, versionId, eTag };
}

function finishedLine({ judgement, outcome, seconds }: RecordedJudgement): Record<string, unknown> {
  const line = {
    ...subjectOf(judgement),
    status: outcome.status,
    attempts: judgement.attempts,
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

function count(metrics: Metrics, { outcome, seconds }: RecordedJudgement): void {
  if (outcome.status !== 'finished') return;
  const { verdict, rows, bytes } = outcome.report;
  metrics.countRun(verdict);
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
  if (retryCount < retryLimit) {
    logger.warn({ ...line, attempt: retryCount + 1 }, 'attempt failed, the run is tried again');
  } else {
    logger.error({ ...line, status: 'error', attempts: retryCount + 1 }, 'run finished');
  }
}

/** The verdict stands. */
async function logReportFailure(
  { database, logger }: JobHandlerDependencies,
  queued: RunJob,
  error: unknown,
): Promise<void> {
  const { retryCount, retryLimit } = queued;
  const run = await findRun(database, queued.runId).catch(() => undefined);
  const about =
    run === undefined
      ? {}
      : { bucket: run.bucket, key: run.key, versionId: run.versionId, eTag: run.eTag };
  const line = { ...referenceOf(queued), ...about, err: error, attempt: retryCount + 1 };
  if (retryCount < retryLimit) {
    logger.warn(line, 'the report was not written, it is tried again');
  } else {
    logger.error(line, 'the verdict stands, its report was not written');
  }
}

function progressLog(logger: Logger, queued: RunJob): (progress: JobProgress) => void {
  let last = performance.now();
  return (progress) => {
    if (performance.now() - last < PROGRESS_MS) return;
    last = performance.now();
    logger.info({ ...referenceOf(queued), ...progress }, 'run in progress');
  };
}

function textOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)) || 'no reason given';
}
