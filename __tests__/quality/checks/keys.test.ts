import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NODE_PORTS } from '../../../listener/src/jobs/engine-ports.ts';
import { DescriptorError } from '../../../quality/descriptor-error.ts';
import { createInspection, type InspectOptions, inspectCsv } from '../../../quality/inspect.ts';
import type { ScratchFile } from '../../../quality/ports.ts';
import type { TableField, TableSchema } from '../../../quality/table-schema.ts';
import { assertReportShape, inspectBytes, places } from '../inspect-bytes.ts';

const TWO: TableSchema = {
  fields: [
    { name: 'id', type: 'integer' },
    { name: 'name', type: 'string' },
  ],
};

describe('keys', () => {
  it('names the record that had a key first', () => {
    const schema: TableSchema = { ...TWO, primaryKey: ['id', 'name'] };
    const report = inspectBytes('id,name\n1,a\n1,b\n1,"a"\n', { expectation: { schema } });
    expect(report.faults[0]).toMatchObject({
      type: 'primary-key',
      record: 4,
      value: '1, a',
      message: 'The same id, name came in record 2.',
    });
  });

  it('lets nulls repeat in a unique field', () => {
    const schema: TableSchema = {
      fields: [TWO.fields[0] ?? { name: 'id' }, { name: 'name', constraints: { unique: true } }],
    };
    const report = inspectBytes('id,name\n1,\n2,\n3,a\n4,a\n', { expectation: { schema } });
    expect(places(report)).toStrictEqual(['unique-error 5:2']);
  });

  it('names the null of a primary key, and not a required one a second time', () => {
    const fields = [
      { name: 'id' },
      { name: 'name' },
      { name: 'b', constraints: { required: true } },
    ];
    const schema: TableSchema = { fields, primaryKey: ['id', 'name', 'b'] };
    const report = inspectBytes('id,name,b\n1,,x\n1,a,\n', { expectation: { schema } });
    expect(places(report)).toStrictEqual(['primary-key 2:2', 'constraint-error 3:3']);
  });
});

describe('a key of which one part is not of its type', () => {
  it('names the part that is null', () => {
    const schema: TableSchema = { ...TWO, primaryKey: ['id', 'name'] };
    const expectation = { schema, thresholds: { warnOn: ['type-error' as const] } };
    const report = inspectBytes('id,name\nx,\n', { expectation });
    expect(report.verdict).toBe('failed');
    expect(places(report)).toStrictEqual(['type-error 2:1', 'primary-key 2:2']);
  });
});

