import { describe, expect, it } from 'vitest';
import type { FaultType } from '../../../quality/faults.ts';
import type { TableField, TableSchema } from '../../../quality/table-schema.ts';
import { inspectBytes, places } from '../inspect-bytes.ts';

const TWO: TableSchema = {
  fields: [
    { name: 'id', type: 'integer' },
    { name: 'name', type: 'string' },
  ],
};

describe('values', () => {
  it('judges an escaped cell by its own text after another one of its row was listed', () => {
    const schema: TableSchema = {
      fields: [
        { name: 'a', constraints: { enum: ['say "x" '] } },
        { name: 'b', constraints: { pattern: '[a-z" ]+', maxLength: 6 } },
        { name: 'c', constraints: { maxLength: 9, pattern: '[0-9]*' } },
      ],
    };
    const file = 'a,b,c\n"say ""x"" ","n""o"" y","12345""67890"\n';
    const { faults } = inspectBytes(file, { expectation: { schema } });
    expect(faults.map(({ field, message }) => `${field}: ${message}`)).toStrictEqual([
      '1: The value begins or ends with blanks.',
      '3: maxLength is 9, the value has 11 characters',
      '3: pattern is [0-9]*',
    ]);
  });

  it('takes an empty cell for what a boolean says it is when the missing values do not list it', () => {
    const flag = { type: 'boolean' as const, trueValues: ['x'], falseValues: ['', 'n'] };
    const schema: TableSchema = {
      fields: [
        { name: 'id', type: 'integer' },
        { name: 'flag', ...flag, constraints: { required: true, enum: [false] } },
      ],
      missingValues: ['NA'],
    };
    const report = inspectBytes('id,flag\n1,\n2,n\n3,x\n4,NA\n', { expectation: { schema } });
    expect(places(report)).toStrictEqual(['constraint-error 4:2', 'constraint-error 5:2']);
  });

  it('takes an empty cell for text when the missing values do not list it', () => {
    const schema: TableSchema = { ...TWO, missingValues: ['NA'] };
    const report = inspectBytes('id,name\n1,\n,a\n', { expectation: { schema } });
    expect(places(report)).toStrictEqual(['type-error 3:1']);
  });

  it.each([
    ['type-error', { type: 'integer' as const }, 'x', ['The value is not of type integer.']],
    [
      'type-error',
      { type: 'string' as const, format: 'email' },
      'x',
      ['The value is not of type string, format email.'],
    ],
    [
      'type-error',
      { type: 'date' as const, format: 'default' },
      'x',
      ['The value is not of type date.'],
    ],
    ['constraint-error', { constraints: { required: true } }, '', ['required']],
    [
      'constraint-error',
      { type: 'integer' as const, constraints: { minimum: 3, enum: [4] } },
      '2',
      ['minimum is 3', 'enum does not list it'],
    ],
    [
      'constraint-error',
      { type: 'integer' as const, categories: [1, { value: 3, label: 'three' }] },
      '2',
      ['categories do not list it'],
    ],
    [
      'constraint-error',
      { type: 'string' as const, categories: ['a', 'b'], constraints: { minLength: 2 } },
      'c',
      ['minLength is 2, the value has 1 characters', 'categories do not list it'],
    ],
    [
      'constraint-error',
      { type: 'list' as const, delimiter: ';', constraints: { maxLength: 2 } },
      'a;b;c',
      ['maxLength is 2, the value has 3 items'],
    ],
    [
      'constraint-error',
      { type: 'array' as const, constraints: { minLength: 2, jsonSchema: { items: false } } },
      '[1]',
      ['minLength is 2, the value has 1 items', 'jsonSchema: false at /0'],
    ],
    [
      'constraint-error',
      { type: 'duration' as const, constraints: { minimum: 'P30D' } },
      'P1M',
      ['minimum is P30D'],
    ],
    [
      'constraint-error',
      { type: 'duration' as const, constraints: { maximum: 'PT1M', exclusiveMinimum: 'PT10S' } },
      'PT61S',
      ['maximum is PT1M'],
    ],
    [
      'constraint-error',
      { type: 'duration' as const, constraints: { enum: ['P1Y'] } },
      'P1M',
      ['enum does not list it'],
    ],
  ])('are named as %s, each constraint for itself: %j', (type, field, value, messages) => {
    const schema: TableSchema = { fields: [{ name: 'a', ...field }, { name: 'b' }] };
    const { faults } = inspectBytes(`a,b\n${value},x\n`, { expectation: { schema } });
    expect(
      faults.map((fault) => [fault.type, fault.field, fault.value, fault.message]),
    ).toStrictEqual(messages.map((message) => [type, 1, value, message]));
  });
});

