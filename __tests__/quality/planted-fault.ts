import fc from 'fast-check';
import type { FaultType } from '../../quality/faults.ts';
import type { TableSchema } from '../../quality/table-schema.ts';

/** A valid table, and the text it was written as. Row 0 is the header. */
export interface Table {
  rows: string[][];
  lineEnd: string;
}

/** A file with one fault, and the only place that a report may name. */
export interface PlantedFile {
  file: Buffer;
  type: FaultType;
  record: number;
  /** Null for what has no column. */
  field: number | null;
  /** What is said besides, at the same place, and fails no file. */
  warnings?: readonly FaultType[];
}

export const SCHEMA: TableSchema = {
  fields: [
    { name: 'id', type: 'integer', constraints: { required: true, minimum: 1, unique: true } },
    { name: 'name', type: 'string', constraints: { required: true, maxLength: 30 } },
    { name: 'rank', type: 'string', constraints: { enum: ['officer', 'sergeant', 'captain'] } },
    { name: 'hired', type: 'date' },
    { name: 'pay', type: 'number', constraints: { maximum: 1000 } },
    { name: 'unit', type: 'string', constraints: { pattern: '[A-Z]{2}-\\d+' } },
    { name: 'code', type: 'string' },
  ],
  primaryKey: ['name', 'code'],
};

const LABELS = SCHEMA.fields.map((field) => field.name);

/** Text cells, written as they are in the file: some quoted, with delimiters, quotes or line ends inside. */
const text = fc.oneof(
  fc.stringMatching(/^[a-zé ]{0,7}[a-z]$/).map((value) => `n${value}`),
  fc.stringMatching(/^[a-z]{1,6}$/).map((value) => `"q, ${value}"`),
  fc.stringMatching(/^[a-z]{1,6}$/).map((value) => `"said ""${value}"" twice"`),
  fc.stringMatching(/^[a-z]{1,6}$/).map((value) => `"two\nlines ${value}"`),
);

function row(index: number): fc.Arbitrary<string[]> {
  return fc
    .tuple(
      text,
      fc.constantFrom('officer', 'sergeant', 'captain', ''),
      fc.constantFrom('2024-02-29', '1999-12-31', ''),
      fc.constantFrom('12.5', '-3', '1e2', '999.99', ''),
      fc.constantFrom('AB-1', 'XY-123', ''),
    )
    .map(([name, ...rest]) => [String(index), name, ...rest, `c${index}`]);
}

export const table: fc.Arbitrary<Table> = fc
  .tuple(fc.integer({ min: 3, max: 9 }), fc.constantFrom('\n', '\r\n', '\r'))
  .chain(([count, lineEnd]) =>
    fc
      .tuple(...Array.from({ length: count }, (_, index) => row(index + 1)))
      .map((rows) => ({ rows: [LABELS, ...rows], lineEnd })),
  );

/** The table as a file; the last line ends too. */
export function write({ rows, lineEnd }: Table): Buffer {
  return Buffer.from(rows.map((cells) => cells.join(',') + lineEnd).join(''));
}

/** Changes one row of a table; `at` is any number, brought into range. */
type Planting = (table: Table, at: number) => PlantedFile;

function inRow(
  type: FaultType,
  column: number | null,
  change: (cells: string[]) => void,
): Planting {
  return (valid, at) => {
    const rows = valid.rows.map((cells) => [...cells]);
    const index = 1 + (at % (rows.length - 1));
    const cells = rows[index] ?? [];
    change(cells);
    return { file: write({ ...valid, rows }), type, record: index + 1, field: column };
  };
}

function cell(type: FaultType, column: number, value: string): Planting {
  return inRow(type, column, (cells) => {
    cells[column - 1] = value;
  });
}

function inHeader(
  type: FaultType,
  change: (labels: string[], at: number) => number | null,
): Planting {
  return (valid, at) => {
    const rows = valid.rows.map((cells) => [...cells]);
    const field = change(rows[0] ?? [], at % LABELS.length);
    return { file: write({ ...valid, rows }), type, record: 1, field };
  };
}

/** A byte sequence put into a text cell; offsets of a Latin-1 write are bytes. */
function bytesIn(column: number, bytes: readonly number[]): Planting {
  return (valid, at) => {
    const rows = valid.rows.map((cells) => [...cells]);
    const index = 1 + (at % (rows.length - 1));
    const mark = 'MARK';
    (rows[index] ?? [])[column - 1] = `a${mark}b`;
    const file = write({ ...valid, rows });
    const from = file.indexOf(mark);
    const planted = [file.subarray(0, from), Buffer.from(bytes), file.subarray(from + mark.length)];
    return {
      file: Buffer.concat(planted),
      type: 'encoding-error',
      record: index + 1,
      field: column,
    };
  };
}

