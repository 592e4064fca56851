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
    ['exact', ['b', 'a', 'c'], ['incorrect-label 0', 'incorrect-label 1'], [1, 0, 2]],
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

  it('judges labels alone without a schema', () => {
    const { faults, fieldOfColumn } = matchHeader(['a', 'a', ''], undefined);
    expect(faults.map(({ type }) => type)).toStrictEqual(['duplicate-label', 'blank-label']);
    expect(fieldOfColumn).toStrictEqual([-1, -1, -1]);
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
