import type { AcceptedDelivery } from '@file-processing/quality/delivery-rules.ts';
import type { DIALECT_OPTIONS } from '@file-processing/quality/dialect.ts';
import type { Expectation } from '@file-processing/quality/expectation.ts';
import type { FaultType } from '@file-processing/quality/faults.ts';
import type { CONSTRAINTS } from '@file-processing/quality/field-constraints.ts';
import type {
  FIELD_PROPERTIES,
  FieldsMatch,
  SCHEMA_PROPERTIES,
  TableField,
} from '@file-processing/quality/table-schema.ts';
import type { Verdict } from '@file-processing/quality/verdict.ts';

/** A field, cells that it takes, and cells that together are at fault by its rule. A test runs each. */
export interface CellExample {
  readonly field: Omit<TableField, 'name'>;
  readonly good: readonly string[];
  readonly bad: readonly string[];
}

/** Two files under one rule: one without the fault, and one with it. A test runs each. */
export interface FileExample {
  readonly rule: Expectation;
  readonly good: string;
  readonly bad: string;
  readonly fault: FaultType;
  /** What becomes of the good file. @default passed */
  readonly verdict?: Verdict;
  /** Deliveries that were accepted before. */
  readonly history?: readonly AcceptedDelivery[];
  /** When the good file was delivered, and the bad one. @default now */
  readonly deliveredAt?: readonly [string, string];
  /** Whether each character is a byte, in text that is not UTF-8. @default false */
  readonly bytes?: true;
  /** Limits of the engine, in place of those too large to be shown. */
  readonly limits?: { readonly maxRecordBytes?: number; readonly maxKeyBytes?: number };
}

const one = (field: CellExample['field'], good: string, bad: string): CellExample => ({
  field,
  good: [good],
  bad: [bad],
});

/** Examples of each type in each of its formats, and of each property that only some types have. */
export const TYPE_EXAMPLES: readonly CellExample[] = [
  one({ type: 'string', format: 'email' }, 'ana@example.org', 'ana@example'),
  one({ type: 'string', format: 'uri' }, 'https://example.org/a', 'example.org/a b'),
  one({ type: 'string', format: 'binary' }, 'YWI=', 'YWI'),
  one({ type: 'string', format: 'uuid' }, '9b2d6f3e-0c1a-4f7b-8e5d-1a2b3c4d5e6f', '9b2d6f3e'),
  one({ type: 'integer' }, '-12', '1.5'),
  one({ type: 'integer', groupChar: ',' }, '1,000', '10,00'),
  one({ type: 'integer', bareNumber: false }, '95%', 'about'),
  one({ type: 'number' }, '1.5e3', '1,5'),
  one({ type: 'number', decimalChar: ',', groupChar: '.' }, '1.000,5', '1,000.5'),
  one({ type: 'boolean' }, 'true', 'yes'),
  one({ type: 'boolean', trueValues: ['yes'], falseValues: ['no'] }, 'yes', 'true'),
  one({ type: 'date' }, '2024-02-29', '2023-02-29'),
  one({ type: 'date', format: 'any' }, '29 Feb 2024', 'yesterday'),
  one({ type: 'date', format: '%d/%m/%Y' }, '31/01/2024', '01/31/2024'),
  one({ type: 'time' }, '15:00:00', '3 PM'),
  one({ type: 'time', format: 'any' }, '3:00 PM', '15 o’clock'),
  one({ type: 'time', format: '%H.%M' }, '15.30', '15:30'),
  one({ type: 'datetime' }, '2024-01-26T15:00:00-05:00', '2024-01-26 15:00'),
  one({ type: 'datetime', format: 'any' }, '2024-01-26 15:00', '26th at 3'),
  one({ type: 'datetime', format: '%d.%m.%Y %H:%M' }, '26.01.2024 15:00', '2024-01-26T15:00:00'),
  one({ type: 'year' }, '2024', '24'),
  one({ type: 'yearmonth' }, '2024-12', '2024-13'),
  one({ type: 'duration' }, 'P1Y2M10DT2H30M', '1 year'),
  one({ type: 'list', delimiter: ';', itemType: 'integer' }, '1;2;3', '1;x;3'),
  one({ type: 'object' }, '{"lab": "A", "runs": 3}', '{lab: A}'),
  one({ type: 'array' }, '[1, 2]', '[1, 2'),
  one({ type: 'geopoint' }, '-77.04, 38.90', '38.90, -97.04'),
  one({ type: 'geopoint', format: 'array' }, '[-77.04, 38.90]', '[-77.04]'),
  one({ type: 'geopoint', format: 'object' }, '{"lon": -77.04, "lat": 38.9}', '{"lon": -77.04}'),
  one({ type: 'geojson' }, '{"type": "Point", "coordinates": [1, 2]}', '{"type": "Point"}'),
  one(
    { type: 'geojson', format: 'topojson' },
    '{"type": "Topology", "objects": {}, "arcs": []}',
    '{"type": "Topology"}',
  ),
];