describe('keys of one value in several spellings', () => {
  const zeros = '0'.repeat(30);
  /** Records that are named as the same as the first one. */
  const duplicates = (field: Partial<TableField>, values: readonly string[]): number[] => {
    const schema = { fields: [{ name: 'key', constraints: { unique: true }, ...field }] };
    const rows = values.map((value) => `"${value.replaceAll('"', '""')}"\n`);
    const report = inspectBytes(`key\n${rows.join('')}`, { expectation: { schema } });
    expect(report.faults.map(({ type }) => type)).not.toContain('type-error');
    return report.faults.map(({ record }) => (record ?? 0) - 1);
  };

  it.each<[Partial<TableField>, string[]]>([
    [{ type: 'integer' }, ['12345', '0000000000000012345', '+12345', `+${zeros}12345`]],
    [{ type: 'integer' }, ['0', '-0', `-${zeros}`]],
    [{ type: 'integer' }, ['123456789012345678901', '+000123456789012345678901']],
    [{ type: 'integer', groupChar: ',' }, ['1234567890123456789', '1,234,567,890,123,456,789']],
    [{ type: 'integer', bareNumber: false }, ['95', '95 %', 'about 95 in all, all told']],
    [{ type: 'number' }, ['1.5', '1.50000000000000000', '15e-1', '0.15E+1', `0015e-${zeros}1`]],
    [{ type: 'number' }, ['0', '-0.0', '0e999', `.${zeros}`]],
    [{ type: 'number' }, ['1e400', '10e399', `1${'0'.repeat(400)}`]],
    [
      { type: 'number' },
      ['0.12345678901234567890', '.1234567890123456789', '12345678901234567890e-20'],
    ],
    [{ type: 'number' }, ['NaN', 'NaN']],
    [{ type: 'number', decimalChar: ',', groupChar: '.' }, ['1000,5', '1.000,5', '1.000,50']],
    [{ type: 'boolean' }, ['true', '1', 'True', 'TRUE']],
    [{ type: 'date', format: 'any' }, ['2024-02-01', '02/01/2024', '1 Feb 2024', '20240201']],
    [{ type: 'date', format: '%d.%m.%y' }, ['01.02.24', '1.2.24']],
    [{ type: 'time' }, ['12:00:00', '12:00:00.0', '12:00:00Z', '13:00:00+01:00']],
    [{ type: 'time' }, ['00:00:00', '24:00:00', '23:00:00-01:00']],
    [{ type: 'time', format: 'any' }, ['13:05:00', '1:05 PM', '13:05']],
    [
      { type: 'datetime' },
      ['2024-01-31T23:30:00Z', '2024-01-31T23:30:00+00:00', '2024-02-01T00:30:00.000+01:00'],
    ],
    [
      { type: 'datetime' },
      ['2024-01-01T00:00:00.123456789Z', '2024-01-01T01:00:00.1234567890+01:00'],
    ],
    [{ type: 'datetime' }, ['2024-01-01T00:00:00', '2023-12-31T24:00:00']],
    [
      { type: 'datetime', format: 'any' },
      ['2024-02-29 13:05:00', '02/29/2024 1:05 PM', '2024-02-29T14:05:00.000000+01:00'],
    ],
    [{ type: 'year' }, ['0000', '-0000']],
  ])('are the same: %j %j', (field, values) => {
    expect(duplicates(field, values)).toStrictEqual(values.map((_, index) => index + 1).slice(1));
  });

  it.each<[Partial<TableField>, string[]]>([
    [{ type: 'integer' }, ['9007199254740992', '9007199254740993', '-9007199254740993']],
    [{ type: 'integer' }, ['1'.repeat(400), `${'1'.repeat(399)}2`]],
    [{ type: 'number' }, ['0.1', '0.1000000000000000055511151231257827', '0.10000000000000001']],
    [{ type: 'number' }, ['1e400', '1e401', 'INF', '-1e400', '-INF', '1e-400', '0', '-1e-400']],
    [{ type: 'number' }, ['-5e-324', 'NaN', '-4e-324']],
    [{ type: 'number' }, [`1e${'9'.repeat(30)}`, `1e${'9'.repeat(29)}8`]],
    [
      { type: 'datetime' },
      [
        '2024-01-01T00:00:00.1234567891',
        '2024-01-01T00:00:00.1234567892',
        '2024-01-01T00:00:00.12',
      ],
    ],
    [
      { type: 'datetime', format: '%Y-%m-%d %H:%M:%S.%f' },
      ['9999-12-31 23:59:59.999999', '9999-12-31 23:59:59.999998', '9999-12-31 23:59:59.9'],
    ],
    [{ type: 'time' }, ['12:00:00', '12:00:00+01:00', '12:00:00.00001']],
    [{ type: 'string' }, ['1', '01', '1.0']],
    [{ type: 'any' }, ['true', '1']],
  ])('are different: %j %j', (field, values) => {
    expect(duplicates(field, values)).toStrictEqual([]);
  });

  it('are the same decimal exactly when their digits are', () => {
    const digits = fc.stringMatching(/^[0-9]{1,24}$/);
    const decimals = fc.tuple(fc.constantFrom('', '-'), digits, fc.integer({ min: -30, max: 30 }));
    /** The decimal times 10^60, as an integer. */
    const scaled = ([sign, whole, power]: [string, string, number]): bigint =>
      BigInt(`${sign}${whole}`) * 10n ** BigInt(power + 60);
    /** The same value with another exponent. */
    const again = ([sign, whole, power]: [string, string, number], moved: number): string =>
      `${sign}00${whole}${'0'.repeat(moved)}.0e${power - moved}`;
    fc.assert(
      fc.property(decimals, decimals, fc.nat(20), (one, other, moved) => {
        const [sign, whole, power] = one;
        const values = [`${sign}${whole}e${power}`, again(one, moved), again(other, 0)];
        const same = scaled(one) === scaled(other) ? [2, 3] : [2];
        expect(duplicates({ type: 'number' }, values)).toStrictEqual(same);
      }),
    );
  });

  it('are compared part by part in a key of several fields', () => {
    const schema: TableSchema = {
      fields: [
        { name: 'id', type: 'number' },
        { name: 'at', type: 'datetime' },
        { name: 'name', type: 'string' },
      ],
      primaryKey: ['id', 'at', 'name'],
    };
    const rows = [
      '1,2024-01-01T00:00:00Z,a',
      '1.0,2024-01-01T01:00:00+01:00,a',
      '1,2024-01-01T00:00:00Z,A',
    ];
    const report = inspectBytes(`id,at,name\n${rows.join('\n')}\n`, { expectation: { schema } });
    expect(places(report)).toStrictEqual(['primary-key 3:1']);
  });
});

