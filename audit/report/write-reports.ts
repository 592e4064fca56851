import type { KeyObject } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { controlsOf, withoutControl } from '../controls.ts';
import { NOT_LOOKED_AT, sha256 } from '../evidence.ts';
import type { AuditResult } from '../judge.ts';
import { SIGNATURE_SUFFIX, SIGNED_REPORT, signatureOf } from '../verify.ts';
import { encryptionOf } from './encryption.ts';
import { exposuresOf } from './exposure.ts';
import { htmlReport } from './html-report.ts';
import { OSCAL_FILES, oscalReport } from './oscal-report.ts';
import { attachedPolicies, shownPolicies, statementInWords } from './policies.ts';
import { sarifReport } from './sarif-report.ts';
import {
  artifactsOf,
  demandsOf,
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
  const control = (rule: string) => rules.find(({ id }) => id === rule)?.control ?? 'unmapped';
  return {
    ...(evidence !== undefined && {
      evidence: { ...evidence, sboms: evidence.sboms.map(({ text: _, ...list }) => list) },
    }),
    environment,
    ...(from !== undefined && { from }),
    auditedAt: auditedAt.toISOString(),
    green: findings.length === 0,
    secondScanner: secondScannerOf(result),
    demands: demandsOf(result),
    notLookedAt: NOT_LOOKED_AT,
    baseline: result.baseline,
    regions: looks.map(({ region, partition }) => ({ region, partition })),
    files: looks.flatMap(artifactsOf).map(({ text: _, ...file }) => file),
    summary: summaryOf(result),
    findings: findings.map((finding) => ({ ...finding, control: control(finding.rule) })),
    waived: waived.map((finding) => ({ ...finding, control: control(finding.rule) })),
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
 * Writes the reports on one environment: report.html, report.sarif, the two of OSCAL and lists of packages; then
 * report.json, which has their digests.
 *
 * @param out - folder for the reports on all environments
 * @param key - signs report.json; undefined signs nothing
 * @returns the page, as a path from the current folder
 */
export function writeReports(out: string, result: AuditResult, key: KeyObject | undefined): string {
  const folder = reportFolder(out, result.environment);
  mkdirSync(folder, { recursive: true });
  const json = (value: unknown) => `${JSON.stringify(value, undefined, 2)}\n`;
  const oscal = oscalReport(result);
  const texts = {
    'report.html': htmlReport(result),
    'report.sarif': json(sarifReport(result)),
    [OSCAL_FILES.plan]: json(oscal.plan),
    [OSCAL_FILES.results]: json(oscal.results),
    ...Object.fromEntries((result.evidence?.sboms ?? []).map(({ file, text }) => [file, text])),
  };
  const reports = Object.entries(texts).map(([path, text]) => ({ path, sha256: sha256(text) }));
  const report = json({ ...jsonReport(result), reports });
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
