import type { Database } from '../database/connection.ts';
import { clientOfMonitoringFile } from '../database/monitoring-files.ts';
import { findRun, noteReport } from '../database/runs.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { reportDocument } from './report-document.ts';
import { reportKey } from './report-key.ts';

/** What {@link writeReport} works with. */
export interface WriteReportOptions {
  readonly database: Database;
  readonly store: ObjectStore;
  /** Start of the keys of reports. */
  readonly prefix: string;
  /** Ends the writing, which then throws the signal's reason. */
  readonly signal: AbortSignal;
}

/** A report that lies in the bucket. */
export interface WrittenReport {
  readonly bucket: string;
  readonly reportKey: string;
}

/**
 * Writes the report of a run to the bucket of its object and notes its key on the run. It is made
 * from the database alone, so that an attempt after the verdict does not read the file again.
 *
 * What it throws is technical, worth another attempt, and leaves the verdict as it is.
 *
 * @returns undefined when there was nothing to write: no verdict, or its report was written before
 */
export async function writeReport(
  runId: string,
  { database, store, prefix, signal }: WriteReportOptions,
): Promise<WrittenReport | undefined> {
  let run = await findRun(database, runId);
  if (run === undefined || run.reportKey !== null) return undefined;
  while (run?.status === 'finished') {
    const { id, bucket, key: objectKey } = run;
    const key = reportKey({ prefix, objectKey, runId: id });
    const client = await clientOfMonitoringFile(database, run.monitoringFileId);
    await store.write({ bucket, key }, reportDocument(run, client), signal);
    if (await noteReport(database, run, key)) return { bucket, reportKey: key };
    // Judged anew meanwhile: this may have gone over that verdict's report, so it is written again.
    run = await findRun(database, runId);
  }
  return undefined;
}
