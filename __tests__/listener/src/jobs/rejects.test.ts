import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NODE_PORTS } from '../../../../listener/src/jobs/engine-ports.ts';
import { readRows, rejectsCsv } from '../../../../listener/src/jobs/rejects.ts';
import { createLocalStore } from '../../../../listener/src/storage/local-store.ts';
import { compileExpectation } from '../../../../quality/expectation.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const fault = { record: 3, line: 4, type: 'type-error', label: 'n' } as const;

/**
 * Cells as a spreadsheet reads them: a quote at the begin of a cell quotes, what follows its end is text, and the delimiter
 * is that of the reader's country.
 */
function cellsOf(csv: string, delimiter: string): readonly (readonly string[])[] {
  const rows: string[][] = [['']];
  let quoted = false;
  let isStart = true;
  for (let at = 0; at < csv.length; at++) {
    const row = rows.at(-1) as string[];
    const last = row.length - 1;
    const character = csv[at] as string;
    if (quoted && character === '"' && csv[at + 1] === '"') {
      row[last] += '"';
      at++;
    } else if (quoted && character === '"') quoted = false;
    else if (quoted) row[last] += character;
    else if (isStart && character === '"') {
      quoted = true;
      isStart = false;
    } else if (character === delimiter) {
      row.push('');
      isStart = true;
    } else if (character === '\n') {
      rows.push(['']);
      isStart = true;
    } else if (character !== '\r') {
      row[last] += character;
      isStart = false;
    }
  }
  return rows;
}

const contentOf = (row: string) => cellsOf(rejectsCsv([fault], new Map([[3, row]])), ',')[1]?.[4];

test('each fault is a line, with the row that it is in', () => {
  expect(rejectsCsv([fault], new Map([[3, 'x,"a ""b"""']]))).toBe(
    '"row","line","kind","field","row_content"\r\n"3","4","type-error","n","x,""a """"b"""""""\r\n',
  );
});

test.each([
  ['of another name', 'id,social_security\n1,UND-1\n'],
  ['that is missing, where rows are as wide as the schema', 'id\n1,UND-1\n'],
])('a column with a label %s shows nothing', async (_, file) => {
  const root = await temporaryFolder();
  await writeFile(join(root, 'a.csv'), file);
  const fields = ['id', 'note'].map((name) => ({ name, classification: 'public' as const }));
  const rows = await readRows({
    ...{ store: createLocalStore(root), object: { bucket: 'b', key: 'a.csv' } },
    ...{ engine: { ports: NODE_PORTS, maxKeyBytes: 1_000 }, records: new Set([2]) },
    compiled: compileExpectation({ schema: { fields } }),
    shown: new Set(['public', 'internal'] as const),
    signal: new AbortController().signal,
  });
  expect(rows.get(2)).toMatch(/,\[withheld\]$/);
});

test('what a fault has no place for is empty', () => {
  const ofFile = { record: null, line: null, type: 'missing-label', label: null } as const;
  expect(rejectsCsv([ofFile], new Map())).toMatch(/\r\n"","","missing-label","",""\r\n$/);
});

test.each([
  ['=1+1', "'=1+1"],
  ['a,=HYPERLINK("x")', 'a,\'=HYPERLINK("x")'],
  ['a;@SUM(1)', "a;'@SUM(1)"],
  ['"=1"', '"\'=1"'],
  ['a\t+1', "a\t'+1"],
  ['a, -cmd', "a, '-cmd"],
  ['-1+cmd|calc', "'-1+cmd|calc"],
  ['＝1', "'＝1"],
])('%j is not a formula any more', (row, content) => {
  expect(contentOf(row)).toBe(content);
});

test.each(['-5,7', 'a,-5.25,b', 'a-b=c', '2026-11-29', 'a@b.example'])(
  '%j stays as it is',
  (row) => {
    expect(contentOf(row)).toBe(row);
  },
);

test('a label of the file that begins a formula is none in the column of fields', () => {
  const csv = rejectsCsv([{ ...fault, label: '=cmd' }], new Map());
  expect(cellsOf(csv, ',')[1]?.[3]).toBe("'=cmd");
});

test.each([',', ';', '\t', '|'])(
  'whatever a row holds, a spreadsheet that separates by %j finds no formula in it',
  (delimiter) => {
    const text = fc.string({ unit: fc.constantFrom(...'=+-@,;|\t"\r\n a1') });
    fc.assert(
      fc.property(text, (row) => {
        const cells = cellsOf(rejectsCsv([fault], new Map([[3, row]])), delimiter).flat();
        const formulas = cells.filter((cell) => /^\s*[=+@-]/.test(cell));
        // A negative number is none.
        expect(formulas.filter((cell) => !/^\s*-\d+(\.\d+)?(["',;|\s]|$)/.test(cell))).toEqual([]);
      }),
      { numRuns: 500 },
    );
  },
);