describe('values of each type', () => {
  it.each<[TableField, string[], string[]]>([
    [{ name: 'a', type: 'year', constraints: { minimum: 2000 } }, ['2000', '2001Z'], ['1999']],
    [{ name: 'a', type: 'duration', constraints: { maximum: 'P1Y' } }, ['P12M', 'P364D'], ['P13M']],
    [{ name: 'a', type: 'duration', constraints: { enum: ['P1Y'] } }, ['P12M'], ['P1M']],
    [{ name: 'a', type: 'list', constraints: { enum: ['a,b'] } }, ['a,b'], ['b,a']],
    [
      { name: 'a', type: 'list', itemType: 'integer', constraints: { enum: ['1,2'] } },
      ['1,2', '01,+2'],
      ['2,1'],
    ],
    [
      { name: 'a', type: 'object', constraints: { enum: [{ a: 1, b: [] }, '{"c": 0}'] } },
      ['{"b":[],"a":1.0}', '{"c":0}'],
      ['{"a":1}'],
    ],
    [
      { name: 'a', type: 'object', constraints: { maxLength: 1, jsonSchema: { required: ['a'] } } },
      ['{"a":{"b":1,"c":2}}'],
      ['{"b":1}'],
    ],
    [{ name: 'a', type: 'array', constraints: { enum: [[1, 2]] } }, ['[1, 2]'], ['[2, 1]']],
    [{ name: 'a', type: 'geopoint', constraints: { enum: ['1,2'] } }, ['1.0, 2'], ['2, 1']],
    [
      { name: 'a', type: 'geojson', constraints: { maxLength: 2 } },
      ['{"type":"Point","coordinates":[1,2]}'],
      ['{"type":"Point","coordinates":[1,2],"a":1}'],
    ],
  ])('keep the constraints of %j', (field, good, bad) => {
    const quoted = [...good, ...bad].map((text) => `"${text.replaceAll('"', '""')}",x`);
    const report = inspectBytes(`a,b\n${quoted.join('\n')}\n`, {
      expectation: { schema: { fields: [field, { name: 'b' }] } },
    });
    expect(report.faults.map(({ type, record }) => [type, (record ?? 0) - 2])).toStrictEqual(
      bad.map((_, index) => ['constraint-error', good.length + index]),
    );
    expect(report.columns[0]?.types).toStrictEqual({ [field.type ?? '']: quoted.length });
  });

  it.each<[TableField, string, string]>([
    [{ name: 'a', type: 'year' }, '2024', '2024Z'],
    [{ name: 'a', type: 'yearmonth' }, '2024-05', '2024-05+00:00'],
    [{ name: 'a', type: 'duration' }, 'P1Y', 'P12M'],
    [{ name: 'a', type: 'list', itemType: 'number' }, '1,2', '1.0,2'],
    [{ name: 'a', type: 'object' }, '{"a":1,"é":2}', '{"é": 2, "a": 1}'],
    [{ name: 'a', type: 'array' }, '[1,"é"]', '[1, "\\u00e9"]'],
    [{ name: 'a', type: 'geopoint' }, '1,2', '1.0, 2'],
    [
      { name: 'a', type: 'geojson' },
      '{"type":"Point","coordinates":[1,2]}',
      '{"coordinates":[1,2.0],"type":"Point"}',
    ],
  ])('are the same key however they are written: %j', (field, one, other) => {
    const quoted = [one, other].map((text) => `"${text.replaceAll('"', '""')}",x`);
    const keyed = { ...field, constraints: { unique: true } };
    const report = inspectBytes(`a,b\n${quoted.join('\n')}\n`, {
      expectation: { schema: { fields: [keyed, { name: 'b' }] } },
    });
    expect(places(report)).toStrictEqual(['unique-error 3:1']);
  });
});

