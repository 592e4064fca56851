import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TableSchema } from '../../quality/table-schema.ts';
import { inspectBytes, places } from './inspect-bytes.ts';

const NAMES = ['visit_id', 'seen', 'ward', 'reason', 'cost', 'note'];
const STRINGS: TableSchema = { fields: NAMES.map((name) => ({ name })) };
const TYPED: TableSchema = {
  fields: [
    { name: 'visit_id', type: 'integer', constraints: { required: true, unique: true } },
    { name: 'seen', type: 'date', constraints: { required: true } },
    { name: 'ward', type: 'string', constraints: { required: true } },
    { name: 'reason', type: 'string' },
    { name: 'cost', type: 'number' },
    { name: 'note', type: 'string' },
  ],
};

const HEADER = `${NAMES.join()}\n`;
const ROWS = [
  '71,2023-11-05,north,cough,12.25,walked in',
  '72,2023-11-05,south,fever,8,"rest, tea"',
  '73,2023-11-06,north,sprain,40.5,bandaged',
  '74,2023-11-07,west,cough,,none',
];
const GOOD = `${HEADER}${ROWS.join('\n')}\n`;
const PLAIN = GOOD.replace('"rest, tea"', 'rest');
const row = (number: number, text: string): string =>
  `${HEADER}${ROWS.map((good, index) => (index === number - 2 ? text : good)).join('\n')}\n`;

type File = string | Uint8Array;
/** The verdict, then the places of the faults. */
type Judgement = readonly string[];

interface Case {
  readonly file: File;
  readonly none: Judgement;
  /** @default as without a schema */
  readonly typed?: Judgement;
  /** @default as with the typed schema */
  readonly strings?: Judgement;
  /** The kinds of diagnosis of the three, or that of all. */
  readonly diagnoses?: readonly string[] | readonly (readonly string[])[];
}

const PASSED: Judgement = ['passed'];
const UNSUPPORTED: Judgement = ['unreadable', 'unsupported-format -:-'];
const DIALECT = 'incorrect-dialect -:-';

function unsupported(file: File): Case {
  return { file, none: UNSUPPORTED, diagnoses: ['unsupported-format'] };
}

function otherDialect(file: File, kind: string): Case {
  return { file, none: ['warned', DIALECT], typed: ['failed', DIALECT], diagnoses: [kind] };
}

function header(line: string, fault: string, diagnoses: readonly string[] = []): Case {
  const file = GOOD.replace(HEADER, `${line}\n`);
  return { file, none: PASSED, typed: ['failed', fault], diagnoses: [[], diagnoses, diagnoses] };
}

