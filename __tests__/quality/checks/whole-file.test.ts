import { describe, expect, it } from 'vitest';
import type { Expectation } from '../../../quality/expectation.ts';
import type { TableSchema } from '../../../quality/table-schema.ts';
import { inspectBytes, places } from '../inspect-bytes.ts';

const TWO: TableSchema = {
  fields: [
    { name: 'id', type: 'integer' },
    { name: 'name', type: 'string' },
  ],
};

describe('the whole file', () => {
  it('warns of a header without rows', () => {
    const report = inspectBytes('id,name\n', { expectation: { schema: TWO } });
    expect(report).toMatchObject({ verdict: 'warned', faultCounts: { 'header-only': 1 } });
  });

  it('checks row counts and completeness of the whole file', () => {
    const thresholds = { minRows: 3, completeness: { name: 0.75, gone: 0.1 } };
    const report = inspectBytes('id,name\n1,a\n2,\n', { expectation: { schema: TWO, thresholds } });
    expect(places(report)).toStrictEqual([
      'table-dimensions -:-',
      'completeness -:2',
      'completeness -:-',
    ]);
    expect(report.verdict).toBe('failed');
  });

  it('allows exactly the rows and the share that are needed', () => {
    const thresholds = { minRows: 2, maxRows: 2, completeness: { name: 0.5 } };
    const report = inspectBytes('id,name\n1,a\n2,\n', { expectation: { schema: TWO, thresholds } });
    expect(report.verdict).toBe('passed');
  });
});

describe('line ends', () => {
  it.each([
    ['a\nb\r\nc\nd\n', 1, 2, 2],
    ['a\r\nb\r\nc\n', 1, 3, 3],
    ['a\nb\nc\r', 1, 3, 3],
    ['a\r\n"b\n"\r\nc\nd\n\n', 2, 3, 4],
  ])(
    'of more than one kind in %j are a warning with the first place',
    (file, count, record, line) => {
      for (const size of [1, 1000]) {
        const report = inspectBytes(
          file,
          { expectation: { thresholds: { warnOn: ['blank-row'] } } },
          [size],
        );
        expect(report.faultCounts['mixed-line-ends']).toBe(count);
        expect(report.faults.find(({ type }) => type === 'mixed-line-ends')).toMatchObject({
          record,
          line,
        });
      }
    },
  );

  it('fail the file by failOn', () => {
    const expectation: Expectation = { thresholds: { failOn: ['mixed-line-ends'] } };
    expect(inspectBytes('a\nb\r\n', { expectation }).verdict).toBe('failed');
  });

  it('within quoted cells are not counted', () => {
    expect(inspectBytes('a\r\n"b\nc"\r\n').verdict).toBe('passed');
  });
});