describe('texts that are odd', () => {
  const column = (text: string) => `n,t\n1,"${text.replaceAll('"', '""')}"\n`;

  it.each([
    [' x', 'padded-value'],
    ['x\t', 'padded-value'],
    ['x\u00a0', 'padded-value'],
    ['\u200bx', 'padded-value'],
    [`${'long '.repeat(40)}`, 'padded-value'],
    ['   ', 'blank-value'],
    ['\u00a0\u3000', 'blank-value'],
    [' '.repeat(100), 'blank-value'],
    ['2.01E+16', 'scientific-notation'],
    ['1E+100', 'scientific-notation'],
    ['="001"', 'formula-value'],
    ['#REF!', 'spreadsheet-error'],
    ['#N/A', 'spreadsheet-error'],
    ['########', 'spreadsheet-error'],
  ])(
    '%j is a warning of kind %s, with or without a schema, and a failure by failOn',
    (text, kind) => {
      const schema: TableSchema = { fields: [{ name: 'n' }, { name: 't', type: 'string' }] };
      for (const expectation of [{}, { schema }]) {
        const report = inspectBytes(column(text), { expectation });
        expect([places(report), report.verdict]).toStrictEqual([[`${kind} 2:2`], 'warned']);
      }
      const thresholds = { failOn: [kind as FaultType] };
      expect(inspectBytes(column(text), { expectation: { thresholds } }).verdict).toBe('failed');
    },
  );

  it.each([
    'x y',
    '2.01E+10',
    '1e16',
    '1.5E-12',
    '=1+1',
    '#1',
    '# N/A',
    '##',
    '"',
    'é',
    '2024+16',
    '+',
  ])('%j is not odd', (text) => {
    expect(inspectBytes(column(text)).faults).toStrictEqual([]);
  });

  it('are all counted, and the first of each column is listed', () => {
    const report = inspectBytes(`a,b\n${' x,y\n'.repeat(3)}x, y\n`);
    expect(report.faultCounts).toStrictEqual({ 'padded-value': 4 });
    expect(places(report)).toStrictEqual(['padded-value 2:1', 'padded-value 5:2']);
  });

  it('are not looked for in columns of other types', () => {
    const schema: TableSchema = { fields: [{ name: 'n', type: 'number' }] };
    expect(inspectBytes('n\n2.01E+16\n', { expectation: { schema } }).verdict).toBe('passed');
  });
});

describe('a cell of blanks only', () => {
  const field = { name: 't', type: 'string' } as const;

  it('is missing where a value is required', () => {
    const schema: TableSchema = { fields: [{ ...field, constraints: { required: true } }] };
    const report = inspectBytes('t\nx\n"  "\n', { expectation: { schema } });
    expect(report.verdict).toBe('failed');
    expect(report.faults[1]).toMatchObject({
      type: 'constraint-error',
      record: 3,
      message: 'required; blanks only are not a value',
    });
  });

  it('is missing in a primary key', () => {
    const schema: TableSchema = { fields: [field], primaryKey: 't' };
    const report = inspectBytes('t\nx\n"  "\n', { expectation: { schema } });
    expect(places(report)).toStrictEqual(['blank-value 3:1', 'primary-key 3:1']);
  });

  it('is missing to completeness', () => {
    const thresholds = { completeness: { t: 1 } };
    const report = inspectBytes('t\nx\n"  "\n', { expectation: { thresholds } });
    expect(report.verdict).toBe('failed');
    expect(report.columns[0]).toMatchObject({ nulls: 1 });
  });

  it('still breaks the other constraints of its field', () => {
    const schema: TableSchema = { fields: [{ ...field, constraints: { enum: ['x'] } }] };
    const report = inspectBytes('t\nx\n"  "\n', { expectation: { schema } });
    expect(places(report)).toStrictEqual(['blank-value 3:1', 'constraint-error 3:1']);
  });

  it('is a text where an empty cell is one', () => {
    const schema: TableSchema = {
      fields: [{ ...field, constraints: { required: true } }],
      missingValues: ['-'],
    };
    expect(inspectBytes('t\n"  "\n', { expectation: { schema } }).verdict).toBe('warned');
  });
});
