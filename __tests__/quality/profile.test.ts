import { describe, expect, it } from 'vitest';
import { ProblemList } from '../../quality/descriptor-error.ts';
import { ColumnProfile, type InferredCell, inferCell } from '../../quality/profile.ts';
import { compileSchema, type TableField } from '../../quality/table-schema.ts';

function inferred(...cells: string[]) {
  const profile = new ColumnProfile(undefined);
  for (const cell of cells) profile.addInferred(Buffer.from(cell), 0, Buffer.byteLength(cell));
  return profile.report(0, cells.length, { label: 'a', classification: null });
}

function declared(field: Omit<TableField, 'name'>, ...cells: string[]) {
  const schema = { fields: [{ name: 'a', ...field }] };
  const [compiled] = compileSchema(schema, 'schema', undefined, new ProblemList()).fields;
  const profile = new ColumnProfile(compiled);
  for (const cell of cells) {
    const bytes = Buffer.from(cell);
    const value = compiled?.cell.read(bytes, 0, bytes.length) ?? Number.NaN;
    if (Number.isNaN(value)) profile.addInferred(bytes, 0, bytes.length);
    else profile.addDeclared(bytes, 0, bytes.length, value);
  }
  return profile.report(0, cells.length, { label: 'a', classification: 'internal' });
}

describe('ColumnProfile without a declared type', () => {
  it('takes integers and decimals together for numbers', () => {
    expect(inferred('3', '1.5')).toMatchObject({ type: 'number', min: 1.5, max: 3 });
  });

  it('takes a mixture for text, ordered by code point', () => {
    const report = inferred('10', '9', 'é', 'z');
    expect(report).toMatchObject({
      type: 'string',
      types: { integer: 2, string: 2 },
      min: '10',
      max: 'é',
    });
  });

  it('compares texts that begin alike to their ends', () => {
    expect(inferred('ab', 'aa', 'ac', 'a')).toMatchObject({ min: 'a', max: 'ac' });
  });

  it('has neither smallest nor largest without values', () => {
    expect(inferred()).toMatchObject({ type: 'any', min: null, max: null });
  });

  it('shows date-times, times and booleans as they are written', () => {
    expect(inferred('2024-01-01T10:00:00+02:00').min).toBe('2024-01-01T08:00:00Z');
    expect(inferred('10:00:00', '09:30:00.5')).toMatchObject({
      min: '09:30:00.500',
      max: '10:00:00',
    });
    expect(inferred('true', 'false')).toMatchObject({ min: false, max: true });
  });

  it('cuts a long text by whole characters', () => {
    const report = inferred(`a${'é'.repeat(200)}`);
    expect(report.max).toBe(`a${'é'.repeat(127)}`);
  });
});

describe('ColumnProfile with a declared type', () => {
  it('tallies what does not fit by what it looks like, and keeps it out of the range', () => {
    const report = declared({ type: 'integer' }, '5', '7', '2.5', 'x', '2024-01-01');
    expect(report).toMatchObject({
      type: 'integer',
      declared: true,
      types: { integer: 2, number: 1, string: 1, date: 1 },
      min: 5,
      max: 7,
    });
  });

  it('keeps NaN out of the range and writes infinity as Table Schema does', () => {
    expect(declared({ type: 'number' }, 'NaN', '-1', 'INF')).toMatchObject({ min: -1, max: 'INF' });
    expect(declared({ type: 'number' }, 'NaN')).toMatchObject({ min: null, max: null });
  });

  it('shows a date of any format as ISO has it', () => {
    const report = declared({ type: 'date', format: '%d.%m.%Y' }, '31.12.2023', '01.02.2024');
    expect(report).toMatchObject({ min: '2023-12-31', max: '2024-02-01' });
  });
});

describe('inferCell', () => {
  it.each([
    ['12', 'integer'],
    ['-12', 'integer'],
    ['007', 'integer'],
    ['1.5', 'number'],
    ['.5', 'number'],
    ['-1e5', 'number'],
    ['2024-02-29', 'date'],
    ['2023-02-29', 'string'],
    ['10:00:00', 'time'],
    ['2024-02-29T10:00:00Z', 'datetime'],
    ['true', 'boolean'],
    ['FALSE', 'boolean'],
    ['word', 'string'],
    ['12 Main St', 'string'],
    ['-', 'string'],
    ['1', 'integer'],
  ])('takes %s for %s', (text, type) => {
    const cell: InferredCell = { type: 'any', value: 0 };
    inferCell(Buffer.from(text), 0, text.length, cell);
    expect(cell.type).toBe(type);
  });
});