const CASES: Readonly<Record<string, Case>> = {
  'a good file': { file: GOOD, none: PASSED },
  'an unclosed quote, a cell too many and a quote inside a cell': {
    file: `${HEADER}${ROWS[0]}\n72,2023-11-05,south,"fever,8,tea\n73,2023-11-06,north,a,b,c,d\n74,2023-11-07,west,cough,,a "b\n`,
    none: ['failed', 'unclosed-quote 3:4', 'extra-cell 4:7', 'stray-quote 5:6'],
  },
  'blank labels at the end': {
    file: PLAIN.replaceAll('\n', ',,\n'),
    none: ['failed', 'blank-label 1:7', 'blank-label 1:8'],
    diagnoses: ['trailing-columns'],
  },
  tabs: otherDialect(PLAIN.replaceAll(',', '\t'), 'delimiter'),
  semicolons: otherDialect(PLAIN.replaceAll(',', ';'), 'delimiter'),
  'a header of commas over semicolons': otherDialect(
    HEADER + PLAIN.slice(HEADER.length).replaceAll(',', ';'),
    'header-delimiter',
  ),
  'a header of tabs over commas': otherDialect(
    HEADER.replaceAll(',', '\t') + GOOD.slice(HEADER.length),
    'header-delimiter',
  ),
  'a quoted header of semicolons over commas': otherDialect(
    `"${NAMES.join('";"')}"\n${GOOD.slice(HEADER.length)}`,
    'header-delimiter',
  ),
  apostrophes: otherDialect(GOOD.replaceAll('"', "'"), 'quote'),
  'a PDF': unsupported('%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\n'),
  'an old workbook': unsupported(
    Uint8Array.of(0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1, 0, 0, 0, 0),
  ),
  Parquet: unsupported('PAR1\x15\x04\x15\x10PAR1'),
  'lines of JSON': unsupported('{"visit_id": 71}\n{"visit_id": 72}\n'),
  'a log-in page': unsupported('<!doctype html>\n<html><body>Please sign in</body></html>\n'),
  bzip2: unsupported(Buffer.from('BZh91AY&SY\x01\x02\x03\x04', 'latin1')),
  'a sep= line': {
    file: `sep=,\n${GOOD}`,
    none: ['warned', 'sep-line -:-'],
    diagnoses: ['sep-line'],
  },
  'a repeated header': {
    file: `${HEADER}${ROWS[0]}\n${ROWS[1]}\n${HEADER}${ROWS[2]}\n`,
    none: ['warned', 'repeated-header 4:-'],
    typed: ['failed', 'repeated-header 4:-'],
    diagnoses: ['repeated-header'],
  },
  'a header that is repeated in quotes': {
    file: `${HEADER}${ROWS[0]}\n"${NAMES.join('","')}"\n${ROWS[2]}\n`,
    none: ['warned', 'repeated-header 3:-'],
    typed: ['failed', 'repeated-header 3:-'],
    diagnoses: ['repeated-header'],
  },
  'a header in quotes that is repeated without': {
    file: `"${NAMES.join('","')}"\n${ROWS[0]}\n${HEADER}${ROWS[2]}\n`,
    none: ['warned', 'repeated-header 3:-'],
    typed: ['failed', 'repeated-header 3:-'],
    diagnoses: ['repeated-header'],
  },
  'a header that is repeated in upper case, behind blanks': {
    file: `${HEADER}${ROWS[0]}\n${NAMES.join(', ').toUpperCase()}\n${ROWS[2]}\n`,
    none: ['warned', 'repeated-header 3:-'],
    typed: ['failed', 'repeated-header 3:-'],
    diagnoses: ['repeated-header'],
  },
  'a header that is repeated at once': {
    file: `${HEADER}${GOOD}`,
    none: ['warned', 'repeated-header 2:-'],
    typed: ['failed', 'repeated-header 2:-'],
    diagnoses: ['repeated-header'],
  },
  'a line of dashes under the header': {
    file: `${HEADER}${NAMES.map((name) => '-'.repeat(name.length)).join()}\n${ROWS[0]}\n`,
    none: ['warned', 'second-header 2:-'],
    typed: ['failed', 'second-header 2:-'],
    strings: ['warned', 'second-header 2:-'],
    diagnoses: ['second-header'],
  },
  'a byte order mark inside': {
    file: GOOD.replace('73,', '\ufeff73,'),
    none: ['warned', 'byte-order-mark 4:-'],
    typed: ['failed', 'type-error 4:1', 'byte-order-mark 4:-'],
    strings: ['warned', 'byte-order-mark 4:-'],
    diagnoses: ['joined-files'],
  },
  'a byte order mark before a repeated header': {
    file: `${GOOD}\ufeff${HEADER}75,2023-11-08,west,cough,1,x\n`,
    none: ['warned', 'repeated-header 6:-', 'byte-order-mark 6:-'],
    typed: ['failed', 'repeated-header 6:-', 'byte-order-mark 6:-'],
    diagnoses: ['joined-files', 'repeated-header'],
  },
  'a byte order mark before a repeated header in quotes': {
    file: `"visit_id",${NAMES.slice(1)}\n${ROWS[0]}\n\ufeff"visit_id",${NAMES.slice(1)}\n${ROWS[1]}\n`,
    none: ['warned', 'repeated-header 3:-', 'byte-order-mark 3:-'],
    typed: ['failed', 'repeated-header 3:-', 'byte-order-mark 3:-'],
    diagnoses: ['joined-files', 'repeated-header'],
  },
  'padded values and a cell of blanks': {
    file: row(3, '72,2023-11-05,   ,fever ,8,tea'),
    none: ['warned', 'blank-value 3:3', 'padded-value 3:4'],
    typed: ['failed', 'blank-value 3:3', 'constraint-error 3:3', 'padded-value 3:4'],
    strings: ['warned', 'blank-value 3:3', 'padded-value 3:4'],
  },
  'an invisible character in a label': {
    file: `\u200b${GOOD}`,
    none: ['warned', 'incorrect-label 1:1'],
    typed: ['failed', 'incorrect-label 1:1'],
    diagnoses: ['label-spelling'],
  },
  'backslashes before quotes': {
    file: row(3, '72,2023-11-05,south,fever,8,"\\"rest\\", tea"'),
    none: ['failed', 'stray-quote 3:6'],
    diagnoses: ['backslash-escapes'],
  },
  'quotes inside of quotes': {
    file: row(3, '72,2023-11-05,south,fever,8,"said "rest" twice"'),
    none: ['failed', 'stray-quote 3:6'],
  },
  'a total': {
    file: `${GOOD}Total,,,,60.75,\n`,
    none: ['warned', 'total-row 6:-'],
    typed: ['failed', 'total-row 6:-'],
    strings: ['warned', 'total-row 6:-'],
    diagnoses: ['total-row'],
  },
  'a row in the middle that looks like a total': {
    file: row(3, 'Total,,,,60.75,'),
    none: PASSED,
    typed: ['failed', 'type-error 3:1', 'constraint-error 3:2', 'constraint-error 3:3'],
    strings: PASSED,
  },
  'Windows-1252': {
    file: Buffer.from(row(3, '72,2023-11-05,south,fever,8,\xa3 due'), 'latin1'),
    none: ['failed', 'encoding-error 3:6'],
    diagnoses: ['windows-1252'],
  },
  'UTF-16 without a mark': {
    file: Buffer.from(GOOD, 'utf16le'),
    none: ['warned', 'undeclared-encoding -:-'],
    diagnoses: ['undeclared-encoding'],
  },
  'UTF-16 with a mark': { file: Buffer.from(`\ufeff${GOOD}`, 'utf16le'), none: PASSED },
  'ids in scientific notation': {
    file: row(3, '7.20231E+15,2023-11-05,south,fever,8,tea'),
    none: ['warned', 'scientific-notation 3:1'],
    typed: ['failed', 'type-error 3:1'],
    strings: ['warned', 'scientific-notation 3:1'],
    diagnoses: ['scientific-notation'],
  },
  'formulas around values': {
    file: row(3, '72,2023-11-05,south,="007",8,tea'),
    none: ['warned', 'formula-value 3:4'],
    diagnoses: ['formula-quotes'],
  },
  'quoted formulas around values': {
    file: row(3, '"=""72""",2023-11-05,south,"=""007""",8,tea'),
    none: ['warned', 'formula-value 3:1', 'formula-value 3:4'],
    typed: ['failed', 'type-error 3:1', 'formula-value 3:4'],
    strings: ['warned', 'formula-value 3:1', 'formula-value 3:4'],
    diagnoses: ['formula-quotes'],
  },
  'a delimiter in a formula': {
    file: row(3, '72,2023-11-05,south,="a,b",8'),
    none: ['failed', 'stray-quote 3:4'],
    diagnoses: ['formula-quotes'],
  },
  'errors of a spreadsheet': {
    file: row(3, '72,#######,south,#N/A,#DIV/0!,tea'),
    none: ['warned', 'spreadsheet-error 3:2', 'spreadsheet-error 3:4', 'spreadsheet-error 3:5'],
    typed: ['failed', 'type-error 3:2', 'spreadsheet-error 3:4', 'type-error 3:5'],
    strings: ['warned', 'spreadsheet-error 3:2', 'spreadsheet-error 3:4', 'spreadsheet-error 3:5'],
    diagnoses: ['spreadsheet-errors'],
  },
  'a row of NUL': {
    file: row(3, '\0'.repeat(700)),
    none: ['failed', 'encoding-error 3:1'],
  },
  'padding of commas': {
    file: `${PLAIN}${',,,,,\n'.repeat(2)}`.replaceAll('\n', ',,\n'),
    none: ['failed', 'blank-label 1:7', 'blank-label 1:8', 'blank-row 6:-', 'blank-row 7:-'],
    diagnoses: ['trailing-columns'],
  },
  'labels in upper case': header(NAMES.join().toUpperCase(), 'incorrect-label 1:1', [
    'label-spelling',
  ]),
  'formulas around labels': {
    file: GOOD.replace(HEADER, `${NAMES.map((name) => `="${name}"`)}\n`),
    none: ['warned', ...NAMES.map((_, index) => `incorrect-label 1:${index + 1}`)],
    typed: ['failed', 'incorrect-label 1:1'],
    diagnoses: [[], ['label-spelling'], ['label-spelling']],
  },
  'a renamed label': header(NAMES.join().replace('ward', 'wards'), 'incorrect-label 1:3'),
  'columns in another order': {
    file: PLAIN.replace(/^([^,\n]*),([^,\n]*)/gm, '$2,$1'),
    none: PASSED,
    typed: ['failed', 'incorrect-label 1:1'],
    diagnoses: [[], ['label-order'], ['label-order']],
  },
  'two headers': {
    file: GOOD.replace(HEADER, `${HEADER}key,day,place,why,euro,text\n`),
    none: ['warned', 'second-header 2:-'],
    typed: ['failed', 'second-header 2:-'],
    strings: ['warned', 'second-header 2:-'],
    diagnoses: ['second-header'],
  },
  'a last row cut off': {
    file: `${GOOD}75,2023-1`,
    none: ['failed', 'missing-cell 6:3'],
    diagnoses: ['truncated'],
  },
  'a last cell cut off in quotes': {
    file: `${GOOD}75,2023-11-08,west,cough,3,"wal`,
    none: ['failed', 'unclosed-quote 6:6'],
    diagnoses: ['truncated'],
  },
  'the end-of-file mark of DOS on a line of its own': {
    file: `${GOOD}\x1a\n`,
    none: ['failed', 'end-of-file-mark 6:-', 'missing-cell 6:2'],
    diagnoses: ['end-of-file-mark'],
  },
  'the end-of-file mark of DOS in the last cell': {
    file: `${GOOD.trimEnd()}\x1a`,
    none: ['warned', 'end-of-file-mark 5:-'],
    diagnoses: ['end-of-file-mark'],
  },
  'the end-of-file mark of DOS in the last cell, which is a number': {
    file: `${NAMES.slice(0, 5).join(',')}\n71,2023-11-05,north,cough,3\x1a`,
    none: ['warned', 'end-of-file-mark 2:-'],
    typed: ['failed', 'end-of-file-mark 2:-', 'missing-label 1:-', 'type-error 2:5'],
    strings: ['failed', 'end-of-file-mark 2:-', 'missing-label 1:-'],
    diagnoses: ['end-of-file-mark'],
  },
  'decimal commas between semicolons': {
    file: `${NAMES.join(';')}\n71;2023-11-05;north;cough;12,25;a\n72;2023-11-05;south;fever;8,50;b\n`,
    none: ['warned', DIALECT],
    typed: ['failed', DIALECT, 'type-error 2:5', 'type-error 3:5'],
    strings: ['failed', DIALECT],
    diagnoses: [
      ['delimiter', 'decimal-comma'],
      ['decimal-comma', 'delimiter'],
      ['delimiter', 'decimal-comma'],
    ],
  },
  'dates of month and day': {
    file: GOOD.replaceAll(/2023-(\d\d)-(\d\d)/g, '$1/$2'),
    none: PASSED,
    typed: ['failed', ...[2, 3, 4, 5].map((record) => `type-error ${record}:2`)],
    strings: PASSED,
    diagnoses: [[], ['date-order'], []],
  },
  'an id in three spellings': {
    file: GOOD.replace('72,', '071,').replace('73,', '+71,'),
    none: PASSED,
    typed: ['failed', 'unique-error 3:1', 'unique-error 4:1'],
    strings: PASSED,
  },
  'mixed line ends': {
    file: GOOD.replace('none\n', 'none\r\n'),
    none: ['warned', 'mixed-line-ends 5:-'],
  },
  'CR CR LF': {
    file: PLAIN.replaceAll('\n', '\r\r\n'),
    none: [
      'failed',
      ...[2, 4, 6, 8, 10].map((record) => `blank-row ${record}:-`),
      'mixed-line-ends 2:-',
    ],
    diagnoses: ['line-ends'],
  },
  'typographic quotes': {
    file: GOOD.replace('"rest, tea"', '\u201crest, tea\u201d'),
    none: ['failed', 'extra-cell 3:7'],
    diagnoses: ['smart-quotes'],
  },
  'a blank before a quote': {
    file: GOOD.replace('"rest', ' "rest'),
    none: ['failed', 'stray-quote 3:6'],
    diagnoses: ['blank-before-quote'],
  },
};

