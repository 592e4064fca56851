import { createHash } from 'node:crypto';
import type { Database } from '../database/connection.ts';
import { clientOfMonitoringFile } from '../database/monitoring-files.ts';
import { findRun, noteReport, type RunWithReport } from '../database/runs.ts';
import type { ObjectStore } from '../storage/object-store.ts';

/** What {@link writeReport} works with. */
export interface WriteReportOptions {
  readonly database: Database;
  readonly store: ObjectStore;
  /** Key prefix of reports. */
  readonly prefix: string;
  /** Ends the writing, which then throws the signal's reason. */
  readonly signal: AbortSignal;
}

/** A report that is in the bucket. */
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

/**
 * The document that is written to the bucket: the report as the database holds it, beside what it is
 * about.
 *
 * @param run has ended with a verdict
 * @param client of the monitored file; undefined where it is not monitored
 */
export function reportDocument(run: RunWithReport, client: string | undefined): string {
  const { id, bucket, key, versionId, eTag, verdict, finishedAt, report } = run;
  const mapping =
    run.mappingName === null ? null : { name: run.mappingName, version: run.mappingVersion };
  const document = {
    runId: id,
    bucket,
    key,
    versionId,
    eTag,
    verdict,
    finishedAt,
    client: client ?? null,
    mapping,
    report,
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** Bytes of UTF-8 that a key may have (Amazon S3 User Guide, "Naming Amazon S3 objects"). */
const MAX_KEY_BYTES = 1024;

/** What a report's key is made of. */
export interface ReportKeyParts {
  /** REPORT_PREFIX. */
  readonly prefix: string;
  /** Of the object that was judged. */
  readonly objectKey: string;
  readonly runId: string;
}

/**
 * The key of a run's report: the same for every attempt, so that a later one writes over what an
 * earlier one wrote. Where the object's own key leaves too little room, its SHA-256 stands for it.
 */
export function reportKey({ prefix, objectKey, runId }: ReportKeyParts): string {
  const key = `${prefix}${objectKey}.${runId}.json`;
  if (Buffer.byteLength(key) <= MAX_KEY_BYTES) return key;
  const sha256 = createHash('sha256').update(objectKey).digest('hex');
  return `${prefix}${sha256}.${runId}.json`;
}
