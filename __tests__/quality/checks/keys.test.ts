import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TableField, TableSchema } from '../../../quality/table-schema.ts';
import { inspectBytes, places } from '../inspect-bytes.ts';

const TWO: TableSchema = {
  fields: [
    { name: 'id', type: 'integer' },
    { name: 'name', type: 'string' },
  ],
};

describe('keys', () => {
  it('says so when it cannot remember all keys', () => {
    const schema: TableSchema = {
      fields: [{ name: 'id', type: 'integer', constraints: { unique: true } }],
    };
    const report = inspectBytes('id\n1\n2\n3\n1\n', { expectation: { schema }, maxKeys: 2 });
    expect(report.faultCounts).toStrictEqual({ 'unique-error': 1, 'key-check-incomplete': 1 });
    const unseen = inspectBytes('id\n1\n2\n3\n3\n', { expectation: { schema }, maxKeys: 2 });
    expect(unseen).toMatchObject({ verdict: 'warned', faultCounts: { 'key-check-incomplete': 1 } });
  });

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