export const PLANTINGS: Record<string, Planting> = {
  'a cell too few': inRow('missing-cell', 7, (cells) => cells.pop()),
  'a cell too many': inRow('extra-cell', 8, (cells) => cells.push('more')),
  'an empty cell too many': inRow('extra-cell', 8, (cells) => cells.push('')),
  'a blank line': (valid, at) => {
    const rows = [...valid.rows];
    const index = 1 + (at % rows.length);
    rows.splice(index, 0, ['']);
    return { file: write({ ...valid, rows }), type: 'blank-row', record: index + 1, field: null };
  },
  'a row of empty cells': inRow('blank-row', null, (cells) => cells.fill('')),
  'a quote in an unquoted cell': cell('stray-quote', 2, 'O"Neil'),
  'a quote at the end of an unquoted cell': cell('stray-quote', 7, '6"'),
  'text after a closing quote': cell('stray-quote', 2, '"ab"c'),
  'a space after a closing quote': cell('stray-quote', 2, '"ab" '),
  'an undoubled quote in a quoted cell': cell('stray-quote', 2, '"say "hi" now"'),
  'a quote that is never closed': cell('unclosed-quote', 2, '"never'),
  'an unclosed quote in the last cell': cell('unclosed-quote', 7, '"never'),
  'an unclosed quote before a quoted cell': inRow('unclosed-quote', 2, (cells) => {
    cells[1] = '"open';
    cells[2] = '"officer"';
  }),
  'a quote in an unquoted cell, before a cell of several lines': inRow(
    'stray-quote',
    2,
    (cells) => {
      cells[1] = 'O"Neil';
      cells[6] = '"two\nlines, ""and"" more"';
    },
  ),
  'an undoubled quote in a quoted cell, before a cell of several lines': inRow(
    'stray-quote',
    2,
    (cells) => {
      cells[1] = '"say "hi" now"';
      cells[6] = '"two\r\nlines"';
    },
  ),
  'an unclosed quote before a cell of several lines': inRow('unclosed-quote', 2, (cells) => {
    cells[1] = '"open';
    cells[6] = '"two\n\nlines"';
  }),
  'a byte of Latin-1': bytesIn(7, [0xe9]),
  'an overlong sequence': bytesIn(7, [0xc0, 0xaf]),
  'a surrogate in UTF-8': bytesIn(2, [0xed, 0xa0, 0x80]),
  'a character cut short': bytesIn(7, [0xe2, 0x82]),
  'a character beyond Unicode': bytesIn(7, [0xf5, 0x80, 0x80, 0x80]),
  'a NUL byte': bytesIn(7, [0x00]),
  'a word for an integer': cell('type-error', 1, 'seven'),
  'a decimal for an integer': cell('type-error', 1, '7.0'),
  'a date that does not exist': cell('type-error', 4, '2023-02-29'),
  'a comma for a decimal point': cell('type-error', 5, '"1,5"'),
  'a required value missing': cell('constraint-error', 1, ''),
  'a value below the minimum': cell('constraint-error', 1, '0'),
  'a value above the maximum': cell('constraint-error', 5, '1000.01'),
  'a value the enum does not list': cell('constraint-error', 3, 'Officer'),
  'a value that breaks the pattern': cell('constraint-error', 6, 'ab-1'),
  'a text too long': cell('constraint-error', 2, 'é'.repeat(31)),
  'a required text of blanks only': (valid, at) => {
    const planted = cell('constraint-error', 2, ' \u00a0 ')(valid, at);
    return { ...planted, warnings: ['blank-value'] };
  },
  'a null in the primary key': cell('primary-key', 7, ''),
  'a value used twice': (valid) => {
    const rows = valid.rows.map((cells) => [...cells]);
    const last = rows.at(-1) ?? [];
    last[0] = '+01';
    return { file: write({ ...valid, rows }), type: 'unique-error', record: rows.length, field: 1 };
  },
  'a primary key used twice': (valid) => {
    const rows = valid.rows.map((cells) => [...cells]);
    const [, first = [], ...others] = rows;
    const last = others.at(-1) ?? [];
    last[1] = first[1] ?? '';
    last[6] = first[6] ?? '';
    return { file: write({ ...valid, rows }), type: 'primary-key', record: rows.length, field: 2 };
  },
  'a blank label': inHeader('blank-label', (labels, at) => {
    labels[at] = '';
    return at + 1;
  }),
  'a label used twice': inHeader('duplicate-label', (labels, at) => {
    const column = Math.max(1, at);
    labels[column] = labels[column - 1] ?? '';
    return column + 1;
  }),
  'a label misspelt': inHeader('incorrect-label', (labels, at) => {
    labels[at] = 'wrong';
    return at + 1;
  }),
  'a column too many': (valid) => {
    const rows = valid.rows.map((cells, index) => [...cells, index === 0 ? 'more' : 'x']);
    return { file: write({ ...valid, rows }), type: 'extra-label', record: 1, field: 8 };
  },
};
