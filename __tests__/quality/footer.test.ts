import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TableDialect } from '../../quality/dialect.ts';
import type { TableSchema } from '../../quality/table-schema.ts';
import { inspectBytes, places } from './inspect-bytes.ts';
import { PLANTINGS, SCHEMA, table } from './planted-fault.ts';

const TWO: TableSchema = { fields: [{ name: 'id', type: 'integer' }, { name: 'name' }] };

function inspect(file: string | Uint8Array, dialect: TableDialect, sizes?: number[]) {
  return inspectBytes(file, { expectation: { schema: TWO, dialect } }, sizes);
}

describe('records that a dialect declares away', () => {
  it('are in no count but that of the preamble, before the header', () => {
    const file = 'Visits of 2024\n"a "quote",,,\nid,name\n1,a\n';
    const report = inspect(file, { headerRows: [3] });
    const skipped = { preamble: 2, comments: 0, footer: 0 };
    expect(report).toMatchObject({ verdict: 'passed', rows: 1, faultCount: 0, skipped });
  });

  it('are in no count but that of the comments, by their numbers or their first character', () => {
    const file = '#a,b,c\nid,name\nnumber,text\n1,a\n#b\n\n2,b\n';
    const report = inspect(file, { commentChar: '#', commentRows: [2, 4] });
    const skipped = { preamble: 0, comments: 4, footer: 0 };
    expect(report).toMatchObject({ verdict: 'passed', rows: 2, skipped });
  });

  it('keep their place in the numbers of the others', () => {
    const file = 'title\nid,name\nnumber,text\n1,a\nx,b\nTotal\n';
    const dialect = { headerRows: [2], commentRows: [3], footerRows: 1 };
    expect(inspect(file, dialect).faults).toMatchObject([
      { type: 'type-error', record: 5, line: 5, byte: 30 },
    ]);
  });

  it('are not judged without a header either', () => {
    const file = 'number,text\n1,a\n2,b\nTotal: 2\n';
    const report = inspect(file, { header: false, commentRows: [1], footerRows: 1 });
    expect(report).toMatchObject({ verdict: 'passed', rows: 2 });
  });
});

describe('a header of several rows', () => {
  it('has labels of all their parts that are not blank', () => {
    const file = 'officer,,pay\nid,name,\n,, \n1,a,2\n';
    const report = inspectBytes(file, { expectation: { dialect: { headerRows: [1, 2, 3] } } });
    expect(report.columns.map(({ label }) => label)).toStrictEqual(['officer id', 'name', 'pay']);
    expect(report).toMatchObject({ rows: 1, skipped: { preamble: 0 } });
  });

  it('passes over the records between them, and joins as declared', () => {
    const dialect = { headerRows: [1, 3], headerJoin: '.' };
    const report = inspectBytes('a,b\n---\nc\n1,2\n', { expectation: { dialect } });
    expect(report.columns.map(({ label }) => label)).toStrictEqual(['a.c', 'b']);
    expect(report.skipped.preamble).toBe(1);
  });

  it('is at fault where one of its rows has a broken quote', () => {
    const dialect = { headerRows: [1, 2] };
    const report = inspectBytes('a"a,b\nc,d\n1,2\n', { expectation: { dialect } });
    expect(places(report)).toStrictEqual(['stray-quote 1:1']);
    expect(report.verdict).toBe('failed');
  });

  it('has too many labels where its widest row has', () => {
    const dialect = { headerRows: [1, 2] };
    const report = inspectBytes(`a,b\n${'x,'.repeat(65_536)}y\n`, { expectation: { dialect } });
    expect(report.verdict).toBe('unreadable');
  });
});

describe('a footer', () => {
  const footer = fc.array(fc.constantFrom('Total,3', 'End of file', '"a\nb",c', '"x""y"', ''), {
    minLength: 1,
    maxLength: 4,
  });
  const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 3 });

  it('changes nothing in the report but its own count, whatever stands before it', () => {
    const plantings = fc.constantFrom(...Object.values(PLANTINGS));
    fc.assert(
      fc.property(table, fc.nat(), plantings, footer, sizes, (valid, at, plant, rows, cuts) => {
        const { file } = plant(valid, at);
        const options = { expectation: { schema: SCHEMA } };
        const dialect = { footerRows: rows.length };
        const whole = Buffer.concat([file, Buffer.from(`${rows.join('\r\n')}\r\n`)]);
        const {
          bytes: _,
          sha256: __,
          ...report
        } = inspectBytes(whole, { expectation: { schema: SCHEMA, dialect } }, cuts);
        const { bytes: ___, sha256: ____, ...without } = inspectBytes(file, options);
        expect(report).toStrictEqual({
          ...without,
          skipped: { preamble: 0, comments: 0, footer: rows.length },
        });
      }),
      { numRuns: 400 },
    );
  });

  it('never takes the header', () => {
    const report = inspect('id,name\n1,a\n', { footerRows: 5 });
    expect(report).toMatchObject({ rows: 0, skipped: { footer: 1 } });
    expect(places(report)).toStrictEqual(['header-only -:-']);
  });

  it('is judged where it is longer than a record may be', () => {
    const file = `id,name\n1,a\n${'2,bbbbbbbb\n'.repeat(20)}`;
    const expectation = { schema: TWO, dialect: { footerRows: 20 } };
    for (const cuts of [[], [1], [50]]) {
      const report = inspectBytes(file, { expectation, maxRecordBytes: 110 }, cuts);
      expect(report).toMatchObject({ rows: 11, skipped: { footer: 10 } });
    }
  });

  it('of text without an end is given up', () => {
    const expectation = { schema: TWO, dialect: { footerRows: 1 } };
    const file = `id,name\n1,${'a'.repeat(5_000)}\nend\n`;
    const report = inspectBytes(file, { expectation, maxRecordBytes: 100 }, [64]);
    expect(places(report)).toStrictEqual(['record-too-large 2:-']);
    expect(report.skipped.footer).toBe(1);
  });

  it('is passed over in other encodings, with the places of the delivered file', () => {
    const text = 'id,name\n1,é\nx,b\nTotal é\n';
    const dialect = { encoding: 'utf-16le', footerRows: 1 };
    const report = inspect(Buffer.from(text, 'utf16le'), dialect, [7]);
    expect(report.faults).toMatchObject([{ record: 3, byte: 24 }]);
    expect(report.skipped.footer).toBe(1);
  });
});
