import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProblemList } from '../../quality/descriptor-error.ts';
import { compileDialect, type TableDialect } from '../../quality/dialect.ts';
import { CELL_ESCAPED, QUOTES_STRAY, QUOTES_VALID, Scanner } from '../../quality/scanner.ts';
import { cut } from './inspect-bytes.ts';
import { referenceRecords, type ScannedRecord } from './reference-reader.ts';

interface ScanOptions {
  dialect?: TableDialect;
  maxRecordBytes?: number;
  chunks?: readonly number[];
}

/** All records of a text, one byte a character. */
function scan(text: string, options: ScanOptions = {}): ScannedRecord[] {
  const problems = new ProblemList();
  const dialect = compileDialect(options.dialect, 'dialect', problems);
  expect(problems.problems).toStrictEqual([]);
  const records: ScannedRecord[] = [];
  const scanner = new Scanner(
    { record: (current) => records.push(copyOf(current)) },
    dialect,
    options.maxRecordBytes ?? 1024 * 1024,
  );
  for (const chunk of cut(Buffer.from(text, 'latin1'), options.chunks ?? [])) scanner.write(chunk);
  scanner.end();
  return records;
}

function copyOf(scanner: Scanner): ScannedRecord {
  const cells = Array.from({ length: scanner.cellCount }, (_, cell) => {
    const raw = scanner.bytes.subarray(scanner.starts[cell], scanner.ends[cell]);
    const escaped = ((scanner.flags[cell] ?? 0) & CELL_ESCAPED) !== 0;
    return Buffer.from(escaped ? scanner.unescape(cell) : raw).toString('latin1');
  });
  const valid = scanner.quotes === QUOTES_VALID;
  return {
    cells,
    offset: scanner.offset(scanner.recordStart),
    line: scanner.recordLine,
    quotes: valid ? 'valid' : scanner.quotes === QUOTES_STRAY ? 'stray' : 'unclosed',
    quoteCell: valid ? -1 : scanner.quoteCell,
    quoteOffset: valid ? -1 : scanner.offset(scanner.quoteIndex),
    ...(scanner.tooLarge ? { tooLarge: true } : {}),
  };
}

function cellsOf(text: string, options: ScanOptions = {}): string[][] {
  return scan(text, options).map((record) => record.cells);
}

const csvText = fc
  .array(
    fc.constantFrom(
      ...['"', '"', '""', ',', ',"', '",', '="', '=', '\n', '\r\n', '\r', 'a', 'bc', ' ', 'é'],
    ),
    {
      maxLength: 60,
    },
  )
  .map((pieces) => pieces.join(''));
const chunkSizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });

