import { describe, expect, it } from 'vitest';
import { ProblemList } from '../../quality/descriptor-error.ts';
import { compileThresholds } from '../../quality/thresholds.ts';

function paths(thresholds: unknown): string[] {
  const problems = new ProblemList();
  compileThresholds(thresholds, 'thresholds', problems);
  return problems.problems.map(({ path }) => path);
}

describe('compileThresholds', () => {
  it('gives valid thresholds back', () => {
    const given = {
      minRows: 1,
      maxRows: 9,
      maxFaults: 0,
      maxFaultyRows: 0.5,
      completeness: { a: 1 },
      warnOn: ['blank-row'],
      failOn: ['padded-value'],
    };
    expect(compileThresholds(given, 'thresholds', new ProblemList())).toMatchObject(given);
  });

  it.each([
    [{ minRows: 1.5 }, 'thresholds.minRows'],
    [{ minRows: 5, maxRows: 4 }, 'thresholds.minRows'],
    [{ maxFaultyRows: 2 }, 'thresholds.maxFaultyRows'],
    [{ completeness: { a: '1' } }, 'thresholds.completeness.a'],
    [{ completeness: [1] }, 'thresholds.completeness'],
    [{ warnOn: ['blank-rows'] }, 'thresholds.warnOn'],
    [{ warnOn: 'blank-row' }, 'thresholds.warnOn'],
    [{ warnOn: ['source-error'] }, 'thresholds.warnOn'],
    [{ warnOn: ['unsupported-format'] }, 'thresholds.warnOn'],
    [{ failOn: ['padded-values'] }, 'thresholds.failOn'],
    [{ failOn: ['padded-value'], warnOn: ['padded-value'] }, 'thresholds.failOn'],
    [{ maxfaults: 1 }, 'thresholds.maxfaults'],
  ])('refuses %j', (thresholds, path) => {
    expect(paths(thresholds)).toStrictEqual([path]);
  });
});
