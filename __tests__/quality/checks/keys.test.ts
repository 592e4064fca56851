import { describe, expect, it } from 'vitest';
import type { TableSchema } from '../../../quality/table-schema.ts';
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
