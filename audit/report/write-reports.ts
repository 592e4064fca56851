import type { KeyObject } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from '@file-processing/contract/make-folder.ts';
import { sha256 } from '../evidence.ts';
import type { AuditResult } from '../judge.ts';
import { SIGNATURE_SUFFIX, SIGNED_REPORT, signatureOf } from '../verify.ts';
import { htmlReport } from './html-report.ts';
import { OSCAL_FILES, oscalReport } from './oscal-report.ts';
import { sarifReport } from './sarif-report.ts';
import { reportFolder, reportOf, shownPath } from './summary.ts';

/**
 * Writes the reports on one environment: report.html, report.sarif, the two of OSCAL and lists of packages; then
 * report.json, which has their digests.
 *
 * @param out - folder for the reports on all environments
 * @param key - signs report.json; undefined signs nothing
 * @returns the page, as a path from the current folder
 */
export function writeReports(out: string, result: AuditResult, key: KeyObject | undefined): string {
  const folder = reportFolder(out, result.environment);
  makeFolder(folder);
  const json = (value: unknown) => `${JSON.stringify(value, undefined, 2)}\n`;
  const plain = reportOf(result);
  const oscal = oscalReport(result);
  const texts = {
    'report.html': htmlReport(plain),
    'report.sarif': json(sarifReport(result)),
    [OSCAL_FILES.plan]: json(oscal.plan),
    [OSCAL_FILES.results]: json(oscal.results),
    ...Object.fromEntries((result.evidence?.sboms ?? []).map(({ file, text }) => [file, text])),
  };
  const reports = Object.entries(texts).map(([path, text]) => ({ path, sha256: sha256(text) }));
  const report = json({ ...plain, reports });
  const signature = key && signatureOf(Buffer.from(report), key);
  // One of an earlier report would be of another one.
  rmSync(join(folder, `${SIGNED_REPORT}${SIGNATURE_SUFFIX}`), { force: true });
  for (const [name, text] of Object.entries({
    ...texts,
    [SIGNED_REPORT]: report,
    ...(signature !== undefined && { [`${SIGNED_REPORT}${SIGNATURE_SUFFIX}`]: signature }),
  })) {
    writeFileSync(join(folder, name), text);
  }
  return shownPath(join(folder, 'report.html'));
}
