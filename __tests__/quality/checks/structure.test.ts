import { describe, expect, it } from 'vitest';
import { inspectBytes, places } from '../inspect-bytes.ts';

describe('a record with a broken structure', () => {
  it('counts each missing and each extra cell', () => {
    const report = inspectBytes('a,b,c\n1\n1,2,3,4,5\n', { maxFaults: 1 });
    expect(report.faultCounts).toStrictEqual({ 'missing-cell': 2, 'extra-cell': 2 });
  });

  it('skips a record that is too large and goes on at the next line', () => {
    const file = `id,name\n1,${'x'.repeat(500)}\n2,b\n`;
    const report = inspectBytes(file, { maxRecordBytes: 100 });
    expect(places(report)).toStrictEqual(['record-too-large 2:-']);
    expect(report.rows).toBe(2);
  });

  it.each([
    ['1,2\n\n', 'blank-row', null, 'The row is blank.'],
    [',\n', 'blank-row', null, 'The row is blank.'],
    [
      '1,a"b\n',
      'stray-quote',
      2,
      'A quote stands inside an unquoted cell, or text follows a closing quote.',
    ],
    ['1,"b\n', 'unclosed-quote', 2, 'The quote is not closed; reading went on at the next line.'],
    ['1\n', 'missing-cell', 2, 'The row has 1 cells; the header has 2 labels.'],
    ['1,2,3\n', 'extra-cell', 3, 'The row has 3 cells; the header has 2 labels.'],
  ])('%j: %s', (rows, type, field, message) => {
    const { faults } = inspectBytes(`a,b\n${rows}`);
    expect(faults.map((fault) => [fault.type, fault.field, fault.message])).toStrictEqual([
      [type, field, message],
    ]);
  });
});