/** An example of each constraint. */
export const CONSTRAINT_EXAMPLES: Readonly<
  Record<(typeof CONSTRAINTS)[number]['name'], CellExample>
> = {
  required: one({ type: 'string', constraints: { required: true } }, 'Ana', ''),
  unique: {
    field: { type: 'integer', constraints: { unique: true } },
    good: ['1', '2'],
    bad: ['1', '01'],
  },
  pattern: one({ type: 'string', constraints: { pattern: '[A-Z]{2}-\\d+' } }, 'AB-12', 'AB-12x'),
  enum: one({ type: 'string', constraints: { enum: ['north', 'south'] } }, 'north', 'North'),
  minimum: one({ type: 'integer', constraints: { minimum: 18 } }, '18', '17'),
  maximum: one(
    { type: 'date', constraints: { maximum: '2024-12-31' } },
    '2024-12-31',
    '2025-01-01',
  ),
  exclusiveMinimum: one({ type: 'number', constraints: { exclusiveMinimum: 0 } }, '0.1', '0'),
  exclusiveMaximum: one(
    { type: 'duration', constraints: { exclusiveMaximum: 'P1Y' } },
    'P11M',
    'P12M',
  ),
  minLength: one({ type: 'list', constraints: { minLength: 2 } }, 'a,b', 'a'),
  maxLength: one({ type: 'string', constraints: { maxLength: 2 } }, 'DC', 'D.C.'),
  jsonSchema: one(
    { type: 'object', constraints: { jsonSchema: { properties: { runs: { type: 'integer' } } } } },
    '{"runs": 3}',
    '{"runs": "3"}',
  ),
};

const AB: TableField[] = [{ name: 'a', type: 'integer' }, { name: 'b' }];
const fieldB = (b: Omit<TableField, 'name'>): Expectation => ({
  schema: { fields: [{ name: 'a' }, { name: 'b', ...b }] },
});

/** An example of each property of a schema, of each `fieldsMatch`, and of each property of a field. */
export const SCHEMA_EXAMPLES: Readonly<
  Record<
    | Exclude<(typeof SCHEMA_PROPERTIES)[number]['name'], 'fieldsMatch' | 'classification'>
    | Exclude<
        (typeof FIELD_PROPERTIES)[number]['name'],
        'constraints' | 'format' | 'categoriesOrdered' | 'classification'
      >
    | `fieldsMatch: ${FieldsMatch}`,
    FileExample
  >
