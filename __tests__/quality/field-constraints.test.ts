import { describe, expect, it } from 'vitest';
import { ProblemList } from '../../quality/descriptor-error.ts';
import {
  brokenConstraints,
  compileConstraints,
  constraintMessage,
} from '../../quality/field-constraints.ts';
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

  it('takes limits that leave one value', () => {
    expect(compile('integer', { minimum: 5, maximum: 5 }).paths).toStrictEqual([]);
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
    ['string', { enum: ['a', null] }, 'constraints.enum[1]'],
    ['string', { enum: [{}] }, 'constraints.enum[0]'],
    ['any', { enum: ['a', 'b', ['c']] }, 'constraints.enum[2]'],
    ['string', { enum: [2 ** 53] }, 'constraints.enum[0]'],
    ['integer', { enum: [null] }, 'constraints.enum[0]'],
    ['integer', { enum: [1, [2]] }, 'constraints.enum[1]'],
    ['integer', { enum: [-(2 ** 53)] }, 'constraints.enum[0]'],
    ['integer', { enum: [1.5] }, 'constraints.enum[0]'],
    ['number', { enum: [1, {}] }, 'constraints.enum[1]'],
    ['number', { enum: [2 ** 63] }, 'constraints.enum[0]'],
    ['boolean', { enum: [true, null] }, 'constraints.enum[1]'],
    ['date', { enum: ['2024-01-01', 20240101] }, 'constraints.enum[1]'],
    ['integer', { maximum: 2 ** 63 }, 'constraints.maximum'],
    ['string', [], 'constraints'],
    ['integer', { minimum: 2, maximum: 1 }, 'constraints.minimum'],
    ['integer', { minimum: 2, exclusiveMaximum: 2 }, 'constraints.minimum'],
    ['number', { exclusiveMinimum: 2, maximum: 2 }, 'constraints.exclusiveMinimum'],
    ['integer', { exclusiveMinimum: 1, exclusiveMaximum: 2 }, 'constraints.exclusiveMinimum'],
    ['date', { minimum: '2024-01-02', maximum: '2024-01-01' }, 'constraints.minimum'],
    [
      'integer',
      { minimum: '9007199254740993', maximum: '9007199254740992' },
      'constraints.minimum',
    ],
    ['number', { minimum: 'NaN' }, 'constraints.minimum'],
    ['duration', { minimum: 'P1W' }, 'constraints.minimum'],
    ['duration', { minimum: 'P2M', maximum: 'P1M' }, 'constraints.minimum'],
    ['list', { minimum: '1' }, 'constraints.minimum'],
    ['geopoint', { minLength: 1 }, 'constraints.minLength'],
    ['geojson', { jsonSchema: {} }, 'constraints.jsonSchema'],
    ['object', { jsonSchema: { propertys: {} } }, 'constraints.jsonSchema.propertys'],
    ['object', { jsonSchema: true }, 'constraints.jsonSchema'],
    ['object', { enum: [[1]] }, 'constraints.enum[0]'],
    ['object', { enum: [{ a: [2 ** 53] }] }, 'constraints.enum[0]'],
    ['array', { enum: ['[1'] }, 'constraints.enum[0]'],
    ['array', { enum: [null] }, 'constraints.enum[0]'],
    ['list', { enum: [['a']] }, 'constraints.enum[0]'],
  ])('%s refuses %j', (type, constraints, path) => {
    expect(compile(type, constraints).paths).toStrictEqual([path]);
  });
});

/** What a value of a field breaks. */
function broken(type: FieldType, constraints: object, text: string): string[] {
  const problems = new ProblemList();
  const cell = compileFieldType(type, {}, 'field', problems);
  const { values } = compileConstraints(type, cell, constraints, 'constraints', problems);
  expect(problems.problems).toStrictEqual([]);
  const bytes = Buffer.from(text);
  const value = cell.read(bytes, 0, bytes.length);
  if (values === undefined) return [];
  const bits = brokenConstraints(values, bytes, 0, bytes.length, value);
  return Array.from({ length: 32 }, (_, place) => 1 << place)
    .filter((bit) => (bits & bit) !== 0)
    .map((bit) => constraintMessage(values, bit, bytes, 0, bytes.length));
}