describe('Scanner', () => {
  it.each([
    ['="001",b', ['="001"', 'b'], 'valid'],
    ['a,=""', ['a', '=""'], 'valid'],
    ['="001"\r\n', ['="001"'], 'valid'],
    ['="a,b"', ['="a', 'b"'], 'stray'],
    ['="a"b,c', ['="a"b', 'c'], 'stray'],
    ['="a""b"', ['="a""b"'], 'stray'],
    ['="a', ['="a'], 'stray'],
    ['x="a"', ['x="a"'], 'stray'],
  ])('reads the formula of %j', (text, cells, quotes) => {
    for (const chunks of [[], [1], [2, 3]]) {
      expect(scan(text, { chunks })).toMatchObject([{ cells, quotes }]);
    }
  });

  it('reads any bytes, valid or broken, as the reference reader does, however they are cut', () => {
    fc.assert(
      fc.property(csvText, chunkSizes, (text, chunks) => {
        expect(scan(text, { chunks })).toStrictEqual(referenceRecords(text));
      }),
      { numRuns: 3000 },
    );
  });

  it('gives the same records for any chunk size when records exceed the limit', () => {
    fc.assert(
      fc.property(csvText, chunkSizes, fc.integer({ min: 1, max: 12 }), (text, chunks, max) => {
        expect(scan(text, { chunks, maxRecordBytes: max })).toStrictEqual(
          scan(text, { maxRecordBytes: max }),
        );
      }),
      { numRuns: 2000 },
    );
  });

  it('gives the same records for chunks of 1 byte to 1 MiB of a file of 700 kB', () => {
    const line = 'a,"b ""x""\r\ny",c\n"d","e,f",\r\n';
    const text = line.repeat(Math.ceil(700_000 / line.length));
    const whole = JSON.stringify(scan(text));
    for (const size of [1, 4097, 131_073, 1024 * 1024]) {
      expect(JSON.stringify(scan(text, { chunks: [size] })) === whole).toBe(true);
    }
  });

  it('recovers from an open quote while its record is moved within the buffer', () => {
    // The buffer is first cleared of read records when its fourth block of 128 KiB comes.
    const after = 'y'.repeat(140_000);
    for (let pad = 0; pad < 24; pad++) {
      const before = `${'x'.repeat(393_190)}\n${' '.repeat(pad)}`;
      const text = `${before}1,"open\n2,b\n3,"d"\n4,"e""f\ng"\n${after}`;
      expect(scan(text)).toStrictEqual(referenceRecords(text));
    }
  });

  it('ends records at LF, CRLF and lone CR, and counts a CRLF as one line', () => {
    const records = scan('a\nb\r\nc\rd\r\r\ne');
    expect(records.map(({ cells, line }) => [cells[0], line])).toStrictEqual([
      ['a', 1],
      ['b', 2],
      ['c', 3],
      ['d', 4],
      ['', 5],
      ['e', 6],
    ]);
  });

  it('keeps line ends, delimiters and doubled quotes that stand in quoted cells', () => {
    expect(cellsOf('"a,b","c\r\nd","say ""hi"""\nx,y,z')).toStrictEqual([
      ['a,b', 'c\r\nd', 'say "hi"'],
      ['x', 'y', 'z'],
    ]);
  });

  it('gives an empty last cell after a delimiter at the end of the file', () => {
    expect(cellsOf('a,b,')).toStrictEqual([['a', 'b', '']]);
  });

  it('gives no record for the line end at the end of the file', () => {
    expect(cellsOf('a\r\n')).toStrictEqual([['a']]);
  });

  it('goes on at the next line after a quote that is never closed', () => {
    const records = scan('1,"open\n2,b\n3,c\n');
    expect(records.map(({ quotes }) => quotes)).toStrictEqual(['unclosed', 'valid', 'valid']);
    expect(records[0]).toMatchObject({ quoteCell: 1, quoteOffset: 2, cells: ['1', 'open'] });
    expect(records[1]).toMatchObject({ line: 2, offset: 8, cells: ['2', 'b'] });
  });

  it('takes a quote after a delimiter and before text for the next cell, so the one before is unclosed', () => {
    const [record] = scan('a,"b,"c","d"\n');
    expect(record).toMatchObject({ quotes: 'unclosed', quoteCell: 1, quoteOffset: 2 });
  });

  it('names only the first broken quote of a record', () => {
    const [record] = scan('a"b,c"d\n');
    expect(record).toMatchObject({ quotes: 'stray', quoteCell: 0, quoteOffset: 1 });
  });

  it('does not swallow the lines after an open quote when the limit ends the search', () => {
    const records = scan(`1,"open\n${'2,b\n'.repeat(10)}`, { maxRecordBytes: 20 });
    expect(records).toHaveLength(11);
    expect(records.filter(({ quotes }) => quotes === 'unclosed')).toHaveLength(1);
  });

  it('takes a record of exactly the limit and marks one that is a byte longer', () => {
    const marks = scan('abcd\nabcde\nx', { maxRecordBytes: 4 }).map((record) => record.tooLarge);
    expect(marks).toStrictEqual([undefined, true, undefined]);
  });

  it('lets no open quote after a stray one swallow the lines that follow', () => {
    const records = scan('a"b,"c\n1,2\n3,"4"\n');
    expect(records.map(({ quotes }) => quotes)).toStrictEqual(['stray', 'valid', 'valid']);
  });

  it.each([
    ['a stray quote', '1,O"Neil,"two\nlines",x', 'stray', 1, 3],
    ['a quote within a quoted cell', '1,"a"b,"two\r\nlines",x', 'stray', 1, 4],
    ['a quote that is not closed', '1,"open,"two\nlines",x', 'unclosed', 1, 2],
    ['two broken cells', '1,6"x,"a"b,"two\n, ""lines""",x', 'stray', 1, 3],
  ])('keeps a cell of several lines after %s in its record', (_, row, quotes, cell, offset) => {
    const records = scan(`${row}\n2,b,c,d\n`);
    expect(records).toMatchObject([
      { quotes, quoteCell: cell, quoteOffset: offset },
      { quotes: 'valid', cells: ['2', 'b', 'c', 'd'] },
    ]);
  });

  it('counts cells beyond those it keeps', () => {
    const counts: number[] = [];
    const dialect = compileDialect(undefined, 'dialect', new ProblemList());
    const handler = { record: (current: Scanner) => counts.push(current.cellCount) };
    const scanner = new Scanner(handler, dialect, 100_000);
    scanner.write(Buffer.alloc(70_000, ','));
    scanner.end();
    expect(counts).toStrictEqual([70_001]);
  });

  it('reads another delimiter and quote', () => {
    const dialect = { delimiter: ';', quoteChar: "'" };
    expect(cellsOf("a;'b;''c'\n", { dialect })).toStrictEqual([['a', "b;'c"]]);
  });

  it('takes the character after an escape as it is, in and out of quotes', () => {
    const dialect = { escapeChar: '\\', quoteChar: '"' };
    expect(cellsOf('a\\,b,"c\\"d"\n', { dialect })).toStrictEqual([['a,b', 'c"d']]);
  });

  it.each([[[]], [[1]], [[2]], [[3]]])(
    'takes a line end after an escape as it is, in pieces of %j',
    (chunks) => {
      const dialect = { escapeChar: '\\' };
      const records = scan('a\\\nb,c\nd\\\r\ne,f\r\ng\\\rh,i\nj,k\\\r', { dialect, chunks });
      expect(records.map(({ cells, line }) => [line, ...cells])).toStrictEqual([
        [1, 'a\nb', 'c'],
        [3, 'd\r\ne', 'f'],
        [5, 'g\rh', 'i'],
        [7, 'j', 'k\r'],
      ]);
    },
  );

  it('reads quotes as text when only an escape character is given', () => {
    expect(cellsOf('"a,b\\,c\n', { dialect: { escapeChar: '\\' } })).toStrictEqual([['"a', 'b,c']]);
  });

  it('calls a doubled quote stray when the dialect does not double', () => {
    expect(scan('"a""b"', { dialect: { doubleQuote: false } })[0]?.quotes).toBe('stray');
  });

  it('passes over comment lines and counts them as lines', () => {
    const records = scan('#x "\na\n#\r\nb#', { dialect: { commentChar: '#' } });
    expect(records.map(({ cells, line }) => [cells[0], line])).toStrictEqual([
      ['a', 2],
      ['b#', 4],
    ]);
  });

  it('drops spaces in front of cells when told to, quoted ones included', () => {
    const dialect = { skipInitialSpace: true };
    expect(cellsOf('  a,  "b, c" , d \n', { dialect: {} })[0]?.[0]).toBe('  a');
    expect(cellsOf('  a,  "b, c", d \n', { dialect })).toStrictEqual([['a', 'b, c', 'd ']]);
  });

  it('finds the physical line of a cell after a cell with line ends', () => {
    const lines: number[] = [];
    const dialect = compileDialect(undefined, 'dialect', new ProblemList());
    const handler = { record: (s: Scanner) => lines.push(s.lineAt(s.starts[1] ?? 0)) };
    const scanner = new Scanner(handler, dialect, 100);
    scanner.write(Buffer.from('"a\r\nb\rc\nd",e'));
    scanner.end();
    expect(lines).toStrictEqual([4]);
  });
});
