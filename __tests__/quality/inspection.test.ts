import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TableSchema } from '../../quality/table-schema.ts';
import { inspectBytes, places } from './inspect-bytes.ts';
import { PLANTINGS, SCHEMA, table, write } from './planted-fault.ts';

const TWO: TableSchema = {
  fields: [
    { name: 'id', type: 'integer' },
    { name: 'name', type: 'string' },
  ],
};

describe('Inspection of files with one planted fault', () => {
  it('passes every file before the fault is planted', () => {
    fc.assert(
      fc.property(table, (sound) => {
        const report = inspectBytes(write(sound), { expectation: { schema: SCHEMA } });
        expect(report.faults).toEqual([]);
        expect(report.verdict).toBe('passed');
        expect(report.rows).toBe(sound.rows.length - 1);
      }),
      { numRuns: 200 },
    );
  });

  it.each(Object.entries(PLANTINGS))(
    'names %s, its record and its column, and nothing else',
    (_, plant) => {
      fc.assert(
        fc.property(table, fc.nat(), fc.integer({ min: 1, max: 99 }), (sound, at, size) => {
          const { file, type, record, field: column } = plant(sound, at);
          const report = inspectBytes(file, { expectation: { schema: SCHEMA } }, [size]);
          expect(places(report)).toEqual([`${type} ${record}:${column ?? '-'}`]);
          expect(report.faultCounts).toEqual({ [type]: 1 });
          expect(report.verdict).toBe('failed');
        }),
        { numRuns: 60 },
      );
    },
  );
});

