import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NODE_PORTS } from '../../listener/src/jobs/engine-ports.ts';
import type { TableDialect } from '../../quality/dialect.ts';
import type { EnginePorts } from '../../quality/ports.ts';
import type { TableSchema } from '../../quality/table-schema.ts';
import type { Thresholds } from '../../quality/thresholds.ts';
import { inspectBytes, places } from './inspect-bytes.ts';
import { CELLS, DIALECTS, FIELDS, THRESHOLDS } from './sample-files.ts';

const plainCell = fc.constantFrom(...CELLS.slice(0, CELLS.length - 9));
const anyCell = fc.constantFrom(...CELLS);

/** Cells that look like values of some type: of any two such cells in a row most are what their fields ask for. */
const LIKELY: Readonly<Record<string, RegExp>> = {
  integer: /^"?[-+]?\d{1,16}"?$/,
  number: /^[-+]?[\d.]+(?:e\d+)?$/,
  date: /^"?\d{4}-/,
  datetime: /^\d{4}-.*T/,
  boolean: /^"?(?:[tf]|ja|nein|é$|$)/i,
  string: /^"?[^\d.+-]/,
};

function likelyCell(type = ''): fc.Arbitrary<string> {
  const pattern = LIKELY[type];
  const cells = CELLS.slice(0, CELLS.length - 9).filter((cell) => pattern?.test(cell) ?? true);
  return fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...cells) }, plainCell);
}

interface Sample {
  readonly schema: TableSchema | undefined;
  readonly file: Buffer;
  readonly dialect: TableDialect;
  readonly thresholds: Thresholds;
  readonly cut: number;
}

const sample: fc.Arbitrary<Sample> = fc
  .array(fc.nat(FIELDS.length - 1), { minLength: 1, maxLength: 6 })
  .chain((fields) => {
    const count = fields.length;
    const schema: TableSchema = {
      fields: fields.map((field, index) => ({ name: `c${index}`, ...FIELDS[field] })),
    };
    const width = { minLength: count, maxLength: count };
    const row = fc.oneof(
      { weight: 12, arbitrary: fc.tuple(...schema.fields.map(({ type }) => likelyCell(type))) },
      { weight: 4, arbitrary: fc.array(plainCell, width) },
      { weight: 2, arbitrary: fc.array(anyCell, width) },
      { weight: 1, arbitrary: fc.array(anyCell, { maxLength: count + 1 }) },
    );
    const lineEnd = fc.constantFrom('\n', '\r\n', '\r');
    return fc.record({
      schema: fc.constantFrom(schema, schema, undefined),
      rows: fc.array(row, { maxLength: 60, size: 'max' }),
      lineEnd,
      others: fc.oneof(
        { weight: 4, arbitrary: fc.constant([]) },
        { arbitrary: fc.array(lineEnd), weight: 1 },
      ),
      ends: fc.boolean(),
      dialect: fc.constantFrom(...DIALECTS),
      thresholds: fc.constantFrom(...THRESHOLDS),
      cut: fc.oneof(fc.constant(1_000_000), fc.integer({ min: 1, max: 90 })),
      label: fc.constantFrom('', '', '', ',more'),
    });
  })
  .map(({ schema, rows, lineEnd, others, ends, dialect, thresholds, cut, label }) => {
    const header = (schema ?? { fields: [{ name: 'c' }] }).fields.map(({ name }) => name).join(',');
    const lines = [
      ...(dialect.header === false ? [] : [header + label]),
      ...rows.map((row) => row.join(',')),
    ];
    const text = lines.map((line, index) => {
      const last = index === lines.length - 1 && !ends;
      return line + (last ? '' : (others[index] ?? lineEnd));
    });
    const { delimiter = ',' } = dialect;
    const file = Buffer.from(text.join('').replaceAll(',', delimiter));
    // Bytes that are not text, now and then.
    if (file.length % 17 === 0) file[file.length >> 1] = 0xff;
    return { schema, file, dialect, thresholds, cut };
  });

/** Runs of the property; more by hand: `PLAIN_ROWS_RUNS=100000 npm test -- __tests__/quality/plain-rows.test.ts`. */
const RUNS = Number(process.env.PLAIN_ROWS_RUNS ?? 300);