describe('brokenConstraints', () => {
  it.each<[FieldType, object, string, boolean]>([
    ['integer', { minimum: 5 }, '5', true],
    ['integer', { minimum: 5 }, '4', false],
    ['integer', { exclusiveMinimum: 5 }, '5', false],
    ['integer', { maximum: 5 }, '5', true],
    ['integer', { exclusiveMaximum: 5 }, '5', false],
    ['integer', { maximum: '9007199254740992' }, '9007199254740992', true],
    ['integer', { maximum: '9007199254740992' }, '9007199254740993', false],
    ['integer', { minimum: '-9007199254740993' }, '-9007199254740993', true],
    ['integer', { maximum: 5 }, '9'.repeat(500), false],
    ['integer', { maximum: '9'.repeat(400) }, '9'.repeat(401), false],
    ['integer', { maximum: '9'.repeat(401) }, '9'.repeat(400), true],
    ['integer', { minimum: '-9007199254740993' }, '-9007199254740994', false],
    ['integer', { exclusiveMinimum: '9007199254740992' }, '9007199254740993', true],
    ['integer', { minimum: 0 }, '-0', true],
    ['number', { minimum: 0.1 }, '0.09999999999999999999', false],
    ['number', { minimum: 0.1 }, '0.1000000', true],
    ['number', { exclusiveMaximum: 1 }, '0.99999999999999999999', true],
    ['number', { maximum: 1 }, '1.00000000000000000001', false],
    ['number', { maximum: -1 }, '-0.99999999999999999999', false],
    ['number', { minimum: 0 }, '-1e-400', false],
    ['number', { exclusiveMinimum: 0 }, '1e-400', true],
    ['number', { maximum: '1e400' }, '1e401', false],
    ['number', { maximum: '1e400' }, '-INF', true],
    ['number', { maximum: '1e400' }, 'INF', false],
    ['number', { maximum: 'INF' }, '1e400', true],
    [
      'datetime',
      { exclusiveMaximum: '2025-01-01T00:00:00Z' },
      '2024-12-31T23:59:59.9999999Z',
      true,
    ],
    [
      'datetime',
      { minimum: '1960-01-01T00:00:00.00000002Z' },
      '1960-01-01T00:00:00.00000001Z',
      false,
    ],
    [
      'datetime',
      { minimum: '1960-01-01T00:00:00.00000002Z' },
      '1960-01-01T00:00:00.000000020Z',
      true,
    ],
    [
      'datetime',
      { exclusiveMinimum: '1970-01-01T00:00:00.1234567Z' },
      '1970-01-01T05:30:00.1234567+05:30',
      false,
    ],
    [
      'datetime',
      { maximum: '1970-01-01T00:00:00.999999999999Z' },
      '1970-01-01T05:30:00.999999999999+05:30',
      true,
    ],
    ['time', { minimum: '00:00:00.1234567Z' }, '05:30:00.1234567+05:30', true],
    ['time', { maximum: '12:00:00' }, '12:00:00.00000000001', false],
    ['number', { maximum: 5 }, 'NaN', true],
    ['number', { maximum: 5 }, 'INF', false],
    ['date', { minimum: '2024-01-01' }, '2023-12-31', false],
    ['time', { maximum: '12:00:00' }, '12:00:00.5', false],
    ['datetime', { minimum: '2024-01-01T00:00:00Z' }, '2024-01-01T01:00:00+02:00', false],
    ['yearmonth', { exclusiveMinimum: '2023-12' }, '2024-01', true],
    ['string', { minLength: 2 }, 'é', false],
    ['string', { maxLength: 2 }, '😀😀', true],
    ['string', { enum: ['é', 'b'] }, 'é', true],
    ['string', { enum: ['é', 'b'] }, 'E', false],
    ['integer', { enum: [1, '2'] }, '+2', true],
    ['boolean', { enum: [true] }, 'false', false],
    ['boolean', { enum: [true] }, '1', true],
    ['any', { enum: [1, true] }, '1', true],
    ['integer', { enum: ['9007199254740993'] }, '9007199254740993', true],
    ['integer', { enum: ['9007199254740993'] }, '+0009007199254740993', true],
    ['integer', { enum: ['9007199254740993'] }, '9007199254740992', false],
    ['number', { enum: [0.1] }, '0.10', true],
    ['number', { enum: [0.1] }, '1e-1', true],
    ['number', { enum: [0.1] }, '0.1000000000000000055511151231257827', false],
    ['number', { enum: ['12345678901234567.1'] }, '12345678901234567.10', true],
    ['number', { enum: ['12345678901234567.1'] }, '12345678901234567.2', false],
    ['number', { enum: ['INF'] }, '1e400', false],
    ['datetime', { enum: ['2024-01-01T00:00:00Z'] }, '2024-01-01T01:00:00+01:00', true],
    [
      'datetime',
      { enum: ['2024-01-01T00:00:00.123456789Z'] },
      '2024-01-01T00:00:00.123456788Z',
      false,
    ],
    ['number', { maximum: 2 ** 63 }, '1e18', true],
    ['string', { pattern: 'a+' }, 'aab', false],
    ['integer', { pattern: '\\d{3}' }, '007', true],
  ])('%s with %j: %s is kept: %s', (type, constraints, text, kept) => {
    expect(broken(type, constraints, text).length === 0).toBe(kept);
  });

  it('takes numbers of an enum as JSON writes them, whatever the field writes', () => {
    const problems = new ProblemList();
    const cell = compileFieldType('number', { decimalChar: ',', groupChar: '.' }, 'f', problems);
    const { values } = compileConstraints('number', cell, { enum: [1000.5] }, 'c', problems);
    expect(problems.problems).toStrictEqual([]);
    const kept = ['1.000,50', '1000,5', '1000,51'].map((text) => {
      const bytes = Buffer.from(text);
      const value = cell.read(bytes, 0, bytes.length);
      return values !== undefined && brokenConstraints(values, bytes, 0, bytes.length, value) === 0;
    });
    expect(kept).toStrictEqual([true, true, false]);
  });

  it('names every constraint that is broken', () => {
    expect(broken('integer', { minimum: 10, enum: [11, 12] }, '3')).toStrictEqual([
      'minimum is 10',
      'enum does not list it',
    ]);
    const bounds = { minimum: 3, maximum: 9, exclusiveMinimum: 4, exclusiveMaximum: 8 };
    expect(broken('number', bounds, '2')).toStrictEqual(['minimum is 3', 'exclusiveMinimum is 4']);
    expect(broken('number', bounds, '10')).toStrictEqual(['maximum is 9', 'exclusiveMaximum is 8']);
    const texts = { minLength: 3, maxLength: 3, pattern: 'a*', enum: ['aaa'] };
    expect(broken('string', texts, 'é')).toStrictEqual([
      'minLength is 3, the value has 1 characters',
      'pattern is a*',
      'enum does not list it',
    ]);
    expect(broken('string', texts, 'aaaaé')).toStrictEqual([
      'maxLength is 3, the value has 5 characters',
      'pattern is a*',
      'enum does not list it',
    ]);
  });
});
