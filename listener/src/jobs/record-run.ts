import type { Database } from '../database/connection.ts';
import { closeRun, findRun, finishRun, noteFailure, type Run, startRun } from '../database/runs.ts';
import type { Job, JobContext, JobOutcome } from './job.ts';
import { monitoredFileInDatabase } from './monitored-file.ts';

/** One attempt at a run that came to an end. */
export interface RecordedRun {
  readonly run: Run;
  readonly outcome: JobOutcome;
  /** From the start of the attempt. */
  readonly seconds: number;
}

/** What {@link recordRun} works with. */
export interface RecordRunOptions extends Omit<JobContext, 'findMonitoredFile'> {
  readonly database: Database;
  readonly job: Job;
  /** Also judges a run anew that has ended. @default false */
  readonly again?: boolean;
}

/**
 * Makes one attempt at a run and records what came of it. A failing file and an object that is gone
 * are results and get recorded; what is thrown is technical, noted on the run and worth a retry.
 *
 * @returns undefined when the run had ended before
 */
export async function recordRun(
  runId: string,
  { database, job, again, ...context }: RecordRunOptions,
): Promise<RecordedRun | undefined> {
  const startedAt = performance.now();
  const run = await startRun(database, runId, { again });
  if (run === undefined) return undefined;
  try {
    const outcome = await job.run(objectOf(run), {
      ...context,
      findMonitoredFile: (object) => monitoredFileInDatabase(database, object),
    });
    context.signal.throwIfAborted();
    await record(database, run.id, outcome);
    return { run, outcome, seconds: (performance.now() - startedAt) / 1000 };
  } catch (error) {
    // Handed back, the run may be in another worker's hands by now: it is not ours to touch.
    if (!context.signal.aborted) await noteFailure(database, run.id, textOf(error));
    throw error;
  }
}

async function record(database: Database, runId: string, outcome: JobOutcome): Promise<void> {
  if (outcome.status !== 'finished') {
    await closeRun(database, runId, outcome.status, outcome.reason);
    return;
  }
  const { report, monitored } = outcome;
  const recorded = await finishRun(database, runId, {
    verdict: report.verdict,
    rowCount: report.rows,
    byteCount: report.bytes,
    faultCount: report.faultCount,
    sha256: report.sha256,
    report,
    ...(monitored?.monitoringFileId === undefined
      ? {}
      : {
          monitored: {
            monitoringFileId: monitored.monitoringFileId,
            mappingName: monitored.mapping.name,
            mappingVersion: monitored.mapping.version,
          },
        }),
  });
  if (recorded) return;
  // Another attempt has touched the run: fine where it ended it, else this verdict would be lost.
  const now = await findRun(database, runId);
  if (now?.status === 'queued' || now?.status === 'running') {
    throw new Error('another attempt changed the run before its verdict was recorded');
  }
}

function objectOf({ bucket, key, versionId, eTag }: Run) {
  return {
    bucket,
    key,
    ...(versionId === null ? {} : { versionId }),
    ...(eTag === null ? {} : { eTag }),
  };
}

function textOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)) || 'no reason given';
}
