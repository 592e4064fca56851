import type { RunWithReport } from '../database/runs.ts';

/**
 * The document that is written to the bucket: the report as the database holds it, beside what it is
 * about.
 *
 * @param run has ended with a verdict
 * @param client of the monitored file; undefined where nobody monitors it
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
