import { describe, expect, it } from 'vitest';
import type { FaultType } from '../../../quality/faults.ts';
import type { TableSchema } from '../../../quality/table-schema.ts';
import type { Thresholds } from '../../../quality/thresholds.ts';
import { inspectBytes, places } from '../inspect-bytes.ts';

describe('a record with a broken structure', () => {
  it('counts one fault for a row, however many cells are missing or extra', () => {
    const report = inspectBytes('a,b,c\n1\n1,2,3,4,5\n');
    expect(places(report)).toStrictEqual(['missing-cell 2:2', 'extra-cell 3:4']);
    expect(report.faultCounts).toStrictEqual({ 'missing-cell': 1, 'extra-cell': 1 });
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
    [
      '1,"b\n',
      'unclosed-quote',
      2,
      'The quote is not closed; reading went on at the next cell or line.',
    ],
    ['1\n', 'missing-cell', 2, 'The row has 1 cell; the header has 2 labels.'],
    ['1,2,3\n', 'extra-cell', 3, 'The row has 3 cells; the header has 2 labels.'],
  ])('%j: %s', (rows, type, field, message) => {
    const { faults } = inspectBytes(`a,b\n${rows}`);
    expect(faults.map((fault) => [fault.type, fault.field, fault.message])).toStrictEqual([
      [type, field, message],
    ]);
  });
});