describe('a total row whose primary key is null', () => {
  const schema: TableSchema = { ...STRINGS, primaryKey: ['visit_id', 'seen'] };

  it('is one fault', () => {
    const report = inspectBytes(`${GOOD},,Total,,60.75,\n`, { expectation: { schema } });
    expect(places(report)).toStrictEqual(['total-row 6:-']);
    expect(report).toMatchObject({ verdict: 'failed', faultCount: 1, faultyRows: 1 });
    expect(report.columns[0]?.faultCounts).toStrictEqual({});
  });

  it('is not a total in the middle of the file', () => {
    const file = row(3, ',,Total,,60.75,');
    const report = inspectBytes(file, { expectation: { schema } });
    expect(places(report)).toStrictEqual(['primary-key 3:1', 'primary-key 3:2']);
  });
});

const SCHEMAS = [undefined, TYPED, STRINGS];

/** What is found of a file in the three ways, in chunks of these sizes. */
function judgements(file: File, sizes: readonly number[] = []) {
  return SCHEMAS.map((schema) => {
    const options = schema === undefined ? {} : { expectation: { schema } };
    return inspectBytes(file, options, sizes);
  });
}

describe.each(Object.entries(CASES))('%s', (_, { file, none, diagnoses = [], ...schemas }) => {
  const { typed = none, strings = typed } = schemas;

  it('has its verdict, faults and places without a schema, with types and with texts', () => {
    const found = judgements(file).map((report) => [report.verdict, ...places(report).sort()]);
    const sorted = [none, typed, strings].map(([verdict, ...at]) => [verdict, ...at.sort()]);
    expect(found).toStrictEqual(sorted);
  });

  it('has its diagnoses', () => {
    const found = judgements(file).map((report) => report.diagnoses.map(({ kind }) => kind));
    const expected = SCHEMAS.map((_schema, index) => {
      const [first] = diagnoses;
      return typeof first === 'string' ? diagnoses : (diagnoses[index] ?? []);
    });
    expect(found).toStrictEqual(expected);
  });

  it('has the same report however it is cut', () => {
    const whole = judgements(file);
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 5 }),
        (sizes) => {
          expect(judgements(file, sizes)).toStrictEqual(whole);
        },
      ),
      { numRuns: 8 },
    );
  });
});

