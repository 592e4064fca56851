import { describe, expect, it } from 'vitest';
import { ProblemList } from '../../quality/descriptor-error.ts';
import { type CompiledSchema, compileSchema } from '../../quality/table-schema.ts';

function compile(schema: unknown): { compiled: CompiledSchema; paths: string[] } {
  const problems = new ProblemList();
  const compiled = compileSchema(schema, 'schema', undefined, problems);
  return { compiled, paths: problems.problems.map(({ path }) => path) };
}

describe('compileSchema', () => {
  it('gathers unique fields, the primary key and unique keys', () => {
    const { compiled, paths } = compile({
      fields: [{ name: 'a', constraints: { unique: true } }, { name: 'b' }],
      primaryKey: ['b', 'a'],
      uniqueKeys: [['b']],
    });
    expect(paths).toStrictEqual([]);
    expect(compiled.keys).toStrictEqual([
      { fault: 'unique-error', fields: [0] },
      { fault: 'primary-key', fields: [1, 0] },
      { fault: 'unique-error', fields: [1] },
    ]);
  });

  it('takes a single name for the primary key, and fieldsMatch as a list', () => {
    const { compiled, paths } = compile({
      fields: [{ name: 'a' }],
      primaryKey: 'a',
      fieldsMatch: ['subset'],
    });
    expect([paths, compiled.fieldsMatch]).toStrictEqual([[], 'subset']);
  });

  it('prefers the missing values of a field to those of the schema', () => {
    const { compiled } = compile({
      missingValues: [{ value: 'NA', label: 'none' }],
      fields: [{ name: 'a' }, { name: 'b', missingValues: ['', '-'] }],
    });
    expect(compiled.fields.map(({ emptyIsNull }) => emptyIsNull)).toStrictEqual([false, true]);
    expect(compiled.fields[0]?.missingValues?.has(Buffer.from('NA'), 0, 2)).toBe(true);
    expect(compiled.fields[1]?.missingValues?.has(Buffer.from('NA'), 0, 2)).toBe(false);
  });

  it('takes an empty list of missing values, which then are none', () => {
    const { compiled, paths } = compile({ fields: [{ name: 'a' }], missingValues: [] });
    expect([paths, compiled.fields[0]?.emptyIsNull]).toStrictEqual([[], false]);
  });

  it('takes categories with and without labels, and an enum of some of them', () => {
    const categories = [{ value: 0, label: 'apple' }, { value: 1 }, 2, '3'];
    const { paths } = compile({
      fields: [
        {
          name: 'a',
          type: 'integer',
          categories,
          categoriesOrdered: true,
          constraints: { enum: [1] },
        },
        { name: 'b', type: 'string', categories: ['x', 'X', ''] },
      ],
    });
    expect(paths).toStrictEqual([]);
  });

  it('passes over properties that only describe', () => {
    expect(
      compile({
        title: 't',
        'x-owner': 'o',
        fields: [{ name: 'a', description: 'd', rdfType: 'x', 'x-source': 's' }],
      }).paths,
    ).toStrictEqual([]);
  });

  it.each([
    [{ fields: [{ name: 'a' }], primarykey: 'a' }, 'schema.primarykey', 'did you mean primaryKey?'],
    [{ fields: [{ name: 'a', type: 'int' }] }, 'schema.fields[0].type', 'did you mean "integer"?'],
    [{ fields: [{ name: 'a' }], dialects: {} }, 'schema.dialects', 'known: fields'],
    [{ fields: [{ name: 'a' }], thresholds: {} }, 'schema.thresholds', 'beside tableSchema'],
    [{ fields: [{ name: 'a' }], dialect: {} }, 'schema.dialect', 'beside tableSchema'],
    [
      { fields: [{ name: 'a', constraint: {} }] },
      'schema.fields[0].constraint',
      'did you mean constraints?',
    ],
    [
      { fields: [{ name: 'a', required: true }] },
      'schema.fields[0].required',
      'it stands in constraints',
    ],
    [{ fields: [{ name: 'a', nullable: false }] }, 'schema.fields[0].nullable', 'known: name'],
    [
      { fields: [{ name: 'visit_id' }], primaryKey: 'visitid' },
      'schema.primaryKey',
      'did you mean "visit_id"?',
    ],
    [
      { fields: [{ name: 'a', type: 'integr', constraints: { minimum: 1 } }] },
      'schema.fields[0].type',
      'did you mean "integer"?',
    ],
  ])('refuses what is not known in %j, with what was meant', (schema, path, meant) => {
    const problems = new ProblemList();
    compileSchema(schema, 'schema', undefined, problems);
    expect(problems.problems).toStrictEqual([{ path, message: expect.stringContaining(meant) }]);
  });

  it('names a misspelt reference beside the one that is missing', () => {
    const foreignKeys = [{ fields: 'a', referenc: { fields: 'a' } }];
    expect(compile({ fields: [{ name: 'a' }], foreignKeys }).paths).toStrictEqual([
      'schema.foreignKeys[0].referenc',
      'schema.foreignKeys[0].reference',
    ]);
  });

  it.each([
    [{}, 'schema.fields'],
    [{ fields: [] }, 'schema.fields'],
    [{ fields: [1] }, 'schema.fields[0]'],
    [{ fields: [{ type: 'string' }] }, 'schema.fields[0].name'],
    [{ fields: [{ name: 'a' }, { name: 'a' }] }, 'schema.fields[1].name'],
    [{ fields: [{ name: 'a', type: 'decimal' }] }, 'schema.fields[0].type'],
    [{ fields: [{ name: 'a' }], primaryKey: ['a', 'a'] }, 'schema.primaryKey'],
    [{ fields: [{ name: 'a' }], uniqueKeys: [['a', 'a']] }, 'schema.uniqueKeys[0]'],
    [{ fields: [{ name: 'a', categories: ['x'] }] }, 'schema.fields[0].categories'],
    ...[
      [{ categories: [] }, 'categories'],
      [{ categories: 'x' }, 'categories'],
      [{ categories: [1] }, 'categories[0]'],
      [{ categories: ['x', 'y', 'x'] }, 'categories[2]'],
      [{ categories: [{ label: 'x' }] }, 'categories[0].value'],
      [{ categories: [{ value: 'x', labels: 'X' }] }, 'categories[0].labels'],
      [{ categories: [{ value: 'x', label: 1 }] }, 'categories[0].label'],
      [
        { categories: ['x', { value: 'y', label: 'l' }, { value: 'z', label: 'l' }] },
        'categories[2].label',
      ],
      [{ categories: ['x'], categoriesOrdered: 'yes' }, 'categoriesOrdered'],
      [{ categoriesOrdered: true }, 'categoriesOrdered'],
      [{ categories: ['x'], constraints: { enum: ['x', 'y'] } }, 'constraints.enum[1]'],
      [{ type: 'integer', categories: [1, 1.5] }, 'categories[1]'],
      [{ type: 'integer', categories: [1, '01'] }, 'categories[1]'],
      [{ type: 'integer', categories: [2 ** 53] }, 'categories[0]'],
      [{ type: 'integer', categories: [1], constraints: { enum: [2] } }, 'constraints.enum[0]'],
    ].map(([field, path]): [object, string] => [
      { fields: [{ name: 'a', type: 'string', ...(field as object) }] },
      `schema.fields[0].${path}`,
    ]),
    [{ fields: [{ name: 'a' }], foreignKeys: [] }, 'schema.foreignKeys'],
    ...[
      [1, ''],
      [{ fields: 'a' }, '.reference'],
      [{ fields: 'a', reference: { fields: 'b', resource: 1 } }, '.reference.resource'],
      [{ fields: 'a', reference: { fields: 1, resource: 'sites' } }, '.reference.fields'],
      [{ fields: 'a', reference: { fields: [], resource: 'sites' } }, '.reference.fields'],
      [{ fields: 'a', reference: { fields: ['x', 'y'], resource: 'sites' } }, '.reference.fields'],
      [{ fields: 'x', reference: { fields: 'y', resource: 'sites' } }, '.fields'],
      [{ fields: 'a', reference: { field: 'b', fields: 'b' } }, '.reference.field'],
      [{ fields: 'a', references: 1, reference: { fields: 'b' } }, '.references'],
      [{ fields: 'x', reference: { fields: 'b' } }, '.fields'],
      [{ fields: 'a', reference: { fields: ['b', 'a'] } }, '.reference.fields'],
      [{ fields: 'a', reference: { fields: 'n' } }, '.reference.fields[0]'],
    ].map(([key, path]): [object, string] => [
      {
        fields: [{ name: 'a' }, { name: 'b', type: 'string' }, { name: 'n', type: 'integer' }],
        foreignKeys: [key],
      },
      `schema.foreignKeys[0]${path}`,
    ]),
    [{ fields: [{ name: 'a' }], primaryKey: 'b' }, 'schema.primaryKey'],
    [{ fields: [{ name: 'a' }], primaryKey: [] }, 'schema.primaryKey'],
    [{ fields: [{ name: 'a' }], uniqueKeys: [['a'], ['c']] }, 'schema.uniqueKeys[1]'],
    [{ fields: [{ name: 'a' }], fieldsMatch: 'most' }, 'schema.fieldsMatch'],
    [{ fields: [{ name: 'a' }], uniqueKeys: [] }, 'schema.uniqueKeys'],
    [{ fields: [{ name: 'a' }], missingValues: 'NA' }, 'schema.missingValues'],
    [{ fields: [{ name: 'a' }], missingValues: [1] }, 'schema.missingValues[0]'],
    [{ fields: [{ name: 'a' }], missingValues: ['', '-', ''] }, 'schema.missingValues[2]'],
    [{ fields: [{ name: 'a' }], missingValues: [{ label: 'x' }] }, 'schema.missingValues[0].value'],
    [
      { fields: [{ name: 'a', missingValues: [{ value: '', lable: 'x' }] }] },
      'schema.fields[0].missingValues[0].lable',
    ],
  ])('refuses %j', (schema, path) => {
    expect(compile(schema).paths).toStrictEqual([path]);
  });
});
