import { describe, expect, it } from 'vitest';
import { mostSensitive } from '../../quality/classification.ts';
import { expectationProblems } from '../../quality/expectation.ts';
import type { Fault } from '../../quality/findings.ts';
import type { TableSchema } from '../../quality/table-schema.ts';
import { inspectBytes } from './inspect-bytes.ts';

const SCHEMA: TableSchema = {
  fields: [
    { name: 'id', type: 'integer', classification: 'public' },
    { name: 'name', type: 'string', constraints: { enum: ['secret-1', 'secret-2'] } },
    {
      name: 'born',
      type: 'date',
      classification: 'sensitive',
      constraints: { minimum: '1900-01-01' },
    },
  ],
  primaryKey: ['id', 'born'],
};

const HEADER = 'id,name,born\n';

function faultsOf(file: string, schema: TableSchema | undefined = SCHEMA): readonly Fault[] {
  return inspectBytes(file, schema === undefined ? {} : { expectation: { schema } }).faults;
}

describe('mostSensitive', () => {
  it('is the strictest of what is declared', () => {
    expect(mostSensitive(['public', 'sensitive', 'internal'])).toBe('sensitive');
  });

  it('takes what is not declared for stricter than anything', () => {
    expect(mostSensitive(['sensitive', null])).toBe(null);
  });

  it('is public for no column at all', () => {
    expect(mostSensitive([])).toBe('public');
  });
});

describe('the classification of a column', () => {
  it("is the field's own, else the schema's, else internal", () => {
    const file = `${HEADER}1,secret-1,2000-01-01\n`;
    const levels = (schema: TableSchema) =>
      inspectBytes(file, { expectation: { schema } }).columns.map(
        (column) => column.classification,
      );
    expect(levels(SCHEMA)).toStrictEqual(['public', 'internal', 'sensitive']);
    expect(levels({ ...SCHEMA, classification: 'sensitive' })).toStrictEqual([
      'public',
      'sensitive',
      'sensitive',
    ]);
  });

  it('is null where nothing declares the column', () => {
    expect(inspectBytes('a\n1\n').columns[0]).toMatchObject({ name: null, classification: null });
  });

  it('is refused with its path when there is no such level', () => {
    const fields = [{ name: 'id', classification: 'secret' }];
    const problems = expectationProblems({ schema: { fields, classification: 1 } });
    expect(problems.map(({ path }) => path)).toStrictEqual([
      'schema.classification',
      'schema.fields[0].classification',
    ]);
  });
});

describe('the classification of a fault', () => {
  it("is its column's", () => {
    expect(faultsOf(`${HEADER}x,secret-1,2000-01-01\n`)).toMatchObject([
      { classification: 'public' },
    ]);
    expect(faultsOf(`${HEADER}1,secret-1,x\n`)).toMatchObject([{ classification: 'sensitive' }]);
  });

  it('is the strictest of those of a key, since its value shows all of them', () => {
    const file = `${HEADER}1,secret-1,2000-01-01\n1,secret-2,2000-01-01\n`;
    expect(faultsOf(file)).toMatchObject([{ type: 'primary-key', classification: 'sensitive' }]);
  });

  it.each([
    ['quotes are broken', '"1,secret-1,2000-01-01\n', 'unclosed-quote'],
    ['cells are missing', '1,secret-1\n', 'missing-cell'],
  ])('is the strictest of all columns in a row of which %s', (_, row, type) => {
    expect(faultsOf(HEADER + row)).toMatchObject([{ type, classification: 'sensitive' }]);
  });

  it('is null in a row with more cells than labels: one is of no declared column', () => {
    expect(faultsOf(`${HEADER}1,secret-1,2000-01-01,more\n`)).toMatchObject([
      { type: 'extra-cell', classification: null },
    ]);
  });

  it('is null for a label that is not a field', () => {
    const faults = faultsOf('id,name,born,K1234\n1,secret-1,2000-01-01,x\n');
    expect(faults).toMatchObject([{ type: 'extra-label', classification: null }]);
  });

  it('is public for a field without a column, whose name is all that is said', () => {
    expect(faultsOf('id,name\n1,secret-1\n')).toContainEqual(
      expect.objectContaining({ type: 'missing-label', label: 'born', classification: 'public' }),
    );
  });
});

describe('the plain message of a fault', () => {
  it('holds no text of a rule', () => {
    expect(faultsOf(`${HEADER}1,other,1800-01-01\n`)).toMatchObject([
      { message: 'enum does not list it', plainMessage: 'enum is not met' },
      { message: 'minimum is 1900-01-01', plainMessage: 'minimum is not met' },
    ]);
  });

  it.each([
    ['extra', 'id,name,born,K1234\n'],
    ['written otherwise', 'id,na-me,born\n'],
    ['misspelt', 'id,naame,born\n'],
    ['duplicate', 'id,name,born,name\n'],
    ["another field's", 'id,K1234,born\n'],
  ])('names an %s label by its number', (_, header) => {
    const label = /na-me|naame|K1234/;
    for (const { message, plainMessage = message } of faultsOf(header)) {
      expect(plainMessage).not.toMatch(label);
    }
  });

  it('is absent where the message quotes nothing', () => {
    expect(faultsOf(`${HEADER}x,secret-1,2000-01-01\n`)[0]).not.toHaveProperty('plainMessage');
  });
});