/** Texts that are as they should be, and look like what is found elsewhere. */
const SOUND: Readonly<Record<string, readonly string[]>> = {
  French: ['« Déjà », l’été…', 'à côté d’Évry', 'CAFÉ®', '3 000 €', 'Œuvre'],
  German: ['„Guten Tag“', '‚Ära‘', 'Ä–Ö–Ü', '5 €/m³', 'Summe aller'],
  Polish: ['żółć', '„tak”', 'KOŃ»', 'ŁÓDŹ'],
  Icelandic: ['BLAÐ»', 'Þórður', '„SMÁ“'],
  Cyrillic: ['ТОВ «ІРІС»', 'СССР»', '220В±5%', '№ 5', 'Привет — «мир»'],
  Greek: ['«ΝΑΙ»', 'Ο–Ω', 'Αθήνα'],
  Vietnamese: ['Nguyễn Văn Ấn', 'QĐ–BGDĐT'],
  Asian: ['「はい」', '中文，标点。', '한국어', 'ไทย', 'مرحبا', 'שלום'],
  names: ["O'Neil", "'t Hooft", 'Jean "Bob" Smith', "D'Angelo, Ann"],
  addresses: ['#12, 5th Ave', 'Apt #5; rear', "No. 7, c/o O'Brien", '5½ Main St'],
  code: [
    'if (a < b && c) { return "x"; }',
    '=SUM(A1:A3)',
    '="x" & "y"',
    'C:\\temp',
    '<b>x</b>',
    'a|b',
  ],
  addressesOfPages: ['https://x.y/a?b=c&d=%C3%A9', 'ftp://h/~u', 'a@b.c'],
  amounts: ['$1,200.00', '(12.50)', '1.200,50', '12.50-', '2.5E+3', '0012', '45123'],
  days: ['03/22/2024', '22.03.2024', '2024-03-22 10:00', 'March 5, 2024', '12:30'],
  units: ['25 Å²', 'Ø½×½×½', '2×½×¾', '12,5 °C', 'n√2'],
  words: ['Total cost', 'totally', 'N/A', 'null', '--', 'VISIT_ID', 'sep=;'],
};

describe.each(Object.entries(SOUND))('%s', (_, texts) => {
  it.each([',', ';', '\t', '|'])('passes between %j, with a schema and without', (delimiter) => {
    const quoted = (text: string): string => {
      return /["\n]/.test(text) || text.includes(delimiter)
        ? `"${text.replaceAll('"', '""')}"`
        : text;
    };
    const rows = texts.map((text, index) => {
      const cells = [`${index}`, text, texts[index + 1] ?? 'x', `${index}.5`];
      return cells.map(quoted).join(delimiter);
    });
    const file = [['visit_id', 'text', 'other', 'cost'].join(delimiter), ...rows, ''].join('\n');
    const fields = ['visit_id', 'text', 'other', 'cost'].map((name) => ({ name }));
    for (const schema of [{}, { schema: { fields } }]) {
      const report = inspectBytes(file, { expectation: { dialect: { delimiter }, ...schema } });
      expect([report.verdict, ...places(report)]).toStrictEqual(PASSED);
    }
  });
});
