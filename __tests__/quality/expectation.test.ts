import { describe, expect, it } from 'vitest';
import { DescriptorError } from '../../quality/descriptor-error.ts';
import { compileExpectation, expectationProblems } from '../../quality/expectation.ts';

describe('compileExpectation', () => {
  it('takes nothing for the default dialect and no schema', () => {
    expect(compileExpectation(undefined)).toMatchObject({
      schema: undefined,
      dialect: { delimiter: 44 },
    });
  });

  it('throws one error with every problem of schema, dialect and thresholds', () => {
    const expectation = {
      schema: { fields: [{ name: 'a', type: 'decimal' }] },
      dialect: { delimiter: ';;' },
      thresholds: { minRows: -1 },
      schemas: {},
    };
    expect(() => compileExpectation(expectation)).toThrow(DescriptorError);
    expect(expectationProblems(expectation).map(({ path }) => path)).toStrictEqual([
      'schemas',
      'dialect.delimiter',
      'schema.fields[0].type',
      'thresholds.minRows',
    ]);
  });

  it('refuses what is not an object', () => {
    expect(expectationProblems([1])).toStrictEqual([
      { path: 'expectation', message: 'is [1]; an object is needed' },
    ]);
  });
});
