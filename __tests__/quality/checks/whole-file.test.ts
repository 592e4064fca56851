import { describe, expect, it } from 'vitest';
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