> = {
  fields: {
    rule: { schema: { fields: AB } },
    good: 'a,b\n1,x',
    bad: 'a\n1',
    fault: 'missing-label',
  },
  name: {
    rule: { schema: { fields: [{ name: 'a' }, { name: 'B' }] } },
    good: 'a,B\n1,x',
    bad: 'a,b\n1,x',
    fault: 'incorrect-label',
  },
  type: {
    rule: fieldB({ type: 'integer' }),
    good: 'a,b\n1,2',
    bad: 'a,b\n1,x',
    fault: 'type-error',
  },
  categories: {
    rule: fieldB({
      type: 'integer',
      categories: [
        { value: 1, label: 'male' },
        { value: 2, label: 'female' },
      ],
    }),
    good: 'a,b\nx,1',
    bad: 'a,b\nx,3',
    fault: 'constraint-error',
  },
  missingValues: {
    rule: { schema: { fields: AB, missingValues: ['', { value: '-99', label: 'refused' }] } },
    good: 'a,b\n-99,x',
    bad: 'a,b\nNA,x',
    fault: 'type-error',
  },
  primaryKey: {
    rule: { schema: { fields: AB, primaryKey: ['a'] } },
    good: 'a,b\n1,x\n2,x',
    bad: 'a,b\n1,x\n1,y',
    fault: 'primary-key',
  },
  uniqueKeys: {
    rule: { schema: { fields: AB, uniqueKeys: [['a', 'b']] } },
    good: 'a,b\n1,x\n1,y',
    bad: 'a,b\n1,x\n1,x',
    fault: 'unique-error',
  },
  foreignKeys: {
    rule: {
      schema: {
        fields: [...AB, { name: 'c' }],
        foreignKeys: [{ fields: ['b'], reference: { fields: ['c'] } }],
      },
    },
    good: 'a,b,c\n1,x,y\n2,,x',
    bad: 'a,b,c\n1,x,y\n2,,z',
    fault: 'foreign-key',
  },
  'fieldsMatch: exact': {
    rule: { schema: { fields: AB } },
    good: 'a,b\n1,x',
    bad: 'b,a\nx,1',
    fault: 'incorrect-label',
  },
  'fieldsMatch: equal': {
    rule: { schema: { fields: AB, fieldsMatch: 'equal' } },
    good: 'b,a\nx,1',
    bad: 'b,a,c\nx,1,0',
    fault: 'extra-label',
  },
  'fieldsMatch: subset': {
    rule: { schema: { fields: AB, fieldsMatch: 'subset' } },
    good: 'b,a,c\nx,1,0',
    bad: 'b,c\nx,0',
    fault: 'missing-label',
  },
  'fieldsMatch: superset': {
    rule: { schema: { fields: AB, fieldsMatch: 'superset' } },
    good: 'b\nx',
    bad: 'b,c\nx,0',
    fault: 'extra-label',
  },
  'fieldsMatch: partial': {
    rule: { schema: { fields: AB, fieldsMatch: 'partial' } },
    good: 'b,c\nx,0',
    bad: 'c,d\n0,0',
    fault: 'missing-label',
  },
};

const dialect = (options: Expectation['dialect']): Expectation => ({
  dialect: options,
  schema: { fields: AB },
});

/** An example of each property of a dialect. */
export const DIALECT_EXAMPLES: Readonly<
  Record<(typeof DIALECT_OPTIONS)[number]['name'], FileExample>
> = {
  encoding: {
    rule: dialect({ encoding: 'windows-1252' }),
    good: 'a,b\n1,caf\xe9',
    bad: 'a,b\n1,caf\x81',
    fault: 'encoding-error',
    bytes: true,
  },
  header: { rule: dialect({ header: false }), good: '1,x', bad: 'a,b\n1,x', fault: 'type-error' },
  headerRows: {
    rule: dialect({ headerRows: [2] }),
    good: 'Visits 2024\na,b\n1,x',
    bad: 'a,b\n1,x',
    fault: 'incorrect-label',
  },
  headerJoin: {
    rule: {
      dialect: { headerRows: [1, 2], headerJoin: '-' },
      schema: { fields: [{ name: 'a-b', type: 'integer' }] },
    },
    good: 'a\nb\n1',
    bad: 'a\nc\n1',
    fault: 'incorrect-label',
  },
  commentRows: {
    rule: dialect({ commentRows: [2] }),
    good: 'a,b\nnumber,text\n1,x',
    bad: 'a,b\n1,x\nnumber,text',
    fault: 'type-error',
  },
  footerRows: {
    rule: dialect({ footerRows: 1 }),
    good: 'a,b\n1,x\nTotal: 1',
    bad: 'a,b\n1,x\nTotal: 1\nEnd',
    fault: 'missing-cell',
  },
  commentChar: {
    rule: dialect({ commentChar: '#' }),
    good: 'a,b\n# checked\n1,x',
    bad: 'a,b\n-- checked\n1,x',
    fault: 'missing-cell',
  },
  delimiter: {
    rule: dialect({ delimiter: ';' }),
    good: 'a;b\n1;x,y',
    bad: 'a;b\n1;x;y',
    fault: 'extra-cell',
  },
  quoteChar: {
    rule: dialect({ quoteChar: "'" }),
    good: "a,b\n1,'x,y'",
    bad: 'a,b\n1,"x,y"',
    fault: 'incorrect-dialect',
  },
  doubleQuote: {
    rule: dialect({ doubleQuote: false }),
    good: 'a,b\n1,"x"',
    bad: 'a,b\n1,"x ""y"""',
    fault: 'stray-quote',
  },
  escapeChar: {
    rule: dialect({ escapeChar: '\\' }),
    good: 'a,b\n1,x\\,y',
    bad: 'a,b\n1,x,y',
    fault: 'extra-cell',
  },
  nullSequence: {
    rule: dialect({ nullSequence: 'NULL' }),
    good: 'a,b\nNULL,x',
    bad: 'a,b\nnull,x',
    fault: 'type-error',
  },
  skipInitialSpace: {
    rule: dialect({ skipInitialSpace: true }),
    good: 'a, b\n 1, x',
    bad: 'a, b\n1 , x',
    fault: 'type-error',
  },
};

