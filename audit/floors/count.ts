import type { Look } from '../look.ts';
import type { Framework } from '../scanners/checkov-report.ts';
import type { Counts } from './floors.ts';

/** How much was looked at for one region. */
export function countsOf({ model, checks, scans, ruled }: Look): Counts {
  const passed = (framework: Framework) =>
    Object.values(scans ?? {})
      .flatMap((report) => report.checks)
      .filter((check) => check.framework === framework && check.passed).length;
  return {
    resources: model.resources.length,
    ...(ruled && {
      rules: checks.filter(({ by, faults }) => by === 'rules' && faults.length === 0).length,
    }),
    ...(scans && {
      terraform_plan: passed('terraform_plan'),
      kubernetes: passed('kubernetes'),
    }),
  };
}
