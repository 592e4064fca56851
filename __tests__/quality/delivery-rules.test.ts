import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  compileRules,
  DELIVERY_RULES,
  neededHistory,
  RULE_PROPERTIES,
} from '../../quality/delivery-rules.ts';
import { ProblemList } from '../../quality/descriptor-error.ts';
import { expectationProblems } from '../../quality/expectation.ts';
import { FAULT_TYPES } from '../../quality/faults.ts';

function problemsOf(rule: unknown): string[] {
  const problems = new ProblemList();
  compileRules([rule], 'rules', undefined, problems);
  return problems.problems.map(({ path, message }) => `${path}: ${message}`);
}

describe('DELIVERY_RULES', () => {
  it('name a kind of fault each, and are what the JSON Schema of reports lists', () => {
    for (const { fault } of DELIVERY_RULES) expect(FAULT_TYPES).toContain(fault);
    const file = new URL('../../quality/report.schema.json', import.meta.url);
    const { $defs } = JSON.parse(readFileSync(file, 'utf8'));
    // Its results stand beside them; it is asked for by a foreign key of the schema.
    const names = $defs.rule.properties.rule.enum.filter(
      (name: string) => name !== 'ReferentialIntegrity',
    );
    expect(names).toStrictEqual(DELIVERY_RULES.map(({ rule }) => rule));
  });

  it('have no property that is not explained', () => {
    const explained: readonly string[] = RULE_PROPERTIES.map(({ name }) => name);
    for (const { parameters } of DELIVERY_RULES) {
      for (const name of parameters) expect(explained).toContain(name);
    }
  });
});

