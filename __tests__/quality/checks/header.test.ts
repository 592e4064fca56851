import { describe, expect, it } from 'vitest';
import { matchHeader } from '../../../quality/checks/header.ts';
import { ProblemList } from '../../../quality/descriptor-error.ts';
import type { TableSchema } from '../../../quality/table-schema.ts';
import { compileSchema, type FieldsMatch } from '../../../quality/table-schema.ts';
import { inspectBytes, places } from '../inspect-bytes.ts';

const TWO: TableSchema = {
  fields: [
    { name: 'id', type: 'integer' },
    { name: 'name', type: 'string' },
  ],
};

/** The faults as `type column`, and the field of each column, for the fields a, b, c. */
function match(labels: string[], fieldsMatch: FieldsMatch = 'exact') {
  const fields = ['a', 'b', 'c'].map((name) => ({ name }));
  const schema = compileSchema({ fields, fieldsMatch }, 'schema', undefined, new ProblemList());
  const { faults, fieldOfColumn } = matchHeader(labels, schema);
  return { faults: faults.map(({ type, column }) => `${type} ${column}`), fieldOfColumn };
}

describe('matchHeader', () => {
  it.each<[FieldsMatch, string[], string[], number[]]>([
    ['exact', ['a', 'b', 'c'], [], [0, 1, 2]],
    ['exact', ['a', 'x', 'c'], ['incorrect-label 1'], [0, 1, 2]],
    ['exact', ['a', 'b'], ['missing-label -1'], [0, 1]],
    ['exact', ['a', 'b', 'c', 'd'], ['extra-label 3'], [0, 1, 2, -1]],
    ['exact', ['b', 'a', 'c'], ['incorrect-label 0'], [1, 0, 2]],
    ['exact', ['C', 'a', 'b'], ['incorrect-label 0', 'incorrect-label 0'], [2, 0, 1]],
    ['exact', ['A', 'B', 'C'], ['incorrect-label 0'], [0, 1, 2]],
    ['exact', ['a', '\u200bb', 'c'], ['incorrect-label 1'], [0, 1, 2]],
    ['equal', ['C', 'b', ' a'], ['incorrect-label 0'], [2, 1, 0]],
    ['subset', ['x', 'A', 'b', 'c'], ['incorrect-label 1'], [-1, 0, 1, 2]],
    ['partial', ['x', 'A'], ['incorrect-label 1'], [-1, 0]],
    ['equal', ['a', 'A', 'b', 'c'], ['extra-label 1'], [0, -1, 1, 2]],
    ['exact', ['a', 'c'], ['missing-label -1'], [0, 2]],
    ['exact', ['a', '', 'c'], ['blank-label 1'], [0, 1, 2]],
    ['exact', ['a', 'a', 'c'], ['duplicate-label 1'], [0, 1, 2]],
    ['exact', ['A', 'b', 'c'], ['incorrect-label 0'], [0, 1, 2]],
    ['exact', ['', ' ', ''], ['blank-header -1'], [0, 1, 2]],
    ['equal', ['c', 'a', 'b'], [], [2, 0, 1]],
    ['equal', ['a', '', 'c'], ['blank-label 1'], [0, 1, 2]],
    ['equal', ['c', 'a', 'x'], ['extra-label 2', 'missing-label -1'], [2, 0, -1]],
    ['subset', ['d', 'c', 'b', 'a'], [], [-1, 2, 1, 0]],
    ['subset', ['a', 'b'], ['missing-label -1'], [0, 1]],
    ['superset', ['b'], [], [1]],
    ['superset', ['b', 'd'], ['extra-label 1'], [1, -1]],
    ['partial', ['x', 'b'], [], [-1, 1]],
    ['partial', ['x', 'y'], ['missing-label -1'], [-1, -1]],
  ])('%s with %j gives %j', (fieldsMatch, labels, faults, fieldOfColumn) => {
    expect(match(labels, fieldsMatch)).toStrictEqual({ faults, fieldOfColumn });
  });

  it.each<[FieldsMatch, string[], string[]]>([
    ['superset', ['b'], ['id', 'key', 'owner']],
    ['superset', ['id', 'owner', 'b'], ['key']],
    ['partial', ['x', 'b', 'key'], ['id', 'owner']],
    ['partial', ['id', 'key', 'owner'], []],
  ])('%s with %j misses the required and key fields %j', (fieldsMatch, labels, missing) => {
    const schema = {
      fields: [
        { name: 'id', constraints: { unique: true } },
        { name: 'key' },
        { name: 'owner', constraints: { required: true } },
        { name: 'b' },
      ],
      primaryKey: ['key'],
      fieldsMatch,
    };
    const compiled = compileSchema(schema, 'schema', undefined, new ProblemList());
    const { faults } = matchHeader(labels, compiled);
    expect(faults.map(({ type }) => type)).toStrictEqual(missing.map(() => 'missing-label'));
    expect(faults.map(({ label }) => label)).toStrictEqual(missing);
  });

  it.each([
    [['ID', 'Visit Date'], 'in case, spaces, hyphens, underscores or invisible characters only'],
    [['ID', 'visit_date'], 'in upper and lower case only: "ID" for "id".'],
    [['id', '\u200bvisit_date'], 'in invisible characters only'],
    [['id', '\u200bvisit_date'], 'for "visit_date" (U+200B)'],
    [['id', 'visit_dat'], 'did you mean "visit_date"?'],
    [['visit_date', 'key'], 'Label "key" is not a field'],
  ])('%j: says %s', (labels, words) => {
    const fields = [{ name: 'id' }, { name: 'visit_date' }];
    const schema = { fields, fieldsMatch: 'equal' };
    const compiled = compileSchema(schema, 'schema', undefined, new ProblemList());
    expect(matchHeader(labels, compiled).faults[0]?.message).toContain(words);
  });

  it('judges labels alone without a schema', () => {
    const { faults, fieldOfColumn } = matchHeader(['a', 'a', ''], undefined);
    expect(faults.map(({ type }) => type)).toStrictEqual(['duplicate-label', 'blank-label']);
    expect(fieldOfColumn).toStrictEqual([-1, -1, -1]);
  });
});