describe('Inspection', () => {
  it('gives the same report however the file is cut', () => {
    const file = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc
        .string({ unit: fc.constantFrom('"', ',', '\n', '\r', '1', 'a', 'é', '\0'), maxLength: 80 })
        .map((text) => Buffer.from(text)),
    );
    const sizes = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(file, sizes, (bytes, chunks) => {
        const options = { expectation: { schema: TWO }, maxRecordBytes: 40 };
        expect(inspectBytes(bytes, options, chunks)).toEqual(inspectBytes(bytes, options));
      }),
      { numRuns: 1500 },
    );
  });

  it('gives a fault its physical line, byte offset, label and value', () => {
    const report = inspectBytes('id,name\n1,"two\nlines"\nx,é\n', { expectation: { schema: TWO } });
    expect(report.faults).toEqual([
      {
        type: 'type-error',
        record: 3,
        line: 4,
        byte: 22,
        field: 1,
        label: 'id',
        value: 'x',
        message: 'The value is not of type integer.',
      },
    ]);
  });

  it('counts a byte order mark in offsets and not in the first label', () => {
    const report = inspectBytes('\ufeffid,name\nx,a\n', { expectation: { schema: TWO } });
    expect(report).toMatchObject({
      byteOrderMark: true,
      faults: [{ byte: 11, type: 'type-error' }],
    });
  });

  it('calls an empty file unreadable', () => {
    for (const file of ['', '\ufeff']) {
      const report = inspectBytes(file);
      expect(report).toMatchObject({ verdict: 'unreadable', faultCounts: { 'source-error': 1 } });
    }
  });

  it('calls a file of comments alone unreadable', () => {
    const report = inspectBytes('# a\n', { expectation: { dialect: { commentChar: '#' } } });
    expect(report.verdict).toBe('unreadable');
  });

  it('gives UTF-16 one encoding error and judges no further', () => {
    const report = inspectBytes(Buffer.from('\ufeffid,name\n1,a\n', 'utf16le'));
    expect(places(report)).toEqual(['encoding-error -:-']);
    expect(report).toMatchObject({ verdict: 'unreadable', rows: 0, columns: [] });
  });

  it('calls an archive unreadable, though it comes byte by byte', () => {
    const report = inspectBytes(Buffer.from([0x1f, 0x8b, 8, 0, 0, 0]), {}, [1]);
    expect(report).toMatchObject({ verdict: 'unreadable', faultCounts: { 'source-error': 1 } });
  });

  it('calls a file unreadable when most of its records are no UTF-8', () => {
    const file = Buffer.from('id,name\n1,é\n2,ñ\n', 'latin1');
    expect(inspectBytes(file).verdict).toBe('unreadable');
  });

  it('only fails a file with few records that are no UTF-8', () => {
    const file = Buffer.from('id,name\n1,é\n2,n\n3,n\n', 'latin1');
    expect(inspectBytes(file).verdict).toBe('failed');
  });

  it('finds a character that the end of the file cuts off', () => {
    const file = Buffer.concat([Buffer.from('id,name\n1,b\n2,a'), Buffer.from([0xc3])]);
    expect(places(inspectBytes(file))).toEqual(['encoding-error 3:2']);
  });

  it('warns of a header without rows', () => {
    const report = inspectBytes('id,name\n', { expectation: { schema: TWO } });
    expect(report).toMatchObject({ verdict: 'warned', faultCounts: { 'header-only': 1 } });
  });

  it('names a blank header once', () => {
    expect(places(inspectBytes(',\n1,a\n'))).toEqual(['blank-header 1:-']);
  });

  it('names the quote and not the labels when the header is broken', () => {
    const report = inspectBytes('id,na"me\n1,a\n', { expectation: { schema: TWO } });
    expect(places(report)).toEqual(['stray-quote 1:2']);
  });

  it('judges structure alone without a schema', () => {
    const report = inspectBytes('a,b\n1,x\n2\n');
    expect(report.schemaApplied).toBe(false);
    expect(places(report)).toEqual(['missing-cell 3:2']);
  });

  it('lists the first faults and counts all of them', () => {
    const file = `id,name\n${'x,a\n'.repeat(50)}`;
    const report = inspectBytes(file, { expectation: { schema: TWO }, maxFaults: 3 });
    expect(report.faults).toHaveLength(3);
    expect(report).toMatchObject({
      faultCount: 50,
      faultyRows: 50,
      faultCounts: { 'type-error': 50 },
    });
  });

  it('counts each missing and each extra cell', () => {
    const report = inspectBytes('a,b,c\n1\n1,2,3,4,5\n', { maxFaults: 1 });
    expect(report.faultCounts).toEqual({ 'missing-cell': 2, 'extra-cell': 2 });
  });

  it('cuts a long value at 256 characters and shows NUL as a symbol', () => {
    const long = inspectBytes(`id,name\n${'é'.repeat(300)},a\n`, { expectation: { schema: TWO } });
    expect(long.faults[0]?.value).toBe(`${'é'.repeat(256)}…`);
    expect(inspectBytes('a,b\n1,x\0y\n2,3\n').faults[0]?.value).toBe('x\u2400y');
  });

  it('reads a file without a header by position', () => {
    const dialect = { header: false };
    const report = inspectBytes('1,a\nx,b\n', { expectation: { schema: TWO, dialect } });
    expect(places(report)).toEqual(['type-error 2:1']);
    expect(inspectBytes('1,a\n2,b\n', { expectation: { dialect } }).columns[1]?.label).toBe(
      'field2',
    );
  });

  it('passes over records before the header row', () => {
    const expectation = { schema: TWO, dialect: { headerRows: [3] } };
    const report = inspectBytes('Report\n\nid,name\n1,a\n', { expectation });
    expect(report).toMatchObject({ verdict: 'passed', rows: 1 });
  });

  it('takes missing values and the null sequence for null', () => {
    const expectation = {
      schema: { ...TWO, missingValues: ['', 'NA', '-'] },
      dialect: { nullSequence: '\\N' },
    };
    const report = inspectBytes('id,name\nNA,-\n,\\N\n1,\n', { expectation });
    expect(report.columns.map(({ nulls }) => nulls)).toEqual([2, 3]);
    expect(report.verdict).toBe('passed');
  });

  it('takes an empty cell for text when the missing values do not list it', () => {
    const schema: TableSchema = { ...TWO, missingValues: ['NA'] };
    const report = inspectBytes('id,name\n1,\n,a\n', { expectation: { schema } });
    expect(places(report)).toEqual(['type-error 3:1']);
  });

  it('skips a record that is too large and goes on at the next line', () => {
    const file = `id,name\n1,${'x'.repeat(500)}\n2,b\n`;
    const report = inspectBytes(file, { maxRecordBytes: 100 });
    expect(places(report)).toEqual(['record-too-large 2:-']);
    expect(report.rows).toBe(2);
  });

  it('says so when it can not remember all keys', () => {
    const schema: TableSchema = {
      fields: [{ name: 'id', type: 'integer', constraints: { unique: true } }],
    };
    const report = inspectBytes('id\n1\n2\n3\n1\n', { expectation: { schema }, maxKeys: 2 });
    expect(report.faultCounts).toEqual({ 'unique-error': 1, 'key-check-incomplete': 1 });
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
    expect(places(report)).toEqual(['unique-error 5:2']);
  });

  it('checks row counts and completeness of the whole file', () => {
    const thresholds = { minRows: 3, completeness: { name: 0.75, gone: 0.1 } };
    const report = inspectBytes('id,name\n1,a\n2,\n', { expectation: { schema: TWO, thresholds } });
    expect(places(report)).toEqual([
      'table-dimensions -:-',
      'completeness -:2',
      'completeness -:-',
    ]);
    expect(report.verdict).toBe('failed');
  });

  it('fails for a larger share of faulty rows than is tolerated', () => {
    const file = 'id,name\nx,a\n1,b\n2\n3,d\n';
    const judged = (maxFaultyRows: number) =>
      inspectBytes(file, { expectation: { schema: TWO, thresholds: { maxFaultyRows } } });
    expect(judged(0.5)).toMatchObject({ verdict: 'warned', faultyRows: 2 });
    expect(judged(0.49).verdict).toBe('failed');
  });

  it('maps columns by name when their order may differ', () => {
    const schema: TableSchema = { ...TWO, fieldsMatch: 'equal' };
    const report = inspectBytes('name,id\na,1\nb,x\n', { expectation: { schema } });
    expect(places(report)).toEqual(['type-error 3:2']);
  });

  it('profiles every column: nulls, types, smallest and largest', () => {
    const report = inspectBytes('n,d,t\n3,2024-01-02,b\n-1.5,1999-12-31,\n12,2000-01-01,é\n');
    expect(report.columns).toEqual([
      {
        field: 1,
        label: 'n',
        type: 'number',
        declared: false,
        rows: 3,
        nulls: 0,
        types: { integer: 2, number: 1 },
        min: -1.5,
        max: 12,
      },
      {
        field: 2,
        label: 'd',
        type: 'date',
        declared: false,
        rows: 3,
        nulls: 0,
        types: { date: 3 },
        min: '1999-12-31',
        max: '2024-01-02',
      },
      {
        field: 3,
        label: 't',
        type: 'string',
        declared: false,
        rows: 3,
        nulls: 1,
        types: { string: 2 },
        min: 'b',
        max: 'é',
      },
    ]);
  });

  it('hashes and measures the bytes as they came', () => {
    const report = inspectBytes('a\n1\n', {}, [1]);
    expect(report).toMatchObject({
      bytes: 4,
      sha256: '309b0e45a73d3fc5325e2b6ed0a01ef8b9cde6b05a5633c1f893f970d52bfddc',
      lineEnds: { lf: 2, crlf: 0, cr: 0 },
    });
  });

  it('counts line ends by kind', () => {
    expect(inspectBytes('a\r\n1\r2\n3', {}, [1]).lineEnds).toEqual({ lf: 1, crlf: 1, cr: 1 });
  });
});
