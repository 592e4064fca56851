import { describe, expect, it } from 'vitest';
import { ProblemList } from '../../quality/descriptor-error.ts';
import { compileConstraints } from '../../quality/field-constraints.ts';
import { compileFieldType, type FieldType } from '../../quality/field-type.ts';

function compile(type: FieldType, constraints: unknown) {
  const problems = new ProblemList();
  const cell = compileFieldType(type, {}, 'field', problems);
  const compiled = compileConstraints(type, cell, constraints, 'constraints', problems);
  return { ...compiled, paths: problems.problems.map(({ path }) => path) };
}

describe('compileConstraints', () => {
  it('leaves nothing to check on values when only required and unique are given', () => {
    expect(compile('string', { required: true, unique: true })).toMatchObject({
      required: true,
      values: undefined,
      paths: [],
    });
  });

  it('reads limits as the cells are read', () => {
    expect(compile('date', { minimum: '1970-01-02' }).values?.bounds[0]?.limit).toBe(86_400_000);
    expect(compile('number', { maximum: 1.5 }).values?.bounds[0]?.limit).toBe(1.5);
  });

  it.each<[FieldType, unknown, string]>([
    ['string', { requird: true }, 'constraints.requird'],
    ['string', { jsonSchema: {} }, 'constraints.jsonSchema'],
    ['string', { required: 'yes' }, 'constraints.required'],
    ['string', { minimum: 'a' }, 'constraints.minimum'],
    ['integer', { minimum: 'a' }, 'constraints.minimum'],
    ['integer', { maximum: 1.5 }, 'constraints.maximum'],
    ['integer', { exclusiveMinimum: true }, 'constraints.exclusiveMinimum'],
    ['date', { exclusiveMaximum: '2023-02-29' }, 'constraints.exclusiveMaximum'],
    ['integer', { minLength: 1 }, 'constraints.minLength'],
    ['string', { maxLength: -1 }, 'constraints.maxLength'],
    ['string', { minLength: 2, maxLength: 1 }, 'constraints.minLength'],
    ['string', { pattern: '(' }, 'constraints.pattern'],
    ['string', { pattern: 1 }, 'constraints.pattern'],
    ['string', { enum: [] }, 'constraints.enum'],
    ['integer', { enum: [1, 'x'] }, 'constraints.enum[1]'],
    ['string', [], 'constraints'],
  ])('%s refuses %j', (type, constraints, path) => {
    expect(compile(type, constraints).paths).toEqual([path]);
  });
});