describe('PlainRows', () => {
  it('gives the report that the scanner and the cell reader give', () => {
    fc.assert(
      fc.property(sample, ({ schema, file, dialect, thresholds, cut }) => {
        const expectation = { dialect, thresholds, ...(schema === undefined ? {} : { schema }) };
        const limits = { expectation, maxRecordBytes: 400 };
        const slow = inspectBytes(file, { ...limits, plainRows: false });
        const expected = JSON.stringify(slow, null, 1);
        for (const plainRows of ['javascript', 'webassembly'] as const) {
          const fast = inspectBytes(file, { ...limits, plainRows }, [cut]);
          expect(JSON.stringify(fast, null, 1), plainRows).toBe(expected);
        }
      }),
      { numRuns: RUNS },
    );
  });

  it('holds a value against a bound by its digits where a double is not enough', () => {
    const schema: TableSchema = {
      fields: [{ name: 'x', type: 'number', constraints: { exclusiveMinimum: '0.1' } }],
    };
    const file = 'x\n0.10000000000000000001\n0.1\n0.2\n0.09999999999999999999\n';
    const report = inspectBytes(file, { expectation: { schema } });
    expect(places(report)).toStrictEqual(['constraint-error 3:1', 'constraint-error 5:1']);
  });

  it('counts a null no more than once where its row turns out to be broken', () => {
    const report = inspectBytes('a,b\n,1\n,2,3\n,4\n');
    expect(report.columns[0]).toMatchObject({ rows: 2, nulls: 2 });
  });

  it('looks no further than its buffer where a cell begins as the buffer ends', () => {
    const schema: TableSchema = {
      fields: [
        { name: 'a', type: 'string' },
        { name: 'b', type: 'datetime' },
      ],
    };
    const row = 'x,2024-02-29T10:00:00Z\n';
    const file = `a,b\n${row.repeat(800)}`;
    // The scanner's first buffer has 16 KiB.
    for (const cut of Array.from({ length: 64 }, (_, index) => 16_384 - index)) {
      for (const expectation of [{ schema }, {}]) {
        const report = inspectBytes(file, { expectation }, [cut]);
        expect(report.columns[1]).toMatchObject({ rows: 800, types: { datetime: 800 } });
      }
    }
  });

  it('counts an undeclared cell no more than once where its row turns out to be broken', () => {
    const report = inspectBytes('a,b\n1,x\n2,x,3\n4,y\n5,"z\n');
    expect(report.columns[0]).toMatchObject({ rows: 2, types: { integer: 2 }, min: 1, max: 4 });
    expect(report.columns[1]).toMatchObject({ types: { string: 2 }, min: 'x', max: 'y' });
  });

  it('tells the types of an undeclared column in which they change from row to row', () => {
    const cells = ['1', '0.5', '2024-02-29', 'true', 'x', '10:00:00', '2024-02-29T12:00:00+02:00'];
    const later = ['2024-02-29T11:00:00', '2024-02-29T11:00:00Z', '7', '-1', ''];
    const file = `a,b\n${[...cells, ...later, ...cells].map((cell) => `${cell},k\n`).join('')}`;
    const report = inspectBytes(file);
    expect(report).toStrictEqual(inspectBytes(file, { plainRows: false }));
    expect(report.columns[0]).toMatchObject({
      nulls: 1,
      types: { integer: 4, number: 2, date: 2, boolean: 2, string: 2, time: 2, datetime: 4 },
      min: '-1',
      max: 'x',
    });
  });

  it.each([
    ['c0,"c1"', 'c0,c1'],
    ['c0,c1', 'c0,"c1"'],
    ['"c",c1', 'c,"c1"'],
    ['c,c1', '"c","c1"'],
    ['long label,c1', '"long label","c1"'],
    ['"long label",c1', 'long label,c1'],
  ])('finds that a header %s is repeated as %s', (header, repeated) => {
    const file = `${header}\n${'x,y\n'.repeat(20)}${repeated}\nx,y\n`;
    const report = inspectBytes(file);
    expect(report).toStrictEqual(inspectBytes(file, { plainRows: false }));
    expect(places(report)).toStrictEqual(['repeated-header 22:-']);
  });

  it.each(['1,x\n', '1,x,y\n', '1,"x"y\n'])(
    'looks at large blocks of %j by WebAssembly, too',
    (row) => {
      let looks = 0;
      const isUtf8: EnginePorts['isUtf8'] = (bytes) => {
        looks++;
        return NODE_PORTS.isUtf8(bytes);
      };
      const ports = { ...NODE_PORTS, isUtf8 };
      const file = `a,b\n${row.repeat(100_000)}`;
      const report = inspectBytes(file, { plainRows: 'webassembly' }, [], ports);
      expect(report.rows).toBe(100_000);
      expect(looks).toBeLessThan(file.length / 10_000);
    },
  );

  it('reads a file without a header by the dialect that is found', () => {
    const schema: TableSchema = { fields: ['a', 'b'].map((name) => ({ name, type: 'string' })) };
    const expectation = { schema, dialect: { header: false } };
    const file = `${'2;x\n'.repeat(20)}1,5;x\n`;
    const report = inspectBytes(file, { expectation });
    expect(report).toStrictEqual(inspectBytes(file, { expectation, plainRows: false }));
    expect(report.columns[0]).toMatchObject({ rows: 21, min: '1,5' });
  });
});
