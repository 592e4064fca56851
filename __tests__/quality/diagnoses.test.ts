import { describe, expect, it } from 'vitest';
import { MAX_CELLS } from '../../quality/scanner.ts';
import type { TableField, TableSchema } from '../../quality/table-schema.ts';
import { inspectBytes } from './inspect-bytes.ts';

const SCHEMA: TableSchema = {
  fields: [
    { name: 'id', type: 'integer', constraints: { required: true } },
    { name: 'day', type: 'date' },
    { name: 'sum', type: 'number' },
    { name: 'text', type: 'string' },
  ],
};
const HEADER = 'id,day,sum,text\n';
const ROW = '1,2024-03-02,1.5,routine\n';
const GOOD = HEADER + ROW.repeat(3);

/** Each diagnosis of a file, with how many faults it explains. */
function diagnosed(file: string | Uint8Array, schema: TableSchema | undefined = SCHEMA) {
  const { diagnoses } = inspectBytes(file, schema === undefined ? {} : { expectation: { schema } });
  return diagnoses.map(({ kind, faults }) => `${kind} ${faults}`);
}

describe('diagnose', () => {
  it.each([
    ['a,b,\n1,2,\n', undefined, 'The last column is empty.'],
    ['a,b,,\n1,2,,\n', undefined, 'The last 2 columns are empty.'],
    ['\ufeff\ufeffa,b\n1,2\n', undefined, 'The file begins with two byte order marks.'],
    [
      'cafe\u0301\n1\n',
      { fields: [{ name: 'caf\u00e9' }] },
      "Labels differ from the schema's fields in how characters are composed only.",
    ],
  ])('says of %j what it is', (file, schema, sentence) => {
    const options = schema === undefined ? {} : { expectation: { schema } };
    expect(inspectBytes(file, options).diagnoses).toMatchObject([{ sentence }]);
  });

  it.each<[string, string | Uint8Array, string[]]>([
    ['semicolons', GOOD.replaceAll(',', ';'), ['delimiter 1']],
    ['a line of the delimiter', `sep=,\n${GOOD}`, ['sep-line 1']],
    ['a page in place of a table', '<!DOCTYPE html><p>Sign in</p>', ['unsupported-format 1']],
    ['an empty file', '', ['source-error 1']],
    ['a header in line 3', `Report\n\n${GOOD}`, ['header-row 1']],
    ['joined files', `${GOOD}\ufeff${ROW}`, ['joined-files 2']],
    ['a repeated header', GOOD + GOOD, ['repeated-header 1']],
    ['labels in upper case', GOOD.replace(HEADER, HEADER.toUpperCase()), ['label-spelling 1']],
    ['an invisible character', `\u200b${GOOD}`, ['label-spelling 1']],
    ['columns in another order', 'day,id,sum,text\n2024-03-02,1,1.5,a\n', ['label-order 1']],
    ['no header', `${ROW}9,,,\n`, ['no-header 4']],
    ['labels that are not values, which need none', GOOD.replace(HEADER, 'a,b,c,d\n'), []],
    ['a delimiter behind each row', `${HEADER}1,,,,\n2,,,,\n`, ['trailing-delimiter 2']],
    ['one cell too many, which needs none', `${HEADER}1,,,,\n`, []],
    ['empty columns and rows', `id,day,sum,text,,\n1,,,,,\n,,,,,\n,,,,,\n`, ['trailing-columns 4']],
    ['CR CR LF', GOOD.replaceAll('\n', '\r\r\n'), ['line-ends 8']],
    ['LF CR', GOOD.replaceAll('\n', '\n\r'), ['line-ends 8']],
    ['two line ends after each row', GOOD.replaceAll('\n', '\n\n'), ['line-ends 4']],
    ['one blank row, which needs none', `${GOOD}\n${ROW}`, []],
    ['blank rows at the end of a short table', `${GOOD}${',,,\n'.repeat(3)}`, ['trailing-rows 3']],
    ['blank lines at its end', `${GOOD}\n\n`, ['trailing-rows 2']],
    [
      'more blank rows at its end than are listed',
      GOOD + ',,,\n'.repeat(500),
      ['trailing-rows 500'],
    ],
    [
      'empty columns and as many empty rows',
      GOOD.replaceAll('\n', ',\n') + ',,,,\n'.repeat(4),
      ['trailing-columns 5'],
    ],
    ['blank rows inside and at the end, which need none', `${GOOD}\n${ROW}\n\n`, []],
    ['a blank row at the end, which needs none', `${GOOD}\n`, []],
    ['formulas in place of values', `${HEADER}="1",,,\n="2",,,\n`, ['formula-quotes 2']],
    ['formulas in texts', `${HEADER}1,,,="01"\n2,,,="02"\n`, ['formula-quotes 2']],
    ['a delimiter in a formula', `${HEADER}1,,,="a,b"\n`, ['formula-quotes 1']],
    ['backslashes', `${HEADER}1,,,"say \\"a, b\\""\n`, ['backslash-escapes 1']],
    ['blanks before quotes', `${HEADER}1,,, "a, b"\n`, ['blank-before-quote 1']],
    ['typographic quotes', `${HEADER}1,,,\u201ca, b\u201d\n`, ['smart-quotes 1']],
    ['guillemets', `${HEADER}1,,,\u00aba, b\u00bb\n`, ['smart-quotes 1']],
    ['single typographic quotes', `${HEADER}1,,,\u2018a, b\u2019\n`, ['smart-quotes 1']],
    [
      'typographic quotes around two commas, before the last cell',
      `${HEADER}1,\u201ca, b, c\u201d,x,d\n`,
      ['smart-quotes 1'],
    ],
    ['an apostrophe in a cell too many, which needs none', `${HEADER}1,,a,b,it\u2019s\n`, []],
    ['an end-of-file mark', `${GOOD}\x1a`, ['end-of-file-mark 2']],
    ['an end-of-file mark with a line end', `${GOOD}\x1a\n`, ['end-of-file-mark 2']],
    ['an end-of-file mark in the last cell', `${GOOD.trimEnd()}\x1a`, ['end-of-file-mark 1']],
    ['a last row cut off', `${GOOD}1,2024`, ['truncated 1']],
    ['a last cell cut off in quotes', `${GOOD}1,,,"the offi`, ['truncated 1']],
    [
      'a last character cut off',
      Buffer.concat([Buffer.from(`${GOOD}1,,,cost `), Buffer.of(0xe2, 0x82)]),
      ['truncated 1'],
    ],
    [
      'a last character cut off after its first byte',
      Buffer.concat([Buffer.from(`${GOOD}1,,,für caf`), Buffer.of(0xc3)]),
      ['truncated 1'],
    ],
    [
      'a last letter of Windows-1252',
      Buffer.concat([Buffer.from(`${GOOD}1,,,caf`), Buffer.of(0xe9)]),
      ['windows-1252 1'],
    ],
    ['a total', `${GOOD}Total,,4.5,\n`, ['total-row 1']],
    ['a total with a blank row behind it', `${GOOD}Total,,4.5,\n,,,\n\n`, ['total-row 3']],
    ['groups of three digits', `${HEADER}1,,"1,500",\n2,,"12,345,678.5",\n`, ['digit-groups 2']],
    ['commas before decimals and groups', `${HEADER}1,,"1,500",\n2,,"0,5",\n`, ['decimal-comma 2']],
    ['groups in integers', `${HEADER}1 500,,,\n`, ['digit-groups 1']],
    ['a total in another language', `${GOOD}Summe:,,4.5,\n`, ['total-row 1']],
    ['a total in another script', `${GOOD}\u0418\u0442\u043e\u0433\u043e,,4.5,\n`, ['total-row 1']],
    [
      'a text that begins with such a word, which needs none',
      `${HEADER}1,,,\nx,,,Summe aller\n`,
      [],
    ],
    [
      'a line of dashes under the header',
      GOOD.replace(HEADER, `${HEADER}--,---,---,----\n`),
      ['second-header 1'],
    ],
    ['two delimiters at a time', GOOD.replaceAll(',', '||'), ['delimiter 1']],
    ['a second header', GOOD.replace(HEADER, `${HEADER}#,date,USD,text\n`), ['second-header 1']],
    [
      'a second header of types',
      GOOD.replace(HEADER, `${HEADER}NUMBER(10),DATE,decimal(8.2),VARCHAR(50)\n`),
      ['second-header 1'],
    ],
    [
      'ids of another kind in the first row, which need none',
      `${HEADER}ABC1,JAN5,1.5,a\n${ROW}${ROW}`,
      [],
    ],
    ['ids of a spreadsheet', `${HEADER}2.01E+16,,,\n2.02E+16,,,\n`, ['scientific-notation 2']],
    ['errors of a spreadsheet', `${HEADER}1,########,#DIV/0!,#N/A\n`, ['spreadsheet-errors 3']],
    ['errors of newer spreadsheets', `${HEADER}1,#SPILL!,#BUSY!,a\n`, ['spreadsheet-errors 2']],
    [
      'errors of spreadsheets in other languages',
      `${HEADER}1,#WERT!,#\u00a1DIV/0!,#\u0417\u041d\u0410\u0427!\n`,
      ['spreadsheet-errors 3'],
    ],
    ['decimal commas', `${HEADER}1,,"1,5",\n2,,"1.234,5",\n`, ['decimal-comma 2']],
    ['the row count of sqlcmd', `${GOOD}\n(3 rows affected)\n`, ['row-count 2']],
    ['the row count of psql, without a line end', `${GOOD}(1 row)`, ['row-count 1']],
    ['the row count of SQL*Plus', `${GOOD}3 rows selected.\n`, ['row-count 1']],
    ['a row count with a blank line behind it', `${GOOD}\n(3 rows affected)\n\n`, ['row-count 3']],
    [
      'the row count and the time of Management Studio',
      `${GOOD}\n(3 rows affected)\n\nCompletion time: 2024-11-05T12:34:56.1234567-05:00\n`,
      ['row-count 4'],
    ],
    [
      'its time alone, cut off',
      `${GOOD}\nCompletion time: 2024-11-05T12:34:56.1234567-05:00`,
      ['row-count 2'],
    ],
    ['the row count and the time of psql', `${GOOD}(3 rows)\n\nTime: 1.204 ms\n`, ['row-count 3']],
    ['the row count of Db2', `${GOOD}\n  3 record(s) selected.\n\n`, ['row-count 3']],
    ['a row count that a spreadsheet has saved', `${GOOD}(3 rows affected),,,\n`, ['row-count 1']],
    ['a time that stands alone, which needs none', `${GOOD}Time: 1.204 ms\n`, []],
    ['another last line, which needs none', `${GOOD}(3 rows missing)\n`, []],
    [
      'a row count of one cell as a row of one column',
      'a\nb\n\n(1 row affected)\n',
      ['row-count 1'],
    ],
    ['a row count inside the file, which needs none', `${GOOD}(3 rows)\n${ROW}`, []],
    ['dates of another order', `${HEADER}1,03/22/2024,,\n`, ['date-order 1']],
    ['swapped days and months', `${HEADER}1,2024-22-03,,\n`, ['date-order 1']],
    ['a month and a day that no order has, which need none', `${HEADER}1,2024-13-99,,\n`, []],
    ['an unescaped quote, which needs none', `${HEADER}1,,,"say "a", b"\n`, []],
    ['one bad value, which needs none', `${HEADER}x,,,\n`, []],
    ['a file that passes', GOOD, []],
  ])('names %s', (_, file, expected) => {
    expect(diagnosed(file)).toStrictEqual(expected);
  });

  it('knows that a file has no header by a schema of texts, too', () => {
    const fields = ['id', 'day', 'sum', 'text'].map((name) => ({ name }));
    expect(diagnosed(`${ROW}9,,,\n`, { fields })).toStrictEqual(['no-header 4']);
    expect(diagnosed(`a,b,c,d\n${ROW}`, { fields })).toStrictEqual([]);
    expect(diagnosed(`district,2023,2024,2025\n${ROW}`, { fields })).toStrictEqual([]);
  });

  it('knows a row count after more faults than are listed of a kind', () => {
    const file = `${HEADER}${'1\n'.repeat(30)}(3 rows)\n\n`;
    expect(diagnosed(file)).toContain('row-count 1');
  });

  it.each([1, 7, 300])('knows a row count in pieces of %i bytes', (size) => {
    const file = `${HEADER}${ROW.repeat(20)}\n(3 rows affected)\n\nCompletion time: 2024-11-05T12:34:56Z\n`;
    const [{ evidence } = {}] = inspectBytes(file, { expectation: { schema: SCHEMA } }, [
      size,
    ]).diagnoses;
    expect(evidence).toBe('"(3 rows affected)" in record 23');
  });

  it('says of a table with more labels than are read that it may be turned on its side', () => {
    const labels = Array.from({ length: MAX_CELLS + 1 }, (_, index) => `c${index}`);
    const remedies = [labels, labels.slice(1)].map((header) => {
      const { diagnoses } = inspectBytes(`${header.join(',')}\n`);
      return diagnoses.map(({ kind, remedy }) => `${kind}: ${remedy}`);
    });
    expect(remedies).toStrictEqual([
      ['source-error: Look whether the table is turned on its side: each record is a row.'],
      [],
    ]);
  });

  it('warns of labels with invisible characters that no schema knows', () => {
    const { verdict, faults, diagnoses } = inspectBytes(`\u200b${GOOD}`);
    expect(verdict).toBe('warned');
    expect(faults).toMatchObject([{ type: 'incorrect-label', field: 1 }]);
    expect(diagnoses).toMatchObject([
      { kind: 'label-spelling', sentence: 'Labels have invisible characters.' },
    ]);
    expect(diagnoses[0]?.evidence).toContain('U+200B');
  });

  it.each([
    [
      undefined,
      'warned',
      'Label "\u00ef\u00bb\u00bfid" begins with a byte order mark that was read as Windows-1252.',
    ],
    [SCHEMA, 'failed', 'in a byte order mark that was read as Windows-1252 only: '],
  ] as const)(
    'knows a byte order mark that was read as another encoding, by %j',
    (schema, verdict, message) => {
      const report = inspectBytes(
        `\u00ef\u00bb\u00bf${GOOD}`,
        schema === undefined ? {} : { expectation: { schema } },
      );
      expect([report.verdict, report.faultCount]).toStrictEqual([verdict, 1]);
      expect(report.faults[0]?.message).toContain(message);
    },
  );

  it('warns of a label with blanks around it that no schema knows', () => {
    const { verdict, faults } = inspectBytes(' id,name \n1,a\n');
    expect(verdict).toBe('warned');
    expect(faults.map(({ message }) => message)).toStrictEqual([
      'Label " id" begins or ends with blanks.',
      'Label "name " begins or ends with blanks.',
    ]);
  });

  it.each([
    ['a joiner within a word', '\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645,b\n1,2\n'],
    ['a label of two lines', '"a\nb",c\n1,2\n'],
  ])('takes %s for a label like others', (_, file) => {
    expect(inspectBytes(file).verdict).toBe('passed');
  });

  it.each<[string, TableSchema | undefined]>([
    ['without a schema', undefined],
    ['with a schema of texts', { fields: ['id', 'sum', 'text'].map((name) => ({ name })) }],
  ])('names decimal commas beside the semicolons between cells, %s', (_, schema) => {
    const file = 'id;sum;text\n1;10,50;a\n2;20,50;b\n';
    const { diagnoses } = inspectBytes(
      file,
      schema === undefined ? {} : { expectation: { schema } },
    );
    expect(diagnoses.map(({ kind }) => kind)).toStrictEqual(['delimiter', 'decimal-comma']);
  });

  it('names what Windows-1252 would be', () => {
    const file = Buffer.from(`${GOOD}1,,,\xa3 5\n`, 'latin1');
    const [diagnosis] = inspectBytes(file).diagnoses;
    expect(diagnosis).toMatchObject({ kind: 'windows-1252', faults: 1 });
    expect(diagnosis?.evidence).toContain('0xA3');
  });

  it.each([
    ['03/22', 'Dates are month/day, without a year.'],
    ['22/03/2024', 'Dates are day/month.'],
    ['03/02/2024', 'Dates are probably month/day.'],
  ])('says of %s what is sure', (day, sentence) => {
    const { diagnoses } = inspectBytes(`${HEADER}1,${day},,\n`, {
      expectation: { schema: SCHEMA },
    });
    expect(diagnoses.map((diagnosis) => diagnosis.sentence)).toStrictEqual([sentence]);
  });

  it.each([
    ['03/22/2024 14:05', 'Dates are month/day.'],
    ['22.03.2024 14:05:00', 'Dates are day/month.'],
    ['3/2/24 2:05 PM', 'Dates are probably month/day.'],
    ['2024-22-03T14:05:00', 'Day and month are swapped in dates.'],
  ])('says of the time %s in which order its day is', (time, sentence) => {
    const fields: TableField[] = [{ name: 'id' }, { name: 'at', type: 'datetime' }];
    const { diagnoses } = inspectBytes(`id,at\n1,${time}\n`, {
      expectation: { schema: { fields } },
    });
    expect(diagnoses.map((diagnosis) => diagnosis.sentence)).toStrictEqual([sentence]);
  });

  it.each([
    ['date', '45123', 'Dates are serial numbers of a spreadsheet, days since the end of 1899.'],
    ['date', '20240322', 'Dates are written without hyphens.'],
    ['date', '2024-03-22 00:00:00', 'Dates have a time behind them.'],
    ['date', '2024-03-22T00:00:00Z', 'Dates have a time behind them.'],
    ['date', '2024/03/22', 'Dates are year/month/day, without hyphens between them.'],
    ['date', '2024-3-2', 'Months and days have no leading zeros.'],
    ['date', '22-Mar-2024', 'Months are written as names.'],
    ['date', 'March 22, 2024', 'Months are written as names.'],
    ['date', '22. März 2024', 'Months are written as names.'],
    ['date', '22 de marzo de 2024', 'Months are written as names.'],
    [
      'datetime',
      '45123.5',
      'Dates are serial numbers of a spreadsheet, days since the end of 1899.',
    ],
    ['datetime', '1711116300', 'Times are seconds or milliseconds since 1970.'],
    ['datetime', '20240322140500', 'Dates are written without hyphens.'],
    ['datetime', '2024-03-22 14:05:00', 'A blank stands between date and time, in place of T.'],
    ['datetime', '2024-03-22', 'Dates have no time behind them.'],
    ['integer', '71.0', 'Whole numbers have decimals that are zero.'],
    ['number', '$1,200.50', 'Numbers have a currency or a percent sign.'],
    ['number', '12,5 €', 'Numbers have a currency or a percent sign.'],
    ['integer', '12%', 'Numbers have a currency or a percent sign.'],
    [
      'number',
      '12.50-',
      'The minus of negative numbers stands behind them, or they are in brackets.',
    ],
    [
      'number',
      '(12.50)',
      'The minus of negative numbers stands behind them, or they are in brackets.',
    ],
    ['boolean', 'Y', 'Booleans are written as yes and no, or the like.'],
  ] as const)('says how %s %s is written', (type, value, sentence) => {
    const fields: TableField[] = [{ name: 'id' }, { name: 'at', type }];
    const { diagnoses } = inspectBytes(`id,at\n1,"${value}"\n`, {
      expectation: { schema: { fields } },
    });
    expect(diagnoses.map((diagnosis) => diagnosis.sentence)).toStrictEqual([sentence]);
  });

  it.each(['7', '2024', '123456', '123456789', '6175551234', 'abc', '2024-02-30', '12 345 678'])(
    'does not say how a date of %s is written',
    (value) => {
      expect(diagnosed(`${HEADER}1,${value},,\n`)).toStrictEqual([]);
    },
  );

  it('tells the day that a serial number of a spreadsheet stands for', () => {
    const [diagnosis] = inspectBytes(`${HEADER}1,45123,,\n`, {
      expectation: { schema: SCHEMA },
    }).diagnoses;
    expect(diagnosis?.evidence).toBe('"45123" in record 2, which is 2023-07-16');
  });

  it('quotes no value in a sentence, and one as evidence', () => {
    const file = `${HEADER}1,,"1234,5",\n`;
    const [diagnosis] = inspectBytes(file, { expectation: { schema: SCHEMA } }).diagnoses;
    expect(diagnosis).toMatchObject({
      sentence: 'Numbers have a decimal comma.',
      evidence: '"1234,5" in record 2',
      classification: 'internal',
    });
  });

  it('counts all faults of a column of which all that are known in full fit', () => {
    const rows = '1,03/22/2024,,\n'.repeat(500);
    expect(diagnosed(HEADER + rows)).toStrictEqual(['date-order 500']);
  });

  it('gives the three that explain most, and makes no verdict milder', () => {
    const rows = '1,03/22/2024,"1,5",#N/A\n2.01E+16,,"2,5",\n';
    const report = inspectBytes(`sep=,\n${HEADER}${rows}`, {
      expectation: { schema: SCHEMA, thresholds: { maxFaults: 3 } },
    });
    expect(report.diagnoses.map(({ kind }) => kind)).toStrictEqual([
      'decimal-comma',
      'sep-line',
      'scientific-notation',
    ]);
    expect(report.verdict).toBe('failed');
  });

  it.each<[string, TableField, string[]]>([
    ['1,2345', { name: 'sum', type: 'number', groupChar: ',' }, ['digit-groups 1']],
    ['1,00,000', { name: 'sum', type: 'integer', groupChar: ',' }, ['digit-groups 1']],
    ['12,34', { name: 'sum', type: 'integer', groupChar: ',' }, ['digit-groups 1']],
    [
      '1.2345,5',
      { name: 'sum', type: 'number', groupChar: '.', decimalChar: ',' },
      ['digit-groups 1'],
    ],
    ['12,34', { name: 'sum', type: 'number', groupChar: ',' }, ['decimal-comma 1']],
    ['1.234,567', { name: 'sum', type: 'number', groupChar: ',' }, ['decimal-comma 1']],
    ['1,2345', { name: 'sum', type: 'number' }, ['decimal-comma 1']],
    ['1,2345x', { name: 'sum', type: 'number', groupChar: ',' }, []],
    [',', { name: 'sum', type: 'number', groupChar: ',' }, []],
    ['1,234.5', { name: 'sum', type: 'number', groupChar: ',' }, []],
  ])('names of %s by %j', (value, field, expected) => {
    expect(diagnosed(`id,sum\n1,"${value}"\n`, { fields: [{ name: 'id' }, field] })).toStrictEqual(
      expected,
    );
  });

  it.each([
    ['utf-16be', 'utf16le', '\ufeff', 'which follows the byte order mark'],
    ['utf-16be', 'utf16le', '', 'which follows the byte order mark'],
    ['windows-1252', 'utf16le', '\ufeff', 'Declare the encoding that the file has'],
    ['utf-16', 'utf8', '', 'Declare the encoding that the file has'],
  ] as const)(
    'names that %s is declared of a file in %s with the mark %j',
    (declared, encoding, mark, remedy) => {
      const expectation = { schema: SCHEMA, dialect: { encoding: declared } };
      const { diagnoses, faults } = inspectBytes(Buffer.from(mark + GOOD, encoding), {
        expectation,
      });
      expect(faults).toHaveLength(1);
      expect(diagnoses).toMatchObject([{ kind: 'declared-encoding', faults: 1 }]);
      expect(diagnoses[0]?.remedy).toContain(remedy);
    },
  );

  it.each(['utf-16', 'utf-16le'] as const)(
    'needs to name nothing where %s is declared and meant',
    (encoding) => {
      const expectation = { schema: SCHEMA, dialect: { encoding } };
      const file = Buffer.from(`\ufeff${GOOD}`, 'utf16le');
      expect(inspectBytes(file, { expectation })).toMatchObject({
        verdict: 'passed',
        diagnoses: [],
      });
    },
  );
});