describe('compileRules', () => {
  it.each([
    { rule: 'RowCount', warn: { min: 100 }, fail: { min: 1, max: 1000 } },
    { rule: 'RowCountChange', last: 5, fail: { maxDecrease: 0.5 }, warn: { maxIncrease: 2 } },
    { rule: 'FileSize', fail: { max: 1_000_000 } },
    { rule: 'Completeness', column: 'a', warn: { minShare: 0.99 }, fail: { maxRows: 10 } },
    { rule: 'ColumnValues', column: 'a', constraints: { enum: ['x'] }, warn: { minShare: 1 } },
    { rule: 'DistinctValuesCount', column: 'a', fail: { min: 2, max: 2 } },
    { rule: 'FileFreshness', warn: { minHours: 1 }, fail: { maxHours: 26.5 } },
    { rule: 'SchemaMatch' },
    { rule: 'SchemaMatch', warn: ['added', 'renamed'], fail: ['lost'] },
    { rule: 'FileUniqueness', last: 100, severity: 'warn' },
  ])('takes %j', (rule) => {
    expect(problemsOf(rule)).toStrictEqual([]);
  });

  it.each([
    ['RowCount', 'rules[0]: is "RowCount"; an object is needed'],
    [{ rule: 'Rowcount', fail: { min: 1 } }, 'rules[0].rule: is "Rowcount"; known: RowCount,'],
    [{ rule: 'RowCount' }, 'rules[0]: has neither warn nor fail'],
    [{ rule: 'RowCount', fail: {} }, 'rules[0].fail: has no limit'],
    [{ rule: 'RowCount', fail: { min: 1.5 } }, 'rules[0].fail.min: is 1.5'],
    [{ rule: 'RowCount', fail: { min: 2, max: 1 } }, 'rules[0].fail.min: is 2, above max'],
    [
      { rule: 'RowCount', fail: { minn: 2 } },
      'rules[0].fail.minn: is not known; did you mean min?',
    ],
    [
      { rule: 'RowCount', fail: { min: 2 }, warn: { min: 2 } },
      'rules[0].warn.min: is 2, which fail',
    ],
    [{ rule: 'RowCount', fail: { min: 2 }, column: 'a' }, 'rules[0].column: is not known'],
    [{ rule: 'RowCount', fail: { min: 2 }, severity: 'warn' }, 'rules[0].severity: is not known'],
    [
      { rule: 'FileFreshness', fail: { minHours: 2, maxHours: 1 } },
      'rules[0].fail.minHours: is 2, above maxHours',
    ],
    [{ rule: 'FileFreshness', fail: { maxHours: -1 } }, 'rules[0].fail.maxHours: is -1'],
    [{ rule: 'FileFreshness', last: 2, fail: { maxHours: 1 } }, 'rules[0].last: is not known'],
    [
      { rule: 'DataFreshness', column: 'a', hours: 24, fail: { min: 1 } },
      'rules[0].column: is "a", no field of the schema; a field of type date or datetime',
    ],
    [{ rule: 'RowCountChange', last: 0, fail: { maxDecrease: 1 } }, 'rules[0].last: is 0'],
    [{ rule: 'RowCountChange', last: 101, fail: { maxDecrease: 1 } }, 'rules[0].last: is 101'],
    [{ rule: 'RowCountChange', fail: { maxDecrease: 1.1 } }, 'rules[0].fail.maxDecrease: is 1.1'],
    [{ rule: 'Completeness', fail: { minShare: 1 } }, 'rules[0].column: is undefined'],
    [{ rule: 'Completeness', column: 'a', fail: { min: 1 } }, 'rules[0].fail.min: is not known'],
    [
      { rule: 'ColumnValues', column: 'a', fail: { minShare: 1 } },
      'rules[0].constraints: is undefined',
    ],
    [
      { rule: 'ColumnValues', column: 'a', constraints: {}, fail: { minShare: 1 } },
      'rules[0].constraints: is empty',
    ],
    [
      { rule: 'ColumnValues', column: 'a', constraints: { minimum: 1 }, fail: { minShare: 1 } },
      'rules[0].constraints.minimum: does not apply to string',
    ],
    [
      {
        rule: 'ColumnValues',
        column: 'a',
        constraints: { required: true, pattern: 'x' },
        fail: { minShare: 1 },
      },
      'rules[0].constraints.required: is not for the values of a rule',
    ],
    [
      { rule: 'DistinctValuesCount', column: 'a', fail: { max: 1_000_001 } },
      'rules[0].fail.max: is 1000001; at most 1000000 is allowed',
    ],
    [{ rule: 'SchemaMatch', fail: ['gone'] }, 'rules[0].fail: names "gone"'],
    [{ rule: 'SchemaMatch', fail: { min: 1 } }, 'rules[0].fail: is {"min":1}'],
    [{ rule: 'SchemaMatch', fail: ['lost'], warn: ['lost'] }, 'rules[0].warn: names "lost"'],
    [{ rule: 'FileUniqueness', severity: 'error' }, 'rules[0].severity: is "error"'],
  ])('refuses %j', (rule, problem) => {
    const problems = problemsOf(rule);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(problem);
  });

  it('refuses what is not a list, by the same problems as the rest of the expectation', () => {
    expect(expectationProblems({ rules: {} })).toStrictEqual([
      { path: 'rules', message: 'is {}; a list of rules is needed' },
    ]);
  });

  it("reads constraints as the column's own type has them", () => {
    const schema = { fields: [{ name: 'n', type: 'integer' }] };
    const rule = { rule: 'ColumnValues', column: 'n', constraints: { minimum: 1 } };
    const rules = [{ ...rule, fail: { minShare: 0.5 } }];
    expect(expectationProblems({ schema, rules })).toStrictEqual([]);
  });
});

describe('neededHistory', () => {
  it('is as much as the rule that looks back furthest', () => {
    const needs = (rules: unknown) =>
      neededHistory(compileRules(rules, 'rules', undefined, new ProblemList()));
    expect(needs([{ rule: 'RowCount', fail: { min: 1 } }])).toBe(0);
    expect(needs([{ rule: 'SchemaMatch' }])).toBe(1);
    expect(needs([{ rule: 'FileUniqueness', last: 7 }, { rule: 'SchemaMatch' }])).toBe(7);
  });
});
