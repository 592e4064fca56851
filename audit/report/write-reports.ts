import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { controlsOf, withoutControl } from '../controls.ts';
import { NOT_LOOKED_AT } from '../evidence.ts';
import type { AuditResult } from '../judge.ts';
import { encryptionOf } from './encryption.ts';
import { exposuresOf } from './exposure.ts';
import { htmlReport } from './html-report.ts';
import { OSCAL_FILES, oscalReport } from './oscal-report.ts';
import { attachedPolicies, shownPolicies, statementInWords } from './policies.ts';
import { sarifReport } from './sarif-report.ts';
import {
  artifactsOf,
  inventoryOf,
  reportFolder,
  secondScannerOf,
  shownPath,
  summaryOf,
} from './summary.ts';

/** The result as plain data, for programs. */
export function jsonReport(result: AuditResult) {
  const {
    environment,
    from,
    auditedAt,
    looks,
    rules,
    findings,
    waived,
    acceptances,
    counts,
    notes,
  } = result;
  const [{ model, objects }] = looks;
  const { evidence } = result;
  return {
    ...(evidence !== undefined && {
      evidence: { ...evidence, sboms: evidence.sboms.map(({ text: _, ...list }) => list) },
    }),
    environment,
    ...(from !== undefined && { from }),
    auditedAt: auditedAt.toISOString(),
    green: findings.length === 0,
    secondScanner: secondScannerOf(result),
    notLookedAt: NOT_LOOKED_AT,
    baseline: result.baseline,
    regions: looks.map(({ region, partition }) => ({ region, partition })),
    files: looks.flatMap(artifactsOf).map(({ text: _, ...file }) => file),
    summary: summaryOf(result),
    findings,
    waived,
    ...(acceptances !== undefined && { acceptances }),
    notes,
    controls: controlsOf(result),
    withoutControl: withoutControl(result),
    counts,
    inventory: inventoryOf(result),
    policies: shownPolicies(model).map(({ document, ...policy }) => ({
      ...policy,
      statements: (document?.statements ?? []).map((statement) =>
        statementInWords(statement, policy),
      ),
    })),
    attachedPolicies: attachedPolicies(model),
    exposures: exposuresOf(model, objects),
    encryption: encryptionOf(model),
    rules,
  };
}

/**
 * Writes the reports on one environment: report.html, report.json, report.sarif, the two of OSCAL and lists of packages.
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
  const oscal = oscalReport(result);
  write(OSCAL_FILES.plan, `${JSON.stringify(oscal.plan, undefined, 2)}\n`);
  write(OSCAL_FILES.results, `${JSON.stringify(oscal.results, undefined, 2)}\n`);
  for (const { file, text } of result.evidence?.sboms ?? []) write(file, text);
  return shownPath(join(folder, 'report.html'));
}
