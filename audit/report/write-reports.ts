import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AuditResult } from '../audit-result.ts';
import { reportFolder, shownPath } from '../report-paths.ts';
import { htmlReport } from './html-report.ts';
import { jsonReport } from './json-report.ts';
import { sarifReport } from './sarif-report.ts';

/**
 * Writes the reports on one environment: report.html, report.json and report.sarif.
 *
 * @param out - folder for the reports on all environments
 * @returns the page, as a path from the current folder
 */
export function writeReports(out: string, result: AuditResult): string {
  const folder = reportFolder(out, result.environment);
  mkdirSync(folder, { recursive: true });
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
  write('report.json', `${JSON.stringify(jsonReport(result), undefined, 2)}\n`);
  write('report.sarif', `${JSON.stringify(sarifReport(result), undefined, 2)}\n`);
  write('report.html', htmlReport(result));
  return shownPath(join(folder, 'report.html'));
}
