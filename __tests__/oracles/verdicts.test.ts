import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../listener/support/temporary-folder.ts';
import { inspectBytes } from '../quality/inspect-bytes.ts';
import { PLANTINGS, SCHEMA, table, write } from '../quality/planted-fault.ts';
import { ask } from './support/ask.ts';

type Errors = [type: string, row: number | null, field: number | null][];

/** What frictionless says otherwise of a planted fault, and why it is right that we don't. */
const QUOTES = "Python's csv, which it reads by, takes a quote inside a cell for text";
const DIFFERENCES: Readonly<Record<string, string>> = {
  'a quote in an unquoted cell': QUOTES,
  'a quote at the end of an unquoted cell': QUOTES,
  'text after a closing quote': QUOTES,
  'a space after a closing quote': QUOTES,
  'an undoubled quote in a quoted cell': QUOTES,
  'a quote in an unquoted cell, before a cell of several lines': QUOTES,
  'an undoubled quote in a quoted cell, before a cell of several lines': QUOTES,
  'an unclosed quote in the last cell':
    'in the last row it is closed by the end of the file for it',
  'a NUL byte': 'it takes NUL for a character',
  'a required text of blanks only':
    'blanks are a text for it, and no value for the governments that ask for one',
  'a null in the primary key': 'it compares keys, and lets them be null',
};

it('frictionless has the verdict and the row of each planted fault, but for what is listed', async () => {
  const folder = await temporaryFolder();
  const tables = fc.sample(table, { numRuns: 3, seed: 20_261_129 });
  const files: { name: string; path: string; file: Buffer; record: number | undefined }[] = [];
  for (const [index, valid] of tables.entries()) {
    files.push({ name: 'nothing', path: '', file: write(valid), record: undefined });
    for (const [name, plant] of Object.entries(PLANTINGS)) {
      const { file, record } = plant(valid, index);
      files.push({ name, path: '', file, record });
    }
  }
  for (const [index, one] of files.entries()) {
    one.path = join(folder, `${index}.csv`);
    await writeFile(one.path, one.file);
  }
  const answers = await ask<Errors[]>(
    'tables',
    files.map(({ path }) => ({ path, schema: SCHEMA })),
  );
  const differing = files.flatMap(({ name, file, record }, index) => {
    const errors = answers[index] ?? [];
    const verdict = inspectBytes(file, { expectation: { schema: SCHEMA } }).verdict;
    const sameVerdict = (verdict === 'failed') === errors.length > 0;
    const sameRow =
      record === undefined || errors.some(([, row]) => row === record || row === null);
    return (sameVerdict && sameRow) || name in DIFFERENCES
      ? []
      : [`${name}: ${verdict} in ${record}, frictionless ${JSON.stringify(errors.slice(0, 3))}`];
  });
  expect([...new Set(differing)]).toStrictEqual([]);
});
