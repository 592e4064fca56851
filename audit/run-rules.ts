import type { Check } from './finding.ts';
import type { Audited, Rule } from './rules/rule.ts';

/** Id of the finding that a rule could not be run at all. */
export const BROKEN_RULE = 'rule-can-not-judge';

/**
 * Runs rules. One that throws, because the JSON has a form that it did not foresee, fails by itself:
 * a rule that did not judge must not count as green.
 */
export function runRules(rules: readonly Rule[], audited: Audited): readonly Check[] {
  return rules.flatMap(({ id, judge }): readonly Check[] => {
    try {
      return judge(audited).map((judgement) => ({ by: 'rules', ...judgement }));
    } catch (error) {
      const stack = audited.model.stacks[0]?.name ?? '';
      const fault = `${id} could not judge the stacks: ${(error as Error).message}`;
      return [{ by: 'audit', rule: BROKEN_RULE, stack, address: 'terraform', faults: [fault] }];
    }
  });
}