const THREE = [
  { name: 'id', type: 'integer' },
  { name: 'day', type: 'date' },
  { name: 'name' },
] as const;

describe('a header that is not as wide as its rows', () => {
  it.each<[string, FieldsMatch, string, string[]]>([
    ['a label that is lost', 'exact', 'id,name', ['missing-label 1:-']],
    ['a label that is lost at the end', 'equal', 'id,day', ['missing-label 1:-']],
    ['a label too many', 'exact', 'id,day,name,more', ['extra-label 1:4']],
    ['a blank label too many', 'exact', 'id,,day,name', ['blank-label 1:2']],
    ['an empty line for a header', 'subset', '', ['blank-header 1:-']],
    ['a quote that is not closed', 'exact', '"id,day,name', ['unclosed-quote 1:1']],
  ])('with %s (%s) is one fault, and the cells are checked', (_, fieldsMatch, header, faults) => {
    const schema = { fields: [...THREE], fieldsMatch };
    const file = `${header}\n1,2024-01-31,a\nx,2024-02-30,b\n`;
    const report = inspectBytes(file, { expectation: { schema } });
    expect(places(report)).toStrictEqual([...faults, 'type-error 3:1', 'type-error 3:2']);
    expect(report.columns.map(({ label }) => label)).toStrictEqual(['id', 'day', 'name']);
  });

  it('takes labels that are known where they stand', () => {
    const schema: TableSchema = { fields: [...THREE], fieldsMatch: 'equal' };
    const report = inspectBytes('name,id\na,1,2024-01-31\nb,x,2024-02-30\n', {
      expectation: { schema },
    });
    expect(places(report)).toStrictEqual(['missing-label 1:-', 'type-error 3:2', 'type-error 3:3']);
  });

  it('is believed where the rows are as wide', () => {
    const schema = { fields: [...THREE] };
    const report = inspectBytes('id,name\n1,a\n2,b,c\n', { expectation: { schema } });
    expect(places(report)).toStrictEqual(['missing-label 1:-', 'extra-cell 3:3']);
  });

  it('waits for a row that tells, and says whose width a later row has not', () => {
    const schema = { fields: [...THREE] };
    const report = inspectBytes('id\n\n1,2024-01-31,a\n2,2024-01-31\n', {
      expectation: { schema },
    });
    expect(places(report)).toStrictEqual([
      'missing-label 1:-',
      'missing-label 1:-',
      'blank-row 2:-',
      'missing-cell 4:3',
    ]);
    expect(report.faults[3]?.message).toBe('The row has 2 cells; the schema has 3 fields.');
  });
});

describe('a header with faults', () => {
  it('names a blank header once', () => {
    expect(places(inspectBytes(',\n1,a\n'))).toStrictEqual(['blank-header 1:-']);
  });

  it('names the quote and not the labels when the header is broken', () => {
    const report = inspectBytes('id,na"me\n1,a\n', { expectation: { schema: TWO } });
    expect(places(report)).toStrictEqual(['stray-quote 1:2']);
  });
});
