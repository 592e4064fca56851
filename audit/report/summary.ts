import type { AuditResult } from '../audit-result.ts';
import type { Look } from '../look.ts';
import { FRAMEWORKS, type Framework } from '../scanners/checkov-report.ts';

/** What one examiner saw of one view in one region. */
export interface LookSummary {
  readonly region: string;
  /** Such as `own rules` or `checkov 3.3.30`. */
  readonly by: string;
  readonly view: string;
  /** Resources that were read. */
  readonly resources: number;
  readonly passed: number;
  /** Failed checks, waived or not. */
  readonly failed: number;
}

const VIEWS: Readonly<Record<Framework, string>> = {
  terraform_plan: 'plan',
  kubernetes: 'manifests',
};

/** Who looked at what, and how it went. */
export function summaryOf({ looks }: AuditResult): readonly LookSummary[] {
  return looks.flatMap((look) => [...(look.ruled ? [ofRules(look)] : []), ...ofScans(look)]);
}

function ofRules({ region, model, checks }: Look): LookSummary {
  const own = checks.filter(({ by }) => by === 'rules');
  const passed = own.filter(({ faults }) => faults.length === 0).length;
  return {
    region,
    by: 'own rules',
    view: 'synthesized JSON and manifests',
    resources: model.resources.length,
    passed,
    failed: own.length - passed,
  };
}

function ofScans({ region, scans }: Look): readonly LookSummary[] {
  if (scans === undefined) return [];
  const reports = Object.values(scans);
  return FRAMEWORKS.map((framework) => {
    const checks = reports.flatMap((report) =>
      report.checks.filter((check) => check.framework === framework),
    );
    const passed = checks.filter((check) => check.passed).length;
    return {
      region,
      by: `checkov ${reports[0]?.version ?? ''}`.trim(),
      view: VIEWS[framework],
      resources: reports.reduce((sum, { seen }) => sum + seen[framework].length, 0),
      passed,
      failed: checks.length - passed,
    };
  });
}