describe('a broken row in a file that may pass in spite of it', () => {
  const schema: TableSchema = {
    fields: [
      { name: 'id', type: 'integer', constraints: { required: true, unique: true } },
      { name: 'name', type: 'string' },
      { name: 'day', type: 'date', constraints: { required: true } },
    ],
  };
  const judged = (rows: string | Buffer, thresholds: Thresholds, maxRecordBytes = 1000) =>
    inspectBytes(Buffer.concat([Buffer.from('id,name,day\n'), Buffer.from(rows)]), {
      expectation: { schema, thresholds },
      maxRecordBytes,
    });

  it.each<[FaultType, string | Buffer]>([
    ['extra-cell', 'x,a,2024-01-02,more\n'],
    ['missing-cell', 'x,a\n'],
    ['stray-quote', 'x,a"b,2024-01-02\n'],
    ['stray-quote', 'x,"a"b,c,2024-01-02\n'],
    ['unclosed-quote', 'x,"a\n'],
    ['encoding-error', Buffer.from('x,\xe9,2024-01-02\n', 'latin1')],
    ['encoding-error', 'x,a\0b,2024-01-02\n'],
    ['record-too-large', `x,${'a'.repeat(90)},2024-01-02\n`],
  ])('has its cells checked: %s %j', (kind, row) => {
    const good = '1,a,2024-01-02\n2,b,2024-01-02\n';
    const rows = Buffer.concat([Buffer.from(good), Buffer.from(row)]);
    const report = judged(rows, { warnOn: [kind], maxIncompleteRows: 1 }, 80);
    expect(places(report)).toContain('type-error 4:1');
    expect(report.verdict).toBe('failed');
  });

  it.each<[FaultType, string | Buffer]>([
    ['extra-cell', '7,a,2024-01-02,more\n'],
    ['stray-quote', '7,a"b,2024-01-02\n'],
    ['encoding-error', Buffer.from('7,\xe9,2024-01-02\n', 'latin1')],
  ])('only warns when all of its cells can be placed and are sound: %s', (kind, row) => {
    const report = judged(Buffer.concat([Buffer.from('1,,2024-01-02\n'), Buffer.from(row)]), {
      warnOn: [kind],
    });
    expect(report).toMatchObject({ verdict: 'warned', incompleteRows: 0, faultCount: 1 });
    expect(report.columns[0]).toMatchObject({ rows: 2, min: 1, max: 7 });
  });

  it.each<[FaultType, string]>([
    ['stray-quote', '7,a"b,c,2024-01-02\n'],
    ['stray-quote', '7,a"b\n'],
    ['unclosed-quote', '7,"a,2024-01-02\n'],
    ['record-too-large', `7,${'a'.repeat(90)},2024-01-02\n`],
    ['blank-row', '\n'],
    ['blank-row', ',,\n'],
  ])('is incomplete when cells cannot be placed: %s %j', (kind, row) => {
    const rows = `1,a,2024-01-02\n${row}`;
    const refused = judged(rows, { warnOn: [kind] }, 80);
    expect(refused).toMatchObject({
      verdict: 'failed',
      incompleteRows: 1,
      faultCounts: { [kind]: 1 },
      reasons: ['1 of 2 rows could not be checked; maxIncompleteRows is 0.'],
    });
    const allowed = judged(rows, { warnOn: [kind], maxIncompleteRows: 0.5 }, 80);
    expect(allowed).toMatchObject({ verdict: 'warned', incompleteRows: 1 });
  });

  it('has what is absent checked as null where missing cells only warn', () => {
    const thresholds: Thresholds = { warnOn: ['missing-cell'] };
    const report = judged('1,a\n', thresholds);
    expect(places(report)).toStrictEqual(['missing-cell 2:3', 'constraint-error 2:3']);
    expect(judged('1\n', { ...thresholds, completeness: { name: 1 } }).faultCounts).toMatchObject({
      completeness: 1,
    });
    const names = { fields: [{ name: 'id' }, { name: 'name' }], primaryKey: ['id', 'name'] };
    const keyed = inspectBytes('id,name\n1\n', { expectation: { schema: names, thresholds } });
    expect(places(keyed)).toStrictEqual(['missing-cell 2:2', 'primary-key 2:2']);
  });

  it('has an absent cell named once where missing cells count', () => {
    const report = judged('1,a\n', { maxFaults: 1 });
    expect(report).toMatchObject({ verdict: 'warned', faultCounts: { 'missing-cell': 1 } });
    expect(report.columns[2]).toMatchObject({ rows: 1, nulls: 1 });
  });

  it('is remembered as a key, and judged as one', () => {
    const report = judged('1,a,2024-01-02,x\n1,a,2024-01-02\n1,a"b,2024-01-02\n', {
      warnOn: ['extra-cell', 'stray-quote'],
    });
    expect(report.faultCounts).toMatchObject({ 'unique-error': 2 });
    expect(report.verdict).toBe('failed');
  });

  it('has its other structural faults named too', () => {
    const file = Buffer.from('1,\xe9,2024-01-02,more\n2,a,2024-01-02\n', 'latin1');
    const report = judged(file, { warnOn: ['encoding-error'] });
    expect(places(report)).toStrictEqual(['encoding-error 2:2', 'extra-cell 2:4']);
  });

  it('has its cells counted against a tolerance of faults', () => {
    const rows = 'x,a,2024-13-01,more\n1,a,2024-01-02\n';
    expect(judged(rows, { maxFaults: 2 })).toMatchObject({ verdict: 'failed', faultCount: 3 });
    expect(judged(rows, { maxFaults: 3 }).verdict).toBe('warned');
    expect(judged(rows, {})).toMatchObject({ verdict: 'failed', faultCount: 1 });
  });

  it('counts as faulty, and not as incomplete, where its fault counts', () => {
    const rows = '7,a"b,c,2024-01-02\n1,a,2024-01-02\n';
    const report = judged(rows, { maxFaultyRows: 0.5 });
    expect(report).toMatchObject({ verdict: 'warned', faultyRows: 1, incompleteRows: 0 });
  });

  it('leaves the labels judged where the header is what is broken', () => {
    const report = inspectBytes('id,na"me,day\n', {
      expectation: { schema, thresholds: { warnOn: ['stray-quote'] } },
    });
    expect(report.verdict).toBe('failed');
    expect(places(report)).toContain('incorrect-label 1:2');
  });

  it('never passes a file whose other rows are junk of a kind that only warns', () => {
    const kinds: Record<string, string | Buffer> = {
      'extra-cell': 'junk,junk,junk,junk\n',
      'missing-cell': 'junk\n',
      'stray-quote': 'ju"nk,junk\n',
      'unclosed-quote': '"junk,junk,junk\n',
      'encoding-error': Buffer.from('j\xfcnk,junk,junk\n', 'latin1'),
      'blank-row': '\n',
      'record-too-large': `${'junk'.repeat(30)}\n`,
    };
    const verdicts = Object.entries(kinds).map(([kind, row]) => {
      const good = Array.from({ length: 101 }, (_, i) => Buffer.from(`${i},a,2024-01-02\n`));
      const rows = [...good, ...Array.from({ length: 100 }, () => Buffer.from(row))];
      return judged(Buffer.concat(rows), { warnOn: [kind as FaultType] }, 80).verdict;
    });
    expect(verdicts).toStrictEqual(Object.keys(kinds).map(() => 'failed'));
  });
});
