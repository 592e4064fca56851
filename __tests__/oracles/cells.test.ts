import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProblemList } from '../../quality/descriptor-error.ts';
import { compileDialect } from '../../quality/dialect.ts';
import { CELL_ESCAPED, QUOTES_VALID, type RecordHandler, Scanner } from '../../quality/scanner.ts';
import { ask } from './support/ask.ts';

/** Cells of a text; undefined where a quote is broken. */
function scanned(text: string | Uint8Array): string[][] | undefined {
  const rows: string[][] = [];
  let broken = false;
  const dialect = compileDialect(undefined, '', new ProblemList());
  const handler: RecordHandler = {
    record(record) {
      broken ||= record.quotes !== QUOTES_VALID;
      rows.push(Array.from({ length: record.cellCount }, (_, cell) => cellOf(record, cell)));
    },
  };
  const scanner = new Scanner(handler, dialect, 2 ** 20);
  scanner.write(Buffer.from(text));
  scanner.end();
  return broken ? undefined : rows;
}

function cellOf(record: Scanner, cell: number): string {
  const isEscaped = ((record.flags[cell] ?? 0) & CELL_ESCAPED) !== 0;
  const bytes = isEscaped
    ? record.unescape(cell)
    : record.bytes.subarray(record.starts[cell], record.ends[cell]);
  return Buffer.from(bytes).toString();
}

/** Python has a row without a cell for a blank line, which is a row of one empty cell here. */
function comparable(rows: readonly string[][] | null | undefined): readonly string[][] | null {
  return rows?.map((row) => (row.length === 1 && row[0] === '' ? [] : row)) ?? null;
}

const MARKS = fc.constantFrom('"', '""', ',', '\n', '\r\n', '\r', 'a', 'b c', 'é', ' ', '"a', 'a"');
const CELL = fc.oneof(
  fc.constantFrom('', 'a', 'b c', 'é', '1.5'),
  fc
    .array(fc.constantFrom('a', ',', '\n', '\r\n', '""', 'é'), { maxLength: 4 })
    .map((parts) => `"${parts.join('')}"`),
);
const TABLE = fc
  .array(fc.array(CELL, { minLength: 1, maxLength: 4 }), { maxLength: 5 })
  .map((rows) => rows.map((cells) => `${cells.join(',')}\n`).join(''));

describe('cells', () => {
  it("are those of Python's csv, in whatever it takes as well as we do", async () => {
    const broken = fc.sample(
      fc.array(MARKS, { maxLength: 12 }).map((parts) => parts.join('')),
      {
        numRuns: 3_000,
        seed: 20_261_129,
      },
    );
    const sound = fc.sample(TABLE, { numRuns: 2_000, seed: 20_261_129 });
    const texts = [...broken, ...sound];
    const python = await ask<(string[][] | null)[]>('cells', texts);
    const compared = texts.map((text, index) => ({
      text,
      ours: comparable(scanned(text)),
      python: comparable(python[index]),
    }));
    // Both refuse a broken quote; Python takes one in the middle of an unquoted cell, which we name.
    const differing = compared.filter(
      ({ text, ours, python: theirs }) =>
        JSON.stringify(ours) !== JSON.stringify(theirs) && !(ours === null && hasQuoteInside(text)),
    );
    expect(differing.map((one) => JSON.stringify(one))).toStrictEqual([]);
    const both = compared.filter(({ ours }) => ours !== null).length;
    expect(both).toBeGreaterThan(sound.length);
  });

  it('are those that csv-spectrum has for its files', () => {
    const folder = dirname(createRequire(import.meta.url).resolve('csv-spectrum/package.json'));
    const names = readdirSync(join(folder, 'csvs'));
    expect(names.length).toBeGreaterThan(10);
    const broken: string[] = [];
    for (const name of names) {
      const cells = scanned(readFileSync(join(folder, 'csvs', name)));
      if (cells === undefined) broken.push(name);
      const [labels = [], ...rows] = cells ?? [];
      const expected = JSON.parse(
        readFileSync(join(folder, 'json', name.replace('.csv', '.json')), 'utf8'),
      );
      const objects = rows.map((row) =>
        Object.fromEntries(row.map((cell, index) => [labels[index], cell])),
      );
      if (cells !== undefined) expect([name, objects]).toStrictEqual([name, expected]);
    }
    // Its seconds of arc are quotes inside of unquoted cells, which we name, and others take for text.
    expect(broken).toStrictEqual(['location_coordinates.csv']);
  });
});

/** Whether a quote stands where it neither opens nor closes a cell for those who are strict, and is text for Python. */
function hasQuoteInside(text: string): boolean {
  return /[^",\r\n]"/.test(text);
}
