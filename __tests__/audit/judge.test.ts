import { expect, it } from 'vitest';
import { runRules } from '../../audit/judge.ts';
import type { Rule } from '../../audit/rules/rule.ts';
import { smallModel } from './support/small-stack.ts';

const RULE: Rule = {
  id: 'good',
  title: 'Good',
  reason: 'Why',
  control: 'AC-6',
  severity: 'low',
  judge: () => [{ rule: 'good', stack: 'app', address: 'a.b', faults: [] }],
};

it('a rule that breaks down fails by itself, and the others are run', () => {
  const broken: Rule = {
    ...RULE,
    id: 'broken',
    judge: () => {
      throw new TypeError('no such form');
    },
  };
  expect(
    runRules([broken, RULE], { model: smallModel({}), objects: [], now: new Date(0) }),
  ).toStrictEqual([
    {
      by: 'audit',
      rule: 'rule-can-not-judge',
      stack: 'app',
      address: 'terraform',
      faults: ['broken could not judge the stacks: no such form'],
    },
    { by: 'rules', rule: 'good', stack: 'app', address: 'a.b', faults: [] },
  ]);
});