describe('keys that have no place in memory', () => {
  const schema: TableSchema = {
    fields: [
      { name: 'id', type: 'integer', constraints: { unique: true } },
      { name: 'name', type: 'string' },
    ],
    primaryKey: ['name', 'id'],
  };
  const options: InspectOptions = { expectation: { schema }, maxKeyBytes: 0 };

  it('are compared at the end: a duplicate has its place, the record before it, and no value', () => {
    const report = inspectBytes('id,name\n1,a\n2,"b\nc"\n"1",d\n1,a\n', options);
    expect(report.faults).toStrictEqual([
      {
        type: 'unique-error',
        record: 4,
        line: 5,
        byte: 21,
        field: 1,
        label: 'id',
        value: null,
        key: null,
        classification: 'internal',
        message: 'The same id came in record 2.',
      },
      {
        type: 'unique-error',
        record: 5,
        line: 6,
        byte: 26,
        field: 1,
        label: 'id',
        value: null,
        key: null,
        classification: 'internal',
        message: 'The same id came in record 2.',
      },
      {
        type: 'primary-key',
        record: 5,
        line: 6,
        byte: 28,
        field: 2,
        label: 'name',
        value: null,
        key: null,
        classification: 'internal',
        message: 'The same name, id came in record 2.',
      },
    ]);
    expect(report).toMatchObject({
      verdict: 'failed',
      faultyRows: 2,
      reasons: ['3 faults in 2 of 4 rows.'],
      faultCounts: { 'unique-error': 2, 'primary-key': 1 },
    });
  });

  it('do not count a row twice that was faulty before', () => {
    const fields: TableField[] = [
      { name: 'id', type: 'integer', constraints: { unique: true } },
      { name: 'n', type: 'integer', constraints: { maximum: 5 } },
    ];
    const thresholds = { maxFaultyRows: 0.4 };
    const report = inspectBytes('id,n\n1,1\n1,9\n1,1\n2,9\n3,1\n', {
      expectation: { schema: { fields }, thresholds },
      maxKeyBytes: 0,
    });
    expect(report).toMatchObject({
      faultyRows: 3,
      faultCount: 4,
      reasons: ['3 of 5 rows are faulty; maxFaultyRows is 0.4.'],
    });
  });

  it('make a row fail that was incomplete, and then it is not both', () => {
    const fields: TableField[] = [{ name: 'id', constraints: { unique: true } }, { name: 'n' }];
    const thresholds = { warnOn: ['stray-quote' as const] };
    const file = 'id,n\na,1\na,"x"y,2\nb,"x"y,2\n';
    const deferred = inspectBytes(file, {
      expectation: { schema: { fields }, thresholds },
      maxKeyBytes: 0,
    });
    expect(deferred).toMatchObject({ faultyRows: 2, incompleteRows: 1 });
    const remembered = inspectBytes(file, { expectation: { schema: { fields }, thresholds } });
    expect(remembered).toMatchObject({ faultyRows: 2, incompleteRows: 1 });
    expect(deferred.reasons).toStrictEqual(remembered.reasons);
  });

  it('warn where their kind does', () => {
    const thresholds = { warnOn: ['unique-error' as const] };
    const fields: TableField[] = [{ name: 'id', constraints: { unique: true } }];
    const report = inspectBytes('id\na\na\n', {
      expectation: { schema: { fields }, thresholds },
      maxKeyBytes: 0,
    });
    expect(report).toMatchObject({ verdict: 'warned', faultyRows: 1 });
  });

  it('list the first duplicates of the file, and count all', () => {
    const rows = Array.from({ length: 2_000 }, (_, i) => `${i % 1_000},x`);
    const report = inspectBytes(`id,name\n${rows.join('\n')}\n`, { ...options, maxFaults: 3 });
    expect(places(report)).toStrictEqual([
      'unique-error 1002:1',
      'primary-key 1002:2',
      'unique-error 1003:1',
    ]);
    expect(report.faultCounts).toStrictEqual({ 'unique-error': 1_000, 'primary-key': 1_000 });
  });

  it('are the duplicates that a map has, whatever the memory and the chunks', () => {
    const cell = fc.oneof(
      fc.integer({ min: -20, max: 60 }).map(String),
      fc.constantFrom('007', 'x'),
    );
    const rows = fc.array(fc.tuple(cell, fc.constantFrom('a', 'b', '"c""\n"')), {
      maxLength: 80,
      size: 'max',
    });
    const budgets = fc.integer({ min: 0, max: 6_000 });
    const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 4 });
    fc.assert(
      fc.property(rows, budgets, sizes, (table, maxKeyBytes, chunkSizes) => {
        const file = `id,name\n${table.map((row) => `${row.join(',')}\n`).join('')}`;
        const given = { ...options, maxKeyBytes, maxFaults: 1_000 };
        const report = inspectBytes(file, given, chunkSizes);
        const found = report.faults
          .filter(({ message }) => message.startsWith('The same'))
          .map(({ type, record, message }) => `${record} ${type} ${message.match(/\d+/)}`);
        const all = duplicatesOf(table);
        expect(all).toStrictEqual(expect.arrayContaining(found));
        for (const kind of ['unique-error', 'primary-key'] as const) {
          const ofKind = (list: readonly string[]) => list.filter((text) => text.includes(kind));
          const count = ofKind(all).length;
          expect(report.faultCounts[kind] ?? 0).toBe(count);
          // No more of a column are listed.
          expect(new Set(ofKind(found)).size).toBe(Math.min(20, count));
        }
        const { faultyRows, faultCounts, verdict, reasons } = inspectBytes(file, options);
        const plenty = inspectBytes(file, { expectation: { schema } });
        expect({ faultyRows, faultCounts, verdict, reasons }).toStrictEqual({
          faultyRows: plenty.faultyRows,
          faultCounts: plenty.faultCounts,
          verdict: plenty.verdict,
          reasons: plenty.reasons,
        });
        // Each run has a secret of its own.
        expect(inspectBytes(file, given)).toStrictEqual(report);
      }),
      { numRuns: 40 },
    );
  });

  /** `record kind first` of every duplicate, by plain maps. */
  function duplicatesOf(table: readonly (readonly [string, string])[]): string[] {
    const first = new Map<string, number>();
    return table.flatMap(([id, name], index) => {
      const value = Number(id);
      if (id === '' || Number.isNaN(value)) return [];
      const record = index + 2;
      const keys: [string, string][] = [
        [`${value}`, 'unique-error'],
        [`${value} ${name}`, 'primary-key'],
      ];
      return keys.flatMap(([key, kind]) => {
        const before = first.get(key);
        if (before === undefined) first.set(key, record);
        return before === undefined ? [] : [`${record} ${kind} ${before}`];
      });
    });
  }

  it('fail a file where there is no scratch space, and no threshold makes that a warning', () => {
    const { openScratch: _none, ...browser } = NODE_PORTS;
    const inspection = createInspection(browser, { expectation: { schema }, maxKeyBytes: 0 });
    inspection.write(Buffer.from('id,name\n1,a\n2,b\n7,c\n7,d\n'));
    const report = inspection.end();
    assertReportShape(report);
    expect(report).toMatchObject({
      verdict: 'failed',
      faultCounts: { 'key-check-incomplete': 2 },
      reasons: ['2 faults of the header or the whole file.'],
    });
    const thresholds = { warnOn: ['key-check-incomplete'] } as object;
    expect(() => createInspection(browser, { expectation: { thresholds } })).toThrow(
      DescriptorError,
    );
  });

  it('end the inspection without a report when there is no space left, and give back what there was', async () => {
    let closed = 0;
    const openScratch = (): ScratchFile => ({
      write() {
        throw new Error('no space left');
      },
      read() {},
      close() {
        closed++;
      },
    });
    async function* file(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('id,name\n');
      for (let i = 0; i < 200; i++) {
        const rows = Array.from({ length: 1_000 }, (_, row) => `${i * 1_000 + row},a`);
        yield Buffer.from(`${rows.join('\n')}\n`);
      }
    }
    await expect(inspectCsv(file(), { ...NODE_PORTS, openScratch }, options)).rejects.toThrow(
      'no space',
    );
    expect(closed).toBe(1);
  });
});
