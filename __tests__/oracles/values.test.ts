import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ProblemList } from '../../quality/descriptor-error.ts';
import { compileFieldType, type FieldType } from '../../quality/field-type.ts';
import { ask } from './support/ask.ts';

/** A type of Table Schema, and the one of DuckDB that it is compared with. */
const TYPES: Readonly<Record<string, FieldType>> = {
  BIGINT: 'integer',
  DOUBLE: 'number',
  DATE: 'date',
  TIME: 'time',
  TIMESTAMP: 'datetime',
  BOOLEAN: 'boolean',
};

/** Cells of a type of which one says another thing than the other, each with the reason. */
const DIFFERENCES: readonly (readonly [RegExp, string, RegExp])[] = [
  [/^(BIGINT|DOUBLE|BOOLEAN|DATE|TIME|TIMESTAMP)$/, 'DuckDB strips blanks', /^\s|\s$/],
  [/^BIGINT$/, 'DuckDB rounds decimals and takes exponents for integers', /[.eE]/],
  [/^BIGINT$/, 'a BIGINT has 64 bits, an integer as many as it needs', /^[-+]?\d{19,}$/],
  [/^(BIGINT|DOUBLE)$/, 'DuckDB takes _ between digits', /_/],
  [/^(BIGINT|DOUBLE)$/, 'DuckDB refuses a plus', /^\+/],
  [/^BIGINT$/, 'DuckDB takes hexadecimal and binary integers', /^[-+]?0[xXbB]/],
  [
    /^DOUBLE$/,
    "XML Schema writes INF and NaN; DuckDB any case, and 'infinity'",
    /^[-+]?(inf|nan)/i,
  ],
  [
    /^DATE$/,
    'DuckDB takes days and months of one digit, and / or a blank for -',
    /^\d+[-/ ]\d{1,2}[-/ ]\d{1,2}$/,
  ],
  [/^DATE$/, 'DuckDB takes a time behind a date', /^\d{4}-\d\d-\d\d[ T]/],
  [/^TIME$/, 'DuckDB takes parts of one digit, left out, or with blanks for colons', /^[\d: ]+$/],
  [/^TIME(STAMP)?$/, 'DuckDB takes and drops zones', /(Z|[+-]\d\d(:?\d\d)?)$/],
  [/^TIME$/, 'DuckDB takes a timestamp for its time', /^\d{4}-/],
  [
    /^TIMESTAMP$/,
    'DuckDB takes a date, a blank for T, and parts left out',
    /^\d{4}-\d\d?-\d\d?([ T].*)?$/,
  ],
  [/^BOOLEAN$/, 'DuckDB takes t, f, yes, no, y, n, and any case', /^(t|f|y|n|yes|no|true|false)$/i],
];

const digits = (length: number) => fc.stringMatching(new RegExp(`^\\d{${length}}$`));
const two = fc.nat(61).map((value) => `${value}`.padStart(2, '0'));
const CELLS: Readonly<Record<string, fc.Arbitrary<string>>> = {
  BIGINT: fc.oneof(
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
    fc.integer().map((value) => `000${Math.abs(value)}`),
    fc.stringMatching(/^[-+ 0-9eEx_.]{1,6}$/),
  ),
  DOUBLE: fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
    fc.stringMatching(/^-?\d{1,20}\.\d{1,20}$/),
    fc.stringMatching(/^[-+ 0-9eE_.]{1,7}$/),
  ),
  DATE: fc.oneof(
    fc
      .tuple(digits(4), two, two)
      .filter(([year]) => year !== '0000')
      .map((parts) => parts.join('-')),
    fc.stringMatching(/^[-0-9/ ]{6,11}$/),
  ),
  TIME: fc.oneof(
    fc.tuple(two, two, two).map((parts) => parts.join(':')),
    fc.stringMatching(/^\d\d:\d\d:\d\d\.\d{1,6}$/),
    fc.stringMatching(/^[0-9: ]{4,9}$/),
  ),
  TIMESTAMP: fc
    .tuple(digits(4), two, two, two, two, two)
    .filter(([year]) => year !== '0000')
    .map(
      ([year, month, day, hour, minute, second]) =>
        `${year}-${month}-${day}T${hour}:${minute}:${second}`,
    ),
  BOOLEAN: fc.constantFrom('true', 'false', '1', '0', 'TRUE', 'True', 'yes', 'n', '2', 'tru', '01'),
};

it('typed values are those of DuckDB, but for what is listed with its reason', async () => {
  const cells = Object.fromEntries(
    Object.entries(CELLS).map(([kind, cell]) => [
      kind,
      [...new Set(fc.sample(cell, { numRuns: 1_500, seed: 20_261_129 }))],
    ]),
  );
  const duckdb = await ask<Record<string, (string | null)[]>>('values', cells);
  const differing: string[] = [];
  let equal = 0;
  for (const [kind, texts] of Object.entries(cells)) {
    const type = TYPES[kind] ?? 'any';
    const { keyOf } = reader(type);
    const theirs = texts.map((text, index) => {
      const answer = duckdb[kind]?.[index] ?? null;
      return [text, answer === null ? undefined : keyOf(asSchemaHasIt(kind, answer))] as const;
    });
    for (const [text, value] of theirs) {
      if (keyOf(text) === value) {
        if (value !== undefined) equal++;
      } else if (!DIFFERENCES.some(([of, , form]) => of.test(kind) && form.test(text))) {
        differing.push(`${kind} ${JSON.stringify(text)}: ${keyOf(text)}, DuckDB ${value}`);
      }
    }
  }
  expect(differing).toStrictEqual([]);
  expect(equal).toBeGreaterThan(2_000);
});

/** DuckDB's own texts differ from ISO 8601 in the blank of a timestamp. */
function asSchemaHasIt(kind: string, text: string): string {
  return kind === 'TIMESTAMP' ? text.replace(' ', 'T') : text;
}

/** Reads a cell as what only equal values share; undefined for what is not of the type. */
function reader(type: FieldType) {
  const problems = new ProblemList();
  const cell = compileFieldType(type, {}, 'field', problems);
  return {
    keyOf(text: string): number | string | undefined {
      const bytes = Buffer.from(text);
      const value = cell.read(bytes, 0, bytes.length);
      // A DOUBLE has 53 bits of a number, which are its value here as well; its key is exact.
      if (Number.isNaN(value)) return undefined;
      return type === 'number' ? value : cell.key(bytes, 0, bytes.length, value);
    },
  };
}