const tolerant = (thresholds: Expectation['thresholds']): Expectation => ({
  schema: { fields: AB },
  thresholds,
});

/** An example of each threshold; what is within one may warn. */
export const THRESHOLD_EXAMPLES: Readonly<Record<string, FileExample>> = {
  minRows: {
    rule: tolerant({ minRows: 2 }),
    good: 'a,b\n1,x\n2,y',
    bad: 'a,b\n1,x',
    fault: 'table-dimensions',
  },
  maxRows: {
    rule: tolerant({ maxRows: 1 }),
    good: 'a,b\n1,x',
    bad: 'a,b\n1,x\n2,y',
    fault: 'table-dimensions',
  },
  completeness: {
    rule: tolerant({ completeness: { a: 0.5 } }),
    good: 'a,b\n1,x\n,y',
    bad: 'a,b\n1,x\n,y\n,z',
    fault: 'completeness',
  },
  maxFaults: {
    rule: tolerant({ maxFaults: 1 }),
    good: 'a,b\n?,x\n2,y',
    bad: 'a,b\n?,x\n?,y',
    fault: 'type-error',
    verdict: 'warned',
  },
  maxFaultyRows: {
    rule: tolerant({ maxFaultyRows: 0.5 }),
    good: 'a,b\n?,x\n2,y',
    bad: 'a,b\n?,x\n?,y',
    fault: 'type-error',
    verdict: 'warned',
  },
  maxIncompleteRows: {
    rule: tolerant({ warnOn: ['blank-row'], maxIncompleteRows: 0.5 }),
    good: 'a,b\n1,x\n\n2,y',
    bad: 'a,b\n1,x\n\n\n\n2,y',
    fault: 'blank-row',
    verdict: 'warned',
  },
  maxBrokenRows: {
    rule: tolerant({ maxBrokenRows: 0.5, maxFaults: 9 }),
    good: 'a,b\n1,x\n2',
    bad: 'a,b\n1\n2',
    fault: 'missing-cell',
    verdict: 'warned',
  },
  warnOn: {
    rule: tolerant({ warnOn: ['extra-cell'] }),
    good: 'a,b\n1,x,',
    bad: 'a,b\n?,x,',
    fault: 'type-error',
    verdict: 'warned',
  },
  failOn: {
    rule: tolerant({ failOn: ['padded-value'] }),
    good: 'a,b\n1,x',
    bad: 'a,b\n1,x ',
    fault: 'padded-value',
  },
};

const AS_IT_IS: Expectation = {};
const TYPED: Expectation = { schema: { fields: AB } };
const file = (rule: Expectation, good: string, bad: string): Omit<FileExample, 'fault'> => ({
  rule,
  good,
  bad,
});

const accepted: AcceptedDelivery = {
  deliveredAt: '2026-11-01T06:00:00Z',
  rows: 1,
  bytes: 7,
};

