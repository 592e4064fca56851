import type { Audited, Rule } from '../../../audit/rules/rule.ts';

/** Findings as lines: rule, stack, address, sentence. */
export function findings(rules: readonly Rule[], audited: Audited): readonly string[] {
  return rules.flatMap(({ id, judge }) =>
    judge(audited).flatMap(({ stack, address, faults }) =>
      faults.map((fault) => `${id} ${stack} ${address}: ${fault}`),
    ),
  );
}
