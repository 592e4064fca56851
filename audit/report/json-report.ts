import type { AuditResult } from '../audit-result.ts';
import { artifactsOf } from './artifact.ts';
import { encryptionOf } from './encryption.ts';
import { exposuresOf } from './exposure.ts';
import { inventoryOf } from './inventory.ts';
import { attachedPolicies, shownPolicies } from './placed-policies.ts';
import { statementInWords } from './statement-in-words.ts';
import { summaryOf } from './summary.ts';

/** The result as plain data, for programs. */
export function jsonReport(result: AuditResult) {
  const { environment, from, auditedAt, looks, rules, findings, waived, counts, notes } = result;
  const [{ model, objects }] = looks;
  return {
    environment,
    ...(from !== undefined && { from }),
    auditedAt: auditedAt.toISOString(),
    green: findings.length === 0,
    regions: looks.map(({ region, partition }) => ({ region, partition })),
    files: looks.flatMap(artifactsOf).map(({ text: _, ...file }) => file),
    summary: summaryOf(result),
    findings,
    waived,
    notes,
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