/** An example of each kind of fault. */
export const FAULT_EXAMPLES: Readonly<Record<FaultType, Omit<FileExample, 'fault'>>> = {
  'source-error': file(AS_IT_IS, 'a,b\n1,x', ''),
  'unsupported-format': file(AS_IT_IS, 'a,b\n1,x', '%PDF-1.7\n1 0 obj'),
  'encoding-error': { ...file(AS_IT_IS, 'a,b\n1,cafe', 'a,b\n1,caf\xe9'), bytes: true },
  'undeclared-encoding': {
    ...file(AS_IT_IS, 'a,b\n1,x', 'a\0,\0b\0\n\x001\0,\0x\0\n\0'),
    bytes: true,
  },
  'byte-order-mark': file(AS_IT_IS, '\ufeffa,b\n1,x', 'a,b\n\ufeff1,x'),
  'replacement-character': file(AS_IT_IS, 'a,b\n1,café', 'a,b\n1,caf\ufffd'),
  mojibake: file(AS_IT_IS, 'a,b\n1,café', 'a,b\n1,cafÃ©'),
  'end-of-file-mark': file(AS_IT_IS, 'a,b\n1,x\n', 'a,b\n1,x\x1a'),
  'mixed-line-ends': file(AS_IT_IS, 'a,b\r\n1,x\r\n', 'a,b\r\n1,x\n2,y\r\n'),
  'stray-quote': file(AS_IT_IS, 'a,b\n1,"6"" pipe"', 'a,b\n1,6" pipe'),
  'unclosed-quote': file(AS_IT_IS, 'a,b\n1,"x"', 'a,b\n1,"x\n2,y'),
  'record-too-large': {
    ...file(AS_IT_IS, 'a,b\n1,short', 'a,b\n1,a long text'),
    limits: { maxRecordBytes: 8 },
  },
  'incorrect-dialect': file(TYPED, 'a,b\n1,x', 'a;b\n1;x'),
  'sep-line': file(AS_IT_IS, 'a,b\n1,x', 'sep=,\na,b\n1,x'),
  'blank-header': file(AS_IT_IS, 'a,b\n1,x', ',\n1,x'),
  'blank-label': file(AS_IT_IS, 'a,b\n1,x', 'a,\n1,x'),
  'duplicate-label': file(AS_IT_IS, 'a,b\n1,x', 'a,a\n1,x'),
  'missing-label': file(TYPED, 'a,b\n1,x', 'a\n1'),
  'extra-label': file(TYPED, 'a,b\n1,x', 'a,b,c\n1,x,0'),
  'incorrect-label': file(TYPED, 'a,b\n1,x', 'A,b\n1,x'),
  'header-only': file(AS_IT_IS, 'a,b\n1,x', 'a,b'),
  'blank-row': file(AS_IT_IS, 'a,b\n1,x', 'a,b\n,\n1,x'),
  'missing-cell': file(AS_IT_IS, 'a,b\n1,x', 'a,b\n1'),
  'extra-cell': file(AS_IT_IS, 'a,b\n1,"x, y"', 'a,b\n1,x, y'),
  'repeated-header': file(TYPED, 'a,b\n1,x', 'a,b\n1,x\na,b'),
  'second-header': file(
    {
      schema: {
        fields: [
          { name: 'a', type: 'integer' },
          { name: 'b', type: 'integer' },
        ],
      },
    },
    'a,b\n1,2\n3,4',
    'a,b\nkey,sum\n1,2\n3,4',
  ),
  'total-row': file(TYPED, 'a,b\n1,x', 'a,b\n1,x\nTotal,'),
  'type-error': file(TYPED, 'a,b\n1,x', 'a,b\none,x'),
  'constraint-error': file(fieldB({ constraints: { required: true } }), 'a,b\n1,x', 'a,b\n1,'),
  'padded-value': file(AS_IT_IS, 'a,b\n1,x', 'a,b\n1,x '),
  'blank-value': file(AS_IT_IS, 'a,b\n1,', 'a,b\n1,  '),
  'scientific-notation': file(AS_IT_IS, 'a,b\n1,20100000000000123', 'a,b\n1,2.01E+16'),
  'formula-value': file(AS_IT_IS, 'a,b\n1,001', 'a,b\n1,"=""001"""'),
  'spreadsheet-error': file(AS_IT_IS, 'a,b\n1,5', 'a,b\n1,#REF!'),
  'unique-error': file(fieldB({ constraints: { unique: true } }), 'a,b\n1,x\n1,y', 'a,b\n1,x\n2,x'),
  'primary-key': file({ schema: { fields: AB, primaryKey: 'a' } }, 'a,b\n1,x', 'a,b\n,x'),
  'foreign-key': file(
    {
      schema: {
        fields: [{ name: 'id' }, { name: 'parent' }],
        foreignKeys: [{ fields: 'parent', reference: { fields: 'id' } }],
      },
    },
    'id,parent\n1,2\n2,',
    'id,parent\n1,3\n2,',
  ),
  'table-dimensions': file(tolerant({ maxRows: 1 }), 'a,b\n1,x', 'a,b\n1,x\n2,y'),
  'row-count-change': {
    ...file(
      { rules: [{ rule: 'RowCountChange', fail: { maxIncrease: 0.5 } }] },
      'a,b\n1,x',
      'a,b\n1,x\n2,y',
    ),
    history: [accepted],
  },
  'byte-count': file(
    { rules: [{ rule: 'FileSize', fail: { max: 8 } }] },
    'a,b\n1,x',
    'a,b\n1,x\n2,y',
  ),
  completeness: file(tolerant({ completeness: { b: 1 } }), 'a,b\n1,x', 'a,b\n1,'),
  'column-values': file(
    {
      rules: [
        {
          rule: 'ColumnValues',
          column: 'b',
          constraints: { enum: ['x', 'y'] },
          fail: { minShare: 0.9 },
        },
      ],
    },
    'a,b\n1,x',
    'a,b\n1,z',
  ),
  'distinct-values': file(
    { rules: [{ rule: 'DistinctValuesCount', column: 'b', fail: { min: 2 } }] },
    'a,b\n1,x\n2,y',
    'a,b\n1,x\n2,x',
  ),
  'data-freshness': {
    ...file(
      {
        schema: { fields: [{ name: 'id' }, { name: 'day', type: 'date' }] },
        rules: [{ rule: 'DataFreshness', column: 'day', hours: 48, fail: { min: 1 } }],
      },
      'id,day\n1,2026-10-31\n2,2026-11-01',
      'id,day\n1,2026-10-29\n2,2026-10-30',
    ),
    deliveredAt: ['2026-11-02T06:00:00Z', '2026-11-02T06:00:00Z'],
  },
  'file-freshness': {
    ...file(
      { rules: [{ rule: 'FileFreshness', warn: { minHours: 12 }, fail: { maxHours: 26 } }] },
      'a,b\n1,x',
      'a,b\n1,x',
    ),
    history: [accepted],
    deliveredAt: ['2026-11-02T06:00:00Z', '2026-11-03T06:00:00Z'],
  },
  'schema-drift': {
    ...file({ rules: [{ rule: 'SchemaMatch' }] }, 'a,b\n1,x', 'a,c\n1,x'),
    history: [
      {
        ...accepted,
        columns: [
          { label: 'a', type: 'integer', declared: false },
          { label: 'b', type: 'string', declared: false },
        ],
      },
    ],
  },
  'duplicate-delivery': {
    ...file({ rules: [{ rule: 'FileUniqueness' }] }, 'a,b\n1,x', 'a,b\n1,x\n2,y'),
    history: [
      { ...accepted, sha256: 'c9e97ce59cf0a8a42d9ec49e371755f9d56fa73982f57759577892468a1ccaae' },
    ],
  },
  'sensitive-column': file(
    fieldB({ classification: 'public' }),
    'a,b\n1,x',
    'a,b\n1,ana@example.org',
  ),
  'key-check-incomplete': {
    ...file({ schema: { fields: AB, primaryKey: 'a' } }, 'a,b\n1,x', 'a,b\n1,x\n5,y'),
    limits: { maxKeyBytes: 32 },
  },
};
