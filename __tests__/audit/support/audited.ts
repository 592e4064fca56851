import { join } from 'node:path';
import { audit } from '../../../audit/audit.ts';
import type { AuditResult } from '../../../audit/judge.ts';
import type { Rule } from '../../../audit/rules/rule.ts';
import { ROOT } from '../../support/run-main.ts';
import { A_DAY } from './run-audit.ts';

/** Audits a synthesized folder with some rules; nothing is recorded about its environment. */
export function audited(from: string, out: string, rules: readonly Rule[]): Promise<AuditResult> {
  return audit({
    // Without waivers and environments of its own.
    root: join(ROOT, '__tests__/fixtures/audit'),
    environment: undefined,
    from,
    out,
    rules,
    checkov: undefined,
    withoutAccepted: true,
    floors: {},
    notes: [],
    env: {},
    now: A_DAY,
  });
}

/** A rule that finds a fault in every resource of a type. */
export function faultIn(type: string, fault: string): Rule {
  return {
    id: `no-${type.replaceAll('_', '-')}`,
    title: `There is no ${type}`,
    reason: 'A rule of the tests',
    control: 'AC-6',
    severity: 'high',
    judge: ({ model }) =>
      model.ofType(type).map(({ stack, address }) => ({
        rule: `no-${type.replaceAll('_', '-')}`,
        stack,
        address,
        faults: [fault],
      })),
  };
}
