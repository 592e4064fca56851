import { createHash } from 'node:crypto';
import type { Config } from '../config.ts';
import { reportPage } from '../console/page.ts';
import type { Database } from '../database/connection.ts';
import {
  findJudgement,
  type Judgement,
  type JudgementReference,
  noteReport,
} from '../database/judgements.ts';
import { clientOfMonitoringFile } from '../database/monitoring-files.ts';
import { findRun, type Run } from '../database/runs.ts';
import { PLACES, shownClasses } from '../privacy/places.ts';
import { storedReport } from '../privacy/withhold.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { NO_RULES } from './s3-data-quality-job.ts';

/** Where reports are written, and what they show. */
export interface ReportForm {
  /** Key prefix of reports. */
  readonly prefix: string;
  /** REPORT_VALUES. */
  readonly bySetting: boolean;
}

/** As REPORT_PREFIX and REPORT_VALUES have it. */
export function reportFormOf({
  s3,
}: {
  readonly s3: Pick<Config['s3'], 'reportPrefix' | 'reportValues'>;
}): ReportForm {
  return { prefix: s3.reportPrefix, bySetting: s3.reportValues };
}

/** What {@link writeReport} works with. */
export interface WriteReportOptions extends ReportForm {
  readonly database: Database;
  readonly store: Pick<ObjectStore, 'write'>;
  /** Ends the writing, which then throws the signal's reason. */
  readonly signal: AbortSignal;
}

/** A report that is in the bucket. */
export interface WrittenReport {
  readonly bucket: string;
  readonly reportKey: string;
}

/**
 * Writes the report of a judgement, and a page of it, to the bucket of its object and notes its key. It is made from the
 * database alone, so that an attempt after the verdict does not read the file again.
 *
 * What it throws is technical, worth another attempt, and leaves the verdict as it is.
 *
 * @returns undefined when there was nothing to write: no verdict, or its report was written before, or was
 * deleted for its age
 */
export async function writeReport(
  reference: JudgementReference,
  { database, store, prefix, bySetting, signal }: WriteReportOptions,
): Promise<WrittenReport | undefined> {
  const judgement = await findJudgement(database, reference);
  if (judgement?.status !== 'finished' || judgement.reportKey !== null) return undefined;
  const report = storedReport(judgement, shownClasses(PLACES.bucket, bySetting));
  if (report === null) return undefined;
  const run = await findRun(database, reference.runId);
  if (run === undefined) return undefined;
  const { bucket, key: objectKey } = run;
  const key = reportKey({ prefix, objectKey, judgement });
  const client = await clientOfMonitoringFile(database, judgement.monitoringFileId);
  await store.write({ bucket, key }, reportDocument(run, { ...judgement, report }, client), signal);
  const facts = pageFacts(run, judgement, client);
  const page = reportPage({ name: `${bucket}/${objectKey}`, report, facts });
  await store.write({ bucket, key: pageKey(key) }, page, signal);
  await noteReport(database, judgement, key);
  return { bucket, reportKey: key };
}

/**
 * The document that is written to the bucket: the report, beside what it is about.
 *
 * @param judgement has ended with a verdict
 * @param client of the monitored file; undefined where it is not monitored
 */
export function reportDocument(
  { id, bucket, key, versionId, eTag }: Pick<Run, 'id' | 'bucket' | 'key' | 'versionId' | 'eTag'>,
  judgement: Judgement & { readonly report: object | null },
  client: string | undefined,
): string {
  const { number, verdict, finishedAt, mappingName, mappingVersion, report } = judgement;
  const mapping = mappingName === null ? null : { name: mappingName, version: mappingVersion };
  const document = {
    runId: id,
    judgement: number,
    bucket,
    key,
    versionId,
    eTag,
    verdict,
    finishedAt,
    client: client ?? null,
    mapping,
    rules: mapping === null ? NO_RULES : `${mapping.name} ${mapping.version}`,
    report,
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** What the page says beside the report. */
function pageFacts(
  { id, versionId }: Pick<Run, 'id' | 'versionId'>,
  { number, finishedAt }: Pick<Judgement, 'number' | 'finishedAt'>,
  client: string | undefined,
): [name: string, text: string][] {
  return [
    ...(client === undefined ? [] : [['Client', client] as [string, string]]),
    ...(versionId === null ? [] : [['Version', versionId] as [string, string]]),
    ['Judged', `${finishedAt?.toISOString() ?? ''}, judgement ${number} of run ${id}`],
  ];
}

/** Bytes of UTF-8 that a key may have (Amazon S3 User Guide, "Naming Amazon S3 objects"). */
const MAX_KEY_BYTES = 1024;

/** What a report's key is made of. */
export interface ReportKeyParts {
  /** REPORT_PREFIX. */
  readonly prefix: string;
  /** Of the object that was judged. */
  readonly objectKey: string;
  readonly judgement: JudgementReference;
}

/**
 * The key of a judgement's report: the same for every attempt to write it, and never that of another
 * judgement, so that no report is written over. Where the object's own key leaves too little room, its
 * SHA-256 stands for it.
 */
export function reportKey({ prefix, objectKey, judgement }: ReportKeyParts): string {
  const end = `${judgement.runId}.${judgement.number}.json`;
  const key = `${prefix}${objectKey}.${end}`;
  if (Buffer.byteLength(key) <= MAX_KEY_BYTES) return key;
  const sha256 = createHash('sha256').update(objectKey).digest('hex');
  return `${prefix}${sha256}.${end}`;
}

/** The key of the page beside a report, for people. @param reportKey as {@link reportKey} has it */
export function pageKey(reportKey: string): string {
  return reportKey.replace(/\.json$/, '.html');
}
